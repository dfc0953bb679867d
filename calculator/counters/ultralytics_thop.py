"""`thop.profile` of ultralytics-thop: `thop` fixed, with rules for more, functions among them."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.counters import thop
from calculator.counters.steps import heads, params
from calculator.counters.tool import (
    CELLS,
    DECODERS,
    UPSAMPLES,
    Number,
    Reading,
    Rules,
    Tool,
    on_axes,
)
from calculator.layers.layer import Work

RULES = Rules(otherwise=thop.RULES.otherwise, known=dict(thop.RULES.known))
PRODUCTS = ("linear", "scaled_dot_product_attention")
UPSAMPLING = {"linear": 5, "bilinear": 11, "trilinear": 31, "bicubic": 259}


def read(subject: Work) -> Reading:
    """Return what `profile` returns, the parameters all there."""
    run = thop.parts(subject, RULES, functions=PRODUCTS)
    return Reading(
        value=thop.added(run), params=thop.summed([params(subject)]), why=thop.reason(run)
    )


RULES.rule("identity", "flatten", "embedding", "zero_pad1d", "zero_pad3d", "pixel_unshuffle",
           "channel_shuffle")(thop.nothing)  # fmt: skip
RULES.rule("group_norm", "rms_norm")(thop.normalization)


@RULES.rule("bilinear", *on_axes("conv", "conv_transpose"))
def product(layer: Any) -> tuple[int, str]:
    """Return the multiply-accumulates."""
    return layer.macs, thop.MACS


@RULES.rule("scaled_dot_product_attention")
def products(layer: Any) -> int:
    """Counts the MACs of both products, masked pairs too, but no softmax."""
    macs: int = layer.macs
    return macs


@RULES.rule("softmax", "log_softmax", "softmin", "softmax2d")
def softmax(layer: Any) -> tuple[int, str]:
    """Return what `thop` counts, of LogSoftmax the logarithms, of Softmin the changes of sign."""
    count = thop.exponentials(layer.sets, layer.set_size)
    if layer.name == "log_softmax":
        return count + layer.sets, f"{thop.SOFTMAX} The logarithm of their sum is 1 more."
    if layer.name == "softmin":
        count += layer.sets * layer.set_size
        return count, f"{thop.SOFTMAX} The change of sign is 1 more for each."
    return count, thop.SOFTMAX


@RULES.rule(*on_axes("avg_pool"))
def average(layer: Any) -> int:
    """Counts 1 for each number in a window, and 1 for each output."""
    axes = zip(
        layer.input_size(), layer.output_size, layer.kernel_size, layer.steps(), layer.padding,
        strict=True,
    )  # fmt: skip
    positions = 1
    for size, outputs, kernel, step, padding in axes:
        counted = padding if layer.count_include_pad else 0
        last = (outputs - 1) * step - padding + kernel  # the end of the last window
        before = _overlaps(padding - counted, step, outputs)
        behind = _overlaps(last - size - counted, step, outputs)
        positions *= kernel * outputs - before - behind
    return layer.samples() * layer.channels * positions + prod(layer.output_shape)


def _overlaps(first: int, step: int, windows: int) -> int:
    """Return how far windows reach over an end in all: each by a step less than the one before."""
    over = min(windows, max(0, -(-first // step)))
    return over * first - step * (over * (over - 1) // 2)


@RULES.rule(*on_axes("adaptive_avg_pool"))
def adaptive_average(layer: Any) -> int:
    """Counts 1 for each number in a window, and 1 for each output."""
    count: int = layer.steps() + 2 * layer.outputs()
    return count


@RULES.rule(*UPSAMPLES)
def upsample(layer: Any) -> tuple[int, str]:
    """Return a number for each output that depends on the mode alone."""
    return thop.per_output(layer, UPSAMPLING)


@RULES.rule("rnn", "gru", "lstm", *CELLS)
def recurrent(layer: Any) -> tuple[int, str]:
    """Return what every step takes."""
    return thop.evaluations(layer, layer.rows())


@RULES.rule("multihead_attention")
def attention(layer: Any) -> int:
    """Counts the MACs of projections and attention, and 3 S − 1 for each softmax of S keys."""
    inner = heads(layer)
    softmaxes = thop.exponentials(inner.scores // inner.key_length, inner.key_length)
    count: int = layer.macs + softmaxes
    return count


@RULES.rule(*DECODERS)
def decoder(layer: Any) -> Number:
    """Counts the MACs of linear layers and attention, and 4 for each element of a norm."""
    return RULES.inside(layer)


TOOLS = (
    Tool(
        name="ultralytics-thop", package="ultralytics-thop", version="2.2.3",
        call="thop.profile(model, inputs=inputs)", unit="MACs",
        means="MACs of matrix work, and operations of norms, pools, softmax and recurrence",
        read=read, unpacks=True,
    ),
)  # fmt: skip
