"""Convolutions over one, two and three axes, forward and transposed."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import quantity
from calculator.expression import quotient
from calculator.fields import LARGEST, Flag, PerAxis, Size, choice, per_axis, size
from calculator.layer import Layer

Sizes = Any  # given as an int or a tuple, read as a tuple

_AXES = {"D": "depth", "H": "height", "W": "width", "L": "length"}

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


class _Spatial(Layer):
    """What forward and transposed convolutions share: channels, groups, shapes."""

    in_channels: int = size(r"C_\text{in}", default=3, label="Input channels", required=True)
    out_channels: int = size(r"C_\text{out}", default=32, label="Output channels", required=True)
    kernel_size: Sizes = _KERNEL_SIZE
    stride: Sizes = _STRIDE
    groups: int = _GROUPS
    bias: bool = _BIAS
    batch_size: int = size("N", default=1, label="Batch size", role="input")

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        axes = [_AXES[axis] for axis in cls.axes]
        expected = fields.get("in_channels", cls.fields["in_channels"].default)
        if len(input_shape) == len(axes) + 1:
            raise cls.misfit("has no batch dimension. Put a 1 before it", input_shape)
        if len(input_shape) != len(axes) + 2:
            raise cls.misfit(
                f"Expected {len(axes) + 1}D (unbatched) or {len(axes) + 2}D (batched) input to "
                f"{cls.__name__.lower()}, but got input of size: {list(input_shape)}. "
                f"Give (N, C, {', '.join(cls.axes)})",
                input_shape,
            )
        batch_size, channels, *sizes = input_shape
        if channels != expected:
            raise cls.misfit(
                f"expected input{list(input_shape)} to have {expected} channels, but got "
                f"{channels} channels instead. Set in_channels={channels}",
                input_shape,
            )
        dimensions: dict[str, Any] = dict(zip(axes, sizes, strict=True))
        return cls(batch_size=batch_size, **dimensions, **fields)

    def validate(self) -> None:
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if channels % self.groups:
                raise self.fields["groups"].refuse(
                    f"{name} must be divisible by groups. {channels} is not a multiple of "
                    f"{self.groups}: change groups or {name}",
                    self.groups,
                )

    def input_size(self) -> tuple[int, ...]:
        """Return the size of the input along each axis."""
        return tuple(getattr(self, _AXES[axis]) for axis in self.axes)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """`(N, C_in, …)`, a size for each axis at the end."""
        return (self.batch_size, self.in_channels, *self.input_size())

    @quantity(r"AXIS_\text{out}", label="Output size")
    def output_size(self) -> tuple[int, ...]:
        """The size of the output along each axis."""
        raise NotImplementedError

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """`(N, C_out, …)`, a size for each axis at the end."""
        return (self.batch_size, self.out_channels, *self.output_size)

    @quantity()
    def params(self) -> int:
        """One weight per kernel position and pair of connected channels, one bias a channel."""
        pairs = self.out_channels * quotient(self.in_channels, self.groups)
        weight = pairs * prod(self.kernel_size)
        return weight + self.out_channels if self.bias else weight

    @quantity()
    def operations(self) -> dict[str, int]:
        """The bias is one addition an output."""
        additions = {"additions": prod(self.output_shape)} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}


class _Convolution(_Spatial):
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
        refusal="padding_mode must be one of {options}, but got padding_mode={given!r}",
    )  # fmt: skip

    @property
    def same_padding(self) -> bool:
        """Whether the output keeps the size of the input."""
        return bool(self.padding == "same")

    def _edges(self) -> list[int]:
        """Return the larger of the two paddings of each axis."""
        if not self.same_padding:
            return list(self.padding)
        spans = zip(self.dilation, self.kernel_size, strict=True)
        return [(d * (k - 1) + 1) // 2 for d, k in spans]

    def validate(self) -> None:
        super().validate()
        if self.same_padding and set(self.stride) != {1}:
            raise self.fields["padding"].refuse(
                "padding='same' is not supported for strided convolutions. "
                "Give a number, or set stride=1",
                self.padding,
            )
        sizes, edges = self.input_size(), self._edges()
        for name, size_, edge in zip(self.axes, sizes, edges, strict=True):
            axis = _AXES[name]
            if self.padding_mode == "zeros" and edge < 0:
                raise self.fields["padding"].refuse(
                    f"{_NEGATIVE_PADDING}. Give 0 or more, or another padding_mode to crop",
                    self.fields["padding"].write(self.padding),
                )
            if size_ + 2 * edge < 1:
                raise self.fields["padding"].refuse(
                    f"input ({axis}: {size_}) is too small. "
                    f"Calculated output {axis}: {size_ + 2 * edge}. Crop less",
                    self.fields["padding"].write(self.padding),
                )
            if self.padding_mode == "reflect" and edge >= size_:
                raise self.fields["padding"].refuse(
                    "Padding size should be less than the corresponding input dimension, "
                    f"but got: padding {edge} and {axis} {size_}. Pad at most {size_ - 1} in "
                    "padding_mode='reflect'",
                    self.padding,
                )
            if self.padding_mode == "circular" and edge > size_:
                raise self.fields["padding"].refuse(
                    "Padding value causes wrapping around more than once. "
                    f"Pad the {axis} by at most {size_} in padding_mode='circular'",
                    self.padding,
                )
        if self.same_padding:
            return
        padded = [s + 2 * p for s, p in zip(sizes, self.padding, strict=True)]
        spans = zip(self.dilation, self.kernel_size, strict=True)
        reach = [d * (k - 1) + 1 for d, k in spans]
        for name, room, span in zip(self.axes, padded, reach, strict=True):
            if span > room:
                raise self.fields["kernel_size"].refuse(
                    f"Calculated padded input size per channel: ({_by(padded)}). "
                    f"Kernel size: ({_by(reach)}). "
                    "Kernel size can't be greater than actual input size. "
                    f"Along the {_AXES[name]} the kernel spans {span} of {room}: make "
                    "kernel_size or dilation smaller, or padding or the input larger",
                    self.fields["kernel_size"].write(self.kernel_size),
                )

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
        outputs = self.batch_size * self.out_channels * prod(self.output_size)
        return outputs * quotient(self.in_channels, self.groups) * prod(self.kernel_size)

    @quantity(r"\text{FLOPs}_\text{exact}", unit="FLOP", label="Counted one by one")
    def exact_flops(self) -> int:
        """K products need K − 1 additions; the bias is the K-th."""
        products = 2 * quotient(self.in_channels, self.groups) * prod(self.kernel_size)
        each = products if self.bias else products - 1
        return self.batch_size * self.out_channels * prod(self.output_size) * each


class _Transposed(_Spatial):
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
    padding_mode: str = choice(
        default="zeros", label="Padding mode", options={"zeros": "zeros"},
        refusal='Only "zeros" padding mode is supported for transposed convolutions',
    )  # fmt: skip

    def validate(self) -> None:
        super().validate()
        limits = zip(self.axes, self.output_padding, self.stride, self.dilation, strict=True)
        for name, extra, stride, dilation in limits:
            if extra >= max(stride, dilation):
                raise self.fields["output_padding"].refuse(
                    "output padding must be smaller than either stride or dilation, but got "
                    f"output_padding {extra}, stride {stride} and dilation {dilation} along the "
                    f"{_AXES[name]}. Give at most {max(stride, dilation) - 1}",
                    self.fields["output_padding"].write(self.output_padding),
                )
        if min(self.output_size) < 1:
            raise self.fields["padding"].refuse(
                f"Given input size per channel: ({_by(self.input_size())}). "
                f"Calculated output size per channel: ({_by(self.output_size)}). "
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
        inputs = self.batch_size * self.in_channels * prod(self.input_size())
        return inputs * quotient(self.out_channels, self.groups) * prod(self.kernel_size)


def _by(sizes: tuple[int, ...] | list[int]) -> str:
    """Return sizes as torch quotes them: 2 x 8."""
    return " x ".join(map(str, sizes))


class Conv1d(_Convolution, name="conv1d", axes="L"):
    """Convolution over one axis, as `torch.nn.Conv1d`: input `(N, C_in, L_in)`."""

    length: int = size(r"L_\text{in}", default=128, label="Length", role="input")


class Conv2d(_Convolution, name="conv2d", axes="HW"):
    """Convolution over two axes, as `torch.nn.Conv2d`: input `(N, C_in, H_in, W_in)`."""

    height: int = size(r"H_\text{in}", default=128, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=128, label="Width", role="input")


class Conv3d(_Convolution, name="conv3d", axes="DHW"):
    """Convolution over three axes, as `torch.nn.Conv3d`: input `(N, C_in, D_in, H_in, W_in)`."""

    depth: int = size(r"D_\text{in}", default=16, label="Depth", role="input")
    height: int = size(r"H_\text{in}", default=112, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=112, label="Width", role="input")


class ConvTranspose1d(_Transposed, name="conv_transpose1d", axes="L"):
    """Transposed convolution, as `torch.nn.ConvTranspose1d`: input `(N, C_in, L_in)`."""

    length: int = size(r"L_\text{in}", default=128, label="Length", role="input")


class ConvTranspose2d(_Transposed, name="conv_transpose2d", axes="HW"):
    """Transposed convolution, as `torch.nn.ConvTranspose2d`: input `(N, C_in, H_in, W_in)`."""

    height: int = size(r"H_\text{in}", default=128, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=128, label="Width", role="input")


class ConvTranspose3d(_Transposed, name="conv_transpose3d", axes="DHW"):
    """Transposed convolution, as `torch.nn.ConvTranspose3d`: `(N, C_in, D_in, H_in, W_in)`."""

    depth: int = size(r"D_\text{in}", default=16, label="Depth", role="input")
    height: int = size(r"H_\text{in}", default=112, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=112, label="Width", role="input")
