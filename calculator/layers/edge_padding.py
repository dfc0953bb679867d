"""Edges filled from the input itself: mirrored, repeated, or from the opposite side."""

from __future__ import annotations

from typing import Any, ClassVar

from calculator.core.tensor_fields import shape
from calculator.layers.rearranging import Padded

_LINE: Any = shape("n", default=(1, 64, 128), label="Input shape", role="input")
_VOLUME: Any = shape("n", default=(1, 16, 8, 28, 28), label="Input shape", role="input")

Edge = tuple[int, int, tuple[int, int]]
"""A padded axis: its place in the input, its size, and what is put before and behind it."""


class _EdgePad(Padded):
    """Numbers of the input before and behind its last axes, behind a channel axis at least."""

    spaced: ClassVar[str] = ""
    """What torch writes behind the sizes of an image that is cropped too far."""

    def validate_input(self) -> None:
        self.validate_length()
        dimensions, edges = len(self.size), self.edges()
        first = dimensions - len(edges)
        if first not in (1, 2) or not 1 <= len(edges) <= 3:
            raise self.refused(
                f"Padding size {2 * len(edges)} is not supported for {dimensions}D input tensor. "
                f"Give (N, C, {', '.join(self.axes)}) and two numbers for each of these axes"
            )
        pairs = zip(self.size[first:], reversed(edges), strict=True)
        self.validate_edges([(first + place, *pair) for place, pair in enumerate(pairs)])
        if min(self.output_shape) < 1:
            raise self.refused("leaves nothing; the output's size. Must be at least 1")

    def keeps(self) -> tuple[bool, bool]:
        """The input, though its gradient needs the sizes alone."""
        return self.input_requires_grad, False

    def validate_edges(self, edges: list[Edge]) -> None:
        """Raise InvalidField if the sizes of the padded axes do not allow it."""
        left = [size + sum(pair) for _, size, pair in edges]
        if max(left) < 1:
            names = "DHW"[-len(edges) :]
            given = " ".join(
                f"{name}: {size}" for name, (_, size, _) in zip(names, edges, strict=True)
            )
            found = " ".join(f"{name}: {size}" for name, size in zip(names, left, strict=True))
            gap = self.spaced if len(edges) == 2 else ""
            raise self.refused(
                f"input ({given.replace(' W: ', ', W: ')}{gap}) is too small. Calculated output "
                f"{found}. Crop less"
            )
        if min(left) < 0:
            raise self.refused(f"leaves a negative size, {min(left)}. Crop less")


class _ReflectionPad(_EdgePad):
    """Mirrored edges: at most one less than there is."""

    def validate_edges(self, edges: list[Edge]) -> None:
        for place, extent, pair in reversed(edges):
            if max(pair) >= extent:
                raise self.refused(
                    "Padding size should be less than the corresponding input dimension, but got: "
                    f"padding {pair} at dimension {place} of input {list(self.size)}. "
                    f"Pad it by at most {extent - 1}"
                )
        super().validate_edges(edges)


class ReflectionPad1d(_ReflectionPad, name="reflection_pad1d", axes="L"):
    """The last axis mirrored at its ends, as `torch.nn.ReflectionPad1d`: no arithmetic."""

    size: tuple[int, ...] = _LINE


class ReflectionPad2d(_ReflectionPad, name="reflection_pad2d", axes="HW"):
    """The last two axes mirrored at their ends, as `torch.nn.ReflectionPad2d`: no arithmetic."""


class ReflectionPad3d(_ReflectionPad, name="reflection_pad3d", axes="DHW"):
    """The last three axes mirrored at their ends, as `torch.nn.ReflectionPad3d`: no arithmetic."""

    size: tuple[int, ...] = _VOLUME


class _ReplicationPad(_EdgePad):
    """The numbers at the edges repeated."""

    spaced = " "


class ReplicationPad1d(_ReplicationPad, name="replication_pad1d", axes="L"):
    """The first and the last number repeated, as `torch.nn.ReplicationPad1d`: no arithmetic."""

    size: tuple[int, ...] = _LINE


class ReplicationPad2d(_ReplicationPad, name="replication_pad2d", axes="HW"):
    """The edges of an image repeated, as `torch.nn.ReplicationPad2d`: no arithmetic."""


class ReplicationPad3d(_ReplicationPad, name="replication_pad3d", axes="DHW"):
    """The edges of a volume repeated, as `torch.nn.ReplicationPad3d`: no arithmetic."""

    size: tuple[int, ...] = _VOLUME


class _CircularPad(_EdgePad):
    """Numbers from the opposite side: at most once around."""

    def keeps(self) -> tuple[bool, bool]:
        """Nothing: it is copied in slices."""
        return False, False

    def validate_input(self) -> None:
        wanted = len(self.axes) + 1, len(self.axes) + 2
        if len(self.size) not in wanted:
            raise self.fields["size"].refuse(
                f"expected {wanted[0]}D or {wanted[1]}D input (got {len(self.size)}D input). "
                f"Give (N, C, {', '.join(self.axes)})",
                self.size,
            )
        super().validate_input()

    def validate_edges(self, edges: list[Edge]) -> None:
        for _, extent, pair in edges:
            if max(pair) > extent:
                raise self.refused(
                    "Padding value causes wrapping around more than once. "
                    f"Pad an axis of {extent} by at most {extent}"
                )
            if extent + sum(pair) < 0:
                raise self.refused(
                    "Negative padding value is resulting in an empty dimension. Crop less"
                )


class CircularPad1d(_CircularPad, name="circular_pad1d", axes="L"):
    """The last axis continued from its other end, as `torch.nn.CircularPad1d`: no arithmetic."""

    size: tuple[int, ...] = _LINE


class CircularPad2d(_CircularPad, name="circular_pad2d", axes="HW"):
    """The last two axes continued from their other ends, as `torch.nn.CircularPad2d`: copies."""


class CircularPad3d(_CircularPad, name="circular_pad3d", axes="DHW"):
    """The last three axes continued from their other ends, as `torch.nn.CircularPad3d`: copies."""

    size: tuple[int, ...] = _VOLUME
