"""The block of a Llama-style decoder, dense or with a mixture of experts."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from calculator.activation import SiLU
from calculator.calculation import quantity
from calculator.chain import Block
from calculator.decoder import Decoding, GroupedQueryAttention
from calculator.elementwise import Add, Multiply
from calculator.expression import minimum, quotient
from calculator.fields import flag, shape, size
from calculator.layer import Layer
from calculator.linear import Linear
from calculator.normalization import RMSNorm
from calculator.operations import Operations, softmax, total
from calculator.rates import real

_INDEX_BYTES = 8  # torch's indices are int64


class _Routing(Layer):
    """From a router's scores of each expert to the weights of the best few, which sum to 1.

    Softmax over all experts; the best found one after another, each by comparing what is left; the
    weights of the best divided by their sum.
    """

    tokens: int = size("T", default=1, label="Tokens", role="input")
    experts: int = size("E", default=8, label="Experts", role="input")
    each: int = size("k", default=2, label="Experts of a token", role="input")

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """A score for each token and expert."""
        return (self.tokens, self.experts)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """A weight for each token and choice."""
        return (self.tokens, self.each)

    @quantity()
    def operations(self) -> Operations:
        """Softmax, the comparisons of the choice, and the division by the sum of the chosen."""
        compared = self.each * self.experts - quotient(self.each * (self.each + 1), 2)
        chosen = {
            "additions": self.tokens * (self.each - 1),
            "divisions": self.tokens * self.each,
            "comparisons": self.tokens * compared,
        }
        return total([softmax(self.tokens, self.experts), chosen])

    def kept_bytes(self) -> int:
        """The softmax, the weights before the division, their sums, and who was chosen."""
        if not self.input_requires_grad:
            return 0
        numbers = self.tokens * (self.experts + self.each + 1) * self.element_bytes
        return numbers + self.tokens * self.each * _INDEX_BYTES


class _Experts(Linear):
    """The same projection of every expert, each on the tokens that it is sent."""

    experts: int = size("E", default=8, label="Experts")

    @quantity()
    def params(self) -> int:
        """Those of one, for every expert."""
        weight = self.in_features * self.out_features
        return self.experts * (weight + self.out_features if self.bias else weight)

    @quantity(r"\text{experts}", label="Experts that are sent a token")
    def met(self) -> int:
        """One a row, as far as there are experts."""
        return minimum(self.rows, self.experts)

    @quantity()
    def bytes_moved(self) -> int:
        """Of the weights those of the experts that are sent a token."""
        read = self.met * quotient(self.weight_bytes, self.experts)
        return read + self.input_bytes + self.output_bytes


class _Combination(Layer):
    """The answers of each token's experts, times their weights, added up."""

    tokens: int = size("T", default=1, label="Tokens", role="input")
    each: int = size("k", default=2, label="Experts of a token", role="input")
    features: int = size("d", default=4096, label="Features", role="input")

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The answers, one for each token and choice."""
        return (self.tokens * self.each, self.features)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The sums."""
        return (self.tokens, self.features)

    @quantity()
    def operations(self) -> Operations:
        """A multiplication an answer, and one addition less than answers."""
        elements = self.tokens * self.features
        return {
            "additions": elements * (self.each - 1),
            "multiplications": elements * self.each,
        }

    @quantity()
    def input_bytes(self) -> int:
        """The answers, the weight of each, and to which token it belongs."""
        answers = self.tokens * self.each
        return answers * ((self.features + 1) * self.element_bytes + _INDEX_BYTES)

    def kept_bytes(self) -> int:
        """The answers before and after they are weighed, the weights, the token and the choice."""
        if not self.input_requires_grad:
            return 0
        answers = self.tokens * self.each
        return answers * ((2 * self.features + 1) * self.element_bytes + 2 * _INDEX_BYTES)


class _MLP(Block):
    """SwiGLU: down(silu(gate(x)) · up(x))."""

    hidden_size: int = size("d", default=4096, label="Hidden size")
    intermediate_size: int = size(r"d_\text{ff}", default=11008, label="Intermediate size")
    mlp_bias: bool = flag(default=False, label="Bias of the MLP")
    experts: int | None = size("E", default=None, optional=True, label="Experts")
    leading: tuple[int, ...] = shape("n", default=(1, 2048), label="Rows", role="input")

    labels = ("gate_proj", "up_proj", "silu", "gate · up", "down_proj")
    tensors = (0, 1), (0, 2), (1, 3), (4, 5), (5, 6)  # 4 stands for both that are multiplied

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The rows, then `d`."""
        return (*self.leading, self.hidden_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Three projections, SiLU and the product of two of them."""
        outer, inner = self.shared(), self.shared(inner=True)
        between = (*self.leading, self.intermediate_size)

        def project(features: int, out: int, shared: dict[str, Any]) -> Linear:
            batch, *rest = self.leading
            more: dict[str, Any] = {} if self.experts is None else {"experts": self.experts}
            return (Linear if self.experts is None else _Experts)(
                in_features=features, out_features=out, bias=self.mlp_bias, batch_size=batch,
                sequence_length=tuple(rest) or None, **more, **shared,
            )  # fmt: skip

        return (
            project(self.hidden_size, self.intermediate_size, outer),
            project(self.hidden_size, self.intermediate_size, outer),
            SiLU(size=between, **inner),
            Multiply(size=between, other_size=between, **inner),
            project(self.intermediate_size, self.hidden_size, inner),
        )


