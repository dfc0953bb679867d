"""torchinfo: the parameters of a module, times the positions of its output."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.chain import MODULE
from calculator.counters.steps import Step, leaves, params, steps
from calculator.counters.tool import (
    CELLS,
    DECODERS,
    Number,
    Reading,
    Rules,
    Tool,
    explained,
    on_axes,
)
from calculator.layer import Layer, Measured

RULES = Rules(otherwise="{layer} has no parameters, and torchinfo counts nothing else: 0.")


def read(subject: Measured) -> Reading:
    """Return `summary(…).total_mult_adds` and `.total_params`, a tied table counted twice."""
    parts = [(each.layer, *_counted(each)) for each in steps(subject)]
    tied = (_tied(leaf) for each in steps(subject) for _, leaf in leaves(each.layer))
    return Reading(
        value=sum(value for _, value, _ in parts),
        params=params(subject) + sum(tied),
        why=explained(parts, scale=1),
    )


def _counted(step: Step) -> Any:
    return RULES.of(step.layer) if step.how == MODULE else (0, "Functions are not seen: 0.")


def _tied(layer: Any) -> int:
    """Return the weights of an output layer that are counted with the embedding's."""
    if layer.name == "linear" and not layer.params:
        return layer.in_features * layer.out_features
    return 0


@RULES.rule("linear")
def linear(layer: Any) -> int:
    """Multiplies all parameters, the bias too, by the first size of the output alone, the batch."""
    own: int = (layer.in_features + layer.bias) * layer.out_features
    return own * layer.output_shape[0]


@RULES.rule("bilinear", "prelu", "embedding", "embedding_bag", "group_norm")
@RULES.rule("layer_norm", "rms_norm", *on_axes("batch_norm", "instance_norm"))
def parameters(layer: Layer) -> int:
    """Multiplies all parameters, the bias too, by the first size of the output alone, the batch."""
    return layer.params * layer.output_shape[0]


@RULES.rule(*on_axes("conv", "conv_transpose"))
def convolution(layer: Layer) -> int:
    """Multiplies all parameters, the bias too, by the batch and the positions of the output."""
    first, _, *positions = layer.output_shape
    return layer.params * first * prod(positions)


@RULES.rule("rnn", "lstm", "gru", *CELLS)
def recurrent(layer: Layer) -> int:
    """Multiplies all parameters, the biases too, by the first two dimensions of the output."""
    return layer.params * prod(layer.output_shape[:2])


@RULES.rule("multihead_attention")
def attention(layer: Layer) -> int:
    """Is not a leaf, and its child is never called: 0, though the parameters are counted."""
    return 0


@RULES.rule(*DECODERS)
def decoder(layer: Layer) -> Number:
    """Counts linear layers, norms and embeddings; attention is a function, which it cannot see."""
    return RULES.inside(layer)


TOOLS = (
    Tool(
        name="torchinfo",
        package="torchinfo",
        version="1.8.0",
        call="summary(model, input_data=inputs).total_mult_adds",
        unit="mult-adds",
        means="parameters, biases too, × positions of the output",
        read=read,
    ),
)
