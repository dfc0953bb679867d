"""Attention with projections: several heads, each on its own part of them."""

from __future__ import annotations

from typing import Any, Self

from calculator.blocks.chain import Block
from calculator.blocks.multihead_parts import Appended, Heads, Mean
from calculator.core.calculation import fact, quantity
from calculator.core.fields import LARGEST, flag, size
from calculator.core.measure_fields import check_probability, real
from calculator.layers.inputs import Sequences, batch_and_length
from calculator.layers.layer import Layer
from calculator.layers.linear import Linear

Shape = tuple[int, ...]


def check_heads(layer: Layer, embedding: str, heads: str) -> None:
    """Raise InvalidField, in torch's words, if heads cannot share an embedding evenly."""
    whole, parts = getattr(layer, embedding), getattr(layer, heads)
    for name, given in ((embedding, whole), (heads, parts)):
        if given < 1:
            raise layer.fields[name].refuse(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={whole} and num_heads={parts} instead. Must be at least 1",
                given,
            )
    if whole % parts:
        raise layer.fields[heads].refuse(
            "embed_dim must be divisible by num_heads. "
            f"{embedding}={whole} is not a multiple of {heads}={parts}",
            parts,
        )


class MultiheadAttention(Sequences, Block, name="multihead_attention"):
    """Attention of several heads with its four projections, as `torch.nn.MultiheadAttention`.

    Query `(L, N, E)`, key and value `(S, N, E)`, or `(N, L, E)` if `batch_first`, or without a
    batch `(L, E)`. Without a key length the three are one tensor, self-attention; with one, key and
    value are one tensor, the memory; with a value length, they are two.

    Counted are the projections of queries, keys and values, attention as in
    `scaled_dot_product_attention`, masked pairs included, the projection of its output, and the
    mean of the weights over the heads, if they are needed. The causal mask is upper left. Laying
    heads side by side and appending keys (`add_bias_kv`, `add_zero_attn`) is not counted.
    """

    embed_dim: int = size("d", default=768, minimum=-LARGEST, label="Embedding", required=True)
    num_heads: int = size("h", default=12, minimum=-LARGEST, label="Heads", required=True)
    dropout: float = real(default=0.0, label="Dropout", help="Between 0 and 1.")
    bias: bool = flag(default=True, label="Bias")
    add_bias_kv: bool = flag(default=False, label="Learned key and value")
    add_zero_attn: bool = flag(default=False, label="Zero key and value")
    kdim: int | None = size(
        r"d_\text{k}", default=None, label="Key features", optional=True,
        help="Leave empty for the embedding dimension.",
    )  # fmt: skip
    vdim: int | None = size(
        r"d_\text{v}", default=None, label="Value features", optional=True,
        help="Leave empty for the embedding dimension.",
    )  # fmt: skip
    batch_first: bool = flag(default=False, label="Batch first")
    query_length: int = size("L", default=512, label="Queries", role="input")
    key_length: int | None = size(
        "S", default=None, label="Keys", role="input", optional=True,
        help="Leave empty for self-attention.",
    )  # fmt: skip
    value_length: int | None = size(
        r"S_\text{v}", default=None, label="Values", role="input", optional=True,
        help="Leave empty if keys and values are one tensor; otherwise the number of keys.",
    )  # fmt: skip
    need_weights: bool = flag(default=True, label="Return attention weights", role="input")
    is_causal: bool = flag(default=False, label="Causal mask", role="input")
    training: bool = flag(default=False, label="In training", role="input")

    more_inputs = ("key", "value")

    @classmethod
    def on(cls, *input_shapes: Shape, **fields: Any) -> Self:
        query, *others = input_shapes
        key, value = (*others, None, None)[:2]
        first = fields.get("batch_first", False)
        batch, length = batch_and_length(query, first)
        return cls.fitted(
            lambda layer: layer.unfit(query, key or query, value or key or query),
            query,
            batch_size=batch,
            query_length=length,
            key_length=key and batch_and_length(key, first)[1],
            value_length=value and batch_and_length(value, first)[1],
            **fields,
        )

    def unfit(self, query: Shape, key: Shape, value: Shape) -> str:
        """Return torch's reason to reject inputs of these shapes, in its order, or nothing."""
        ranks = [len(each) for each in (query, key, value)]
        if ranks[0] not in (2, 3):
            return (
                "query should be unbatched 2D or batched 3D tensor but received "
                f"{ranks[0]}-D query tensor. Give (L, N, E) or (L, E)"
            )
        if ranks[1:] != [ranks[0]] * 2:
            kind = {2: "unbatched (2-D)", 3: "batched (3-D)"}[ranks[0]]
            return (
                f"For {kind} `query`, expected `key` and `value` to be {ranks[0]}-D but found "
                f"{ranks[1]}-D and {ranks[2]}-D tensors respectively. "
                "Give all three the same number of dimensions"
            )
        each = self.embed_dim
        if query[-1] != each:
            return (
                f"was expecting embedding dimension of {each}, but got {query[-1]}. "
                f"Set embed_dim={query[-1]}"
            )
        key, value = (self._length_first(shape) for shape in (key, value))
        batch = self._length_first(query)[1]
        said = "torch.Size({})".format
        if not self.packed and key[:2] != value[:2]:
            return (
                f"key's sequence and batch dims {said([*key[:2]])} do not match value's "
                f"{said([*value[:2]])}. Give both the same shape"
            )
        if self.packed and key != value:
            return (
                f"key shape {said([*key])} does not match value shape {said([*value])}. "
                "Give both the same shape"
            )
        wrong = self._wrong_features(key[2], value[2])
        if wrong:
            return wrong
        if self.packed and key[2] != each:
            outputs = self.projected * each
            # Batch by batch, if a matrix without bias is frozen and the batch is not in front.
            if self.batch_first and key[1] > 1 and not (self.bias or self.weight_requires_grad):
                return (
                    "Expected size for first two dimensions of batch2 tensor to be: "
                    f"{[key[0], key[2]]} but got: {[key[0], each]}. Set kdim={key[2]}"
                )
            return (
                f"mat1 and mat2 shapes cannot be multiplied ({key[0] * key[1]}x{key[2]} and "
                f"{each}x{outputs}). Set kdim={key[2]}"
            )
        if key[1] != batch and self.add_bias_kv:
            return (
                "Sizes of tensors must match except in dimension 0. Expected size "
                f"{key[1]} but got size {batch} for tensor number 1 in the list. "
                "Give all the same batch size"
            )
        if key[1] != batch:
            view = [key[0], batch * self.num_heads, each // self.num_heads]
            return (
                f"shape '{view}' is invalid for input of size {key[0] * key[1] * each}. "
                "Give all the same batch size"
            )
        return ""

    def _wrong_features(self, key: int, value: int) -> str:
        if self.packed:
            return ""
        for name, given, known in (
            ("key", key, self.key_features()),
            ("value", value, self.value_features()),
        ):
            if given != known:
                return (
                    f"expecting {name} weights shape of ({self.embed_dim}, {given}), but got "
                    f"torch.Size([{self.embed_dim}, {known}]). Set {name[0]}dim={given}"
                )
        return ""

    def _length_first(self, shape: Shape) -> Shape:
        batch, length = batch_and_length(shape, self.batch_first)
        return (length, 1 if batch is None else batch, shape[-1])

    def validate_module(self) -> None:
        check_heads(self, "embed_dim", "num_heads")

    def validate_input(self) -> None:
        if self.training:
            check_probability(self.fields["dropout"], self.dropout)
        if self.value_length not in (None, self.key_length):
            wanted = (
                "needs a key length; write one"
                if self.key_length is None
                else f"must equal the key length; write {self.key_length}"
            )
            raise self.fields["value_length"].refuse(wanted, self.value_length)
        one = self.embed_dim if self.key_length is None else self.key_features()
        wrong = "" if self.value_length else self._wrong_features(one, one)
        if wrong:
            raise self.fields["kdim"].refuse(
                f"{wrong}, or give the values a length of their own",
                self.kdim,
            )

    @fact
    def packed(self) -> bool:
        """Whether torch keeps the weights of the three projections in one matrix."""
        return {self.key_features(), self.value_features()} == {self.embed_dim}

    @fact
    def projected(self) -> int:
        """How many projections torch does at once: in a batch, those of one tensor."""
        if not self.packed or self.batch_size is None or self.value_length:
            return 1
        return 3 if self.key_length is None else 2

    def key_features(self) -> int:
        """Return the features of a key before it is projected."""
        return self.embed_dim if self.kdim is None else self.kdim

    def value_features(self) -> int:
        """Return the features of a value before it is projected."""
        return self.embed_dim if self.vdim is None else self.vdim

    def keys(self) -> int:
        """Return how many keys there are, appended ones apart."""
        return self.query_length if self.key_length is None else self.key_length

    def source(self) -> dict[str, Any]:
        """Return what the projections of keys and values have of the whole."""
        return self.shared()

    @quantity()
    def input_shape(self) -> Shape:
        """The shape of the query."""
        return self.sequence(self.query_length, self.embed_dim)

    def input_shapes(self) -> tuple[Shape, ...]:
        key = self.sequence(self.keys(), self.key_features())
        value = self.sequence(self.keys(), self.value_features())
        given = self.key_length is not None, self.value_length is not None
        return (self.input_shape, *((key,) if given[0] else ()), *((value,) if given[1] else ()))

    @quantity()
    def output_shape(self) -> Shape:
        """The shape of the query."""
        return self.input_shape

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The projections, the attention, the projection of its output, the mean of the weights."""
        appended = self.add_bias_kv + self.add_zero_attn
        outer, inner = self.shared(), self.shared(inner=True)

        def project(features: int, length: int, **more: Any) -> Linear:
            size, *others, _ = self.sequence(length, features)
            return Linear(
                in_features=features, out_features=self.embed_dim, bias=self.bias,
                batch_size=size, sequence_length=tuple(others) or None, **more,
            )  # fmt: skip

        sizes = {
            "batch_size": self.samples(), "num_heads": self.num_heads,
            "query_length": self.query_length, "key_length": self.keys() + appended, **inner,
        }  # fmt: skip
        heads = Heads(
            head_dim=self.embed_dim // self.num_heads, is_causal=self.is_causal,
            dropout_p=self.dropout if self.training else 0, need_weights=self.need_weights,
            appended=appended, projected=self.projected, **sizes,
        )  # fmt: skip
        return (
            project(self.embed_dim, self.query_length, **outer),
            project(self.key_features(), self.keys(), **self.source()),
            project(self.value_features(), self.keys(), **self.source()),
            *([Appended(features=self.embed_dim, **outer)] if self.add_bias_kv else []),
            heads,
            project(self.embed_dim, self.query_length, **inner),
            *([Mean(**sizes)] if self.need_weights else []),
        )

    @fact
    def labels(self) -> tuple[str, ...]:
        """What each layer is called in a table."""
        return (
            *("q_proj", "k_proj", "v_proj"),
            *(["bias_kv"] if self.add_bias_kv else []),
            *("attention", "out_proj"),
            *(["mean of heads"] if self.need_weights else []),
        )

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """Queries, keys and values are one to attention; a batch that stands first is copied."""
        query = -1 if self.copies(self.query_length) else 0
        keys = query if self.key_length is None else 8
        apart = self.value_length or (not self.packed and self.copies(self.keys()))
        return (
            *((query, 1), (keys, 2), (9 if apart else keys, 3)),
            *([(10, 11)] if self.add_bias_kv else []),
            *((4, 5), (5, 6)),
            *([(12, 13)] if self.need_weights else []),
        )
