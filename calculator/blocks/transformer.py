"""The layers of a transformer: attention, a feed-forward network, norms, residuals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from calculator.blocks.chain import CAPTURED, MODULE, OPERATOR, Block
from calculator.blocks.multihead_attention import MultiheadAttention, check_heads
from calculator.core.calculation import fact, quantity
from calculator.core.fields import LARGEST, InvalidField, choice, flag, size
from calculator.core.measure_fields import check_probability, real
from calculator.layers.activation import GELU, ReLU
from calculator.layers.dropout import Dropout
from calculator.layers.inputs import Sequences, batch_and_length
from calculator.layers.layer import Layer
from calculator.layers.linear import Linear
from calculator.layers.normalization import LayerNorm
from calculator.layers.tensor_functions import Add

Shape = tuple[int, ...]
Labelled = tuple[str, Layer]


class _MemoryAttention(MultiheadAttention):
    """Attention to a memory that may need no gradient if the query does."""

    memory_requires_grad: bool = flag(
        default=True, label="Gradient of the memory", role="training",
    )  # fmt: skip

    def source(self) -> dict[str, Any]:
        return {**self.shared(), "input_requires_grad": self.memory_requires_grad}


class _TransformerLayer(Sequences, Block):
    """Attention and a feed-forward network, each with dropout, a residual and a norm.

    The norm follows the residual or, if `norm_first`, comes before the attention and before the
    feed-forward network.
    """

    d_model: int = size("d", default=768, minimum=-LARGEST, label="Model", required=True)
    nhead: int = size("h", default=12, minimum=-LARGEST, label="Heads", required=True)
    dim_feedforward: int = size(r"d_\text{ff}", default=2048, label="Feed-forward")
    dropout: float = real(default=0.1, label="Dropout", help="Between 0 and 1.")
    activation: str = choice(
        default="relu", label="Activation", options={"relu": "relu", "gelu": "gelu"},
        refusal="activation should be relu/gelu, not {given}",
    )  # fmt: skip
    layer_norm_eps: float = real(default=1e-5, label="Epsilon of the norms")
    batch_first: bool = flag(default=False, label="Batch first")
    norm_first: bool = flag(default=False, label="Norm first")
    bias: bool = flag(default=True, label="Bias")
    training: bool = flag(default=False, label="In training", role="input")

    @classmethod
    def refit(cls, shape: Shape, others: tuple[Shape, ...], **fields: Any) -> Self:
        """Return the layer on an input of this shape, others following."""
        return cls.fitted(lambda layer: layer.unfit(shape, *others), shape, **fields)

    def unfit(self, shape: Shape, *others: Shape) -> str:
        """Return the reason of the first part that does not take inputs of these shapes."""
        try:
            if self.norm_first:
                self._norm(shape)
            for given in [(shape,), (shape, *others)]:
                MultiheadAttention.on(*given, **self._attention(), **self.shared())
        except InvalidField as error:
            return error.message
        return ""

    def validate_module(self) -> None:
        check_heads(self, "d_model", "nhead")
        check_probability(self.fields["dropout"], self.dropout)

    @quantity()
    def output_shape(self) -> Shape:
        """The shape of the input."""
        return self.input_shape

    def _attention(self) -> dict[str, Any]:
        return {
            "embed_dim": self.d_model, "num_heads": self.nhead, "dropout": self.dropout,
            "bias": self.bias, "batch_first": self.batch_first, "training": self.training,
            "need_weights": False,
        }  # fmt: skip

    def _attend(self, *shapes: Shape, is_causal: bool, inner: bool) -> MultiheadAttention:
        owner = _MemoryAttention if len(shapes) == 2 else MultiheadAttention
        grads = {"memory_requires_grad": self.input_requires_grad} if len(shapes) == 2 else {}
        fields = {**self._attention(), **self.shared(inner=inner), **grads}
        return owner.on(*shapes, is_causal=is_causal, **fields)

    def _norm(self, shape: Shape, *, inner: bool = True) -> LayerNorm:
        return LayerNorm(
            normalized_shape=(self.d_model,), eps=self.layer_norm_eps, bias=self.bias, size=shape,
            **self.shared(inner=inner),
        )  # fmt: skip

    def _drop(self, shape: Shape) -> Dropout:
        return Dropout(
            p=self.dropout, size=shape, training=self.training, **self.shared(inner=True)
        )

    def _feed_forward(self) -> Iterator[Labelled]:
        *leading, features = self.input_shape
        wide = (*leading, self.dim_feedforward)
        inner = self.shared(inner=True)
        activation = {"relu": ReLU, "gelu": GELU}[self.activation]
        more: Any = {
            "bias": self.bias, "batch_size": leading[0],
            "sequence_length": tuple(leading[1:]) or None, **inner,
        }  # fmt: skip
        yield "linear1", Linear(in_features=features, out_features=wide[-1], **more)
        yield "activation", activation(size=wide, **inner)
        yield "dropout", self._drop(wide)
        yield "linear2", Linear(in_features=wide[-1], out_features=features, **more)

    def sublayers(self) -> Iterator[tuple[Labelled, ...]]:
        """Yield what stands between a residual and the next, the dropout at its end left out."""
        raise NotImplementedError

    @fact
    def _built(self) -> tuple[tuple[str, Layer, tuple[int, int]], ...]:
        """Each layer with what it is called, and the tensor that it reads and the one it writes."""
        built: list[tuple[str, Layer, tuple[int, int]]] = []
        shape, last = self.input_shape, 0

        def put(label: str, layer: Layer) -> None:
            nonlocal last
            if isinstance(layer, Dropout) and layer.passes():
                return
            written = last if layer.gives_a_view() else len(built) + 1
            built.append((label, layer, (last, written)))
            last = written

        for place, sublayer in enumerate(self.sublayers(), start=1):
            norm = f"norm{place}", self._norm(shape, inner=bool(built) or not self.norm_first)
            if self.norm_first:
                put(*norm)
            for each in sublayer:
                put(*each)
            put(f"dropout{place}", self._drop(shape))
            put(f"residual{place}", Add(size=shape, other_size=shape, **self.shared(inner=True)))
            if not self.norm_first:
                put(*norm)
        return tuple(built)

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The parts, one after another."""
        return tuple(layer for _, layer, _ in self._built)

    @fact
    def labels(self) -> tuple[str, ...]:
        """What torch calls each part."""
        return tuple(label for label, _, _ in self._built)

    @fact
    def runs(self) -> tuple[tuple[str, int], ...]:
        """Modules, but torch writes a residual `x + y`, and looks the activation up beforehand."""
        others = {"residual": OPERATOR, "activation": CAPTURED}
        return tuple(
            (others.get(label.rstrip("0123456789"), MODULE), place)
            for place, label in enumerate(self.labels)
        )

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """A residual reads two tensors and keeps neither: it stands with the nearer."""
        return tuple(tensors for _, _, tensors in self._built)


