"""The block of a Llama-style decoder, dense or with a mixture of experts."""

from __future__ import annotations

from typing import Any, Self

from calculator.blocks.grouped_query_attention import Decoding, GroupedQueryAttention
from calculator.blocks.mixture_of_experts import GatedMLP, MixtureOfExperts
from calculator.core.calculation import fact, quantity
from calculator.core.expression import quotient
from calculator.core.fields import flag, size
from calculator.core.measure_fields import real
from calculator.layers.embedding import Embedding
from calculator.layers.layer import Layer, Work
from calculator.layers.linear import Linear
from calculator.layers.normalization import RMSNorm
from calculator.layers.tensor_functions import Add


class _Decoder(Decoding):
    """The fields that one block and many blocks share."""

    intermediate_size: int = size(
        r"d_\text{ff}", default=11008, label="Intermediate size", required=True
    )
    mlp_bias: bool = flag(default=False, label="Bias of the MLP")
    rms_norm_eps: float | None = real(default=1e-6, optional=True, label="Epsilon of the norms")
    num_local_experts: int | None = size(
        "E", default=None, label="Experts", optional=True, help="Leave empty for one MLP.",
    )  # fmt: skip
    num_experts_per_tok: int = size(
        "k", default=2, label="Experts per token", help="Used only if there are experts.",
    )  # fmt: skip

    def validate_input(self) -> None:
        super().validate_input()
        experts = self.num_local_experts
        if experts is not None and self.num_experts_per_tok > experts:
            raise self.fields["num_experts_per_tok"].refuse(
                f"selected index k out of range. There are {experts} experts",
                self.num_experts_per_tok,
            )


class LlamaDecoderLayer(_Decoder, name="llama_decoder_layer"):
    """A block of Llama, Mistral or Mixtral: attention and an MLP, each normalised before, added to.

    RMSNorm, grouped-query attention, residual; RMSNorm, SwiGLU, residual. SwiGLU is
    down(silu(gate(x)) · up(x)). With `num_local_experts` there are so many of these MLPs: a router
    sends each token through `num_experts_per_tok` of them, and their answers are summed by weight,
    in Mixtral's layout. Arguments as in Hugging Face's configs.

    `params` are all, `active_params` those that one token meets, `macs` the work of the experts
    that are met. Bytes take the tokens to be spread over as many experts as can be. Putting tokens
    in the order of their experts is not counted.

    Touvron et al., "LLaMA", arXiv 2302.13971, 2023; Jiang et al., "Mixtral of Experts",
    arXiv 2401.04088, 2024.
    """

    def wrong_features(self, rows: int, shape: tuple[int, ...]) -> str:
        return (
            f"Given normalized_shape=[{self.hidden_size}], expected input with shape "
            f"[*{self.hidden_size}], but got input of size{list(shape)}. "
            f"Set hidden_size={shape[-1]}"
        )

    @fact
    def labels(self) -> tuple[str, ...]:
        """As in Hugging Face's modules."""
        feed = "mlp" if self.num_local_experts is None else "experts"
        return (
            "input_layernorm", "self_attn", "residual",
            "post_attention_layernorm", feed, "residual",
        )  # fmt: skip

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """Norm, attention, residual; norm, MLP or experts, residual."""
        outer, inner, size = self.shared(), self.shared(inner=True), self.input_shape
        normal: dict[str, Any] = {
            "normalized_shape": (self.hidden_size,),
            "eps": self.rms_norm_eps,
            "size": size,
        }
        attention = {name: getattr(self, name) for name in GroupedQueryAttention.fields}
        own = {name: getattr(self, name) for name in GatedMLP.fields if name in self.fields}
        feed = (
            GatedMLP(leading=size[:-1], **{**own, **inner})
            if self.num_local_experts is None
            else MixtureOfExperts(
                experts=self.num_local_experts,
                each=self.num_experts_per_tok,
                leading=size[:-1],
                **{**own, **inner},
            )
        )
        residual = Add(size=size, other_size=size, **inner)
        return (
            RMSNorm(**normal, **outer),
            GroupedQueryAttention(**{**attention, **inner}),
            residual,
            RMSNorm(**normal, **inner),
            feed,
            residual,
        )

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """A residual reads two and keeps neither."""
        return (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)

    @quantity(r"\text{params}_\text{active}", label="Active parameters per token")
    def active_params(self) -> int:
        """All but those of the experts that a token is not sent to."""
        if self.num_local_experts is None:
            return self.params
        layers: Any = self.layers
        _, _, experts, _ = layers[4].layers
        idle = self.num_local_experts - self.num_experts_per_tok
        return self.params - idle * quotient(experts.params, self.num_local_experts)


