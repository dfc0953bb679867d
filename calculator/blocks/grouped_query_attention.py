"""Llama-style decoders: grouped-query attention and what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Self

from calculator.blocks.chain import Block
from calculator.core.calculation import fact, quantity
from calculator.core.expression import minimum, quotient
from calculator.core.fields import flag, size
from calculator.layers.attention import ScaledDotProductAttention
from calculator.layers.layer import Layer
from calculator.layers.linear import Linear
from calculator.layers.rotary_embedding import ODD, RotaryEmbedding

if TYPE_CHECKING:
    from calculator.blocks.model_config import ModelConfig


class _KeyRotation(RotaryEmbedding):
    """The rotation of the keys, by the tables of the queries."""

    def kept_bytes(self) -> int:
        """None: autograd keeps the tables once."""
        return 0


class Decoding(Block):
    """Layers on new tokens `(N, L, d)` that follow `past_length` tokens in a cache.

    New keys and values are written to their place in the cache, which is read as far as it is
    filled: with a sliding window, the last `sliding_window` tokens.
    """

    in_torch = False

    hidden_size: int = size("d", default=4096, label="Hidden size", required=True)
    num_attention_heads: int = size("h", default=32, label="Heads", required=True)
    num_key_value_heads: int | None = size(
        r"h_\text{kv}", default=None, label="Key–value heads", optional=True,
        help="Leave empty for the number of heads; 1 is multi-query attention.",
    )  # fmt: skip
    head_dim: int | None = size(
        "d_h", default=None, label="Head dimension", optional=True,
        help="Leave empty for hidden size / heads.",
    )  # fmt: skip
    attention_bias: bool = flag(default=False, label="Bias of the projections")
    sliding_window: int | None = size(
        "W", default=None, label="Sliding window", optional=True,
        help="Tokens that each token sees, including itself; leave empty for all.",
        refusal="a token sees itself at least",
    )  # fmt: skip
    batch_size: int = size("N", default=1, label="Batch size", role="input")
    sequence_length: int = size("L", default=2048, label="New tokens", role="input")
    past_length: int = size(
        "P", default=0, minimum=0, label="Tokens in the cache", role="input",
    )  # fmt: skip

    @classmethod
    def read_config(cls, config: Mapping[str, Any]) -> ModelConfig:
        """Return what a model's published configuration says of the fields of this class."""
        from calculator.blocks.model_config import read_model_config  # no first answer needs it

        return read_model_config(config, cls.fields)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], /, **fields: Any) -> Self:
        """Return what a model's published `config.json` describes, with other fields as given.

        Keys that the file leaves out have the defaults of its class in transformers. Raises
        InvalidField, of "config", if the model is of a type that is not counted exactly.
        """
        return cls(**{**cls.read_config(config).values, **fields})

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        shape, *caches = input_shapes
        *leading, _ = shape
        batch, length = leading if len(leading) == 2 else (1, 1)
        past = caches[0][-2] if caches else 0
        return cls.fitted(
            lambda layer: layer.unfit(shape, caches),
            shape,
            batch_size=batch,
            sequence_length=length,
            past_length=past,
            **fields,
        )

    def unfit(self, shape: tuple[int, ...], caches: list[tuple[int, ...]]) -> str:
        """Return why tokens and caches of these shapes do not fit, in torch's order, or nothing."""
        *leading, features = shape
        if features != self.hidden_size:
            return self.wrong_features(prod(leading), shape)
        if len(shape) != 3:
            return (
                "permute(sparse_coo): number of dimensions in the tensor input does not match the "
                "length of the desired ordering of dimensions i.e. input.dim() = "
                f"{len(shape) + 1} is not equal to len(dims) = 4. Give (N, L, hidden_size)"
            )
        for key, value in zip(caches[::2], caches[1::2], strict=True):
            batch, heads, _, features = self.cache_shape()
            wanted = (batch, heads, key[-2], features)
            for cache in (key, value):
                if cache != wanted or key[-2] != self.past_length:
                    return f"expected keys and values {wanted} in the cache, got {cache}"
        return ""

    def wrong_features(self, rows: int, shape: tuple[int, ...]) -> str:
        """Return torch's reason to reject tokens of another hidden size, and what to give."""
        raise NotImplementedError

    def cache_shape(self) -> tuple[int, ...]:
        """Return the shape of the keys in the cache, and of the values."""
        return (self.batch_size, self.kv_heads(), self.past_length, self.head_size())

    def validate_module(self) -> None:
        if self.head_dim is None and self.hidden_size % self.num_attention_heads:
            raise self.fields["num_attention_heads"].refuse(
                f"The hidden size ({self.hidden_size}) is not a multiple of the number of "
                f"attention heads ({self.num_attention_heads}). Change one, or give head_dim",
                self.num_attention_heads,
            )

    def validate_input(self) -> None:
        if self.head_size() % 2:
            raise self.fields["head_dim"].refuse(ODD.format(self.head_size()), self.head_size())
        if self.num_attention_heads % self.kv_heads():
            raise self.fields["num_key_value_heads"].refuse(
                "Number of heads in key and value must divide the number of heads in query. "
                "Change one of the two",
                self.kv_heads(),
            )

    def head_size(self) -> int:
        """Return the dimensions of a head."""
        if self.head_dim is None:
            return quotient(self.hidden_size, self.num_attention_heads)
        return self.head_dim

    def kv_heads(self) -> int:
        """Return the heads of the keys, and of the values."""
        if self.num_key_value_heads is None:
            return self.num_attention_heads
        return self.num_key_value_heads

    def cached_heads(self) -> int:
        """Return the heads of the keys in all blocks, and of the values."""
        return self.kv_heads()

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The new tokens."""
        return (self.batch_size, self.sequence_length, self.hidden_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        caches = (self.cache_shape(),) * 2 if self.past_length else ()
        return (self.input_shape, *caches)

    @quantity(r"\text{bytes}_\text{token}", unit="B", label="KV cache per token")
    def kv_cache_bytes_per_token(self) -> int:
        """A key and a value for each of their heads, in every block."""
        return 2 * self.cached_heads() * self.head_size() * self.element_bytes

    @quantity(r"\text{bytes}_\text{cache}", unit="B", label="KV cache")
    def kv_cache_bytes(self) -> int:
        """What the last new token sees, for each sequence: all so far, or those in the window.

        With a window they are W while it is computed, itself and W − 1 before it. A cache that is
        kept for the token after it needs W − 1.
        """
        tokens = self.past_length + self.sequence_length
        if self.sliding_window is not None:
            tokens = minimum(tokens, self.sliding_window)
        return self.batch_size * tokens * self.kv_cache_bytes_per_token


class GroupedQueryAttention(Decoding, name="grouped_query_attention"):
    """Causal self-attention whose heads of keys and values serve several query heads each.

    Projections to queries, keys and values, rotary positions, attention of the new tokens to the
    cache and themselves, output projection: input and output `(N, L, d)`. `num_key_value_heads`
    equal to the heads is multi-head attention, 1 is multi-query attention. Arguments as in Hugging
    Face's configs.

    `macs` holds masked pairs too, as torch's kernels report them; `useful_macs` counts the pairs
    that the causal mask and the window leave. A copy of keys and values to a longer cache is not
    counted.

    Ainslie et al., "GQA", arXiv 2305.13245, 2023.
    """

    labels = ("q_proj", "k_proj", "v_proj", "rotary of q", "rotary of k", "attention", "o_proj")

    def wrong_features(self, rows: int, shape: tuple[int, ...]) -> str:
        queries = self.num_attention_heads * self.head_size()
        return (
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{shape[-1]} and "
            f"{self.hidden_size}x{queries}). Set hidden_size={shape[-1]}"
        )

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The projections, the rotations, the attention, the projection of its output."""
        batch, length, heads = self.batch_size, self.sequence_length, self.num_attention_heads
        past, window, each = self.past_length, self.sliding_window, self.head_size()
        seen = past if window is None else min(past, window - 1)
        windowed = window is not None and window < seen + length

        def project(features: int, out: int, **more: Any) -> Linear:
            return Linear(
                in_features=features, out_features=out, bias=self.attention_bias,
                batch_size=batch, sequence_length=(length,), **more,
            )  # fmt: skip

        def rotate(kind: type[RotaryEmbedding], count: int) -> RotaryEmbedding:
            return kind(
                batch_size=batch, num_heads=count, sequence_length=length, head_dim=each, **inner
            )

        outer, inner = self.shared(), self.shared(inner=True)
        keys = self.kv_heads() * each
        return (
            project(self.hidden_size, heads * each, **outer),
            project(self.hidden_size, keys, **outer),
            project(self.hidden_size, keys, **outer),
            rotate(RotaryEmbedding, heads),
            rotate(_KeyRotation, self.kv_heads()),
            ScaledDotProductAttention(
                batch_size=batch, num_heads=heads, num_kv_heads=self.kv_heads(),
                query_length=length, key_length=seen + length, head_dim=each,
                is_causal=length > 1, window_size=window if windowed else None,
                causal_variant="lower_right" if length > 1 and seen else "upper_left", **inner,
            ),
            project(heads * each, self.hidden_size, **inner),
        )  # fmt: skip

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """Queries, keys and values stand as one; torch lays several rows of heads out anew."""
        rows = 7 if 1 in (self.sequence_length, self.num_attention_heads) else 8
        return (0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (6, 7), (rows, 9)
