"""What convolutions share, forward and transposed: a kernel, channels in groups, a bias."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from calculator.core.calculation import fact, quantity
from calculator.core.expression import quotient
from calculator.core.fields import Flag, Size, size
from calculator.core.operations import Operations
from calculator.core.tensor_fields import PerAxis
from calculator.layers.inputs import Sizes, Spatial

_KERNEL_SIZE = PerAxis(
    "K_axis",
    label="Kernel size",
    default=3,
    required=True,
    refusal="kernel size should be greater than zero",
)
_STRIDE = PerAxis(
    "S_axis",
    label="Stride",
    default=1,
    refusal="non-positive stride is not supported",
    broadcast=True,
)
DILATION = PerAxis(
    "D_axis", label="Dilation", default=1, refusal="dilation should be greater than zero"
)
GROUPS: Any = Size("g", label="Groups", default=1, refusal="groups must be a positive integer")
BIAS: Any = Flag(label="Bias", default=True)
NEGATIVE_PADDING = "negative padding is not supported"


class Convolving(Spatial):
    """What forward and transposed convolutions share: channels, groups, shapes."""

    in_channels: int = size(r"C_\text{in}", default=3, label="Input channels", required=True)
    out_channels: int = size(r"C_\text{out}", default=32, label="Output channels", required=True)
    kernel_size: Sizes = _KERNEL_SIZE
    stride: Sizes = _STRIDE
    groups: int = GROUPS
    bias: bool = BIAS

    channels_field = "in_channels"

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Take one number in a tuple for all axes, as torch does if it pads by zeros."""
        if values.get("padding_mode", "zeros") == "zeros":
            lone = {
                name: values[name][0]
                for name in ("padding", "dilation")
                if isinstance(values.get(name), (tuple, list)) and len(values[name]) == 1
            }
            values = {**values, **lone}
        return super()._checked(values)

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        axes = len(cls.axes)
        if fields.get("padding_mode", "zeros") != "zeros":  # padded before it is convolved
            return (
                f"Padding size {2 * axes} is not supported for {len(shape)}D input tensor. "
                f"Give (N, C, {', '.join(cls.axes)})"
            )
        return (
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {cls.name}, but "
            f"got input of size: {list(shape)}. Give (N, C, {', '.join(cls.axes)})"
        )

    def wrong_channels(self, channels: int) -> str:
        batch = [self.samples(), channels]
        return (
            f"Given {self.weight_said()}, expected input{[*batch, *self.padded_size]} to have "
            f"{self.in_channels} channels, but got {channels} channels instead. "
            f"Set in_channels={channels}"
        )

    def weight_said(self) -> str:
        """Return how torch speaks of the weight."""
        raise NotImplementedError

    @fact
    def padded_size(self) -> tuple[int, ...]:
        """The size along each axis of what torch's kernel is given."""
        return self.input_size()

    def validate_module(self) -> None:
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if channels % self.groups:
                raise self.fields["groups"].refuse(
                    f"{name} must be divisible by groups. {channels} is not a multiple of "
                    f"{self.groups}: change groups or {name}",
                    self.groups,
                )

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The batch, `C_out`, a size for each axis."""
        return (*self.leading(), self.out_channels, *self.output_size)

    @quantity()
    def params(self) -> int:
        """One weight per kernel position and pair of connected channels, one bias per channel."""
        pairs = self.out_channels * quotient(self.in_channels, self.groups)
        weight = pairs * prod(self.kernel_size)
        return weight + self.out_channels if self.bias else weight

    @quantity()
    def operations(self) -> Operations:
        """The bias is one addition per output."""
        additions = {"additions": prod(self.output_shape)} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weight; torch keeps it for that of the input too."""
        return self.is_trained(), False
