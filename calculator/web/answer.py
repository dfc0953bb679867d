"""Answers as HTML fragments: printed at build time and in the browser alike.

Every text that a reader or an author may have written is escaped, here and in `form` and `page`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calculator.answers.formats import MOST_TERMS, equations, printed, summed
from calculator.answers.sentences import basis, machine, memory, rates, remarks, timed
from calculator.blocks.chain import Chain
from calculator.core.calculation import Calculation, Quantity, shown_quantities
from calculator.core.expression import Latex, Text
from calculator.core.formula import write_formula
from calculator.core.operations import KINDS
from calculator.core.units import THIN_SPACE, are_alike, binary_bytes, grouped, rounded, seconds
from calculator.layers.layer import Work
from calculator.machines.memory_fit import MemoryFit
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import WorkRuntime
from calculator.web.form import UNSEARCHED, katex
from calculator.web.markup import escape

HEADLINE = (
    *("macs", "flops", "params", "output_shape", "fmas"),
    *("bytes_moved", "arithmetic_intensity", "kv_cache_bytes", "floor_seconds"),
    *("peak_flops_per_second", "printed_flops_per_second"),
    *("hardware_flops", "device_hours", "training_seconds", "mfu", "hfu", "mbu"),
    *("total_bytes", "bytes_per_param"),
)
_MOST = 24  # layers that stand unfolded
_LONG = 16  # characters that fit into a narrow column
_FITS = {True: "yes", False: "no", None: "unknown"}
_UNITS = {"macs": "MACs", "flops": "FLOPs", "fmas": "FMAs"}


def figures(calculation: Calculation, time: Runtime | None) -> str:
    """Return the figures that a reader came for, and the layers of a sequence."""
    parts = [each for each in (calculation, time) if each is not None]
    head = "".join(
        _headline(part, name) for name in HEADLINE for part in parts if name in part.quantities
    )
    bound = time or calculation
    return (
        f'<dl class="calculator-headline">{head}{_memory(bound)}</dl>'
        f"{verdict(bound) if isinstance(bound, Runtime) else _fit(bound)}"
        f"{_notes(calculation) if isinstance(calculation, Work) else ''}"
        f"{_operations(calculation) if isinstance(calculation, Work) else ''}"
        f"{_layers(calculation) if isinstance(calculation, Chain) else ''}"
        f"{_bar(calculation)}"
    )


def formulas(calculation: Calculation) -> str:
    """Return a table of every quantity with its formula."""
    rows = "".join(
        row(calculation, declared, value)
        for declared, value in shown_quantities(calculation)
        if value or declared.name in HEADLINE
    )
    return (
        f'<table class="calculator-table"{UNSEARCHED}><thead><tr><th scope="col">Quantity</th>'
        '<th scope="col">Formula, then your numbers</th><th scope="col">Value</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _headline(calculation: Calculation, name: str) -> str:
    declared, value = calculation.worded(calculation.quantities[name]), getattr(calculation, name)
    if value is None:
        return ""
    label = calculation.in_words(_UNITS.get(name, declared.label))
    return f"<div><dt>{escape(label)}</dt><dd>{_data(declared, value)}</dd></div>"


def _memory(calculation: Calculation) -> str:
    """Return the memory that is needed of what there is, and how many devices would hold it."""
    if not isinstance(calculation, MemoryFit) or calculation.capacity_bytes is None:
        return ""
    label, held = "Memory needed", f"of {rounded(calculation.capacity_bytes, 'B')}, at least"
    if calculation.fits is None:
        label = "Memory: <strong>may not fit</strong>"
    if calculation.fits is False:
        label = "Memory: <strong>does not fit</strong>"
        held = (
            f"of {rounded(calculation.capacity_bytes, 'B')}; at least "
            f'<data data-quantity="needed_devices" value="{calculation.needed_devices}">'
            f"{grouped(calculation.needed_devices or 1)}</data> devices would hold it"
        )
    return (
        f'<div data-fits="{_FITS[calculation.fits]}"><dt>{label}</dt><dd>'
        f'<data data-quantity="needed_bytes" value="{calculation.needed_bytes}">'
        f"{rounded(calculation.needed_bytes, 'B')}</data> "
        f'<span class="calculator-exact">{held}</span></dd></div>'
    )


def _fit(calculation: Calculation) -> str:
    said = memory(calculation)
    return f'<p class="calculator-verdict">{escape(said)}</p>' if said else ""


def verdict(time: Runtime) -> str:
    """Return which rate bounds a time, and the best case, in sentences that say what each is."""
    on = f" on {escape(machine(time))}" if time.device or time.machine_name else ""
    where = f"{on}, at {escape(rates(time))}"
    moves = " and moves these bytes" if time.memory_seconds is not None else ""
    if not time.floor_seconds:
        text = f"<strong>No work</strong>{where}."
    elif time.memory_seconds is None:
        text = f"Compute time only{where}."
    else:
        other = {"compute": "memory", "memory": "compute"}[time.bound]
        part = time.bound_by(time.bound)
        text = f"<strong>{time.bound.capitalize()}-bound</strong>"
        if part < time.floor_seconds:
            share = percent(part, time.floor_seconds)
            text += f" for {share} of the floor{where}; {other}-bound for the rest."
        else:
            alone = {"compute": "arithmetic", "memory": "memory traffic"}[other]
            less = seconds(getattr(time, f"{other}_seconds"))
            text += f"{where}; the {alone} alone would take {less}."
    forward = " of a forward pass" if isinstance(time, WorkRuntime) else ""
    said = (timed(time), memory(time), *remarks(time))
    return (
        f'<p class="calculator-verdict" data-bound="{time.bound}">{text} '
        f"The floor is a lower bound{forward}: no run that does this work{moves} is faster. "
        f"{escape(' '.join(filter(None, said)))}</p>{_best_case(time)}"
    )


def _best_case(time: Runtime) -> str:
    """Return the best case in practice, and what it rests on."""
    if not time.floor_seconds:
        return ""
    names = ("best_case_seconds", "best_case_serial_seconds")
    ends = {name: getattr(time, name) for name in names}
    said: str = escape(basis(time))
    if time.best_case:
        if are_alike(*time.best_case):
            ends.pop(names[0])
        data = (
            f'<data data-quantity="{name}" value="{value!r}">{seconds(value)}</data>'
            for name, value in ends.items()
        )
        said = f"<strong>{' to '.join(data)}</strong>, {said}"
    return f'<p class="calculator-best-case">Best case in practice: {said}</p>'


def _notes(work: Work) -> str:
    return "".join(f'<p class="calculator-note">{escape(note)}</p>' for note in work.notes())


def _operations(work: Work) -> str:
    """Return every kind of operation with its count, and what one counts for."""
    weights = work.flops_each()
    rows = "".join(
        f'<tr><th scope="row">{KINDS[kind]}</th><td>{_broken(grouped(count))}</td>'
        f"<td>{'× ' + grouped(weights[kind]) if weights.get(kind) else 'not counted'}</td></tr>"
        for kind, count in work.operations.items()
        if count
    )
    return (
        '<table class="calculator-operations"><thead><tr><th scope="col">Operations</th>'
        f'<th scope="col">Number</th><th scope="col">{work.in_words("FLOPs")} per operation</th>'
        "</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        if rows
        else ""
    )


def _layers(chain: Chain) -> str:
    """Return each layer with its share of what is counted: MACs, or the FLOPs of everything."""
    work = "macs" if chain.convention == "matrix" else "flops"
    rows = "".join(
        f'<tr><th scope="row">{place}</th>'
        f"<td><code>{escape(label).replace('.', '.<wbr>')}</code>"
        f"{f' × {grouped(count)}' if count > 1 else ''}</td>"
        f"<td>({', '.join(map(grouped, layer.output_shape))})</td>"
        f"<td>{grouped(count * layer.params)}</td><td>{grouped(count * getattr(layer, work))}</td>"
        f"<td>{percent(count * getattr(layer, work), getattr(chain, work))}</td></tr>"
        for place, label, count, layer in chain.parts()
    )
    table = (
        '<div class="calculator-scroll" tabindex="0" role="group" aria-label="Layer by layer">'
        f'<table class="calculator-layers"{UNSEARCHED}><thead><tr><th scope="col">#</th>'
        '<th scope="col">Layer</th><th scope="col">Output shape</th><th scope="col">Parameters</th>'
        f'<th scope="col">{chain.in_words(_UNITS[work])}</th><th scope="col">Share</th></tr>'
        "</thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    if len(chain.layers) <= _MOST:
        return table
    return (
        '<details class="calculator-more"><summary>Layer by layer: '
        f"{len(chain.layers)}</summary>{table}</details>"
    )


def _bar(calculation: Calculation) -> str:
    """Return the parts of a whole as one bar, and in words under it, or nothing without parts."""
    sizes = [getattr(calculation, name) or 0 for name in calculation.shares]
    whole = sum(sizes)
    bars, words, start = "", "", 0.0
    for place, (name, size) in enumerate(zip(calculation.shares, sizes, strict=True), start=1):
        if not size:
            continue
        declared = calculation.quantities.get(name) or calculation.fields[name]
        share = 100 * size / whole
        bars += f'<rect data-part="{place}" x="{start:.3f}" width="{share:.3f}" height="1"/>'
        words += (
            f'<li data-part="{place}">{escape(declared.label)} '
            f"<b>{rounded(size, 'B')}</b> {percent(size, whole)}</li>"
        )
        start += share
    if not words:
        return ""
    return (
        '<div class="calculator-bar"><svg viewBox="0 0 100 1" preserveAspectRatio="none" '
        f'aria-hidden="true">{bars}</svg><ul aria-label="Parts">{words}</ul></div>'
    )


def percent(part: float, whole: float) -> str:
    """Return a part of a whole to a tenth of a per cent, a dash if there is no whole."""
    return f"{part / whole:.1%}".replace("%", " %") if whole else "–"


def row(
    calculation: Calculation,
    declared: Quantity[Any],
    value: Any,
    headline: Sequence[str] = HEADLINE,
) -> str:
    """Return a quantity as the row of a table; without its exact value if that is a headline."""
    known = declared.name in headline
    exact = _broken(printed(declared, value).partition(" = ")[0])
    cell = exact if known else _data(declared, value)
    return (
        f'<tr><th scope="row">{escape(declared.label)}</th>'
        f"<td>{_formulas(calculation, declared, value)}</td><td>{cell}</td></tr>"
    )


def _formulas(calculation: Calculation, declared: Quantity[Any], value: Any) -> str:
    """Return a quantity's formulas in symbols, each above the line with the numbers put in."""
    numbers = write_formula(calculation, declared.name, Text, named=False)
    if isinstance(numbers, dict):
        symbols = write_formula(calculation, declared.name, Latex, named=True)
        words = {kind: rf"\text{{{KINDS[kind]}}}" for kind in numbers}
        lines = [
            (
                f"{word} = {summed(calculation, word, symbols[kind])}",
                numbers[kind],
                grouped(value[kind]),
            )
            for kind, word in words.items()
            if kind != "multiply_accumulates" and value[kind]
        ]
    elif isinstance(numbers, tuple) and not declared.symbol:
        symbols = write_formula(calculation, declared.name, Latex, named=True)
        lines = [(f"({', '.join(map(str, symbols))})", "", "")]
    else:
        parts = numbers if isinstance(numbers, tuple) else (numbers,)
        lines = [
            (f"{left} = {right}", worked, _plain(declared, result))
            for (left, result, right), worked in zip(
                equations(calculation, declared), parts, strict=False
            )
        ]
    return "".join(
        f"<div>{katex(tex)}"
        + (
            f' <span class="calculator-worked">= {escape(str(worked))} = {plain}</span>'
            if str(worked) != plain and len(str(worked)) <= MOST_TERMS
            else ""
        )
        + "</div>"
        for tex, worked, plain in lines
    )


