"""Edges of a fixed value: a copy of the input in a larger tensor, without arithmetic."""

from __future__ import annotations

from calculator.core.measure_fields import real
from calculator.layers.rearranging import Padded


class _ConstantPad(Padded):
    """A fixed value before and behind the last axes; a negative number of them crops."""

    value: float | None = real(
        default=0.0, required=True, optional=True, label="Value", help="None is 0."
    )


class ConstantPad1d(_ConstantPad, name="constant_pad1d", axes="L"):
    """A fixed value around the last axis, as `torch.nn.ConstantPad1d`: a copy, no arithmetic."""


class ConstantPad2d(_ConstantPad, name="constant_pad2d", axes="HW"):
    """A fixed value around the last two axes, as `torch.nn.ConstantPad2d`: no arithmetic."""


class ConstantPad3d(_ConstantPad, name="constant_pad3d", axes="DHW"):
    """A fixed value around the last three axes, as `torch.nn.ConstantPad3d`: no arithmetic."""