class _TiedHead(Linear):
    """An output layer whose weight is the table of the embedding: read here, and counted there."""

    @quantity()
    def params(self) -> int:
        """None of its own."""
        return 0

    @quantity()
    def bytes_moved(self) -> int:
        """The table is read once, and the input; the output is written once."""
        table = self.in_features * self.out_features * self.element_bytes
        return table + self.input_bytes + self.output_bytes


class Llama(_Decoder, name="llama"):
    """A whole decoder: tokens `(N, L)` in, a score for each word and position `(N, L, V)` out.

    Embedding, `num_hidden_layers` blocks, RMSNorm, output layer. With `past_length` 0 this is the
    prefill of a prompt; one new token after a cache is a step of the decoding. Arguments as in
    Hugging Face's configs. Choosing a token from the scores is not counted.

    With `adapters`, gradients flow through frozen weights from the output of the embedding on, as
    with `enable_input_require_grads` in PEFT. What the adapters compute and save themselves comes
    on top: the counts are lower bounds of the backward pass and the saved bytes.
    """

    vocab_size: int = size("V", default=32000, label="Vocabulary", required=True)
    num_hidden_layers: int = size("n", default=32, label="Blocks", required=True)
    tie_word_embeddings: bool = flag(
        default=False, label="Tied embeddings", help="The output layer uses the embedding's table.",
    )  # fmt: skip
    adapters: bool = flag(
        default=False, label="Train adapters (LoRA)", role="training",
        help="Gradients pass through frozen weights. The adapters themselves are not counted.",
    )  # fmt: skip

    labels = ("embed_tokens", "layers", "norm", "lm_head")
    tensors = (0, 1), (1, 2), (2, 3), (3, 4)
    takes_indices = True

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        tokens, *caches = input_shapes
        hidden = fields.get("hidden_size", cls.fields["hidden_size"].default)
        return super().on((*tokens, hidden), *caches, **fields)

    def validate_input(self) -> None:
        super().validate_input()
        if self.adapters and self.weight_requires_grad:
            reason = "needs frozen weights; switch off weight_requires_grad"
            raise self.fields["adapters"].refuse(reason, self.adapters)

    def notes(self) -> tuple[str, ...]:
        if self.adapters:
            return (
                "The backward pass and the bytes saved for it are at least as counted: what the "
                "adapters compute and save themselves is not included.",
            )
        if not self.weight_requires_grad:
            return (
                "Every weight is frozen, so there is no backward pass and nothing is saved for "
                "one. If you train adapters (LoRA), switch on adapters.",
            )
        return ()

    def cached_heads(self) -> int:
        return self.num_hidden_layers * self.kv_heads()

    @fact
    def block(self) -> LlamaDecoderLayer:
        """One of the blocks, after what is learned."""
        own = {name: getattr(self, name) for name in LlamaDecoderLayer.fields}
        learned = self.weight_requires_grad or self.adapters
        return LlamaDecoderLayer(**{**own, "input_requires_grad": learned})

    def counts(self) -> tuple[int, ...]:
        return (1, self.num_hidden_layers, 1, 1)

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The embedding, one block for all of them, the norm, the output layer."""
        shared = {name: getattr(self.block, name) for name in Work.fields}
        positions = self.batch_size, self.sequence_length
        return (
            Embedding(
                num_embeddings=self.vocab_size, embedding_dim=self.hidden_size, size=positions,
                **shared,
            ),
            self.block,
            RMSNorm(
                normalized_shape=(self.hidden_size,), eps=self.rms_norm_eps,
                size=(*positions, self.hidden_size), **shared,
            ),
            (_TiedHead if self.tie_word_embeddings else Linear)(
                in_features=self.hidden_size, out_features=self.vocab_size, bias=False,
                batch_size=self.batch_size, sequence_length=(self.sequence_length,), **shared,
            ),
        )  # fmt: skip

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The new tokens."""
        return (self.batch_size, self.sequence_length)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """A score for each word of the vocabulary, at each position."""
        return (self.batch_size, self.sequence_length, self.vocab_size)

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        caches = 2 * self.num_hidden_layers if self.past_length else 0
        return (self.input_shape, *((self.cache_shape(),) * caches))

    @quantity(r"\text{params}_\text{active}", label="Active parameters per token")
    def active_params(self) -> int:
        """All but those of the experts that a token is not sent to."""
        layers: Any = self.layers
        _, block, _, _ = layers
        if self.num_local_experts is None:
            return self.params
        return self.params - self.num_hidden_layers * (block.params - block.active_params)