def _plain(declared: Quantity[Any], value: Any) -> str:
    return printed(declared, value) if isinstance(value, float) else grouped(value)


def _data(declared: Quantity[Any], value: Any) -> str:
    name = declared.name
    if isinstance(value, dict):
        return (
            ", ".join(
                f'<span><data data-quantity="{name}" data-kind="{kind}" value="{count}">'
                f"{_broken(grouped(count))}</data> {KINDS[kind]}</span>"
                for kind, count in value.items()
                if count
            )
            or "none"
        )
    if isinstance(value, tuple):
        text, machine, exact = printed(declared, value), ",".join(map(str, value)), ""
    elif isinstance(value, float):
        text, machine, exact = printed(declared, value), repr(value), ""
    elif declared.unit == "B":
        text, machine = rounded(value, "B"), str(value)
        exact = f"{grouped(value)} B · {binary_bytes(value)}" if value >= 1000 else ""
    else:
        text, machine = rounded(value), str(value)
        exact = grouped(value) if value >= 1000 else ""
    data = f'<data data-quantity="{name}" value="{machine}">{escape(text)}</data>'
    return f'{data} <span class="calculator-exact">{_broken(exact)}</span>' if exact else data


def _broken(text: str) -> str:
    """Return a text in which a line may break between the groups of a very long number."""
    if max(map(len, text.split(" "))) < _LONG:
        return escape(text)
    return escape(text).replace(THIN_SPACE, f"{THIN_SPACE}<wbr>")
