"""`backend="aten"` of ptflops: four operators of torch, of the many that a model runs."""

from __future__ import annotations

from itertools import compress
from math import prod
from typing import Any

from calculator.counters.calling import on_inputs
from calculator.counters.steps import Step, heads, is_fused, params, steps
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
from calculator.layers.layer import Work

RULES = Rules(otherwise="This runs neither mm, addmm, bmm nor a convolution: 0.")
FUSED = "If frozen, it is one operator of torch, which has no rule: 0."
MACS = "Counts the MACs."
BIAS = "Counts the MACs, and 1 each time that a bias is added."

CALL = "get_model_complexity_info(model, tuple(inputs[0].shape[1:]), as_strings=False{})"
GIVEN = ", input_constructor=lambda _: inputs[0]"


def read(subject: Work) -> Reading:
    """Return what is counted on the inputs, the whole batch."""
    parts = [(step.layer, *_counted(step)) for step in steps(on_inputs(subject))]
    value = sum(count for _, count, _ in parts)
    return Reading(value=value, params=params(subject, trained=True), why=explained(parts, scale=1))


def _counted(step: Step) -> tuple[Number, str]:
    return (0, FUSED) if is_fused(step) else RULES.of(step.layer)


@RULES.rule("linear", *on_axes("conv", "conv_transpose"))
def product(layer: Any) -> tuple[int, str]:
    """Return the MACs, and the biases."""
    return layer.macs + _biases(layer), macs_and_biases(layer)


def macs_and_biases(layer: Any) -> str:
    """Return what is counted of a layer, in a sentence."""
    return BIAS if layer.bias else MACS


def _biases(layer: Any) -> int:
    """Return how many biases a product adds."""
    return prod(layer.output_shape) if layer.bias else 0


@RULES.rule(*CELLS)
def cell(layer: Any) -> tuple[int, str]:
    """Return the MACs, and the biases of the input and of the state."""
    return layer.macs + 2 * _gates(layer), macs_and_biases(layer)


@RULES.rule("rnn", "gru", "lstm")
def recurrent(layer: Any) -> tuple[int, str]:
    """Return what cells count, without the bias if mm, not addmm, multiplies the input."""
    if layer.name == "lstm" and not layer.projects:
        return 0, "On a CPU, oneDNN computes a whole LSTM in an operator that has no rule: 0."
    count = layer.macs + 2 * _gates(layer)
    if not (layer.copies_the_input and layer.bias):
        return count, macs_and_biases(layer)
    return count - _gates(layer) * layer.directions() // layer.cells(), f"{BIAS} {BATCH_FIRST}"


BATCH_FIRST = "A batch-first input is transposed: mm multiplies it, and its biases are left out."


def _gates(layer: Any) -> int:
    """Return how many gates are computed in all, 0 without a bias."""
    return layer.gates * layer.units() if layer.bias else 0


@RULES.rule("scaled_dot_product_attention")
def attention(layer: Any) -> tuple[int, str]:
    """Return the MACs if torch does not fuse it."""
    if layer.fused:
        return 0, "On a CPU, torch computes attention in an operator that has no rule: 0."
    return layer.macs, "Counts the MACs: torch does not fuse this attention but runs bmm."


@RULES.rule("multihead_attention")
def multihead(layer: Any) -> tuple[int, str]:
    """Return the projections with their biases, and of the attention what bmm does."""
    parts = dict(zip(layer.labels, layer.layers, strict=True))
    turned = [layer.copies(layer.query_length), *[layer.copies(layer.keys())] * 2]
    projections = [parts[f"{name}_proj"] for name in ("q", "k", "v", "out")]
    count = sum(each.macs + _biases(each) for each in projections)
    lost = sum(map(_biases, compress(projections, turned)))
    why = "Counts the projections" + (" with their biases" if layer.bias else "")
    if not layer.need_weights:
        why += "; torch computes the attention in an operator that has no rule."
    elif layer.is_causal:  # both products are of one size
        count += heads(layer).macs // 2
        why += " and one product of the attention: that with the mask is baddbmm, without a rule."
    else:
        count += heads(layer).macs
        why += " and both products of the attention."
    return count - lost, f"{why} {BATCH_FIRST}" if lost else why


@RULES.rule(*DECODERS)
def decoder(layer: Any) -> Number:
    """Counts the linear layers with their biases; torch computes the attention in an operator that
    has no rule."""
    return RULES.inside(layer)


TOOL = Tool(
    name="ptflops-aten", package="ptflops", version="0.7.5",
    call=CALL.format(f"{GIVEN}, backend='aten'"), unit="Mac",
    means="MACs of matrix products and convolutions, and biases, for the whole batch", read=read,
)  # fmt: skip
