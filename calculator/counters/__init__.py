"""What each counting tool prints for a layer or a network, and why: predicted, not run."""

from __future__ import annotations

from importlib import import_module

from calculator.counters.tool import Reading, Tool
from calculator.layers.layer import Work

_MODULES = (
    "thop", "ultralytics_thop", "fvcore", "ptflops", "torchinfo", "calflops", "deepspeed",
    "torchprofile", "flop_counter",
)  # fmt: skip


def tools() -> tuple[Tool, ...]:
    """Return every way to call a tool, in the order of the table."""
    modules = (import_module(f"{__name__}.{module}") for module in _MODULES)
    return tuple(tool for module in modules for tool in module.TOOLS)


def readings(subject: Work) -> dict[str, Reading]:
    """Return what each tool returns, by its name."""
    return {tool.name: tool.reading(subject) for tool in tools()}
