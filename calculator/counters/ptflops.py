"""ptflops: hooks count modules, replaced functions count what is called; both are added up.

A module that calls a function is counted by both, if both are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial, reduce
from math import prod
from operator import add
from typing import Any

from calculator.blocks.chain import FUNCTION, MODULE, Block
from calculator.counters import ptflops_aten
from calculator.counters.calling import by_name, on_inputs, on_one
from calculator.counters.ptflops_aten import CALL, GIVEN, macs_and_biases
from calculator.counters.steps import Step, params, steps
from calculator.counters.tool import (
    CELLS,
    DECODERS,
    OF_A_UNIT,
    UPSAMPLES,
    Number,
    Raised,
    Reading,
    Rules,
    Tool,
    explained,
    on_axes,
)

HOOKS = Rules(otherwise="It has no hook for this layer and replaces no function that it calls: 0.")
"""What is counted of a module by its exact class, and divided by the batch in the end."""
FUNCTIONS = Rules(otherwise="")
"""What is counted of the functions of `torch.nn.functional` that are replaced."""
TENSORS = Rules(otherwise="")
"""What is counted of the functions and methods of tensors that are replaced."""

POOLS = on_axes("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")


def read(subject: Any, *, given: bool) -> Reading:
    """Return what is counted on the inputs that are given, or on the one that the tool makes."""
    ran: Any = on_inputs(subject) if given else on_one(subject)
    batch = 1 if given and by_name(subject) else ran.input_shape[0]
    if given and subject.name == "multihead_attention":
        raise Raised(
            "ValueError: the hook needs three inputs by position, but they are given by name."
        )
    try:
        run = [(step.layer, *_counted(step)) for step in steps(ran)]
        counts = [each for _, each, _ in run]
        hooks, functions, tensors = (_sum(kind) for kind in zip(*counts, strict=True))
        value = int(hooks / batch + functions + tensors)
    except OverflowError as error:
        raise Raised(f"OverflowError: {error}") from None
    why = explained(((layer, _sum(counts), said) for layer, counts, said in run), scale=1)
    if batch > 1 and hooks:
        rest = "; the counts of functions are not" if functions or tensors else ""
        why = (
            f"{why} The counts of hooks are divided by {batch}, the first size of the input{rest}."
        )
    if ran.input_shape != subject.input_shape:
        why = f"{why} It makes its own input, of shape {ran.input_shape}."
    return Reading(value=value, params=params(subject, trained=True), why=why)


def _counted(step: Step) -> tuple[tuple[Number, ...], str]:
    """Return what hooks, functions and tensors count for a step, and why."""
    layer, counts, reasons = step.layer, [], []
    for rules in (HOOKS, FUNCTIONS, TENSORS):
        seen = step.how == MODULE or (step.how == FUNCTION and rules is not HOOKS)
        known = seen and rules.name(layer, step.how) in rules.known
        count, why = rules.of(layer, step.how) if known else (0, "")
        counts.append(count)
        reasons += [why] if known else []
    if counts[0] and counts[1] and not isinstance(layer, Block):
        if counts[0] == counts[1]:
            reasons[1] = "The function that the module calls counts the same number again."
        else:
            reasons.append("So it counts twice.")
    return tuple(counts), " ".join(reasons) or HOOKS.otherwise


def _sum(counts: Iterable[Number]) -> Number:
    """Return the sum, rounded at each step if there are floats: `sum` does so no longer."""
    return reduce(add, counts, 0)


def _wrapped(count: int) -> int:
    """Return what numpy makes of a product that 64 bits may not hold."""
    return (count + 2**63) % 2**64 - 2**63


@HOOKS.rule("linear")
def linear(layer: Any) -> tuple[int, str]:
    """Return the MACs and the biases."""
    each = (layer.in_features + layer.bias) * layer.out_features
    if each >= 2**63:
        raise Raised("OverflowError: Python int too large to convert to C long")
    count, why = each * layer.rows, macs_and_biases(layer)
    if count < 2**63:
        return count, why
    return _wrapped(count), f"{why} The product overflows its 64 bits."


@HOOKS.rule(*on_axes("conv", "conv_transpose"))
def convolution(layer: Any) -> tuple[int, str]:
    """Return a kernel for each position, of the input if it is transposed, and the biases."""
    batch, axes = layer.input_shape[0], layer.output_shape[2:]
    if layer.name.startswith("conv_transpose"):
        axes = layer.input_shape[2:]
    kernel = prod(layer.kernel_size) * layer.in_channels * (layer.out_channels // layer.groups)
    count = batch * prod(axes) * kernel
    if layer.bias:
        count += batch * prod(layer.output_shape[1:])
    if layer.batch_size is None:
        return count, "Without a batch, it takes the channels, which come first, for the batch."
    return count, macs_and_biases(layer)


@HOOKS.rule("relu", "relu6", "prelu", "elu", "leaky_relu", "gelu", *POOLS)
def elementwise(layer: Any) -> int:
    """A hook on the module counts 1 for each element of the input."""
    return prod(layer.input_shape)


@HOOKS.rule("layer_norm", "group_norm", *on_axes("batch_norm", "instance_norm"))
def norm(layer: Any) -> tuple[int, str]:
    """Return 1 for each element, or 2 if the module is `affine`."""
    count = prod(layer.input_shape)
    if layer.name == "layer_norm":
        return (
            count,
            "Counts 1 for each element: it looks for `affine`, which this norm does not have.",
        )
    if layer.affine:
        return 2 * count, "Counts 2 for each element: it has a weight."
    return count, "Counts 1 for each element: it has no weight."


@HOOKS.rule("upsample")
def upsample(layer: Any) -> int:
    """A hook on the module counts 1 for each output of the first sample."""
    return prod(layer.output_shape[1:])


@HOOKS.rule("rnn", "gru", "lstm")
def recurrent(layer: Any) -> tuple[int, str]:
    """Return what the cells take at every step, one direction counted twice if there are two."""
    directions = layer.directions()
    deeper = (layer.num_layers - 1) * _cell(layer, directions * layer.state_size())
    count = directions * prod(layer.input_shape[:2]) * (_cell(layer, layer.input_size) + deeper)
    why = _said(layer)
    if layer.state_size() != layer.hidden_size:
        why += " The projection itself is left out."
    if layer.batch_size is None:
        why += " Without a batch, every step is counted once per input feature."
    return count, why


@HOOKS.rule(*CELLS)
def cell(layer: Any) -> tuple[int, str]:
    """Return what one step takes."""
    if layer.batch_size is None:
        raise Raised("IndexError: the hook of the cell needs a batch.")
    return layer.batch_size * _cell(layer, layer.input_size), _said(layer)


def _said(layer: Any) -> str:
    both = "MACs, the biases" if layer.bias else "MACs"
    return f"Counts the {both} and {OF_A_UNIT[layer.gates]} more per hidden unit and step."


def _cell(layer: Any, inputs: int) -> int:
    """Return what one step takes of a cell that reads so many numbers."""
    products = inputs + layer.state_size() + (2 if layer.bias else 0)
    count: int = layer.hidden_size * (layer.gates * products + OF_A_UNIT[layer.gates])
    return count


@HOOKS.rule("multihead_attention")
def attention(layer: Any) -> int:
    """Counts the MACs, and 1 each time that a number is scaled, a score goes through softmax or a
    bias is added; to the output it adds one in any case."""
    if layer.batch_size is None:
        raise Raised("IndexError: the hook of MultiheadAttention needs a batch.")
    width, (queries, keys) = layer.embed_dim, (layer.query_length, layer.keys())
    rows = queries + 2 * keys
    count = rows * width**2 + (rows * width if layer.bias else 0)
    count += queries * keys * (2 * width + layer.num_heads)
    return layer.samples() * (count + queries * width * (width + 2))


@FUNCTIONS.rule("relu", "F.relu6", "prelu", "elu", "gelu", "silu", "softmax", "softmax2d", *POOLS)
def function(layer: Any) -> int:
    """The function that is called counts 1 for each element of its input."""
    return prod(layer.input_shape)


@FUNCTIONS.rule(*UPSAMPLES)
def interpolate(layer: Any) -> tuple[Number, str]:
    """Return 1 for each output, or for each input times the factors as they are given."""
    factor, count = layer.scale_factor, prod(layer.input_shape)
    if factor is None:
        count, why = prod(layer.output_shape), "F.interpolate counts 1 for each output"
    elif isinstance(factor, tuple):
        count *= prod(map(int, factor))
        why = "F.interpolate counts 1 for each input, times the factors cut to whole numbers"
    else:
        count *= factor ** (len(layer.input_shape) - 2)
        why = "F.interpolate counts 1 for each input, times the factor for each axis"
    if layer.mode == "area":
        return count + prod(layer.input_shape), f"{why}; F.adaptive_avg_pool 1 for each input."
    return count, f"{why}."


@FUNCTIONS.rule("local_response_norm")
def average(layer: Any) -> int:
    """F.avg_pool counts 1 for each element, the padding of the channels included."""
    batch, channels, *axes = layer.input_shape
    return batch * (channels + layer.size - 1) * prod(axes)


@TENSORS.rule("local_response_norm")
def methods(layer: Any) -> int:
    """The methods mul (twice) and add count 1 for each element; pow and div count nothing."""
    return 3 * prod(layer.input_shape)


@TENSORS.rule("add", "multiply")
def pair(layer: Any) -> tuple[int, str]:
    """Return 1 for each element of two shapes that are compared from their first axis on."""
    shapes = layer.input_shapes()
    length = max(map(len, shapes))
    one, other = ((*shape, *(1,) * (length - len(shape))) for shape in shapes)
    count = _wrapped(prod(map(max, one, other)))
    if count == prod(layer.output_shape):
        return count, "Counts 1 for each element."
    return count, "Counts 1 for each element, as if the shapes were aligned by their first axes."


@HOOKS.rule(*DECODERS)
def linears(layer: Any) -> Number:
    """Hooks count the linear layers inside, with their biases; nothing counts the attention."""
    return HOOKS.inside(layer)


@FUNCTIONS.rule("llama", "llama_decoder_layer")
def silus(layer: Any) -> Number:
    """F.silu counts 1 for each element."""
    return FUNCTIONS.inside(layer)


@TENSORS.rule("llama", "llama_decoder_layer")
def pairs(layer: Any) -> Number:
    """torch.mul and torch.add count 1 for each element too."""
    return TENSORS.inside(layer)


def tool(name: str, means: str, more: str = "", *, given: bool) -> Tool:
    """Return a way to call it."""
    return Tool(
        name=name, package="ptflops", version="0.7.5", call=CALL.format(more), unit="Mac",
        means=means, read=partial(read, given=given),
    )  # fmt: skip


TOOLS = (
    tool("ptflops", "MACs, biases and element-wise work, for a batch of one", given=False),
    tool(
        "ptflops-batch", "the same: modules for one sample, functions for the batch", GIVEN,
        given=True,
    ),
    ptflops_aten.TOOL,
)  # fmt: skip
