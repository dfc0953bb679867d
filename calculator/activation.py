"""Element-wise layers: no matrix work, one operation an element."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import quantity
from calculator.fields import flag, shape
from calculator.layer import Layer


class ReLU(Layer, name="relu"):
    """The larger of x and 0, as `torch.nn.ReLU`, on a tensor of any shape."""

    inplace: bool = flag(default=False, label="In place")
    size: tuple[int, ...] = shape("n", default=(32, 64), label="Input shape", role="input")

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        return cls(size=input_shape, **fields)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Any shape."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.size

    @quantity()
    def operations(self) -> dict[str, int]:
        """One comparison with zero an element."""
        return {"comparisons": prod(self.size)}
