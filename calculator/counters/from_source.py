"""What tools return that are too old to be run here: their rules, read from their sources.

torchstat, github.com/Swall0w/torchstat at b52a3b0, compute_madd.py and compute_flops.py.
mmcv, github.com/open-mmlab/mmcv at a8073c7, mmcv/cnn/utils/flops_counter.py.
ptflops of 2020, github.com/sovrasov/flops-counter.pytorch at ae01bf9, ptflops/flops_counter.py.
thop of spring 2019, github.com/Lyken17/pytorch-OpCounter at c0c5386, thop/count_hooks.py.
onnx-tool, github.com/ThanatosShinji/onnx-tool at 00f5f0a, onnx_tool/node.py: convolutions and
linear layers alone, since an exporter decides what becomes of the others.

Each runs a model on one sample, and each replaces or adds what a module counts at its next call.
A subject with a layer whose count is not certain has no reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from struct import pack, unpack
from typing import Any, NamedTuple

from calculator.blocks.chain import MODULE, Block
from calculator.counters.calling import on_one
from calculator.counters.steps import Step, steps
from calculator.counters.tool import CELLS, Raised, on_axes

Rule = Callable[[Any], int]


def _outputs(layer: Any) -> int:
    return prod(layer.output_shape)


def _inputs(layer: Any) -> int:
    return prod(layer.input_shape)


def _biases(layer: Any) -> int:
    return _outputs(layer) if layer.bias else 0


def _macs(layer: Any) -> int:
    return int(layer.macs)


def _macs_and_biases(layer: Any) -> int:
    return _macs(layer) + _biases(layer)


def _norm(layer: Any) -> int:
    """Return 2 for each element, 1 if nothing is learned."""
    learns = getattr(layer, "affine", getattr(layer, "elementwise_affine", False))
    return _inputs(layer) * (2 if learns else 1)


def _times(count: int) -> Rule:
    return lambda layer: count * _inputs(layer)


def _window(layer: Any) -> int:
    size: int = prod(layer.kernel_size)
    return size


def _exact(layer: Any) -> int:
    """Return 2K − 1 for each output, and 1 more with a bias."""
    return 2 * _macs(layer) - _outputs(layer) + _biases(layer)


def _exact_linear(layer: Any) -> int:
    """Return 2K − 1 for each output, whether there is a bias or not."""
    return 2 * _macs(layer) - _outputs(layer)


def _exact_transposed(layer: Any) -> int:
    """Return 2K − 1 for each input position and output channel, and 1 more with a bias."""
    positions = prod(layer.input_shape[2:]) * layer.out_channels
    return 2 * _macs(layer) - (0 if layer.bias else positions)


def _softmax(layer: Any) -> int:
    return 3 * _inputs(layer) - 1


def _with_repeated_biases(layer: Any) -> int:
    """Return the MACs, and a bias for each output and input channel of a group."""
    repeated = _outputs(layer) * layer.in_channels // layer.groups
    return _macs(layer) + (repeated if layer.bias else 0)


def _side(layer: Any) -> int:
    """Return one side of the window for each output: the kernel size is an int, taken once."""
    return int(layer.kernel_size[0]) * _outputs(layer)


def _transposed(layer: Any) -> int:
    """Return the whole weight, all output channels of it, for each output."""
    weight = layer.in_channels * layer.out_channels // layer.groups * _window(layer)
    return weight * _outputs(layer)


def _adaptive(layer: Any) -> int:
    """Return a window, cut to whole numbers, and 1 for each output."""
    sizes = zip(layer.input_shape[2:], layer.output_shape[2:], strict=True)
    return (prod(given // found for given, found in sizes) + 1) * _outputs(layer)


class SourcedTool(NamedTuple):
    """A tool's name, its rules by layer, and how it adds them up."""

    name: str
    rules: dict[str, Rule]
    adds_calls: bool = False
    """Whether a module that runs twice counts twice; otherwise its last call counts."""
    counts_others: bool = True
    """Whether a layer without a rule is known to count 0."""
    uncertain: tuple[str, ...] = ()
    """Layers that it may fail at."""
    in_single_precision: bool = False


_RELU = dict.fromkeys(("relu", "relu6"), _times(1))
_ACTIVATIONS = dict.fromkeys(("relu", "relu6", "prelu", "elu", "leaky_relu"), _times(1))
_BATCH_NORMS = on_axes("batch_norm")
_NORMS = (*on_axes("instance_norm"), "group_norm", "layer_norm")
_POOLS = on_axes("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")
_PTFLOPS = {
    **dict.fromkeys(on_axes("conv"), _macs_and_biases), "linear": _macs, "upsample": _outputs,
    **dict.fromkeys(_BATCH_NORMS, _norm), **dict.fromkeys(_POOLS, _inputs), **_ACTIVATIONS,
}  # fmt: skip