class TransformerEncoderLayer(_TransformerLayer, name="transformer_encoder_layer"):
    """Self-attention and a feed-forward network, as `torch.nn.TransformerEncoderLayer`.

    Input `(L, N, d)`, or `(N, L, d)` if `batch_first`, or `(L, d)`. Counted are the layers that
    torch runs one after another: multi-head attention, masked pairs included, two linear layers
    with an activation, two residuals, two norms, and in training the dropouts.
    """

    sequence_length: int = size("L", default=512, label="Sequence length", role="input")
    is_causal: bool = flag(default=False, label="Causal mask", role="input")

    @classmethod
    def on(cls, *input_shapes: Shape, **fields: Any) -> Self:
        (shape,) = input_shapes
        batch, length = batch_and_length(shape, fields.get("batch_first", False))
        return cls.refit(shape, (), batch_size=batch, sequence_length=length, **fields)

    @quantity()
    def input_shape(self) -> Shape:
        """The sequence."""
        return self.sequence(self.sequence_length, self.d_model)

    def sublayers(self) -> Iterator[tuple[Labelled, ...]]:
        attention = self._attend(self.input_shape, is_causal=self.is_causal, inner=self.norm_first)
        yield (("self_attn", attention),)
        yield tuple(self._feed_forward())


class TransformerDecoderLayer(_TransformerLayer, name="transformer_decoder_layer"):
    """Self-attention, attention to a memory, a feed-forward network: `TransformerDecoderLayer`.

    Target `(L, N, d)` and memory `(S, N, d)`, or `(N, L, d)` and `(N, S, d)` if `batch_first`,
    or without a batch. Counted as `transformer_encoder_layer`. The causal masks are upper left.
    """

    target_length: int = size("L", default=512, label="Target length", role="input")
    memory_length: int = size("S", default=512, label="Memory length", role="input")
    tgt_is_causal: bool = flag(default=False, label="Causal mask of the target", role="input")
    memory_is_causal: bool = flag(default=False, label="Causal mask of the memory", role="input")

    more_inputs = ("memory",)

    @classmethod
    def on(cls, *input_shapes: Shape, **fields: Any) -> Self:
        shape, *others = input_shapes
        first = fields.get("batch_first", False)
        if not others:
            raise cls.misfit("forward() missing 1 required positional argument: 'memory'", shape)
        batch, length = batch_and_length(shape, first)
        return cls.refit(
            shape, (others[0],), batch_size=batch, target_length=length,
            memory_length=batch_and_length(others[0], first)[1], **fields,
        )  # fmt: skip

    @quantity()
    def input_shape(self) -> Shape:
        """The target."""
        return self.sequence(self.target_length, self.d_model)

    @quantity(label="Shape of the memory")
    def memory_shape(self) -> Shape:
        """The memory."""
        return self.sequence(self.memory_length, self.d_model)

    def input_shapes(self) -> tuple[Shape, ...]:
        return self.input_shape, self.memory_shape

    def sublayers(self) -> Iterator[tuple[Labelled, ...]]:
        target, memory = self.input_shape, self.memory_shape
        own = self._attend(target, is_causal=self.tgt_is_causal, inner=self.norm_first)
        other = self._attend(target, memory, is_causal=self.memory_is_causal, inner=True)
        yield (("self_attn", own),)
        yield (("multihead_attn", other),)
        yield tuple(self._feed_forward())
