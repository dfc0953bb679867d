"""Layers on a tensor of any shape."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.fields import Field
from calculator.core.tensor_fields import shape
from calculator.layers.layer import Layer


def from_start(field: Field, given: int, dimensions: int) -> int:
    """Return a dimension counted from the start; raise InvalidField where there is none."""
    if not -dimensions <= given < dimensions:
        raise field.refuse(
            f"Dimension out of range (expected to be in range of [{-dimensions}, "
            f"{dimensions - 1}], but got {given}). The input has {dimensions} dimensions",
            given,
        )
    return given % dimensions


class Shaped(Layer):
    """A layer that takes a tensor of any shape, and by default gives one of the same."""

    size: tuple[int, ...] = shape("n", default=(32, 64), label="Input shape", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        return cls(size=shape, **fields)

    def place(self, name: str) -> int:
        """Return the dimension that a field names, counted from the start."""
        return from_start(self.fields[name], getattr(self, name), len(self.size))

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Any shape."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.size


class Passing(Shaped):
    """A layer that may hand the elements of its input on as they are: then nothing is moved."""

    def passes(self) -> bool:
        """Return whether the output is the input, or a view of it."""
        raise NotImplementedError

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of the input; none where it is handed on."""
        return 0 if self.passes() else prod(self.input_shape) * self.element_bytes

    @quantity()
    def output_bytes(self) -> int:
        """The bytes of the output; none where it is the input."""
        return 0 if self.passes() else prod(self.output_shape) * self.element_bytes

    def gives_a_view(self) -> bool:
        """What is handed on is the same memory."""
        return self.passes()
