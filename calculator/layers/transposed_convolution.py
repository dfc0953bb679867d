"""Transposed convolutions over one, two and three axes."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.core.calculation import quantity
from calculator.core.expression import quotient
from calculator.core.fields import Choice
from calculator.core.tensor_fields import per_axis
from calculator.layers.inputs import AXES, OneAxis, Sizes, ThreeAxes, TwoAxes, by
from calculator.layers.kernels import BIAS, DILATION, GROUPS, NEGATIVE_PADDING, Convolving


def _zeros_only(title: str) -> Any:
    return Choice(
        default="zeros",
        label="Padding mode",
        options={"zeros": "zeros"},
        refusal=f'Only "zeros" padding mode is supported for {title}',
    )


class _Transposed(Convolving):
    """The kernel is added to the output once for each input: the work is on the input's grid."""

    padding: Sizes = per_axis(
        "P_axis", label="Padding", default=0, minimum=0, refusal=NEGATIVE_PADDING
    )
    output_padding: Sizes = per_axis(
        r"P_{\text{out},axis}", default=0, label="Output padding", minimum=0,
        refusal="negative output_padding is not supported", broadcast=True,
    )  # fmt: skip
    groups: int = GROUPS
    bias: bool = BIAS
    dilation: Sizes = DILATION

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
        inputs = self.samples() * self.in_channels * prod(self.input_size())
        return inputs * quotient(self.out_channels, self.groups) * prod(self.kernel_size)


class ConvTranspose1d(_Transposed, OneAxis, name="conv_transpose1d"):
    """Transposed convolution, as `torch.nn.ConvTranspose1d`: input `(N, C_in, L_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose1d")


class ConvTranspose2d(_Transposed, TwoAxes, name="conv_transpose2d"):
    """Transposed convolution, as `torch.nn.ConvTranspose2d`: input `(N, C_in, H_in, W_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose2d")


class ConvTranspose3d(_Transposed, ThreeAxes, name="conv_transpose3d"):
    """Transposed convolution, as `torch.nn.ConvTranspose3d`: `(N, C_in, D_in, H_in, W_in)`."""

    padding_mode: str = _zeros_only("ConvTranspose3d")
