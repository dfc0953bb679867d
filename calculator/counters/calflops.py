"""calflops: DeepSpeed's profiler of 2023, which replaced fewer functions and erred in some."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from math import prod
from typing import Any

from calculator.counters import deepspeed
from calculator.counters.deepspeed import PAIRS, Said, interpolated, places, weighted
from calculator.counters.profiler import Profiler
from calculator.counters.steps import heads
from calculator.counters.tool import (
    UPSAMPLES,
    Raised,
    Reading,
    Rules,
    Tool,
    on_axes,
)
from calculator.layers.layer import Work

RULES = Rules(deepspeed.RULES.otherwise, {**deepspeed.RULES.known})


@RULES.rule("add", "multiply")
def pairwise(layer: Any) -> Said:
    """Return 1 for each element of two shapes that are compared from their first sizes on."""
    flops = prod(map(max, zip_longest(layer.size, layer.other_size, fillvalue=1)))
    if flops == prod(layer.output_shape):
        return flops, "Counts 1 for each element of the output."
    return flops, "Counts 1 for each element, as if the shapes were aligned by their first axes."


def conv_transpose_macs(layer: Any) -> int:
    """Return the products on all inputs, the output channels divided by the groups twice."""
    filters: int = layer.out_channels // layer.groups // layer.groups
    return prod(layer.input_shape) * prod(layer.kernel_size) * filters


@RULES.rule(*on_axes("conv_transpose"))
def conv_transpose(layer: Any) -> Said:
    """Return 1 for each output that a convolution would have, if there is a bias."""
    why = PAIRS
    if layer.groups > 1:
        why += " It divides the output channels by the groups twice, so the count is too small."
    if not layer.bias:
        return 0, why
    batch, _, *sizes = layer.input_shape
    outputs = batch * places(layer, sizes, layer.padding) * (layer.out_channels // layer.groups)
    return outputs, f"{why} The biases are counted as for a convolution that is not transposed."


@RULES.rule(*UPSAMPLES)
def upsample(layer: Any) -> Said:
    """Return 1 for each element of the input, or what is given as `size`."""
    return interpolated(layer, _unscaled)


def _unscaled(layer: Any) -> Said:
    factor, batch = layer.scale_factor, layer.input_shape[0]
    if not isinstance(factor, tuple):
        try:
            factor**batch
        except OverflowError:
            raise Raised("OverflowError: it raises the factor to the power of the batch") from None
    elif len(factor) != batch:
        raise Raised("TypeError: it raises a tuple of factors to the power of the batch")
    why = "Counts 1 for each element of the input: it discards the product with the factors."
    return prod(layer.input_shape), why


@RULES.rule("scaled_dot_product_attention")
def attention(layer: Any) -> int:
    """It does not replace `scaled_dot_product_attention`: 0."""
    return 0


@RULES.rule("multihead_attention")
def multihead(layer: Any) -> Said:
    """Return what softmax and the mask count in addition to the MACs."""
    if not layer.need_weights:
        why = "Counts only the projections: it does not replace `scaled_dot_product_attention`."
    elif layer.is_causal:
        why = (
            "Counts projections, softmax, the mask, and the product that `baddbmm` adds to it, but "
            "not the other product: it does not replace `bmm`."
        )
    else:
        why = "Counts projections and softmax, but not the products: it does not replace `bmm`."
    return weighted(layer), why


def multihead_macs(layer: Any) -> int:
    """Return the MACs of the projections, and of the scores if a mask is added to them."""
    projections: int = sum(part.macs for part in layer.layers if part.name == "linear")
    inner = heads(layer)
    masked = layer.need_weights and layer.is_causal
    return projections + (inner.scores * inner.head_dim if masked else 0)


MACS: dict[str, Callable[[Any], int]] = {
    **deepspeed.MACS,
    **dict.fromkeys(on_axes("conv_transpose"), conv_transpose_macs),
    "scaled_dot_product_attention": lambda _: 0,
    "multihead_attention": multihead_macs,
}


def read(subject: Work) -> Reading:
    """Return what the tool returns: it asks the first parameter for its device."""
    if not subject.params:
        raise Raised("StopIteration: there is no parameter to read the device from")
    return Profiler(RULES, MACS).read(subject, trained=True)


TOOLS = (
    Tool(
        name="calflops", package="calflops", version="0.3.2",
        call="calculate_flops(model, args=inputs, print_results=False, output_as_string=False)",
        unit="FLOPs", means=deepspeed.MEANS, read=read,
    ),
)  # fmt: skip
