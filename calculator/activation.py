"""Element-wise layers: no matrix work, a few operations an element."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from calculator.calculation import quantity
from calculator.fields import flag
from calculator.operations import Operations, times
from calculator.shaped import Shaped


class _Activation(Shaped):
    """A function of each element."""

    each: ClassVar[Operations]
    """What one element takes."""

    @quantity()
    def operations(self) -> Operations:
        """What one element takes, for every element."""
        return times(prod(self.size), self.each)


class ReLU(_Activation, name="relu"):
    """The larger of x and 0, as `torch.nn.ReLU`: one comparison an element."""

    inplace: bool = flag(default=False, label="In place")

    each: ClassVar = {"comparisons": 1}

    def keeps(self) -> tuple[bool, bool]:
        """The output: where it is positive, the gradient passes."""
        return False, self.input_requires_grad

    def gives_a_view(self) -> bool:
        """In place the output takes the memory of the input."""
        return self.inplace
