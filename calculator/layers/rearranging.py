"""Layers that give a tensor another shape and touch none of its elements."""

from __future__ import annotations

from math import prod

from calculator.core.calculation import quantity
from calculator.core.tensor_fields import dimension, shape
from calculator.layers.shaped import Passing


class Flatten(Passing, name="flatten"):
    """Some neighbouring dimensions in one, as `torch.nn.Flatten`: a view, free of charge."""

    start_dim: int = dimension(default=1, label="First dimension")
    end_dim: int = dimension(default=-1, label="Last dimension")
    size: tuple[int, ...] = shape("n", default=(32, 16, 5, 5), label="Input shape", role="input")

    def validate_input(self) -> None:
        if self.span.start >= self.span.stop:
            raise self.fields["start_dim"].refuse(
                "flatten() has invalid args: start_dim cannot come after end_dim", self.start_dim
            )

    @property
    def span(self) -> slice:
        """The dimensions that become one."""
        return slice(self.place("start_dim"), self.place("end_dim") + 1)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The dimensions before, the product of those in between, the dimensions after."""
        before, after = self.size[: self.span.start], self.size[self.span.stop :]
        return (*before, prod(self.size[self.span]), *after)

    def passes(self) -> bool:
        """The output is the input, read with other indices."""
        return True
