"""Layers that give a tensor another shape and touch none of its elements."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import quantity
from calculator.fields import shape
from calculator.layer import Layer


class Flatten(Layer, name="flatten"):
    """All dimensions but the batch in one, as `torch.nn.Flatten()`: a view, free of charge."""

    size: tuple[int, ...] = shape("n", default=(32, 16, 5, 5), label="Input shape", role="input")

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        return cls(size=input_shape, **fields)

    def validate(self) -> None:
        if len(self.size) < 2:
            raise self.fields["size"].refuse(
                "Dimension out of range (expected to be in range of [-1, 0], but got 1). "
                "Give at least two dimensions",
                self.size,
            )

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Two dimensions or more."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """`(N, the product of the rest)`."""
        return (self.size[0], prod(self.size[1:]))

    @quantity()
    def operations(self) -> dict[str, int]:
        """None: no element is computed."""
        return {}

    @quantity()
    def input_bytes(self) -> int:
        """None: a view moves no byte."""
        return 0

    @quantity()
    def output_bytes(self) -> int:
        """None: a view moves no byte."""
        return 0

    @quantity()
    def arithmetic_intensity(self) -> None:
        """None: there is no byte to divide by."""
        return
