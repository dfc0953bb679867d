"""An answer to take away: as a line of text, Markdown, LaTeX, or Python that counts it again."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from calculator.answers.sentences import best_case, memory, remarks, timed
from calculator.blocks.chain import Chain
from calculator.core.calculation import Calculation, Quantity, shown_quantities
from calculator.core.expression import Latex
from calculator.core.formula import write_formula
from calculator.core.operations import KINDS
from calculator.core.tensor_fields import on_axis
from calculator.core.units import binary_bytes, grouped, rounded, seconds, small
from calculator.layers.layer import Layer, Work
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import HARDWARE, ChainRuntime
from calculator.networks.sequential import Sequential
from calculator.networks.torch_source import call

_PREFIXED = ("FLOP/s", "OP/s", "B/s", "Hz")


def printed(declared: Quantity[Any], value: Any) -> str:
    """Return a value as a person reads it: exact, then rounded if that is shorter.

    A count gives both; bytes give decimal and binary; a time and a ratio give three digits, a
    share those of its percentage.
    """
    if isinstance(value, dict):
        some = {kind: count for kind, count in value.items() if count}
        return ", ".join(f"{grouped(count)} {KINDS[kind]}" for kind, count in some.items()) or "0"
    if isinstance(value, tuple):
        return f"({', '.join(map(grouped, value))})"
    if isinstance(value, float):
        if declared.unit == "s":
            return seconds(value)
        if declared.unit == "J":
            return small(value, "J")
        if declared.unit in _PREFIXED:
            return rounded(value, declared.unit)
        return f"{rounded(100 * value if declared.unit == '%' else value)} {declared.unit}"
    return f"{grouped(value)}{short(declared, value)}"


def short(declared: Quantity[Any], value: int) -> str:
    """Return the rounded form of a count after the exact one, or nothing below a thousand."""
    if value < 1000:
        return f" {declared.unit}".rstrip()
    if declared.unit == "B":
        return f" B = {rounded(value, 'B')} = {binary_bytes(value)}"
    return f" = {rounded(value, declared.unit)}"


def equations(calculation: Calculation, declared: Quantity[Any]) -> list[tuple[str, Any, Any]]:
    """Return (left side, value, formula in symbols) of a quantity in LaTeX, one per axis.

    Empty for a quantity that has no symbol of its own.
    """
    if not declared.symbol:
        return []
    value = getattr(calculation, declared.name)
    formula = write_formula(calculation, declared.name, Latex, named=True)
    if not isinstance(value, tuple):
        right = calculation.in_words(str(summed(calculation, declared.symbol, formula)))
        return [(declared.symbol, value, right)]
    axes = calculation.axes[: len(value)]
    return [
        (on_axis(declared.symbol, axis), part, calculation.in_words(str(right)))
        for axis, part, right in zip(axes, value, formula, strict=True)
    ]


MOST_TERMS = 600
"""Characters of a formula that anybody reads."""


def summed(calculation: Calculation, symbol: str, formula: Any) -> Any:
    """Return a formula, or the sum of its terms if it has one for each of very many layers."""
    if len(str(formula)) <= MOST_TERMS:
        return formula
    assert isinstance(calculation, (Chain, ChainRuntime))
    return rf"\sum_{{i=1}}^{{{len(calculation.layers)}}} {symbol}^{{(i)}}"


def markdown(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return the fields and every quantity as a Markdown table."""
    fields = ", ".join(f"{name}={value!r}" for name, value in calculation.values().items())
    rows = [
        f"| {declared.label} | {printed(declared, value)} |"
        for each in filter(None, (calculation, time))
        for declared, value in shown_quantities(each)
    ]
    if isinstance(calculation, Work):
        rows += (f"| Note | {note} |" for note in calculation.notes())
    bound = calculation if isinstance(calculation, Runtime) else time
    if bound is not None:
        rows.append(f"| Bound by | {bound.bound} |")
        said = best_case(bound), timed(bound), memory(bound)
        rows += (f"| Note | {sentence} |" for sentence in (*filter(None, said), *remarks(bound)))
    machine = {name: time.values()[name] for name in HARDWARE} if time else {}
    on = ", ".join(f"{name}={value!r}" for name, value in machine.items() if value is not None)
    title = f"**{calculation.title}** `{fields}`" + (f" on `{on}`" if on else "")
    head = [title, "", "| Quantity | Value |", "| --- | --- |"]
    return "\n".join(head + rows) + "\n"


