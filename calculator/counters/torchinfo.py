"""torchinfo: the parameters of a module, times the positions of its output."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.blocks.chain import MODULE
from calculator.core.units import grouped
from calculator.counters.steps import Step, leaves, params, steps
from calculator.counters.tool import (
    CELLS,
    DECODERS,
    UNSEEN,
    Number,
    Reading,
    Rules,
    Tool,
    explained,
    on_axes,
)
from calculator.layers.layer import Layer, Work

RULES = Rules(otherwise="There are no parameters, and torchinfo counts nothing else: 0.")


def read(subject: Work) -> Reading:
    """Return `summary(…).total_mult_adds` and `.total_params`, a tied table counted twice."""
    parts = [(each.layer, *_counted(each)) for each in steps(subject)]
    tied = (_tied(leaf) for each in steps(subject) for _, leaf in leaves(each.layer))
    return Reading(
        value=sum(value for _, value, _ in parts),
        params=params(subject) + sum(tied),
        why=explained(parts, scale=1),
    )


def _counted(step: Step) -> Any:
    return RULES.of(step.layer) if step.how == MODULE else (0, UNSEEN)


def _tied(layer: Any) -> int:
    """Return the weights of an output layer that are counted with the embedding's."""
    if layer.name == "linear" and not layer.params:
        return layer.in_features * layer.out_features
    return 0


@RULES.rule("linear")
def linear(layer: Any) -> tuple[int, str]:
    """Return the parameters, a tied table too, times the first size of the output."""
    return _by_first_size(layer, (layer.in_features + layer.bias) * layer.out_features)


@RULES.rule("bilinear", "prelu", "embedding", "embedding_bag", "group_norm")
@RULES.rule("layer_norm", "rms_norm", *on_axes("batch_norm", "instance_norm"))
def parameters(layer: Layer) -> tuple[int, str]:
    """Return the parameters times the first size of the output."""
    return _by_first_size(layer, layer.params)


def _by_first_size(layer: Layer, own: int) -> tuple[int, str]:
    if not own:
        return 0, RULES.otherwise
    first = layer.output_shape[0]
    why = f"{_multiplied(layer)} by {grouped(first)}, only the first size of the output."
    return own * first, why


def _multiplied(layer: Any) -> str:
    """Return the beginning of a sentence: what is multiplied."""
    return f"Multiplies all parameters{', biases too,' if getattr(layer, 'bias', False) else ''}"


@RULES.rule(*on_axes("conv", "conv_transpose"))
def convolution(layer: Any) -> tuple[int, str]:
    """Return the parameters times all sizes of the output but the second."""
    first, _, *positions = layer.output_shape
    count = layer.params * first * prod(positions)
    if layer.batch_size is None:
        return count, (
            f"{_multiplied(layer)} by the sizes of the output but the second, which it takes for "
            "the channels; without a batch, the channels come first."
        )
    why = f"{_multiplied(layer)} by the batch and the positions of the output"
    if layer.name.startswith("conv_transpose"):
        return count, f"{why}, but a transposed convolution works on those of the input."
    return count, f"{why}."


@RULES.rule("rnn", "lstm", "gru", *CELLS)
def recurrent(layer: Layer) -> tuple[int, str]:
    """Return the parameters times the first two sizes of the output."""
    sizes = layer.output_shape[:2]
    found = " × ".join(map(grouped, sizes))
    which = "first two sizes" if len(sizes) > 1 else "only size"
    return layer.params * prod(
        sizes
    ), f"{_multiplied(layer)} by {found}, the {which} of the output."


@RULES.rule("multihead_attention")
def attention(layer: Layer) -> int:
    """It counts only modules without children, and the child of this one is never called: 0."""
    return 0


@RULES.rule(*DECODERS)
def decoder(layer: Layer) -> Number:
    """Counts linear layers, norms and embeddings, but not attention, which is a function call."""
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
