"""One step of recurrent layers."""

from __future__ import annotations

from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.fields import size
from calculator.layers.recurrence import (
    BIAS,
    Elman,
    GatedUnits,
    LongShortTerm,
    Recurrent,
    nonlinearity_field,
)


class _Cell(Recurrent):
    """One step of one layer, on `(N, H_in)` or `(H_in)`, from a state of zeros."""

    input_size: int = size(r"H_\text{in}", default=128, label="Input size", required=True)
    hidden_size: int = size("H", default=256, label="Hidden size", required=True)
    bias: bool = BIAS

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        if len(shape) not in (1, 2):
            raise cls.misfit(
                f"{cls.__name__}: Expected input to be 1D or 2D, got {len(shape)}D instead. "
                "Give (N, input_size)",
                shape,
            )
        features = shape[-1]
        expected = fields.setdefault("input_size", features)
        return cls.fitted(
            lambda layer: (
                ""
                if features == expected
                else f"input has inconsistent input_size: got {features} expected {expected}. "
                f"Set input_size={features}"
            ),
            shape,
            batch_size=shape[0] if len(shape) == 2 else None,
            **fields,
        )

    def rows(self) -> int:
        return self.samples()

    def cells(self) -> int:
        return 1

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The batch, then the numbers of one step."""
        return (*self.leading(), self.input_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The batch, then the hidden units."""
        return (*self.leading(), self.hidden_size)


class RNNCell(Elman, _Cell, name="rnn_cell"):
    """One step of an RNN, as `torch.nn.RNNCell`."""

    nonlinearity: str = nonlinearity_field("Unknown nonlinearity: {given}")

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weights; the output, for that of its function."""
        return self.weight_requires_grad, self.is_trained()

    def kept_numbers(self) -> int:
        """The first state, for the gradient of the weights."""
        return self.units() if self.weight_requires_grad else 0


class LSTMCell(LongShortTerm, _Cell, name="lstm_cell"):
    """One step of a long short-term memory, as `torch.nn.LSTMCell`."""

    def gives_beside(self) -> str:
        return "its states"

    def kept_numbers(self) -> int:
        """Four gates, tanh(c), and the zeros that both states start from."""
        return 6 * self.units()


class GRUCell(GatedUnits, _Cell, name="gru_cell"):
    """One step of gated recurrent units, as `torch.nn.GRUCell`."""

    def kept_numbers(self) -> int:
        """Six numbers per unit, as torch's kernel writes them; for the weights the state too."""
        return (7 if self.weight_requires_grad else 6) * self.units()