def latex(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return every formula, then with its numbers put in, as an aligned display."""
    lines = []
    for each in filter(None, (calculation, time)):
        for declared, _ in shown_quantities(each):
            numbers = write_formula(each, declared.name, Latex, named=False)
            parts = numbers if isinstance(numbers, tuple) else (numbers,)
            for (left, value, right), worked in zip(equations(each, declared), parts, strict=False):
                shown_at_work = worked if len(str(worked)) <= MOST_TERMS else right
                chain = dict.fromkeys(map(str, (right, shown_at_work, Latex.number(value))))
                unit = "" if declared.unit in ("", "%") else rf"\ \text{{{declared.unit}}}"
                lines.append(f"{left} &= {' = '.join(chain)}{unit}")
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n"


def python(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return a program that repeats the count: with torch for layers, else with this package."""
    if isinstance(calculation, Layer) and calculation.in_torch:
        made = call(type(calculation).__name__, calculation.module_arguments())
        return _with_torch([f"layer = torch.nn.{made}"], calculation.input_shape, ["y = layer(x)"])
    if isinstance(calculation, Sequential):
        return _with_torch(*_network(calculation))
    names = "\n".join(f"print({name!r}, answer.{name})" for name in calculation.quantities)
    door = f"from calculator import {type(calculation).__name__}"
    return f"{door}\n\nanswer = {calculation!r}\n{names}\n"


def _network(network: Sequential) -> tuple[list[str], tuple[int, ...], list[str]]:
    """Return the lines that make the modules, the shape of the input, the lines that run them."""
    calls = [call(type(each).__name__, each.module_arguments()) for each in network.layers]
    if all(line.is_plain for line in network.modules):
        inner = [f"    torch.nn.{each}," for each in calls]
        return ["layer = torch.nn.Sequential(", *inner, ")"], network.input_shape, ["y = layer(x)"]
    names: dict[int, str] = {}  # of each module, by the place that makes it
    made, run = [], []
    for place, (line, made_by) in enumerate(zip(network.modules, calls, strict=True)):
        if line.is_function:
            run.append(f"x = {line.written(place)}")
            continue
        if line.first == place:
            names[place] = _new_name(line.name or f"step{place + 1}", names.values())
            made.append(f"{names[place]} = torch.nn.{made_by}{line.ending}")
        run.append(f"x = {names[line.first]}(x)")
    made.append(f"layer = torch.nn.ModuleList([{', '.join(names.values())}])")
    return made, network.input_shape, [*run, "y = x"]


def _new_name(name: str, taken: Collection[str]) -> str:
    """Return a name that neither the program nor another module has: two may be called fc."""
    while name in taken or name in _TAKEN:
        name += "_"
    return name


_PROGRAM = """\
import torch
{functional}from torch.utils.flop_counter import FlopCounterMode

with torch.device("meta"):
    {made}
    x = torch.empty{input_shape}
with FlopCounterMode(display=False) as counter:
    {run}
flops = counter.get_total_flops()
print("output_shape", tuple(y.shape))
print("params", sum(p.numel() for p in layer.parameters()))
print("flops", flops)
print("macs", flops // 2)
"""
_FUNCTIONAL = "from torch.nn import functional as F\n"
_TAKEN = {*re.findall(r"\w+", _PROGRAM + _FUNCTIONAL)}


def _with_torch(made: list[str], input_shape: tuple[int, ...], run: list[str]) -> str:
    return _PROGRAM.format(
        functional=_FUNCTIONAL if "F." in "".join(run) else "", made="\n    ".join(made),
        input_shape=input_shape, run="\n    ".join(run),
    )  # fmt: skip
