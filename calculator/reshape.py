"""Layers that give a tensor another shape and touch none of its elements."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import quantity
from calculator.fields import MOST_DIMENSIONS, shape, size
from calculator.layer import Layer


class Flatten(Layer, name="flatten"):
    """Some neighbouring dimensions in one, as `torch.nn.Flatten`: a view, free of charge."""

    start_dim: int = size("", default=1, minimum=-MOST_DIMENSIONS, label="First dimension")
    end_dim: int = size("", default=-1, minimum=-MOST_DIMENSIONS, label="Last dimension")
    size: tuple[int, ...] = shape("n", default=(32, 16, 5, 5), label="Input shape", role="input")

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        return cls(size=input_shape, **fields)

    def validate(self) -> None:
        dimensions = len(self.size)
        for name in ("start_dim", "end_dim"):
            given = getattr(self, name)
            if not -dimensions <= given < dimensions:
                raise self.fields[name].refuse(
                    f"Dimension out of range (expected to be in range of [{-dimensions}, "
                    f"{dimensions - 1}], but got {given}). The input has {dimensions} dimensions",
                    given,
                )
        if self.span.start >= self.span.stop:
            raise self.fields["start_dim"].refuse(
                "flatten() has invalid args: start_dim cannot come after end_dim", self.start_dim
            )

    @property
    def span(self) -> slice:
        """The dimensions that become one."""
        dimensions = len(self.size)
        return slice(self.start_dim % dimensions, self.end_dim % dimensions + 1)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Any shape that has the dimensions."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The dimensions before, the product of those in between, the dimensions after."""
        before, after = self.size[: self.span.start], self.size[self.span.stop :]
        return (*before, prod(self.size[self.span]), *after)

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
