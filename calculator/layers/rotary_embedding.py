"""Rotary positions, which are applied to the queries and keys of attention."""

from __future__ import annotations

from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.expression import quotient
from calculator.core.fields import size
from calculator.core.operations import Operations, times
from calculator.layers.layer import Layer

ODD = (
    "unflatten: Provided sizes [2, -1] don't multiply up to the size of dim 3 ({}) in the input "
    "tensor. Rotary positions turn pairs: make the head dimension even"
)


class RotaryEmbedding(Layer, name="rotary_embedding"):
    """Rotary position embedding of queries or keys: x · cos + rotate_half(x) · sin.

    Input `(N, h, L, d_h)`. Dimensions i and i + d_h/2 of a head are a pair, turned by an angle that
    depends on the position: x1 · cos − x2 · sin and x2 · cos + x1 · sin. Cosines and sines are read
    from tables `(L, d_h/2)`, which all heads and layers share; making the tables is not counted.

    Su et al., "RoFormer", arXiv 2104.09864, 2021, eq. 34.
    """

    in_torch = False

    batch_size: int = size("N", default=1, label="Batch size", role="input")
    num_heads: int = size("h", default=32, label="Heads", role="input")
    sequence_length: int = size("L", default=2048, label="Sequence length", role="input")
    head_dim: int = size("d_h", default=128, label="Head dimension", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        if len(shape) != 4:
            raise cls.misfit(
                f"expected (N, heads, L, head_dim), got {len(shape)} dimensions", shape
            )
        batch, heads, length, features = shape
        return cls(
            batch_size=batch, num_heads=heads, sequence_length=length, head_dim=features, **fields
        )

    def validate_input(self) -> None:
        if self.head_dim % 2:
            raise self.fields["head_dim"].refuse(ODD.format(self.head_dim), self.head_dim)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The batch, the heads, the positions, the dimensions of a head."""
        return (self.batch_size, self.num_heads, self.sequence_length, self.head_dim)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape

    def table(self) -> int:
        """Return how many cosines and sines are read: one of each for a position and a pair."""
        return self.sequence_length * self.head_dim

    @quantity()
    def operations(self) -> Operations:
        """Four products, a sum and a difference for each pair; the tables are looked up once."""
        heads = self.batch_size * self.num_heads * self.sequence_length
        pairs = heads * quotient(self.head_dim, 2)
        each = {"additions": 1, "subtractions": 1, "multiplications": 4}
        return {**times(pairs, each), "lookups": self.table()}

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of the input and of the tables, read once."""
        elements = self.batch_size * self.num_heads * self.sequence_length * self.head_dim
        return (elements + self.table()) * self.element_bytes

    def kept_bytes(self) -> int:
        """The tables, which the gradient is turned back with."""
        return self.table() * self.element_bytes if self.input_requires_grad else 0
