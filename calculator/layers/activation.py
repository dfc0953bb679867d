"""Element-wise layers: no matrix work, a few operations per element."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from calculator.core.calculation import quantity
from calculator.core.fields import Flag, choice, size
from calculator.core.measure_fields import real
from calculator.core.operations import SIGMOID, Operations, times, total
from calculator.layers.inputs import Shaped

INPLACE: Any = Flag(default=False, label="In place")


class Activation(Shaped):
    """A function of each element.

    Where the definition branches on the value of an element, both sides are computed and one is
    chosen by a comparison, as vector units do it: no count depends on the numbers.
    """

    each: ClassVar[Operations]
    """What one element takes."""

    @quantity()
    def operations(self) -> Operations:
        """What one element takes, for every element."""
        return times(prod(self.size), self.each)

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the slope at it."""
        return self.input_requires_grad, False


class FromOutput(Activation):
    """A function whose slope follows from its value."""

    def keeps(self) -> tuple[bool, bool]:
        """The output, for the slope that follows from it."""
        return False, self.input_requires_grad


class InPlace(Activation):
    """A function that may write its output over its input, and then keeps a copy of the input."""

    inplace: bool = INPLACE

    def keeps(self) -> tuple[bool, bool]:
        """The input, if it is still there."""
        return self.input_requires_grad and not self.inplace, False

    def kept_bytes(self) -> int:
        """In place: a copy of the input."""
        return self.input_bytes if self.input_requires_grad and self.inplace else 0

    def gives_a_view(self) -> bool:
        """In place the output takes the memory of the input."""
        return self.inplace


class FromEither(InPlace):
    """A function whose slope follows from its value as well, and which then keeps no copy."""

    def keeps(self) -> tuple[bool, bool]:
        """The input; in place, the output."""
        return self.input_requires_grad and not self.inplace, (
            self.input_requires_grad and self.inplace
        )

    def kept_bytes(self) -> int:
        return 0


class ReLU(FromOutput, name="relu"):
    """The larger of x and 0, as `torch.nn.ReLU`: one comparison per element."""

    inplace: bool = INPLACE

    each: ClassVar = {"comparisons": 1}

    def gives_a_view(self) -> bool:
        """In place the output takes the memory of the input."""
        return self.inplace


class ReLU6(InPlace, name="relu6"):
    """x, at least 0 and at most 6, as `torch.nn.ReLU6`: two comparisons per element."""

    each: ClassVar = {"comparisons": 2}


class LeakyReLU(FromEither, name="leaky_relu"):
    """x, or below 0 a part of it, as `torch.nn.LeakyReLU`: one comparison, one multiplication."""

    negative_slope: float = real(default=0.01, label="Slope below 0")
    inplace: bool = INPLACE

    each: ClassVar = {"comparisons": 1, "multiplications": 1}


class ELU(FromEither, name="elu"):
    """x, or below 0 α · (exp(x) − 1), as `torch.nn.ELU`.

    One comparison, one exponential, one subtraction, one multiplication, whichever side is taken.
    """

    alpha: float = real(default=1.0, label="Alpha")
    inplace: bool = INPLACE

    each: ClassVar = {
        "comparisons": 1, "exponentials": 1, "subtractions": 1, "multiplications": 1,
    }  # fmt: skip


class PReLU(Activation, name="prelu"):
    """x, or below 0 a learned part of it, as `torch.nn.PReLU`: one slope, or one per channel.

    One comparison and one multiplication per element. Channels are the second dimension.
    """

    num_parameters: int = size(
        r"C", default=1, label="Slopes", help="1, or the number of channels."
    )
    init: float = real(default=0.25, label="First slope")

    each: ClassVar = {"comparisons": 1, "multiplications": 1}

    def validate_input(self) -> None:
        channels = self.size[1] if len(self.size) > 1 else 1
        if self.num_parameters not in (1, channels):
            raise self.fields["num_parameters"].refuse(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{self.num_parameters} and channel size = {channels}. Give 1 or {channels}",
                self.num_parameters,
            )

    @quantity()
    def params(self) -> int:
        """One a slope."""
        return self.num_parameters

    def keeps(self) -> tuple[bool, bool]:
        """The input, which either gradient needs."""
        return self.is_trained(), False


class GELU(Activation, name="gelu"):
    """x times the cumulative normal distribution at x, as `torch.nn.GELU`.

    "none": x · 0.5 · (1 + erf(x/√2)), one division, one erf, one addition, two multiplications.
    "tanh": 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))), six multiplications (two of them
    for x³), two additions, one tanh.
    """

    approximate: str = choice(
        default="none", label="Approximation", options={"none": "none: erf", "tanh": "tanh"},
        refusal="approximate argument must be either none or tanh",
    )  # fmt: skip

    by_approximation: ClassVar[dict[str, Operations]] = {
        "none": {"additions": 1, "multiplications": 2, "divisions": 1, "transcendentals": 1},
        "tanh": {"additions": 2, "multiplications": 6, "transcendentals": 1},
    }

    @quantity()
    def operations(self) -> Operations:
        """What one element takes, for every element."""
        return times(prod(self.size), self.by_approximation[self.approximate])


class SiLU(InPlace, name="silu"):
    """x times its sigmoid, x · 1/(1 + exp(−x)), as `torch.nn.SiLU`; also called swish."""

    each: ClassVar = total([{"multiplications": 1}, SIGMOID])


class Sigmoid(FromOutput, name="sigmoid"):
    """1/(1 + exp(−x)), as `torch.nn.Sigmoid`: an exponential, an addition, a division."""

    each: ClassVar = SIGMOID


class Tanh(FromOutput, name="tanh"):
    """The hyperbolic tangent, as `torch.nn.Tanh`: one function per element."""

    each: ClassVar = {"transcendentals": 1}


class Hardsigmoid(InPlace, name="hardsigmoid"):
    """x/6 + 1/2 between 0 and 1, as `torch.nn.Hardsigmoid`.

    One division, one addition, and two comparisons with the ends.
    """

    each: ClassVar = {"additions": 1, "divisions": 1, "comparisons": 2}


class Hardswish(InPlace, name="hardswish"):
    """x · (x + 3)/6, but 0 up to −3 and x from 3 on, as `torch.nn.Hardswish`.

    One addition, one multiplication, one division, and two comparisons with the ends.
    """

    each: ClassVar = {"additions": 1, "multiplications": 1, "divisions": 1, "comparisons": 2}


class Softplus(Activation, name="softplus"):
    """log(1 + exp(β · x))/β, or x if β · x is above the threshold, as `torch.nn.Softplus`.

    Two multiplications (by β, and by 1/β), one exponential, one addition, one logarithm, and the
    comparison with the threshold.
    """

    beta: float = real(default=1.0, label="Beta")
    threshold: float = real(default=20.0, label="Threshold")

    each: ClassVar = {
        "additions": 1, "multiplications": 2, "comparisons": 1, "exponentials": 1,
        "transcendentals": 1,
    }  # fmt: skip


class Mish(InPlace, name="mish"):
    """x · tanh(log(1 + exp(x))), as `torch.nn.Mish`.

    One exponential, one addition, a logarithm and a tanh, one multiplication.
    """

    each: ClassVar = {
        "additions": 1, "multiplications": 1, "exponentials": 1, "transcendentals": 2,
    }  # fmt: skip
