"""Element-wise layers: no matrix work, a few operations an element."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from calculator.calculation import quantity
from calculator.fields import Flag, choice, dimension
from calculator.operations import SIGMOID, Operations, softmax, times, total
from calculator.shaped import Shaped

_INPLACE: Any = Flag(default=False, label="In place")


class _Activation(Shaped):
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


class _FromOutput(_Activation):
    """A function whose slope follows from its value."""

    def keeps(self) -> tuple[bool, bool]:
        """The output, for the slope that follows from it."""
        return False, self.input_requires_grad


class _InPlace(_Activation):
    """A function that may write its output over its input, and then keeps a copy of the input."""

    inplace: bool = _INPLACE

    def keeps(self) -> tuple[bool, bool]:
        """The input, where it is still there."""
        return self.input_requires_grad and not self.inplace, False

    def kept_bytes(self) -> int:
        """In place: a copy of the input."""
        return self.input_bytes if self.input_requires_grad and self.inplace else 0

    def gives_a_view(self) -> bool:
        """In place the output takes the memory of the input."""
        return self.inplace


class ReLU(_FromOutput, name="relu"):
    """The larger of x and 0, as `torch.nn.ReLU`: one comparison an element."""

    inplace: bool = _INPLACE

    each: ClassVar = {"comparisons": 1}

    def gives_a_view(self) -> bool:
        """In place the output takes the memory of the input."""
        return self.inplace


class GELU(_Activation, name="gelu"):
    """x times the normal distribution at x, as `torch.nn.GELU`.

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


class SiLU(_InPlace, name="silu"):
    """x times its sigmoid, x · 1/(1 + exp(−x)), as `torch.nn.SiLU`; also called swish."""

    each: ClassVar = total([{"multiplications": 1}, SIGMOID])


class _Normalizing(Shaped):
    """Numbers along one dimension turned into parts of 1.

    Without `dim` torch chooses one, 0 for an input of one or three dimensions and 1 for any other,
    and warns that the choice is deprecated.
    """

    dim: int | None = dimension(
        default=None, label="Dimension", optional=True,
        help="Empty: torch chooses 0 or 1, and warns. −1 is the last.",
    )  # fmt: skip

    def validate_input(self) -> None:
        assert self.along is not None  # asked now, so that what is out of range is refused now

    @property
    def along(self) -> int:
        """The dimension along which parts sum to 1, counted from the start."""
        if self.dim is None:
            return min(len(self.size) - 1, 0 if len(self.size) == 3 else 1)
        return self.place("dim")

    @quantity(r"\text{sets}", label="Sets of numbers")
    def sets(self) -> int:
        """Every position of the other dimensions."""
        return prod(self.size[: self.along]) * prod(self.size[self.along + 1 :])

    @quantity("F", label="Numbers in a set")
    def set_size(self) -> int:
        """The size along the dimension."""
        return self.size[self.along]

    def keeps(self) -> tuple[bool, bool]:
        """The output, from which the gradient follows."""
        return False, self.input_requires_grad


class Softmax(_Normalizing, name="softmax"):
    """Exponentials divided by their sum, as `torch.nn.Softmax`.

    Of F numbers: the largest (F − 1 comparisons) is subtracted from each, F exponentials, their sum
    (F − 1 additions), F divisions. The largest is there for safety, in every library.
    """

    @quantity()
    def operations(self) -> Operations:
        """What one set takes, for every set."""
        return softmax(self.sets, self.set_size)