TOOLS = (
    SourcedTool(
        "torchstat (MAdd)",
        {
            "conv2d": _exact, "conv_transpose2d": _exact_transposed, "linear": _exact_linear,
            "batch_norm2d": _times(4), "softmax": _softmax, **_RELU,
            "max_pool2d": lambda layer: (_window(layer) - 1) * _outputs(layer),
            "avg_pool2d": lambda layer: _window(layer) * _outputs(layer),
        },
    ),
    SourcedTool(
        "torchstat (Flops)",
        {
            "conv2d": _macs_and_biases, "linear": _macs, "batch_norm2d": _norm,
            "max_pool2d": _inputs, "avg_pool2d": _inputs, **_ACTIVATIONS,
            "upsample": lambda layer: prod(layer.output_shape[2:]),
        },
    ),
    SourcedTool("ptflops of 2020", _PTFLOPS, adds_calls=True, uncertain=("conv_transpose2d",)),
    SourcedTool(
        "mmcv (get_model_complexity_info)",
        {**_PTFLOPS, **dict.fromkeys(_NORMS, _norm), "conv_transpose2d": _macs_and_biases},
        adds_calls=True,
    ),
    SourcedTool(
        "thop of spring 2019",
        {
            **dict.fromkeys(on_axes("conv"), _with_repeated_biases), "linear": _exact_linear,
            **dict.fromkeys(_BATCH_NORMS, _times(4)), **_RELU, "leaky_relu": _times(1),
            **dict.fromkeys(on_axes("max_pool"), _side),
            **dict.fromkeys(on_axes("adaptive_avg_pool"), _adaptive),
            **dict.fromkeys(on_axes("avg_pool"), lambda layer: _side(layer) + _outputs(layer)),
            "conv_transpose2d": _transposed,
        },
        uncertain=on_axes("adaptive_max_pool"),
        in_single_precision=True,
    ),
    SourcedTool(
        "onnx-tool",
        {**dict.fromkeys(on_axes("conv"), _macs_and_biases), "linear": _macs_and_biases},
        adds_calls=True, counts_others=False,
    ),
)  # fmt: skip
_WORTH_NOTHING = ("flatten", "dropout", "identity")
_UNCERTAIN = (
    "rnn", "gru", "lstm", *CELLS, "multihead_attention", "bilinear", "embedding_bag",
    "upsampling_nearest2d", "upsampling_bilinear2d",
)  # fmt: skip
"""Layers that no tool is certain to count.

They give several tensors or take several, or their class is a kind of another that some tools know.
"""


def sourced_readings(subject: Any) -> Iterator[tuple[str, int]]:
    """Yield the name of each tool and what it returns, of those that are certain to."""
    try:
        run = steps(on_one(subject))
    except Raised:
        return
    if not all(_is_certain(step) for step in run):
        return
    for tool in TOOLS:
        counts = _counts(tool, run)
        if counts:
            yield tool.name, _total(tool, counts)


def _is_certain(step: Step) -> bool:
    """Return whether a step is one plain layer, on a batch as every rule takes it."""
    layer: Any = step.layer
    if isinstance(layer, Block) or layer.name in _UNCERTAIN:
        return False
    if getattr(layer, "batch_size", 1) is None:
        return False
    return layer.name != "linear" or len(layer.input_shape) == 2


def _counts(tool: SourcedTool, run: tuple[Step, ...]) -> list[int]:
    """Return what each module counts, nothing if a layer's count is not certain."""
    found: dict[Any, int] = {}
    for step in run:
        name = step.layer.name
        rule = tool.rules.get(name) if step.how == MODULE else None
        known = rule or tool.counts_others or name in _WORTH_NOTHING
        if not known or name in tool.uncertain:
            return []
        before = found.pop(step.module, 0) if tool.adds_calls else 0
        found[step.module] = before + (rule(step.layer) if rule else 0)
    return list(found.values())


def _total(tool: SourcedTool, counts: list[int]) -> int:
    if not tool.in_single_precision:
        return sum(counts)
    total = 0.0
    for count in counts:
        total = _single(total + _single(count))
    return int(total)


def _single(number: float) -> float:
    """Return a number rounded to single precision, as a tensor holds it."""
    value: float = unpack("f", pack("f", number))[0]
    return value
