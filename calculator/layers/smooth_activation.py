"""Activations with an exponential, a tanh or a quotient: SELU, CELU, softsign and others."""

from __future__ import annotations

from typing import ClassVar

from calculator.core.measure_fields import real
from calculator.core.operations import SIGMOID, total
from calculator.layers.activation import INPLACE, Activation, FromEither


class SELU(FromEither, name="selu"):
    """s · x, or s · α · (exp(x) − 1) below 0, as `torch.nn.SELU`, with fixed s and α.

    One comparison, one exponential, one subtraction and two multiplications per element.
    """

    inplace: bool = INPLACE

    each: ClassVar = {
        "comparisons": 1, "exponentials": 1, "subtractions": 1, "multiplications": 2,
    }  # fmt: skip


class CELU(FromEither, name="celu"):
    """x, or α · (exp(x/α) − 1) below 0, as `torch.nn.CELU`.

    One comparison, one division, one exponential, one subtraction and one multiplication per
    element.
    """

    alpha: float = real(default=1.0, label="Alpha")
    inplace: bool = INPLACE

    each: ClassVar = {
        "comparisons": 1, "divisions": 1, "exponentials": 1, "subtractions": 1,
        "multiplications": 1,
    }  # fmt: skip

    def validate_input(self) -> None:
        if self.alpha == 0:
            raise self.fields["alpha"].refuse(
                "ZeroDivisionError: alpha cannot be 0 for CELU. Write another number", self.alpha
            )


class _SavesMore(Activation):
    """A function for whose slope autograd saves one more number per element."""

    def kept_bytes(self) -> int:
        """A denominator, an exponential or a tanh."""
        return self.input_bytes if self.input_requires_grad else 0


class Softsign(_SavesMore, name="softsign"):
    """x / (1 + |x|), as `torch.nn.Softsign`: one addition and one division per element.

    The absolute value clears one bit and is not counted.
    """

    each: ClassVar = {"additions": 1, "divisions": 1}


class LogSigmoid(_SavesMore, name="log_sigmoid"):
    """log(1/(1 + exp(−x))), as `torch.nn.LogSigmoid`.

    One exponential, one addition, one division and one logarithm per element.
    """

    each: ClassVar = total([{"transcendentals": 1}, SIGMOID])


class Tanhshrink(_SavesMore, name="tanhshrink"):
    """x − tanh(x), as `torch.nn.Tanhshrink`: one function and one subtraction per element."""

    each: ClassVar = {"subtractions": 1, "transcendentals": 1}

    def keeps(self) -> tuple[bool, bool]:
        """Neither input nor output."""
        return False, False
