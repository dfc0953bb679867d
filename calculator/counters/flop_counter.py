"""`torch.utils.flop_counter`: two FLOPs for each multiply-accumulate of the kernels it knows."""

from __future__ import annotations

from functools import partial
from typing import Any

from calculator.blocks.chain import Chain
from calculator.counters.steps import takes_one_kernel
from calculator.counters.tool import Reading, Tool, explained
from calculator.layers.layer import Layer, Work

SEEN = "Two FLOPs for each multiply-accumulate; biases and element-wise work count nothing."
BILINEAR = "No formula is registered for `aten::_trilinear`: 0."
LSTM = "On the CPU, the whole layer is one oneDNN kernel, which has no formula: 0."
FAST_PATH = "Without gradients, torch runs this as one fused kernel, which has no formula: 0."
ATTENTION = (
    "The products of attention are missing: the CPU's fused kernel has no formula; the projections "
    "are counted."
)
LONE_ATTENTION = "The CPU's fused kernel of attention has no formula: 0."


def read(subject: Work, *, on_cpu: bool, grad: bool) -> Reading:
    """Return what `FlopCounterMode` reports."""
    layers = [subject] if isinstance(subject, Layer) else subject.layers  # type: ignore[attr-defined]
    parts = [(each, *_counted(each, on_cpu, grad)) for each in layers]
    return Reading(value=sum(value for _, value, _ in parts), why=explained(parts, scale=2))


def _counted(layer: Layer, on_cpu: bool, grad: bool) -> tuple[int, str]:
    missed = _missed(layer, on_cpu, grad)
    counted = 2 * (layer.macs - sum(missed.values()))
    whys = [why for why, macs in missed.items() if macs]
    lone = ATTENTION in whys and not counted
    return counted, LONE_ATTENTION if lone else " ".join(whys) or SEEN


def _missed(layer: Any, on_cpu: bool, grad: bool) -> dict[str, int]:
    """Return the multiply-accumulates of a layer that no formula sees, by the reason."""
    if on_cpu and not (grad and layer.weight_requires_grad) and _is_one_kernel(layer):
        return {FAST_PATH: layer.macs}
    if isinstance(layer, Chain):
        found: dict[str, int] = {}
        for count, part in zip(layer.counts(), layer.layers, strict=True):
            for why, macs in _missed(part, on_cpu, grad).items():
                found[why] = found.get(why, 0) + count * macs
        return found
    if layer.name == "bilinear":
        return {BILINEAR: layer.macs}
    if on_cpu and layer.name == "lstm" and not layer.proj_size:
        return {LSTM: layer.macs}
    if on_cpu and getattr(layer, "fused", False):
        return {ATTENTION: layer.macs}
    return {}


def _is_one_kernel(layer: Any) -> bool:
    if layer.name == "transformer_encoder_layer":
        return any(map(takes_one_kernel, layer.layers))
    return takes_one_kernel(layer)


def tool(name: str, call: str, *, on_cpu: bool, grad: bool) -> Tool:
    """Return one way to call it."""
    return Tool(
        name=name,
        package="torch",
        version="2.13.0",
        call=call,
        unit="FLOP",
        means="2 × MACs of matrix products, convolutions and attention",
        read=partial(read, on_cpu=on_cpu, grad=grad),
    )


TOOLS = (
    tool("torch-cpu", "FlopCounterMode(), model and inputs on the CPU", on_cpu=True, grad=True),
    tool("torch-cpu-no-grad", "the same under torch.no_grad()", on_cpu=True, grad=False),
    tool("torch-meta", "the same on torch.device('meta')", on_cpu=False, grad=True),
)
