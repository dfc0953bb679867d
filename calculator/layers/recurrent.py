"""Recurrent layers: every step starts from what the one before it gives."""

from __future__ import annotations

from typing import Any, Self

from calculator.core.calculation import fact, quantity
from calculator.core.fields import Flag, flag, size
from calculator.core.measure_fields import Real
from calculator.core.operations import Operations, times
from calculator.layers.inputs import Sequences, batch_and_length
from calculator.layers.recurrence import (
    BIAS,
    Elman,
    GatedUnits,
    LongShortTerm,
    Recurrent,
    nonlinearity_field,
    positive,
)

_BATCH_FIRST: Any = Flag(label="Batch first", default=False)
_DROPOUT: Any = Real(
    label="Dropout between layers", default=0.0, help="Not after the last layer.",
    refusal="dropout should be a number in range [0, 1] representing the probability of an element "
    "being zeroed",
)  # fmt: skip
_BIDIRECTIONAL: Any = Flag(label="Bidirectional", default=False)


class _Layers(Sequences, Recurrent):
    """Layers on a sequence `(L, N, H_in)`: each reads all steps of the one below, in order.

    `(N, L, H_in)` with batch_first, `(L, H_in)` without a batch. Between layers, dropout is two
    multiplications per number in training, as in `torch.nn.Dropout`.
    """

    num_layers: int = positive("K", "num_layers", "Layers", default=1)
    bias: bool = BIAS
    batch_first: bool = _BATCH_FIRST
    dropout: float = _DROPOUT
    bidirectional: bool = _BIDIRECTIONAL
    sequence_length: int = size("L", default=32, label="Sequence length", role="input")
    training: bool = flag(default=False, label="In training", role="input")

    def gives_beside(self) -> str:
        return "its states"

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        if len(shape) not in (2, 3):
            tensor = " tensor" if cls.__name__ == "RNN" else ""  # in torch's words
            raise cls.misfit(
                f"{cls.__name__}: Expected input to be 2D or 3D, got {len(shape)}D{tensor} "
                "instead. Give (L, N, input_size), or (N, L, input_size) with batch_first=True",
                shape,
            )
        features = shape[-1]
        expected = fields.setdefault("input_size", features)
        batch, length = batch_and_length(shape, fields.get("batch_first", False))
        return cls.fitted(
            lambda layer: (
                ""
                if features == expected
                else "input.size(-1) must be equal to input_size. "
                f"Expected {expected}, got {features}. Set input_size={features}"
            ),
            shape,
            sequence_length=length,
            batch_size=batch,
            **fields,
        )

    def validate_module(self) -> None:
        if not 0 <= self.dropout <= 1:
            raise self.fields["dropout"].refuse(
                f"{_DROPOUT.refusal}. Give 0 for none", self.dropout
            )

    @fact
    def is_stacked(self) -> bool:
        """Whether a layer reads the output of another."""
        return self.num_layers > 1

    @fact
    def dropout_multiplications(self) -> int:
        """How many multiplications dropout does for each number between layers."""
        if not (self.is_stacked and self.training and self.dropout):
            return 0
        return 1 if self.dropout == 1 else 2

    @fact
    def copies_the_input(self) -> bool:
        """Whether torch lays the input out anew, steps first, once for each direction."""
        return self.copies(self.sequence_length)

    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def rows(self) -> int:
        return self.sequence_length * self.samples()

    def cells(self) -> int:
        return self.directions() * (self.num_layers if self.is_stacked else 1)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The sequence, its batch, the numbers of one step."""
        return self.sequence(self.sequence_length, self.input_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The state of the last layer after every step, in both directions if there are two."""
        return self.sequence(self.sequence_length, self.directions() * self.state_size())

    def cell_weights(self, inputs: int) -> int:
        """Return the weights of one layer and direction that reads so many numbers per step."""
        return self.gates * self.hidden_size * (inputs + self.state_size())

    @quantity()
    def weights(self) -> int:
        """The first layer reads the input, each other one all directions of the one below."""
        first = self.directions() * self.cell_weights(self.input_size)
        if not self.is_stacked:
            return first
        each = self.directions() * self.cell_weights(self.directions() * self.state_size())
        return first + (self.num_layers - 1) * each

    def between(self) -> int:
        """Return how many numbers are handed from layer to layer."""
        each = self.rows() * self.directions() * self.state_size()
        return (self.num_layers - 1) * each if self.is_stacked else 0

    def between_layers(self) -> Operations:
        """Dropout: a mask and a scale; a single zero if all is dropped."""
        each = {"multiplications": self.dropout_multiplications}
        return times(self.between(), each) if self.dropout_multiplications else {}

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weights, or a copy of it."""
        return self.weight_requires_grad and not self.copies_the_input, False

    def kept_numbers(self) -> int:
        """The gates and states, what is handed from layer to layer, and the mask of its dropout."""
        kept = self.kept_of_units()
        if self.weight_requires_grad:
            kept = kept + self.between()
            if self.copies_the_input:
                kept = kept + self.rows() * self.directions() * self.input_size
        if self.dropout_multiplications == 1:  # one zero for all
            return kept + (self.num_layers - 1)
        return kept + self.between() if self.dropout_multiplications else kept

    def kept_of_units(self) -> int:
        """Return how many numbers autograd saves of gates and states."""
        raise NotImplementedError


class RNN(Elman, _Layers, name="rnn"):
    """Layers of one gate, as `torch.nn.RNN`: each state is tanh, or ReLU, of input and state."""

    nonlinearity: str = nonlinearity_field(
        "Unknown nonlinearity '{given}'. Select from 'tanh' or 'relu'."
    )
    bias: bool = BIAS
    batch_first: bool = _BATCH_FIRST
    dropout: float = _DROPOUT
    bidirectional: bool = _BIDIRECTIONAL

    def kept_of_units(self) -> int:
        """Every state; for the weights the first one too."""
        first = self.samples() * self.cells() * self.hidden_size
        return self.units() + first if self.weight_requires_grad else self.units()


class LSTM(LongShortTerm, _Layers, name="lstm"):
    """Long short-term memory, as `torch.nn.LSTM`: four gates, two states.

    With `proj_size` the output h of a step is multiplied by one more matrix, down to that size.
    """

    proj_size: int = size(
        "P", default=0, minimum=0, label="Projection", help="0 for none.",
        refusal="proj_size should be a positive integer or zero to disable projections",
    )  # fmt: skip

    def validate_module(self) -> None:
        super().validate_module()
        if self.proj_size >= self.hidden_size:
            raise self.fields["proj_size"].refuse(
                f"proj_size has to be smaller than hidden_size. Give less than {self.hidden_size}",
                self.proj_size,
            )

    @fact
    def projects(self) -> bool:
        """Whether the output of a step is made smaller."""
        return self.proj_size > 0

    def state_size(self) -> int:
        return self.proj_size if self.projects else self.hidden_size

    def cell_weights(self, inputs: int) -> int:
        own = self.gates * self.hidden_size * (inputs + self.state_size())
        return own + self.proj_size * self.hidden_size if self.projects else own

    def kept_of_units(self) -> int:
        """Four gates, c before the step and tanh(c) after; for the weights h before it too."""
        kept = 6 * self.units()
        if not self.weight_requires_grad:
            return kept
        kept = kept + self.rows() * self.cells() * self.state_size()
        return kept + self.units() if self.projects else kept


class GRU(GatedUnits, _Layers, name="gru"):
    """Gated recurrent units, as `torch.nn.GRU`: three gates, one state."""

    def kept_of_units(self) -> int:
        """Six numbers per unit, as torch's kernel writes them; for the weights the state too."""
        return (7 if self.weight_requires_grad else 6) * self.units()
