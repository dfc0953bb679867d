"""Convolutions over one, two and three axes."""

from __future__ import annotations

from math import prod

from calculator.core.calculation import fact, quantity
from calculator.core.expression import quotient
from calculator.core.fields import LARGEST, choice
from calculator.core.tensor_fields import per_axis
from calculator.layers.inputs import AXES, OneAxis, Sizes, ThreeAxes, TwoAxes, by
from calculator.layers.kernels import BIAS, DILATION, GROUPS, NEGATIVE_PADDING, Convolving


class _Convolution(Convolving):
    """A kernel slides over the input: each output sums C_in/groups times the kernel's products."""

    padding: Sizes = per_axis(
        "P_axis", label="Padding", default=0, minimum=-LARGEST,
        words={"valid": None, "same": None}, help="One number, one per axis, 'same' or 'valid'.",
    )  # fmt: skip
    dilation: Sizes = DILATION
    groups: int = GROUPS
    bias: bool = BIAS
    padding_mode: str = choice(
        default="zeros", label="Padding mode",
        options={mode: mode for mode in ("zeros", "reflect", "replicate", "circular")},
        refusal="padding_mode must be one of {{{options}}}, but got padding_mode={given!r}",
    )  # fmt: skip

    def weight_said(self) -> str:
        weight = [self.out_channels, self.in_channels // self.groups, *self.kernel_size]
        return f"groups={self.groups}, weight of size {weight}"

    @fact
    def padded_size(self) -> tuple[int, ...]:
        added = [sum(pair) for pair in self._edges()]
        if self.padding_mode == "zeros":  # its kernels pad, by as much on either side
            added = [each % 2 for each in added]
        return tuple(size + more for size, more in zip(self.input_size(), added, strict=True))

    def wrong_channels(self, channels: int) -> str:
        self.validate_padding(channels)
        return super().wrong_channels(channels)

    @fact
    def same_padding(self) -> bool:
        """Whether the output keeps the size of the input."""
        return bool(self.padding == "same")

    def _pads(self) -> tuple[int, ...]:
        """Return the padding of either side as numbers, 'valid' being none."""
        return (0,) * len(self.axes) if self.padding == "valid" else tuple(self.padding)

    def _edges(self) -> list[tuple[int, int]]:
        """Return the padding before and after each axis; an odd one of 'same' goes after."""
        if not self.same_padding:
            return [(each, each) for each in self._pads()]
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
        """Raise InvalidField if torch would not pad an input with so many channels."""
        sizes, edges = self.input_size(), self._edges()
        shape = [*self.leading(), channels, *sizes]
        start = len(shape) - len(sizes)
        places = [*enumerate(zip(sizes, edges, strict=True), start)]
        if self.padding_mode != "circular":
            places.reverse()  # torch looks at the last axis first
        for place, (size_, pair) in places:
            axis, edge = AXES[self.axes[place - start]], max(pair)
            refused = self.fields["padding"].refuse
            given = self.fields["padding"].write(self.padding)
            if self.padding_mode == "zeros" and edge < 0:
                raise refused(
                    f"{NEGATIVE_PADDING}. Give 0 or more, or another padding_mode to crop", given
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
            if self.padding_mode == "circular" and size_ + sum(pair) < 0:
                raise refused(
                    "Negative padding value is resulting in an empty dimension. Crop less", given
                )
        reason = self._cropped_too_far(
            [size + sum(pair) for size, pair in zip(sizes, edges, strict=True)]
        )
        if reason:
            field = self.fields["padding"]
            raise field.refuse(f"{reason}. Crop less", field.write(self.padding))

    def _cropped_too_far(self, left: list[int]) -> str:
        """Return torch's reason not to crop to these sizes; some zeros it leaves to its kernel."""
        if max(left) < 1 and self.padding_mode != "circular":
            axes = "DHW"[-len(left) :]
            given, found = (
                [f"{axis}: {size}" for axis, size in zip(axes, sizes, strict=True)]
                for sizes in (self.input_size(), left)
            )
            said = " ".join(given).replace(" W: ", ", W: ")
            gap = " " if self.padding_mode == "replicate" and len(left) == 2 else ""  # in its words
            return f"input ({said}{gap}) is too small. Calculated output {' '.join(found)}"
        first = next((size for size in left if size < 0), 0)
        return f"leaves a negative size, {first}" if first else ""

    def validate_input(self) -> None:
        self.validate_padding(self.in_channels)
        sizes = self.input_size()
        if self.same_padding:
            return
        padded = [s + 2 * p for s, p in zip(sizes, self._pads(), strict=True)]
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

    @fact
    def pads_a_copy(self) -> bool:
        """Whether torch writes the padded input out: its kernels pad by zeros, evenly."""
        return self.padding_mode != "zeros" or self.padded_size != self.input_size()

    def keeps(self) -> tuple[bool, bool]:
        """The input, or the padded copy of it; reflect and replicate need both."""
        if not self.pads_a_copy:
            return self.is_trained(), False
        return self.input_requires_grad and self.padding_mode in ("reflect", "replicate"), False

    def kept_bytes(self) -> int:
        if not (self.pads_a_copy and self.is_trained()):
            return 0
        return self.samples() * self.in_channels * prod(self.padded_size) * self.element_bytes

    @quantity()
    def output_size(self) -> tuple[int, ...]:
        """One output for each place of the kernel on the padded input."""
        if self.same_padding:
            return self.input_size()
        geometry = zip(
            self.input_size(),
            self._pads(),
            self.dilation,
            self.kernel_size,
            self.stride,
            strict=True,
        )
        return tuple((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, p, d, k, s in geometry)

    @quantity()
    def macs(self) -> int:
        """One per output and weight that reaches it; products with padding are counted."""
        outputs = self.samples() * self.out_channels * prod(self.output_size)
        return outputs * quotient(self.in_channels, self.groups) * prod(self.kernel_size)

    @quantity(r"\text{FLOPs}_\text{exact}", unit="FLOP", label="Exact count (2K − 1)")
    def exact_flops(self) -> int:
        """K products need K − 1 additions; the bias is the K-th."""
        products = 2 * quotient(self.in_channels, self.groups) * prod(self.kernel_size)
        each = products if self.bias else products - 1
        return self.samples() * self.out_channels * prod(self.output_size) * each


class Conv1d(_Convolution, OneAxis, name="conv1d"):
    """Convolution over one axis, as `torch.nn.Conv1d`: input `(N, C_in, L_in)`."""


class Conv2d(_Convolution, TwoAxes, name="conv2d"):
    """Convolution over two axes, as `torch.nn.Conv2d`: input `(N, C_in, H_in, W_in)`."""


class Conv3d(_Convolution, ThreeAxes, name="conv3d"):
    """Convolution over three axes, as `torch.nn.Conv3d`: input `(N, C_in, D_in, H_in, W_in)`."""
