"""DeepSpeed's profiler: two FLOPs for each MAC, and some for elements and biases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

from calculator.counters.profiler import Profiler
from calculator.counters.steps import heads
from calculator.counters.tool import (
    CELLS,
    OF_A_UNIT,
    UPSAMPLES,
    Raised,
    Rules,
    Tool,
    on_axes,
)

Said = tuple[int, str]

RULES = Rules(otherwise="This calls no function that the tool replaces: 0.")


@RULES.rule("linear")
def linear(layer: Any) -> int:
    """Counts 2 for each multiply-accumulate; biases count nothing."""
    return 0


@RULES.rule("elu", "gelu", "leaky_relu", "prelu", "relu", "silu", "softmax", "softmax2d", "add",
            "multiply", "F.relu6")  # fmt: skip
def elementwise(layer: Any) -> int:
    """Counts 1 for each element of the output."""
    return prod(layer.output_shape)


@RULES.rule("relu6")
def relu6(layer: Any) -> int:
    """The module calls `hardtanh`, not the `relu6` that the tool replaces: 0."""
    return 0


@RULES.rule(*on_axes("avg_pool", "max_pool", "adaptive_avg_pool", "adaptive_max_pool"))
def pool(layer: Any) -> int:
    """Counts 1 for each element of the input, whatever the kernel."""
    return prod(layer.input_shape)


@RULES.rule(*on_axes("batch_norm"))
def batch_norm(layer: Any) -> Said:
    """Return 2 for each element, 1 without a weight, and 3 more for statistics of its own."""
    each = 1 + layer.scales() + (0 if layer.track_running_stats else 3)
    why = f"Counts {each} for each element: it has {'a' if layer.scales() else 'no'} weight"
    if layer.track_running_stats:
        return each * prod(layer.input_shape), f"{why}, and its statistics are known."
    return each * prod(layer.input_shape), f"{why}, and takes statistics of its own."


@RULES.rule(*on_axes("instance_norm"), "group_norm", "layer_norm")
def norm(layer: Any) -> Said:
    """Return 5 for each element, 4 without a weight."""
    each, has = (5, "a") if layer.scales() else (4, "no")
    return each * prod(layer.input_shape), f"Counts {each} for each element: it has {has} weight."


@RULES.rule("local_response_norm")
def local_response_norm(layer: Any) -> int:
    """Counts 3 for each element, and 1 for each that is pooled, the padding included."""
    batch, channels, *positions = layer.input_shape
    padded = batch * (channels + layer.size - 1) * prod(positions)
    return 3 * prod(layer.input_shape) + padded


PAIRS = "Counts 2 for each multiply-accumulate."
MASKED = "Counts 2 for each multiply-accumulate, masked pairs too; softmax counts nothing."


def _exactly(layer: Any) -> str:
    """Return how a convolution is counted if nothing is wrong, in a sentence."""
    return f"{PAIRS[:-1]}, and 1 for each output, for its bias." if layer.bias else PAIRS


def places(layer: Any, sizes: Iterable[int], padding: Iterable[int]) -> int:
    """Return on how many places the kernel stands, of more axes than sizes the first ones taken."""
    geometry = zip(sizes, padding, layer.dilation, layer.kernel_size, layer.stride, strict=False)
    return prod((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, p, d, k, s in geometry)


def conv_positions(layer: Any) -> int:
    """Return the outputs of a channel, of the whole batch, as the tool works them out.

    It takes the first number of a shape for the batch, and halves an uneven 'same' padding.
    """
    sizes, padding = layer.input_size(), layer.padding
    if layer.padding_mode != "zeros":  # padded before the function is called
        sizes, padding = layer.padded_size, [0] * len(sizes)
    elif padding == "valid":
        padding = [0] * len(sizes)
    elif layer.same_padding:
        spans = zip(layer.dilation, layer.kernel_size, strict=True)
        padding = [d * (k - 1) // 2 for d, k in spans]
    shape: tuple[int, ...] = (*layer.leading(), layer.in_channels, *sizes)
    batch, channels, *seen = shape
    if channels != layer.in_channels:
        raise Raised("AssertionError: without a batch, it takes the second size for the channels")
    return batch * places(layer, seen, padding)


def conv_macs(layer: Any) -> int:
    """Return the products on all outputs."""
    each: int = layer.in_channels * prod(layer.kernel_size) * (layer.out_channels // layer.groups)
    return conv_positions(layer) * each


@RULES.rule(*on_axes("conv"))
def conv(layer: Any) -> Said:
    """Return 1 for each output if there is a bias."""
    why = _exactly(layer)
    positions = conv_positions(layer)
    if layer.batch_size is None:
        why = f"{why} Without a batch, it takes the channels for the batch."
    elif positions != layer.samples() * prod(layer.output_size):
        why = f"{why} It rounds half of an odd padding='same' down and misses outputs at one end."
    return positions * layer.out_channels if layer.bias else 0, why


@RULES.rule(*on_axes("conv_transpose"))
def conv_transpose(layer: Any) -> Said:
    """Return 1 for each output if there is a bias."""
    batch, _, *sizes = layer.input_shape
    geometry = zip(
        sizes, layer.stride, layer.padding, layer.dilation, layer.kernel_size,
        layer.output_padding, strict=False,
    )  # fmt: skip
    positions = batch * prod(
        (size - 1) * s - 2 * p + d * (k - 1) + more + 1 for size, s, p, d, k, more in geometry
    )
    why = _exactly(layer)
    if layer.batch_size is None and layer.bias:
        why = f"{why} Without a batch, it takes the channels for the batch."
    return positions * layer.out_channels if layer.bias else 0, why


def interpolated(layer: Any, scaled: Callable[[Any], Said]) -> Said:
    """Return the count of an upsampling, in `scaled` if factors but no size are given."""
    if layer.size is None:
        flops, why = scaled(layer)
    else:
        flops = prod(layer.size) if isinstance(layer.size, tuple) else layer.size
        why = "Counts the product of `size` as it is given, without batch and channels."
    if layer.mode == "area":
        flops += prod(layer.input_shape)
        why += " The average pooling that it calls adds 1 for each element of the input."
    return flops, why


@RULES.rule(*UPSAMPLES)
def upsample(layer: Any) -> Said:
    """Return 1 for each element of the input times the factors, or what is given as `size`."""
    return interpolated(layer, _scaled)


def _scaled(layer: Any) -> Said:
    shape, factor = layer.input_shape, layer.scale_factor
    scale = prod(factor) if isinstance(factor, tuple) else factor ** (len(shape) - 2)
    return int(prod(shape) * scale), "Counts 1 for each element of the input, times the factors."


def one_step(layer: Any) -> Said:
    """Return the FLOPs of one step: a projection has none, a sum without bias one less."""
    units = layer.cells() * layer.hidden_size
    beside = OF_A_UNIT[layer.gates] - (0 if layer.bias else 2 * layer.gates)
    projection = units * getattr(layer, "proj_size", 0)
    joined = f"plus {beside}" if beside >= 0 else f"minus {-beside}"
    why = f"Counts 2 per weight, {joined} per hidden unit, at every step; its MACs are 0."
    if projection:
        why += " The projection itself is left out."
    return 2 * (layer.weights - projection) + units * beside, why


@RULES.rule("rnn", "gru", "lstm")
def recurrent(layer: Any) -> Said:
    """Return what as many steps take as the first two sizes of the input multiply to."""
    first, second, *_ = layer.input_shape
    each, why = one_step(layer)
    if layer.batch_size is None:
        why += f" Without a batch, it takes the input size, {second}, for another axis of steps."
    return first * second * each, why


@RULES.rule(*CELLS)
def cell(layer: Any) -> Said:
    """Return what one step takes."""
    if layer.batch_size is None:
        raise Raised("IndexError: it reads the second size of an input that has no batch")
    each, why = one_step(layer)
    return layer.batch_size * each, why


@RULES.rule("scaled_dot_product_attention")
def attention(layer: Any) -> Said:
    """Return nothing in addition to the MACs."""
    return 0, MASKED


def weighted(layer: Any) -> int:
    """Return what softmax counts if the weights are needed, and the mask that is added."""
    if not layer.need_weights:
        return 0
    inner = heads(layer)
    mask: int = inner.query_length * inner.key_length if layer.is_causal else 0
    scores: int = inner.scores
    return scores + mask


@RULES.rule("multihead_attention")
def multihead(layer: Any) -> Said:
    """Return what softmax and the mask count in addition to the MACs."""
    if not layer.need_weights:
        return 0, MASKED
    mask = " and each number of the mask" if layer.is_causal else ""
    return weighted(layer), f"{PAIRS[:-1]}, and 1 for each number that softmax makes{mask}."


def exact(layer: Any) -> int:
    """Return the MACs as they are."""
    macs: int = layer.macs
    return macs


MACS: dict[str, Callable[[Any], int]] = {
    "linear": exact,
    "scaled_dot_product_attention": exact,
    "multihead_attention": exact,
    **dict.fromkeys(on_axes("conv"), conv_macs),
    **dict.fromkeys(on_axes("conv_transpose"), exact),
}

MEANS = "2 × MACs, biases of convolutions, some element-wise operations"

TOOLS = (
    Tool(
        name="deepspeed", package="deepspeed", version="0.19.8",
        call="get_model_profile(model, args=inputs, print_profile=False, as_string=False)",
        unit="flops", means=MEANS, read=Profiler(RULES, MACS).read,
    ),
)  # fmt: skip
