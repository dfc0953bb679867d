"""`thop.profile`: a formula for each module whose exact class it knows; nothing of the others."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from calculator.blocks.chain import MODULE, Block
from calculator.core.units import grouped
from calculator.counters.steps import Step, leaves, steps
from calculator.counters.tool import (
    CELLS,
    DECODERS,
    UNSEEN,
    UPSAMPLES,
    Number,
    Raised,
    Reading,
    Rules,
    Tool,
    explained,
    on_axes,
)
from calculator.layers.layer import Layer, Work

RULES = Rules(otherwise="It has no rule for this layer: 0.")
ROOT = "Parameters: none, because it counts only those of modules inside a model."
UNKNOWN = "Parameters: without those of modules that it has no rule for."
EXPERTS = "Parameters: {} to {}, because it counts only the experts that the data send a token to."
MACS = "Counts the MACs; biases count nothing."
SOFTMAX = "Counts F exponentials, F − 1 additions and F divisions for F numbers that sum to 1."

UPSAMPLING = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}

Part = tuple[Step, Number, str]


def read(subject: Work) -> Reading:
    """Return what `profile` returns."""
    run = parts(subject, RULES)
    value, why = added(run), reason(run)
    if isinstance(subject, Layer) and not isinstance(subject, Block):
        return Reading(value=value, params=0, why=f"{why} {ROOT}" if subject.params else why)
    modules: dict[tuple[int, ...], Any] = {
        each.module: each.layer for each, _, _ in run if each.how == MODULE
    }
    most = summed(parameters(each) for each in modules.values())
    least = summed(
        parameters(each, getattr(each, "num_experts_per_tok", 1)) for each in modules.values()
    )
    if least < most:
        why = f"{why} {EXPERTS.format(grouped(int(least)), grouped(int(most)))}"
        return Reading(value=value, between=(least, most), why=why)
    left_out = most < subject.params
    return Reading(value=value, params=most, why=f"{why} {UNKNOWN}" if left_out else why)


def parts(subject: Work, rules: Rules, functions: Iterable[str] = ()) -> list[Part]:
    """Return each step with its count and why; a function counts 0 unless it is one of these."""
    return [
        (each, *rules.of(each.layer))
        if each.how == MODULE or each.layer.name in functions
        else (each, 0, UNSEEN)
        for each in steps(subject)
    ]


def reason(run: Iterable[Part]) -> str:
    """Return why the counts come to their sum."""
    return explained(((each.layer, value, why) for each, value, why in run), scale=1)


def added(run: Iterable[Part]) -> float:
    """Return the sum of the counts: those of each module, then of all modules in their order."""
    modules: dict[int, list[Number]] = {}
    for each, value, _ in run:
        modules.setdefault(each.module[0], []).append(value)
    return summed(map(summed, modules.values()))


def summed(numbers: Iterable[Number]) -> float:
    """Return a sum in double precision, rounded at each addition.

    Python's own `sum` makes up for the rounding, in some of its versions.
    """
    total = 0.0
    for each in numbers:
        try:
            total += each
        except OverflowError as error:
            raise Raised(f"OverflowError: {error}") from None
    return total


def parameters(layer: Layer, experts: int | None = None) -> int:
    """Return the parameters of modules that have a rule, of so many experts at most.

    An expert that is sent no token is not run, and not counted. A tied weight is a module's own.
    """
    if layer.name in DECODERS:
        return sum(count * parameters(leaf, experts) for count, leaf in leaves(layer))
    if layer.name == "linear":
        one: Any = layer
        run: int = getattr(one, "met", 1)
        return (one.in_features + one.bias) * one.out_features * min(run, experts or run)
    return layer.params if layer.name in RULES.known else 0


@RULES.rule("linear")
def linear(layer: Any) -> tuple[int, str]:
    """Return the multiply-accumulates."""
    return layer.macs, MACS


@RULES.rule(*on_axes("conv", "conv_transpose"))
def convolution(layer: Any) -> tuple[int, str]:
    """Return the elements of the output times a kernel on the input channels of a group."""
    channels = layer.input_shape[1]
    count = prod(layer.output_shape) * (channels // layer.groups) * prod(layer.kernel_size)
    if count >= 2**64:  # of all counts the only one that is added as an integer
        raise Raised("OverflowError: int too big to convert")
    wrong = []
    if channels != layer.in_channels:
        wrong.append(
            f"Takes the second size of the input, {channels}, for its channels; without a batch, "
            "the channels come first."
        )
    if layer.name.startswith("conv_transpose") and layer.output_size != layer.input_size():
        times = prod(layer.output_size) / prod(layer.input_size())
        wrong.append(
            "Counts a kernel for each position of the output instead of the input: "
            f"{times:.4g} times the true number."
        )
    return count, " ".join(wrong) or MACS


@RULES.rule("zero_pad2d", "dropout", "pixel_shuffle", "relu", "relu6", "leaky_relu",
            *on_axes("max_pool", "adaptive_max_pool"))  # fmt: skip
def nothing(layer: Any) -> int:
    """Its rule for this layer is to count nothing: 0."""
    return 0


@RULES.rule("layer_norm", *on_axes("batch_norm", "instance_norm"))
def normalization(layer: Any) -> tuple[int, str]:
    """Return 2 for each element, and 4 if there is a weight."""
    each, has = (4, "a") if layer.scales() else (2, "no")
    return each * prod(layer.input_shape), f"Counts {each} for each element: it has {has} weight."


@RULES.rule("prelu")
def prelu(layer: Any) -> int:
    """Counts 1 for each element."""
    return prod(layer.input_shape)


@RULES.rule("softmax")
def softmax(layer: Any) -> tuple[int, str]:
    """Return what it counts, of a dimension that is given."""
    if layer.dim is None:
        raise Raised("TypeError: tuple indices must be integers or slices, not NoneType")
    return exponentials(layer.sets, layer.set_size), SOFTMAX


def exponentials(sets: int, set_size: int) -> int:
    """Return what so many sets take to sum to 1, each of them."""
    return sets * (3 * set_size - 1)


@RULES.rule(*on_axes("avg_pool"))
def average(layer: Any) -> int:
    """Counts 1 for each output, however large the window."""
    return prod(layer.output_shape)


@RULES.rule(*on_axes("adaptive_avg_pool"))
def adaptive_average(layer: Any) -> tuple[int, str]:
    """Return the outputs times one more than the mean size of a window, in double precision."""
    sizes = zip(layer.input_shape[2:], layer.output_shape[2:], strict=True)
    window = prod((float(given) / float(found) for given, found in sizes), start=1.0)
    why = f"Counts {window:.6g} + 1 for each output: a sum of so many inputs, and a division."
    if layer.batch_size is None:
        why = f"{why} It leaves out two axes, for batch and channels, but the input has no batch."
    return int((window + 1) * prod(layer.output_shape)), why


@RULES.rule(*UPSAMPLES)
def upsample(layer: Any) -> tuple[int, str]:
    """Return what the mode counts for."""
    return per_output(layer, UPSAMPLING)


def per_output(layer: Any, modes: dict[str, int]) -> tuple[int, str]:
    """Return what each output counts for in a mode, 0 in those that are not among these."""
    each = modes.get(layer.mode, 0)
    if not each:
        return 0, f"Mode {layer.mode} counts nothing: 0."
    return each * prod(layer.output_shape), f"Counts {each} for each output in mode {layer.mode}."


@RULES.rule("rnn", "gru", "lstm", *CELLS)
def recurrent(layer: Any) -> tuple[int, str]:
    """Return what is counted of an LSTM without its projection, of a batch taken to be there."""
    rows, more = layer.rows(), []
    if getattr(layer, "proj_size", 0):
        more.append("It ignores proj_size and counts a state of hidden_size.")
        layer = type(layer)(**{**layer.values(), "proj_size": 0})
    if layer.batch_size is None:
        more.append(f"Without a batch, it takes the input size, {layer.input_size}, for the batch.")
        rows = rows * layer.input_size
    count, why = evaluations(layer, rows)
    return count, " ".join([why, *more])


def evaluations(layer: Any, rows: int) -> tuple[int, str]:
    """Return what so many steps take: weights, and for each unit its gates and what joins them."""
    gates = layer.gates * (3 if layer.bias else 1)
    each = gates + (4 if layer.gates > 1 else 0)
    biases = "biases, " if layer.bias else ""
    why = f"Counts the MACs, and {each} for each hidden unit and step: {biases}functions of gates"
    count = rows * (layer.weights + layer.cells() * layer.hidden_size * each)
    return count, f"{why}, and what joins them." if layer.gates > 1 else f"{why}."


@RULES.rule(*DECODERS)
def decoder(layer: Any) -> Number:
    """Counts the linear layers, but not attention, norms and rotations."""
    return RULES.inside(layer)


TOOLS = (
    Tool(
        name="thop", package="thop", version="0.1.1.post2209072238",
        call="thop.profile(model, inputs=inputs)", unit="MACs",
        means="MACs of convolutions and linear layers, operations of norms, pools and recurrence",
        read=read, unpacks=True,
    ),
)  # fmt: skip
