"""What stands between the projections of multi-head attention: parts without a name."""

from __future__ import annotations

from math import prod

from calculator.core.calculation import fact, quantity
from calculator.core.fields import flag, size
from calculator.core.operations import Operations
from calculator.layers.attention import ScaledDotProductAttention, staircase
from calculator.layers.layer import Layer

Shape = tuple[int, ...]


class Heads(ScaledDotProductAttention):
    """The attention of all heads, on queries, keys and values that torch has just projected."""

    need_weights: bool = flag(default=True, label="Return attention weights")
    appended: int = size("A", default=0, minimum=0, label="Appended keys")
    projected: int = size("M", default=1, label="Projections in one memory, the values last")

    @fact
    def fused(self) -> bool:
        """Whether torch's kernel does it all at once: it returns no weights."""
        return super().fused and not self.need_weights

    @fact
    def along(self) -> tuple[bool, bool]:
        """Whether the queries, and the keys, stay because they lie in one memory with others."""
        if self.appended or (self.is_widened and not self.need_weights):
            return False, False
        return self.projected == 3, self.projected > 1 and not self.need_weights

    @fact
    def beside(self) -> bool:
        """Whether the queries lie in one memory with keys and values, of which longer copies stay.

        A kernel that is fused keeps the queries as they are.
        """
        return self.fused and self.appended > 0 and self.projected == 3

    @fact
    def seen_by_all(self) -> bool:
        """Whether the appended keys are in no mask: torch masks them if it needs no weights."""
        return self.need_weights and self.appended > 0 and self.is_causal

    @quantity()
    def unmasked_pairs(self) -> int:
        """The pairs of a query and a key that it sees.

        Appended keys are seen by all, or follow the others under the same diagonal.
        """
        if not self.seen_by_all:
            return ScaledDotProductAttention.unmasked_pairs.method(self)
        masked = staircase(self.query_length, self.key_length - self.appended)
        return masked + self.query_length * self.appended

    def kept_element_bytes(self) -> int:
        """Return those of the data type if torch needs the weights: it multiplies in it."""
        if self.need_weights:
            return self.element_bytes
        return ScaledDotProductAttention.kept_element_bytes(self)

    def neighbours(self) -> int:
        queries, keys = self.along
        heads = self.batch_size * self.num_heads * self.head_dim
        if self.fused:
            return 2 * heads * self.query_length if self.beside else 0
        kept = heads * self.query_length if queries else 0
        return kept + (heads * self.key_length if keys else 0)


class Appended(Layer):
    """A key and a value that are learned: one more position to attend to."""

    features: int = size("d", default=64, label="Features")

    @quantity()
    def input_shape(self) -> Shape:
        """A key and a value."""
        return (2, self.features)

    @quantity()
    def output_shape(self) -> Shape:
        """A key and a value."""
        return self.input_shape

    @quantity()
    def params(self) -> int:
        """Both of them."""
        return 2 * self.features

    @quantity()
    def input_bytes(self) -> int:
        """None: the weights are all that is read."""
        return 0

    @quantity()
    def output_bytes(self) -> int:
        """None: they are read where the others are."""
        return 0


class Mean(Layer):
    """The mean of the weights over the heads, which torch returns besides the output."""

    batch_size: int = size("N", default=1, label="Batch size", role="input")
    num_heads: int = size("h", default=8, label="Heads", role="input")
    query_length: int = size("L", default=512, label="Queries", role="input")
    key_length: int = size("S", default=512, label="Keys", role="input")

    @quantity()
    def input_shape(self) -> Shape:
        """The weights of every head."""
        return (self.batch_size, self.num_heads, self.query_length, self.key_length)

    @quantity()
    def output_shape(self) -> Shape:
        """One weight per query and key."""
        return (self.batch_size, self.query_length, self.key_length)

    @quantity()
    def operations(self) -> Operations:
        """The sum over the heads, divided by how many they are."""
        weights = prod(self.output_shape)
        return {"additions": weights * (self.num_heads - 1), "divisions": weights}
