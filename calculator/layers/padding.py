"""Layers that put zeros around a tensor, or crop it."""

from __future__ import annotations

from typing import Any

from calculator.core.calculation import quantity
from calculator.core.extents import Extent
from calculator.core.tensor_fields import shape
from calculator.layers.shaped import Shaped


class _ZeroPad(Shaped):
    """Zeros before and behind the last axes; a negative number crops. A copy: no arithmetic."""

    padding: Any = Extent(
        "P", default=1, required=True, label="Padding",
        help="One number for all edges, or: left, right, top, bottom …",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(1, 64, 56, 56), label="Input shape", role="input")

    def validate_module(self) -> None:
        if isinstance(self.padding, tuple) and len(self.padding) % 2:
            raise self._refused("Padding length must be divisible by 2. Give two for each axis")

    def validate_input(self) -> None:
        dimensions, edges = len(self.size), self.edges()
        if len(edges) > dimensions:
            raise self._refused(
                "Padding length should be less than or equal to two times the input dimension but "
                f"got padding length {2 * len(edges)} and input of dimension {dimensions}. "
                "Give two for each axis"
            )
        for size, pair in zip(reversed(self.size), edges, strict=False):
            if size + sum(min(each, 0) for each in pair) < 0:
                raise self._refused("narrow(): length must be non-negative. Crop less")
        if min(self.output_shape) < 1:
            raise self._refused("leaves nothing; the output's size. Must be at least 1")

    def _refused(self, message: str) -> Exception:
        field = self.fields["padding"]
        return field.refuse(message, field.write(self.padding))

    def edges(self) -> tuple[tuple[int, int], ...]:
        """Return what is put before and behind each axis, the last axis first."""
        if not isinstance(self.padding, tuple):
            return tuple((self.padding, self.padding) for _ in self.axes)
        return tuple(zip(self.padding[::2], self.padding[1::2], strict=True))

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """Each of the last axes with what is put before and behind it."""
        edges = self.edges()
        place = len(self.size) - len(edges)
        padded = zip(self.size[place:], reversed(edges), strict=True)
        return (*self.size[:place], *(size + before + behind for size, (before, behind) in padded))


class ZeroPad1d(_ZeroPad, name="zero_pad1d", axes="L"):
    """Zeros before and behind the last axis, as `torch.nn.ZeroPad1d`: a copy, no arithmetic."""


class ZeroPad2d(_ZeroPad, name="zero_pad2d", axes="HW"):
    """Zeros around the last two axes, as `torch.nn.ZeroPad2d`: a copy, no arithmetic."""


class ZeroPad3d(_ZeroPad, name="zero_pad3d", axes="DHW"):
    """Zeros around the last three axes, as `torch.nn.ZeroPad3d`: a copy, no arithmetic."""
