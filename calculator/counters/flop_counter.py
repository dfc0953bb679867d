"""`torch.utils.flop_counter`: two FLOPs for each multiply-accumulate of the kernels it knows."""

from __future__ import annotations

from functools import partial
from typing import Any

from calculator.counters.steps import steps
from calculator.counters.tool import Reading, Rules, Tool, explained
from calculator.layer import Measured

RULES = Rules(otherwise="No formula is registered for what {layer} runs: 0.")


def read(subject: Measured, *, device: str, grad: bool) -> Reading:
    """Return what `FlopCounterMode` reports."""
    parts = [(each.layer, *RULES.of(each.layer)) for each in steps(subject)]
    return Reading(value=sum(value for _, value, _ in parts), why=explained(parts, scale=2))


@RULES.rule("linear")
def linear(layer: Any) -> int:
    """Two for each multiply-accumulate; the bias is not counted."""
    flops: int = 2 * layer.macs
    return flops


def tool(name: str, call: str, **how: Any) -> Tool:
    """Return one way to call it."""
    return Tool(
        name=name, package="torch", version="2.13.0", call=call, unit="FLOP",
        means="2 × MACs of matrix products, convolutions and attention", read=partial(read, **how),
    )  # fmt: skip


TOOLS = (
    tool("torch-cpu", "FlopCounterMode()", device="cpu", grad=True),
    tool("torch-cpu-no-grad", "FlopCounterMode()", device="cpu", grad=False),
    tool("torch-meta", "FlopCounterMode()", device="meta", grad=True),
)
