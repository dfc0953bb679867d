"""Attention: every query is compared with every key, and mixes the values by the result."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import fact, quantity
from calculator.core.expression import minimum, quotient
from calculator.core.fields import choice, flag, size
from calculator.core.measure_fields import check_probability, real
from calculator.core.operations import Operations, softmax, total
from calculator.layers.layer import Layer, widened

Shape = tuple[int, ...]


class ScaledDotProductAttention(Layer, name="scaled_dot_product_attention"):
    """softmax(Q Kᵀ · scale) V, as `torch.nn.functional.scaled_dot_product_attention`.

    Query `(N, h, L, E)`, key `(N, h_kv, S, E)`, value `(N, h_kv, S, E_v)`, output
    `(N, h, L, E_v)`. With fewer heads of keys than of queries, several query heads share one
    (torch's `enable_gqa`): the work stays, the bytes shrink.

    `macs` holds both products in full, masked pairs too, as torch's kernels report them;
    `useful_macs` counts the pairs that the mask leaves. The causal mask is torch's, its diagonal
    in the upper left; "lower_right" is that of queries that follow a cache (`CausalVariant` in
    `torch.nn.attention.bias`). A `window_size` shows each query that many last positions only.

    The operations are those of torch's documentation: each score is scaled, one multiplication;
    the mask is added to it; softmax subtracts the maximum of the row, takes exp, and divides by the
    sum; dropout multiplies by its own mask and by 1/(1 − p). Drawing random numbers and building
    masks are not counted. The backward pass has four products; a fused kernel does a fifth,
    `fused_backward_macs`.
    """

    in_torch = False
    more_inputs = ("key", "value")

    dropout_p: float = real(default=0.0, label="Dropout", help="Between 0 and 1.")
    is_causal: bool = flag(default=False, label="Causal mask")
    scale: float | None = real(
        default=None, label="Scale", optional=True, help="Leave empty for 1/√E.",
    )  # fmt: skip
    window_size: int | None = size(
        "W", default=None, label="Sliding window", optional=True,
        help="Keys that a query sees, including its own; leave empty for all.",
        refusal="a query sees itself at least",
    )  # fmt: skip
    causal_variant: str = choice(
        default="upper_left", label="Diagonal of the mask",
        options={"upper_left": "upper left: no cache", "lower_right": "lower right: after a cache"},
        refusal="{given!r} is not a valid CausalVariant. Use one of {options}",
    )  # fmt: skip
    batch_size: int = size("N", default=1, label="Batch size", role="input")
    num_heads: int = size("h", default=12, label="Heads", role="input")
    num_kv_heads: int | None = size(
        r"h_\text{kv}", default=None, label="Key–value heads", role="input",
        optional=True, help="Leave empty for the number of heads.",
    )  # fmt: skip
    query_length: int = size("L", default=512, label="Queries", role="input")
    key_length: int = size("S", default=512, label="Keys", role="input")
    head_dim: int = size("E", default=64, label="Head dimension", role="input")
    value_dim: int | None = size(
        r"E_\text{v}", default=None, label="Value dimension", role="input", optional=True,
        help="Leave empty for the head dimension.",
    )  # fmt: skip

    @classmethod
    def on(cls, *input_shapes: Shape, **fields: Any) -> Self:
        if len(input_shapes) != 3 or any(len(shape) != 4 for shape in input_shapes):
            raise cls.misfit(
                "Expected a query (N, heads, L, E), a key (N, heads, S, E) and a value "
                "(N, heads, S, E_v)",
                input_shapes[0],
            )
        query, key, value = input_shapes
        return cls.fitted(
            lambda layer: _misfit(query, key, value),
            query,
            batch_size=query[0],
            num_heads=query[1],
            num_kv_heads=key[1] if key[1] != query[1] else None,
            query_length=query[2],
            key_length=key[2],
            head_dim=query[3],
            value_dim=value[3] if value[3] != query[3] else None,
            **fields,
        )

    def validate_module(self) -> None:
        check_probability(self.fields["dropout_p"], self.dropout_p)
        if self.window_size is not None and not self.is_causal:
            raise self.fields["window_size"].refuse(
                "window_size needs is_causal, because a window ends at the query's own position. "
                "Set is_causal",
                self.window_size,
            )

    def validate_input(self) -> None:
        if self.num_kv_heads is not None and self.num_heads % self.num_kv_heads:
            raise self.fields["num_kv_heads"].refuse(_WRONG_HEADS, self.num_kv_heads)

    @fact
    def dropped(self) -> int:
        """How many multiplications dropout takes: by the mask and the scale, or only by 0."""
        if self.dropout_p in (0, 1):
            return int(self.dropout_p)
        return 2

    @fact
    def needs_a_mask(self) -> bool:
        """Whether torch is given the mask as a tensor, having no word for it."""
        return self.is_causal and (
            self.window_size is not None or self.causal_variant == "lower_right"
        )

    @fact
    def fused(self) -> bool:
        """Whether torch's kernel for the CPU does it all at once: values as wide as keys."""
        return not self.dropped and self.value_dim in (None, self.head_dim)

    def kv_heads(self) -> int:
        """Return the heads of keys and values."""
        return self.num_heads if self.num_kv_heads is None else self.num_kv_heads

    def value_size(self) -> int:
        """Return the size of a value."""
        return self.head_dim if self.value_dim is None else self.value_dim

    @quantity()
    def input_shape(self) -> Shape:
        """The shape of the query."""
        return (self.batch_size, self.num_heads, self.query_length, self.head_dim)

    @quantity(label="Shape of the key")
    def key_shape(self) -> Shape:
        """The shape of the key."""
        return (self.batch_size, self.kv_heads(), self.key_length, self.head_dim)

    @quantity(label="Shape of the value")
    def value_shape(self) -> Shape:
        """The shape of the value."""
        return (self.batch_size, self.kv_heads(), self.key_length, self.value_size())

    def input_shapes(self) -> tuple[Shape, ...]:
        return self.input_shape, self.key_shape, self.value_shape

    @quantity()
    def output_shape(self) -> Shape:
        """The shape of the query, each row of the size of a value."""
        return (self.batch_size, self.num_heads, self.query_length, self.value_size())

    @quantity(r"\text{scores}", label="Scores")
    def scores(self) -> int:
        """One for each head, query and key."""
        return self.batch_size * self.num_heads * self.query_length * self.key_length

    @quantity(r"\text{pairs}", label="Unmasked pairs per head")
    def unmasked_pairs(self) -> int:
        """The pairs of a query and a key that it sees: each row has one more, up to a limit."""
        queries, keys, window = self.query_length, self.key_length, self.window_size
        if not self.is_causal:
            return queries * keys
        if self.causal_variant == "upper_left":
            if window is None:
                return staircase(queries, keys)
            return staircase(queries, keys) - staircase(queries - minimum(queries, window), keys)
        if window is None:
            return staircase(keys) - staircase(keys - minimum(queries, keys))
        return staircase(keys, window) - staircase(keys - minimum(queries, keys), window)

    def products(self) -> int:
        """Return the multiply-accumulates of one pair: E for the score, E_v for the value."""
        return 2 * self.head_dim if self.value_dim is None else self.head_dim + self.value_dim

    @quantity()
    def macs(self) -> int:
        """Q Kᵀ and the scores times V: both in full, whatever the mask."""
        return self.scores * self.products()

    @quantity(r"\text{MACs}_\text{useful}", unit="MAC", label="MACs of unmasked pairs")
    def useful_macs(self) -> int:
        """Those that reach the output: a kernel that skips what is masked does no more."""
        return self.batch_size * self.num_heads * self.unmasked_pairs * self.products()

    def useful(self) -> int:
        return self.useful_macs

    @quantity()
    def operations(self) -> Operations:
        """A score is scaled, masked, compared, made positive, and divided by their sum."""
        rows = self.batch_size * self.num_heads * self.query_length
        mask = {"additions": self.scores} if self.is_causal else {}
        return total(
            [
                {"multiply_accumulates": self.macs},
                {"multiplications": (1 + self.dropped) * self.scores},
                mask,
                softmax(rows, self.key_length),
            ]
        )

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of the query, the key and the value, read once."""
        elements = prod(self.input_shape) + prod(self.key_shape) + prod(self.value_shape)
        return elements * self.element_bytes

    @quantity()
    def backward_macs(self) -> int:
        """Four products, the gradients of scores, values, queries and keys: twice the forward."""
        return 2 * self.macs if self.input_requires_grad else 0

    @quantity(
        r"\text{MACs}_\text{backward, fused}", unit="MAC", label="MACs of a fused backward pass"
    )
    def fused_backward_macs(self) -> int:
        """Five products: a kernel that does not keep the scores computes them again."""
        again = self.scores * self.head_dim
        return self.backward_macs + again if self.input_requires_grad else 0

    def keeps(self) -> tuple[bool, bool]:
        """Both if torch's kernel for the CPU is fused, else what the products were given."""
        kept = self.fused and self.input_requires_grad
        return kept, kept

    def kept_bytes(self) -> int:
        """Return the bytes of what is saved besides them.

        Fused: the logarithm of each row's sum, as FP32 at least, and the mask if it is a tensor.
        Else: the query and the key, both scaled, the value, the scores after softmax;
        with dropout what each was multiplied with and the product. Shared heads are written out,
        and a type of less than 4 bytes as FP32.
        """
        if not self.input_requires_grad:
            return 0
        rows = self.batch_size * self.num_heads * self.query_length
        if self.fused:
            kept = rows * widened(self.element_bytes) + self.neighbours() * self.element_bytes
            mask = self.query_length * self.key_length * self.element_bytes
            return kept + mask if self.needs_a_mask else kept
        columns = self.batch_size * self.num_heads * self.key_length
        elements = rows * self.head_dim + columns * self.products() + self.scores
        elements = elements + self.neighbours()
        if self.dropped:
            elements = elements + self.scores
            elements = elements + (self.scores if self.dropped == 2 else 1)
        return elements * self.kept_element_bytes()

    def kept_element_bytes(self) -> int:
        """Return the bytes of one element of what is saved if the kernel is not fused."""
        return widened(self.element_bytes)

    def neighbours(self) -> int:
        """Return the numbers that stay because they share their memory with what is saved."""
        return 0


def staircase(rows: int, most: int | None = None) -> int:
    """Return 1 + 2 + … over so many rows, none of them above `most`.

    >>> staircase(4), staircase(4, 2)
    (10, 7)
    """
    steps = rows if most is None else minimum(rows, most)
    rising = quotient(steps * (steps + 1), 2)
    return rising if most is None else rising + (rows - steps) * most


_WRONG_HEADS = (
    "Number of heads in key and value must divide the number of heads in query. "
    "Change one of the two"
)


def _misfit(query: Shape, key: Shape, value: Shape) -> str:
    """Return torch's reason to reject these shapes together, in its order, or nothing."""
    if query[1] % key[1] or query[1] % value[1]:
        return _WRONG_HEADS
    if key[1] != value[1]:
        return f"The key has {key[1]} heads and the value {value[1]}. Give both the same number"
    rows = query[0] * query[1]
    for place, (one, other) in {"key": (query, key), "value": (query, value)}.items():
        if one[0] != other[0]:
            return (
                f"The size of tensor a ({one[0]}) must match the size of tensor b ({other[0]}) at "
                f"non-singleton dimension 0. Give the {place} a batch of {one[0]}"
            )
        wanted = [rows, query[3]] if place == "key" else [rows, key[2]]
        found = [rows, key[3]] if place == "key" else [rows, value[2]]
        if wanted != found:
            return (
                "Expected size for first two dimensions of batch2 tensor to be: "
                f"{wanted} but got: {found}. Change the {place}"
            )
    return ""
