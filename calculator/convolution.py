"""Convolutions over one, two and three axes, forward and transposed."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from calculator.axes import PerAxis, per_axis
from calculator.calculation import quantity
from calculator.expression import quotient
from calculator.fields import LARGEST, Choice, Flag, Size, choice, size
from calculator.operations import Operations
from calculator.spatial import AXES, OneAxis, Spatial, ThreeAxes, TwoAxes, by

Sizes = Any  # given as an int or a tuple, read as a tuple

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
_DILATION = PerAxis(
    "D_axis", label="Dilation", default=1, refusal="dilation should be greater than zero"
)
_GROUPS: Any = Size("g", label="Groups", default=1, refusal="groups must be a positive integer")
_BIAS: Any = Flag(label="Bias", default=True)
_NEGATIVE_PADDING = "negative padding is not supported"


class _Convolving(Spatial):
    """What forward and transposed convolutions share: channels, groups, shapes."""

    in_channels: int = size(r"C_\text{in}", default=3, label="Input channels", required=True)
    out_channels: int = size(r"C_\text{out}", default=32, label="Output channels", required=True)
    kernel_size: Sizes = _KERNEL_SIZE
    stride: Sizes = _STRIDE
    groups: int = _GROUPS
    bias: bool = _BIAS

    channels_field = "in_channels"

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
        batch = [self.images(), channels]
        return (
            f"Given {self.weight_said()}, expected input{[*batch, *self.padded_size]} to have "
            f"{self.in_channels} channels, but got {channels} channels instead. "
            f"Set in_channels={channels}"
        )

    def weight_said(self) -> str:
        """Return how torch speaks of the weight."""
        raise NotImplementedError

    @property
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
        """One weight per kernel position and pair of connected channels, one bias a channel."""
        pairs = self.out_channels * quotient(self.in_channels, self.groups)
        weight = pairs * prod(self.kernel_size)
        return weight + self.out_channels if self.bias else weight

    @quantity()
    def operations(self) -> Operations:
        """The bias is one addition an output."""
        additions = {"additions": prod(self.output_shape)} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weight; torch keeps it for that of the input too."""
        return self.is_trained(), False

    def is_trained(self) -> bool:
        """Return whether there is a gradient to compute."""
        return self.input_requires_grad or self.weight_requires_grad


