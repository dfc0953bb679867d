"""The whole trace of a layer or a network, and what a tool makes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from calculator.blocks.chain import FUNCTION, MODULE, Block, Chain
from calculator.counters import traced_attention, traced_layers
from calculator.counters.operators import PRODUCTS, Mode, Operator, Traces
from calculator.counters.tool import Number, Reading, Rules, explained, on_axes
from calculator.layers.layer import Layer, Work

_TRACES = Traces({**traced_layers.TRACES, **traced_attention.TRACES})
_PADS = on_axes("zero_pad", "constant_pad", "reflection_pad", "replication_pad", "circular_pad")
_NAMES = {
    "relu6": "hardtanh", "softmax2d": "softmax", "multiply": "mul",
    **dict.fromkeys(_PADS, "pad"),
}  # fmt: skip
"""What layers that are one operator are called there, if not by their own name."""


def traced(layer: Layer, mode: Mode, how: str = MODULE) -> Iterator[Operator]:
    """Yield the operators of a layer; raise Raised if it does not run."""
    trace = _TRACES.get(layer.name or type(layer).__name__)
    if trace:
        for each in trace(layer, mode):
            if isinstance(each, Operator):
                yield each
            else:
                yield from traced(each, mode)
    elif isinstance(layer, Block):
        for count, part in zip(layer.counts(), layer.layers, strict=True):
            for operator in traced(part, mode):
                yield operator._replace(times=count * operator.times)
    else:
        name = layer.name if how == FUNCTION else _NAMES.get(layer.name, layer.name)
        in_place = "_" if getattr(layer, "inplace", False) else ""
        yield Operator(name + in_place, layer.output_shape, layer.input_shapes())


def read(subject: Work, mode: Mode, rules: Rules, silent: Collection[str]) -> Reading:
    """Return what a tool reads: its rules by operator, and the operators it says nothing of."""
    traces = [(layer, [*traced(layer, mode, how)]) for layer, how in _layers(subject)]
    parts = [(layer, *_counted(trace, rules, silent)) for layer, trace in traces]
    missing = {name for _, trace in traces for name in _missing(trace, rules, silent)}
    return Reading(
        value=sum(value for _, value, _ in parts),
        why=explained(parts, scale=1),
        warns=tuple(sorted(f"aten::{name}" for name in missing)),
    )


def _layers(subject: Work) -> Iterator[tuple[Layer, str]]:
    """Yield the layers of a network, unopened: torch may run a transformer as one operator."""
    if isinstance(subject, Layer):
        yield subject, MODULE
        return
    assert isinstance(subject, Chain)
    for layer, (how, _) in zip(subject.layers, subject.runs, strict=True):
        yield layer, how


def _missing(trace: list[Operator], rules: Rules, silent: Collection[str]) -> list[str]:
    """Return what there is no rule for, those of matrix work first."""
    ordered = sorted(trace, key=lambda operator: operator.name not in PRODUCTS)
    names = dict.fromkeys(operator.name for operator in ordered)
    return [name for name in names if name not in rules.known and name not in silent]


def _counted(trace: list[Operator], rules: Rules, silent: Collection[str]) -> tuple[Number, str]:
    value: Number = 0
    said: dict[str, dict[str, None]] = {}  # a sentence, and the operators that it is said of
    for operator in trace:
        if operator.name in rules.known:
            rule = rules.known[operator.name]
            counted = rule.counted(operator)
            each, why = counted if isinstance(counted, tuple) else (counted, rule.why)
            value += operator.times * each
            said.setdefault(why, {})[f"aten::{operator.name}"] = None
    sentences = [*said]
    missing = _missing(trace, rules, silent)
    products = [f"aten::{name}" for name in missing if name in PRODUCTS]
    if len(said) > 1 or products:
        sentences = [f"{', '.join(names)}: {why}" for why, names in said.items()]
    if products:
        sentences.insert(0, f"It has no formula for {' and '.join(products)}: 0.")
    elif missing and not sentences:
        sentences = ["It has no formula for what this runs: 0."]
    return value, " ".join(sentences) or rules.otherwise
