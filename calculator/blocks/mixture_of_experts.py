"""The MLP of a decoder's block, and the mixture of many: parts without a name of their own."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.blocks.chain import Block
from calculator.core.calculation import fact, quantity
from calculator.core.dtypes import INDEX_BYTES
from calculator.core.expression import minimum, quotient
from calculator.core.fields import flag, size
from calculator.core.operations import Operations, softmax, total
from calculator.core.tensor_fields import shape
from calculator.layers.activation import SiLU
from calculator.layers.layer import Layer
from calculator.layers.linear import Linear
from calculator.layers.tensor_functions import Multiply


class _Routing(Layer):
    """From a router's scores of each expert to the weights of the best few, which sum to 1.

    Softmax over all experts; the best found one after another, each by comparing what is left; the
    weights of the best divided by their sum.
    """

    tokens: int = size("T", default=1, label="Tokens", role="input")
    experts: int = size("E", default=8, label="Experts", role="input")
    each: int = size("k", default=2, label="Experts per token", role="input")

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
        return numbers + self.tokens * self.each * INDEX_BYTES


class _Experts(Linear):
    """The same projection of every expert, each on the tokens that it is sent."""

    experts: int = size("E", default=8, label="Experts")

    @quantity()
    def params(self) -> int:
        """Those of one, for every expert."""
        weight = self.in_features * self.out_features
        return self.experts * (weight + self.out_features if self.bias else weight)

    @quantity(r"\text{experts}", label="Experts that receive a token")
    def met(self) -> int:
        """One per row, at most all experts."""
        return minimum(self.rows, self.experts)

    @quantity()
    def bytes_moved(self) -> int:
        """Of the weights those of the experts that are sent a token."""
        read = self.met * quotient(self.weight_bytes, self.experts)
        return read + self.input_bytes + self.output_bytes


class _Combination(Layer):
    """The answers of each token's experts, times their weights, added up."""

    tokens: int = size("T", default=1, label="Tokens", role="input")
    each: int = size("k", default=2, label="Experts per token", role="input")
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
        """One multiplication per answer, and one addition less than that."""
        elements = self.tokens * self.features
        return {
            "additions": elements * (self.each - 1),
            "multiplications": elements * self.each,
        }

    @quantity()
    def input_bytes(self) -> int:
        """The answers, the weight of each, and to which token it belongs."""
        answers = self.tokens * self.each
        return answers * ((self.features + 1) * self.element_bytes + INDEX_BYTES)

    def kept_bytes(self) -> int:
        """The answers before and after they are weighed, the weights, the token and the choice."""
        if not self.input_requires_grad:
            return 0
        answers = self.tokens * self.each
        return answers * ((2 * self.features + 1) * self.element_bytes + 2 * INDEX_BYTES)


class _Feedforward(Block):
    """What is done to each row by itself: rows of `d` in and out."""

    hidden_size: int = size("d", default=4096, label="Hidden size")
    intermediate_size: int = size(r"d_\text{ff}", default=11008, label="Intermediate size")
    mlp_bias: bool = flag(default=False, label="Bias of the MLP")
    leading: tuple[int, ...] = shape("n", default=(1, 2048), label="Rows", role="input")

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The rows, then `d`."""
        return (*self.leading, self.hidden_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape


class GatedMLP(_Feedforward):
    """SwiGLU: down(silu(gate(x)) · up(x))."""

    experts: int | None = size("E", default=None, optional=True, label="Experts")

    labels = ("gate_proj", "up_proj", "silu", "gate · up", "down_proj")
    tensors = (0, 1), (0, 2), (1, 3), (4, 5), (5, 6)  # 4 stands for both that are multiplied

    @fact
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


class MixtureOfExperts(_Feedforward):
    """Mixtral's experts: a router, the MLPs that it chooses for each token, a weighted sum."""

    experts: int = size("E", default=8, label="Experts")
    each: int = size("k", default=2, label="Experts per token")

    labels = ("router", "top_k", "expert", "weighted_sum")
    tensors = (0, 1), (1, 2), (3, 4), (4, 5)  # 3: the rows, put in the order of their experts

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The router, the choice, the experts as one MLP of more rows, the sum."""
        outer, inner, tokens = self.shared(), self.shared(inner=True), prod(self.leading)
        return (
            Linear(
                in_features=self.hidden_size, out_features=self.experts, bias=False,
                batch_size=tokens, **outer,
            ),
            _Routing(tokens=tokens, experts=self.experts, each=self.each, **inner),
            GatedMLP(
                hidden_size=self.hidden_size, intermediate_size=self.intermediate_size,
                mlp_bias=self.mlp_bias, experts=self.experts, leading=(tokens * self.each,),
                **outer,
            ),
            _Combination(tokens=tokens, each=self.each, features=self.hidden_size, **inner),
        )  # fmt: skip