class _Convolution(_Convolving):
    """A kernel slides over the input: each output sums C_in/groups times the kernel's products."""

    padding: Sizes = per_axis(
        "P_axis", label="Padding", default=0, minimum=-LARGEST,
        words={"valid": 0, "same": None}, help="A number, one per axis, 'same' or 'valid'.",
    )  # fmt: skip
    dilation: Sizes = _DILATION
    groups: int = _GROUPS
    bias: bool = _BIAS
    padding_mode: str = choice(
        default="zeros", label="Padding mode",
        options={mode: mode for mode in ("zeros", "reflect", "replicate", "circular")},
        refusal="padding_mode must be one of {{{options}}}, but got padding_mode={given!r}",
    )  # fmt: skip

    def weight_said(self) -> str:
        weight = [self.out_channels, self.in_channels // self.groups, *self.kernel_size]
        return f"groups={self.groups}, weight of size {weight}"

    @property
    def padded_size(self) -> tuple[int, ...]:
        added = [sum(pair) for pair in self._edges()]
        if self.padding_mode == "zeros":  # its kernels pad, by as much on either side
            added = [each % 2 for each in added]
        return tuple(size + more for size, more in zip(self.input_size(), added, strict=True))

    def wrong_channels(self, channels: int) -> str:
        self.validate_padding(channels)
        return super().wrong_channels(channels)

    @property
    def same_padding(self) -> bool:
        """Whether the output keeps the size of the input."""
        return bool(self.padding == "same")

    def _edges(self) -> list[tuple[int, int]]:
        """Return the padding before and behind each axis; an odd one of 'same' goes behind."""
        if not self.same_padding:
            return [(each, each) for each in self.padding]
        spans = zip(self.dilation, self.kernel_size, strict=True)
        return [(d * (k - 1) // 2, (d * (k - 1) + 1) // 2) for d, k in spans]

    def validate_module(self) -> None:
        super().validate_module()
        if self.same_padding and set(self.stride) != {1}:
            raise self.fields["padding"].refuse(
                "padding='same' is not supported for strided convolutions. "
                "Give a number, or set stride=1",
                self.padding,
            )

    def validate_padding(self, channels: int) -> None:
        """Raise InvalidField where torch would not pad an input with so many channels."""
        sizes, edges = self.input_size(), self._edges()
        shape = [*self.leading(), channels, *sizes]
        start = len(shape) - len(sizes)
        # Torch looks at the last axis first.
        for place, (size_, pair) in reversed([*enumerate(zip(sizes, edges, strict=True), start)]):
            axis, edge = AXES[self.axes[place - start]], max(pair)
            refused = self.fields["padding"].refuse
            given = self.fields["padding"].write(self.padding)
            if self.padding_mode == "zeros" and edge < 0:
                raise refused(
                    f"{_NEGATIVE_PADDING}. Give 0 or more, or another padding_mode to crop", given
                )
            if self.padding_mode == "reflect" and edge >= size_:
                raise refused(
                    "Padding size should be less than the corresponding input dimension, but got: "
                    f"padding {pair} at dimension {place} of input {shape}. Pad the "
                    f"{axis} by at most {size_ - 1}",
                    given,
                )
            if self.padding_mode == "circular" and edge > size_:
                raise refused(
                    "Padding value causes wrapping around more than once. "
                    f"Pad the {axis} by at most {size_} in padding_mode='circular'",
                    given,
                )
            if size_ + sum(pair) < 1:
                raise refused(
                    f"input ({axis}: {size_}) is too small. "
                    f"Calculated output {axis}: {size_ + sum(pair)}. Crop less",
                    given,
                )

    def validate_input(self) -> None:
        self.validate_padding(self.in_channels)
        sizes = self.input_size()
        if self.same_padding:
            return
        padded = [s + 2 * p for s, p in zip(sizes, self.padding, strict=True)]
        spans = zip(self.dilation, self.kernel_size, strict=True)
        reach = [d * (k - 1) + 1 for d, k in spans]
        for name, room, span in zip(self.axes, padded, reach, strict=True):
            if span > room:
                raise self.fields["kernel_size"].refuse(
                    f"Calculated padded input size per channel: ({by(padded)}). "
                    f"Kernel size: ({by(reach)}). "
                    "Kernel size can't be greater than actual input size. "
                    f"Along the {AXES[name]} the kernel spans {span} of {room}: make "
                    "kernel_size or dilation smaller, or padding or the input larger",
                    self.fields["kernel_size"].write(self.kernel_size),
                )

    @property
    def pads_a_copy(self) -> bool:
        """Whether torch writes the padded input out: its kernels pad by zeros, evenly."""
        return self.padding_mode != "zeros" or self.padded_size != self.input_size()

    @cached_property
    def branches(self) -> tuple[object, ...]:
        return (*super().branches, self.padded_size if self.pads_a_copy else None)

    def keeps(self) -> tuple[bool, bool]:
        """The input, or the padded copy of it; reflect and replicate need both."""
        if not self.pads_a_copy:
            return self.is_trained(), False
        return self.input_requires_grad and self.padding_mode in ("reflect", "replicate"), False

    def kept_bytes(self) -> int:
        if not (self.pads_a_copy and self.is_trained()):
            return 0
        return self.images() * self.in_channels * prod(self.padded_size) * self.element_bytes

    @quantity()
    def output_size(self) -> tuple[int, ...]:
        """One output for each place of the kernel on the padded input."""
        if self.same_padding:
            return self.input_size()
        geometry = zip(
            self.input_size(),
            self.padding,
            self.dilation,
            self.kernel_size,
            self.stride,
            strict=True,
        )
        return tuple((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, p, d, k, s in geometry)

    @quantity()
    def macs(self) -> int:
        """One per output and weight that reaches it; products with padding are counted."""
        outputs = self.images() * self.out_channels * prod(self.output_size)
        return outputs * quotient(self.in_channels, self.groups) * prod(self.kernel_size)

    @quantity(r"\text{FLOPs}_\text{exact}", unit="FLOP", label="Counted one by one")
    def exact_flops(self) -> int:
        """K products need K − 1 additions; the bias is the K-th."""
        products = 2 * quotient(self.in_channels, self.groups) * prod(self.kernel_size)
        each = products if self.bias else products - 1
        return self.images() * self.out_channels * prod(self.output_size) * each


def _zeros_only(title: str) -> Any:
    return Choice(
        default="zeros",
        label="Padding mode",
        options={"zeros": "zeros"},
        refusal=f'Only "zeros" padding mode is supported for {title}',
    )


class _Transposed(_Convolving):
    """The kernel is added to the output once for each input: the work is on the input's grid."""

    padding: Sizes = per_axis(
        "P_axis", label="Padding", default=0, minimum=0, refusal=_NEGATIVE_PADDING
    )
    output_padding: Sizes = per_axis(
        r"P_{\text{out},axis}", default=0, label="Output padding", minimum=0,
        refusal="negative output_padding is not supported", broadcast=True,
    )  # fmt: skip
    groups: int = _GROUPS
    bias: bool = _BIAS
    dilation: Sizes = _DILATION

    def weight_said(self) -> str:
        weight = [self.in_channels, self.out_channels // self.groups, *self.kernel_size]
        return f"transposed=1, weight of size {weight}"

    def validate_input(self) -> None:
        limits = [*zip(self.output_padding, self.stride, self.dilation, strict=True)]
        if any(extra >= max(stride, dilation) for extra, stride, dilation in limits):
            names = ["output_padding", "stride", "dilation"]
            axes = [AXES[axis] for axis in self.axes]
            if axes == ["length"]:  # torch adds a height of 1
                axes, limits = ["height", "width"], [(0, 1, 1), *limits]
            said = " ".join(
                f"{name}_{axis}: {number}"
                for name, numbers in zip(names, zip(*limits, strict=True), strict=True)
                for axis, number in zip(axes, numbers, strict=True)
            )
            raise self.fields["output_padding"].refuse(
                "output padding must be smaller than either stride or dilation, but got "
                f"{said}. Make output_padding smaller",
                self.fields["output_padding"].write(self.output_padding),
            )
        if min(self.output_size) < 1:
            height = [1] if len(self.axes) == 1 else []
            given, found = [*height, *self.input_size()], [*height, *self.output_size]
            raise self.fields["padding"].refuse(
                f"Given input size per channel: ({by(given)}). "
                f"Calculated output size per channel: ({by(found)}). "
                "Output size is too small. Make padding smaller, or the kernel or input larger",
                self.fields["padding"].write(self.padding),
            )

    @quantity()
    def output_size(self) -> tuple[int, ...]:
        """The forward convolution's shape rule, solved for its input."""
        geometry = zip(
            self.input_size(), self.stride, self.padding, self.dilation, self.kernel_size,
            self.output_padding, strict=True,
        )  # fmt: skip
        return tuple(
            (size - 1) * s - 2 * p + d * (k - 1) + extra + 1 for size, s, p, d, k, extra in geometry
        )

    @quantity()
    def macs(self) -> int:
        """One per input and weight that it reaches; padding of the output only crops."""
        inputs = self.images() * self.in_channels * prod(self.input_size())
        return inputs * quotient(self.out_channels, self.groups) * prod(self.kernel_size)


class Conv1d(_Convolution, OneAxis, name="conv1d"):
    """Convolution over one axis, as `torch.nn.Conv1d`: input `(N, C_in, L_in)`."""


class Conv2d(_Convolution, TwoAxes, name="conv2d"):
    """Convolution over two axes, as `torch.nn.Conv2d`: input `(N, C_in, H_in, W_in)`."""


class Conv3d(_Convolution, ThreeAxes, name="conv3d"):
    """Convolution over three axes, as `torch.nn.Conv3d`: input `(N, C_in, D_in, H_in, W_in)`."""


class ConvTranspose1d(_Transposed, OneAxis, name="conv_transpose1d"):
    """Transposed convolution, as `torch.nn.ConvTranspose1d`: input `(N, C_in, L_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose1d")


class ConvTranspose2d(_Transposed, TwoAxes, name="conv_transpose2d"):
    """Transposed convolution, as `torch.nn.ConvTranspose2d`: input `(N, C_in, H_in, W_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose2d")


class ConvTranspose3d(_Transposed, ThreeAxes, name="conv_transpose3d"):
    """Transposed convolution, as `torch.nn.ConvTranspose3d`: `(N, C_in, D_in, H_in, W_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose3d")