class _Mixture(Block):
    """Mixtral's experts: a router, the MLPs that it chooses for each token, a weighted sum."""

    hidden_size: int = size("d", default=4096, label="Hidden size")
    intermediate_size: int = size(r"d_\text{ff}", default=11008, label="Intermediate size")
    mlp_bias: bool = flag(default=False, label="Bias of the MLP")
    experts: int = size("E", default=8, label="Experts")
    each: int = size("k", default=2, label="Experts of a token")
    leading: tuple[int, ...] = shape("n", default=(1, 2048), label="Rows", role="input")

    labels = ("router", "top_k", "expert", "weighted_sum")
    tensors = (0, 1), (1, 2), (3, 4), (4, 5)  # 3: the rows, put in the order of their experts

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The rows, then `d`."""
        return (*self.leading, self.hidden_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The router, the choice, the experts as one MLP of more rows, the sum."""
        outer, inner, tokens = self.shared(), self.shared(inner=True), prod(self.leading)
        return (
            Linear(
                in_features=self.hidden_size, out_features=self.experts, bias=False,
                batch_size=tokens, **outer,
            ),
            _Routing(tokens=tokens, experts=self.experts, each=self.each, **inner),
            _MLP(
                hidden_size=self.hidden_size, intermediate_size=self.intermediate_size,
                mlp_bias=self.mlp_bias, experts=self.experts, leading=(tokens * self.each,),
                **outer,
            ),
            _Combination(tokens=tokens, each=self.each, features=self.hidden_size, **inner),
        )  # fmt: skip


class LlamaDecoderLayer(Decoding, name="llama_decoder_layer"):
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

    intermediate_size: int = size(
        r"d_\text{ff}", default=11008, label="Intermediate size", required=True
    )
    mlp_bias: bool = flag(default=False, label="Bias of the MLP")
    rms_norm_eps: float | None = real(default=1e-6, optional=True, label="Epsilon of the norms")
    num_local_experts: int | None = size(
        "E", default=None, label="Experts", optional=True, help="Empty: one MLP for all tokens.",
    )  # fmt: skip
    num_experts_per_tok: int = size(
        "k", default=2, label="Experts of a token", help="Counts where there are experts.",
    )  # fmt: skip

    def wrong_features(self, rows: int, shape: tuple[int, ...]) -> str:
        return (
            f"Given normalized_shape=[{self.hidden_size}], expected input with shape "
            f"[*{self.hidden_size}], but got input of size{list(shape)}. "
            f"Set hidden_size={shape[-1]}"
        )

    def validate_input(self) -> None:
        super().validate_input()
        experts = self.num_local_experts
        if experts is not None and self.num_experts_per_tok > experts:
            raise self.fields["num_experts_per_tok"].refuse(
                f"selected index k out of range. There are {experts} experts",
                self.num_experts_per_tok,
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """As in Hugging Face's modules."""
        feed = "mlp" if self.num_local_experts is None else "experts"
        return (
            "input_layernorm", "self_attn", "residual",
            "post_attention_layernorm", feed, "residual",
        )  # fmt: skip

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Norm, attention, residual; norm, MLP or experts, residual."""
        outer, inner, size = self.shared(), self.shared(inner=True), self.input_shape
        normal: dict[str, Any] = {
            "normalized_shape": (self.hidden_size,),
            "eps": self.rms_norm_eps,
            "size": size,
        }
        attention = {name: getattr(self, name) for name in GroupedQueryAttention.fields}
        own = {name: getattr(self, name) for name in _MLP.fields if name in self.fields}
        feed = (
            _MLP(leading=size[:-1], **{**own, **inner})
            if self.num_local_experts is None
            else _Mixture(
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

    @property
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """A residual reads two and keeps neither."""
        return (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)

    @quantity(r"\text{params}_\text{active}", label="Parameters that a token meets")
    def active_params(self) -> int:
        """All but those of the experts that a token is not sent to."""
        if self.num_local_experts is None:
            return self.params
        idle = self.num_local_experts - self.num_experts_per_tok
        weights = 3 * self.hidden_size * self.intermediate_size
        biases = 2 * self.intermediate_size + self.hidden_size
        return self.params - idle * (weights + biases if self.mlp_bias else weights)

    @quantity(r"\text{MACs}_\text{useful}", unit="MAC", label="MACs of unmasked pairs")
    def useful_macs(self) -> int:
        """The same, of the attention only what reaches the output."""
        layers: Any = self.layers
        _, attention, _, _, feed, _ = layers
        return attention.useful_macs + feed.macs
