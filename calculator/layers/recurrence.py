"""What recurrent layers share: gates on an input and a state, and what is counted of them."""

from __future__ import annotations

from typing import Any, ClassVar

from calculator.core.calculation import quantity
from calculator.core.fields import Choice, Flag, Size
from calculator.core.operations import SIGMOID, Operations, times, total
from calculator.layers.inputs import Batched

BIAS: Any = Flag(label="Bias", default=True)


def positive(symbol: str, name: str, label: str, **more: Any) -> Any:
    """Return a field that torch rejects in these words if it is 0 or less."""
    return Size(symbol, label=label, refusal=f"{name} must be greater than zero", **more)


def nonlinearity_field(refusal: str) -> Any:
    """Return the field for the function of the only gate of an RNN."""
    options = {"tanh": "tanh", "relu": "ReLU"}
    return Choice(default="tanh", label="Non-linearity", options=options, refusal=refusal)


class Recurrent(Batched):
    """Gates that each see the input of a step and the state that the step before gave.

    A gate has H units. The first state is zeros: they are multiplied like any other, and have no
    gradient. The states that torch returns besides the output are in no number of bytes here.
    """

    input_size: int = positive(
        r"H_\text{in}", "input_size", "Input size", default=128, required=True
    )
    hidden_size: int = positive("H", "hidden_size", "Hidden size", default=256, required=True)
    bias: bool = BIAS

    gates: ClassVar[int]

    def each(self) -> Operations:
        """Return what a unit takes besides the sums of its gates."""
        raise NotImplementedError

    def rows(self) -> int:
        """Return how many steps are made in all sequences together."""
        raise NotImplementedError

    def cells(self) -> int:
        """Return how many layers there are, each direction for itself."""
        raise NotImplementedError

    def units(self) -> int:
        """Return how many hidden units are computed."""
        return self.rows() * self.cells() * self.hidden_size

    def state_size(self) -> int:
        """Return how many numbers each step passes on to the next, and as its output."""
        return self.hidden_size

    @quantity(r"\text{weights}", label="Weights without biases")
    def weights(self) -> int:
        """One for each unit of a gate and each number of the input and of the state."""
        return self.gates * self.hidden_size * (self.input_size + self.hidden_size)

    @quantity()
    def params(self) -> int:
        """The weights, and two biases per unit of a gate: torch keeps one for each product."""
        biases = 2 * self.cells() * self.gates * self.hidden_size
        return self.weights + biases if self.bias else self.weights

    @quantity()
    def macs(self) -> int:
        """Every weight once in every step of every sequence."""
        return self.rows() * self.weights

    @quantity()
    def operations(self) -> Operations:
        """The two products of each gate are added, with their biases; the rest is no sum."""
        sums = {"additions": 3 * self.gates if self.bias else self.gates}
        each = times(self.units(), total([sums, self.each()]))
        return total([{"multiply_accumulates": self.macs}, each, self.between_layers()])

    def between_layers(self) -> Operations:
        """Return what is done between one layer and the next."""
        return {}

    @quantity()
    def backward_macs(self) -> int:
        """The same number again for the weights, and for their inputs except the first state."""
        if not self.is_trained():
            return 0
        units = self.gates * self.hidden_size
        rest = self.macs - self.samples() * self.cells() * units * self.state_size()
        if not self.input_requires_grad:
            rest = rest - self.rows() * self.directions() * units * self.input_size
        return self.macs + rest if self.weight_requires_grad else rest

    def directions(self) -> int:
        """Return in how many directions each layer reads."""
        return 1

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weights."""
        return self.weight_requires_grad, False

    def kept_bytes(self) -> int:
        return self.kept_numbers() * self.element_bytes if self.is_trained() else 0

    def kept_numbers(self) -> int:
        """Return how many numbers autograd saves besides input and output."""
        raise NotImplementedError


class Elman:
    """h = f(W x + b + W h + b), f being tanh or ReLU."""

    gates = 1
    nonlinearity: str

    def each(self) -> Operations:
        return {"transcendentals": 1} if self.nonlinearity == "tanh" else {"comparisons": 1}


class LongShortTerm:
    """Gates i, f, o by sigmoid and g by tanh: c = f · c + i · g, and h = o · tanh(c)."""

    gates = 4

    def each(self) -> Operations:
        own = {"additions": 1, "multiplications": 3, "transcendentals": 2}
        return total([own, SIGMOID, SIGMOID, SIGMOID])


class GatedUnits:
    """r and z by sigmoid, n = tanh(W x + b + r · (W h + b)), and h = (1 − z) · n + z · h."""

    gates = 3

    def each(self) -> Operations:
        own = {"additions": 1, "subtractions": 1, "multiplications": 3, "transcendentals": 1}
        return total([own, SIGMOID, SIGMOID])
