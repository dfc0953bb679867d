"""Layers that hand their input on: identity and dropout."""

from __future__ import annotations

from math import prod

from calculator.core.calculation import fact, quantity
from calculator.core.fields import flag
from calculator.core.measure_fields import real
from calculator.core.operations import Operations, times
from calculator.layers.inputs import Passing


class Identity(Passing, name="identity"):
    """The input itself, as `torch.nn.Identity`."""

    def passes(self) -> bool:
        return True


class Dropout(Passing, name="dropout"):
    """Some elements set to 0, as `torch.nn.Dropout`: the input itself outside of training.

    In training every element is multiplied by its mask, 0 or 1, and by 1/(1 − p): two
    multiplications; with p = 1 by 0 alone. Drawing the random numbers is not counted.
    """

    p: float = real(default=0.5, label="Share set to 0")
    inplace: bool = flag(default=False, label="In place")
    training: bool = flag(default=False, label="In training", role="input")

    def validate_module(self) -> None:
        if not 0 <= self.p <= 1:
            raise self.fields["p"].refuse(
                f"dropout probability has to be between 0 and 1, but got {self.p}", self.p
            )

    @fact
    def multiplications(self) -> int:
        """How many multiplications each element takes."""
        if not self.training or self.p == 0:
            return 0
        return 1 if self.p == 1 else 2

    def passes(self) -> bool:
        return self.multiplications == 0

    def gives_a_view(self) -> bool:
        """What is handed on, or written in place, is the same memory."""
        return self.inplace or self.passes()

    @quantity()
    def operations(self) -> Operations:
        """Mask and scale, for every element."""
        if self.passes():
            return {}
        return times(prod(self.size), {"multiplications": self.multiplications})

    def kept_bytes(self) -> int:
        """The mask, already scaled, which on the CPU has the type of the input."""
        if self.passes() or not self.input_requires_grad:
            return 0
        return (1 if self.multiplications == 1 else prod(self.size)) * self.element_bytes


class AlphaDropout(Dropout, name="alpha_dropout"):
    """Some elements set to α′ = −1.758, as `torch.nn.AlphaDropout`: the input itself in evaluation.

    In training a · (x · d + α′ · (1 − d)) + b with a mask d of 0 and 1: three multiplications, two
    additions and one subtraction per element. a and b keep the mean 0 and the variance 1. With
    p = 1 one multiplication by 0. Drawing the random numbers is not counted. torch does not look at
    `inplace`.

    Klambauer et al., "Self-Normalizing Neural Networks", arXiv:1706.02515, 2017.
    """

    def gives_a_view(self) -> bool:
        """Only what is handed on is the same memory."""
        return self.passes()

    @quantity()
    def operations(self) -> Operations:
        """Mask, value for what is dropped, scale and shift, for every element."""
        if self.passes():
            return {}
        each = {"additions": 2, "subtractions": 1, "multiplications": 3}
        return times(prod(self.size), {"multiplications": 1} if self.p == 1 else each)
