"""How long some work takes on a machine: its roofline, layer by layer, next to another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from calculator.answers.evaluate import Evaluation, evaluate
from calculator.answers.formats import printed
from calculator.answers.sentences import machine, peak
from calculator.blocks.chain import Chain
from calculator.core.calculation import Calculation
from calculator.core.fields import quoted
from calculator.core.units import binary_bytes, grouped, interval, rounded, seconds, shares
from calculator.machines import devices
from calculator.machines.crossover import flip
from calculator.machines.machine import PEAKS
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import ChainRuntime, WorkRuntime
from calculator.web.answer import formulas, percent
from calculator.web.charts import roofline as charts
from calculator.web.markup import escape

ASK = "Choose a device, or write a peak FLOP/s and a bandwidth, to see time and roofline here."
_MOST = 24  # layers that stand unfolded
_ROWS = (
    "compute_seconds", "memory_seconds", "floor_seconds", "serial_seconds", "overhead_seconds",
    "needed_bytes", "capacity_bytes", "ridge_intensity", "best_case_joules",
    "best_case_serial_joules", "measured_floor_seconds", "mfu", "hfu", "mbu",
)  # fmt: skip


def render_machines(
    outcome: Evaluation,
    calculator: str,
    fields: Mapping[str, str],
    compare: str = "",
    *,
    whole: bool = True,
) -> str:
    """Return the time of some work on a machine, next to another device if one is named.

    `calculator` and `fields` are what the outcome is of: the other machine is asked the same.
    Charts and formulas are left out of what is not `whole`: a page prints the panel folded and asks
    for it again when it is unfolded.
    """
    work, time = outcome.calculation, _time(outcome)
    if work is None or time is None:
        return f"<p>{escape(ASK)}</p>"
    times, refused = [time], []
    if compare.strip():
        shared = {name: text for name, text in fields.items() if name not in _OWN}
        other = evaluate(calculator, {**shared, "device": compare})
        refused = [f"{quoted(compare)}: {each.message}" for each in other.errors.values()]
        beside = _time(other)
        if beside and machine(beside) == machine(time):
            refused = [f"{machine(time)} is the current machine; choose another to compare."]
        elif beside:
            times.append(beside)
    drawings = [rooflines(work, times), durations(work, times)] if whole else []
    return (
        f'<p class="calculator-error" role="alert">{escape(" ".join(refused))}</p>'
        f"<div>{''.join(charts.element(each) for each in drawings if each.rows)}</div>"
        f"{_beside(work, times)}<div>{_layers(work, time)}</div>"
        f"<div>{_assumptions(times)}</div>{formulas(time) if whole and time is not work else ''}"
    )


_OWN = (
    "machine_name", "peak_flops_per_second", "bandwidth_bytes_per_second", "memory_bytes",
    "utilization", "bandwidth_utilization", "launch_seconds", "power_watts",
    "measured_seconds", "recomputed_flops",
)  # fmt: skip
"""What a reader says of one machine, or of a run on it, and not of the one next to it."""


def _time(outcome: Evaluation) -> Runtime | None:
    work = outcome.calculation
    return work if isinstance(work, Runtime) else outcome.time


def rooflines(work: Calculation, times: Sequence[Runtime]) -> charts.Chart:
    """Return the rooflines of machines, and the work, or each of its layers, under them."""
    roofs = {
        machine(time): charts.Roof(
            machine(time),
            time.over_devices(time.peak_flops_per_second),
            time.over_devices(time.bandwidth_bytes_per_second),
        )
        for time in times
        if time.bandwidth_bytes_per_second is not None
    }
    points = [point for time in times if machine(time) in roofs for point in _points(work, time)]
    title, operation = f"Roofline of {work.title}", work.in_words("FLOP")
    return charts.roofline(list(roofs.values()), points, title, operation)


def durations(work: Calculation, times: Sequence[Runtime]) -> charts.Chart:
    """Return the parts of the time on each machine as bars, and the best case in practice."""
    bars = [
        charts.Bar(machine(time), *bar)
        for time in times
        for bar in (
            ("compute", time.compute_seconds),
            ("memory", time.memory_seconds or 0.0),
            ("launches", time.overhead_seconds),
            ("floor", time.floor_seconds, time.best_case_seconds, time.best_case_serial_seconds),
        )
        if bar[1]
    ]
    return charts.durations(bars, f"Time of {work.title}")


def _points(work: Calculation, time: Runtime) -> Iterator[charts.Point]:
    """Yield the work, or its layers, those that are alike as one; and what was measured."""
    parts = [(work.title, 1, time)]
    if isinstance(time, ChainRuntime) and isinstance(work, Chain):
        found = (
            (label, count, time.times.get(id(layer))) for _, label, count, layer in work.parts()
        )
        parts = [(label, count, each) for label, count, each in found if each is not None]
    alike: dict[tuple[Any, Any], list[tuple[str, int, Runtime]]] = {}
    for part in parts:
        alike.setdefault((part[2].flops, part[2].bytes_moved), []).append(part)
    for (flops, moved), those in alike.items():
        if not moved:
            continue
        label, _, each = those[0]
        count = sum(many for _, many, _ in those)
        name = f"{label} and {count - 1} more" if count > 1 else label
        detail = f"{each.bound}-bound, {seconds(count * each.floor_seconds)}"
        rate = each.attainable_flops_per_second or 0
        yield charts.Point(name, flops / moved, rate, machine(time), detail)
    if time.measured_seconds is not None and time.bytes_moved:
        yield charts.Point(
            "measured",
            time.flops / time.bytes_moved,
            time.timed_flops() / time.measured_seconds,
            machine(time),
            seconds(time.measured_seconds),
        )


def _beside(work: Calculation, times: Sequence[Runtime]) -> str:
    """Return the times on each machine as the columns of a table."""
    heads = "".join(f'<th scope="col">{escape(machine(each))}</th>' for each in times)
    rows = [
        ("Peak", [_peak(each) for each in times]),
        ("Bandwidth", [_rate(each.bandwidth_bytes_per_second) for each in times]),
        ("Bound by", [each.bound for each in times]),
        ("Best case in practice", [_best_case(each) for each in times]),
        ("Compute-bound from batch size", [flip(work, each) for each in times]),
        ("Minimum number of devices that hold it", [_devices(each) for each in times]),
    ]  # fmt: skip
    for name in _ROWS:
        if name not in times[0].quantities:
            continue
        values = [getattr(time, name) for time in times]
        if any(value is not None for value in values):
            declared = [time.worded(time.quantities[name]) for time in times]
            known = zip(declared, values, strict=True)
            cells = ["–" if value is None else printed(each, value) for each, value in known]
            rows.insert(-2 if name.endswith("seconds") else len(rows), (declared[0].label, cells))
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for label, cells in rows
    )
    return (
        f'<table class="calculator-beside"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _peak(time: Runtime) -> str:
    """Return the peak that is computed with, and the other kinds of the same row."""
    if time.peak is None:
        return peak(time)
    others = (
        (kind, devices.peak(str(time.device), time.dtype, kind))
        for kind in PEAKS
        if kind != time.peak_kind
    )
    unit = time.in_words("FLOP/s")
    return "; ".join(
        [peak(time), *(f"{PEAKS[kind]}: {rounded(each.flops_per_second, unit)}"
                 for kind, each in others if each is not None and not each.because)]
    )  # fmt: skip


def _devices(time: Runtime) -> str:
    needed = time.needed_devices if isinstance(time, WorkRuntime) else None
    return "–" if needed is None else grouped(needed)


def _best_case(time: Runtime) -> str:
    return interval(*time.best_case) if time.best_case else "–"


def _rate(bandwidth: Any) -> str:
    return "–" if bandwidth is None else rounded(bandwidth, "B/s")


def _layers(work: Calculation, time: Runtime) -> str:
    """Return the two times of each layer, and which of them is its bound."""
    if not isinstance(work, Chain) or not isinstance(time, ChainRuntime):
        return ""
    rows = ""
    for place, label, count, layer in work.parts():
        each = time.times.get(id(layer))
        if each is None:
            continue
        rows += (
            f'<tr><th scope="row">{place}</th>'
            f"<td><code>{escape(label).replace('.', '.<wbr>')}</code>"
            f"{f' × {grouped(count)}' if count > 1 else ''}</td>"
            f"<td>{_intensity(each)}</td><td>{seconds(count * each.compute_seconds)}</td>"
            f"<td>{seconds(count * (each.memory_seconds or 0))}</td><td>{each.bound}</td>"
            f"<td>{seconds(count * each.floor_seconds)}</td>"
            f"<td>{percent(count * each.floor_seconds, time.floor_seconds)}</td></tr>"
        )
    heads = (
        "#",
        "Layer",
        time.in_words("FLOP/B"),
        "Compute",
        "Memory",
        "Bound by",
        "Floor",
        "Share",
    )
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    table = (
        '<div class="calculator-scroll" tabindex="0" role="group" '
        'aria-label="The floor layer by layer"><table class="calculator-layers">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    said = (
        f"<p>Compute-bound for {percent(time.bound_by('compute'), time.floor_seconds)} of the "
        f"floor, memory-bound for {percent(time.bound_by('memory'), time.floor_seconds)}.</p>"
    )
    if len(time.steps) <= _MOST:
        return said + table
    return (
        f'{said}<details class="calculator-more"><summary>The floor layer by layer: '
        f"{len(time.steps)}</summary>{table}</details>"
    )


def _intensity(time: Runtime) -> str:
    return rounded(time.flops / time.bytes_moved) if time.bytes_moved else "–"


def _assumptions(times: Sequence[Runtime]) -> str:
    """Return where each machine's figures are from, and what is taken for granted."""
    return "".join(
        f'<p class="calculator-source"><strong>{escape(machine(time))}.</strong> '
        f"{' '.join(_said(time))}</p>"
        for time in times
    )


def _said(time: Runtime) -> Iterator[str]:
    if time.device:
        found = devices.device(time.device)
        if time.peak is not None and time.peak.because:
            yield f"The peak is that of {time.peak.row}, because {escape(time.peak.because)}."
        of_device = {
            "peak": time.peak is not None,
            "bandwidth": time.is_bandwidth_of_device,
        }
        if known := [name for name, its in of_device.items() if its]:
            yield (
                f"{' and '.join(known).capitalize()}: {link(found)}, {found['confidence']} "
                f"confidence, checked {escape(found['checked'])}."
            )
        if "note" in found:
            yield f"Note: {escape(found['note'].rstrip('.'))}."
        if "memory_bytes" in found:
            memory = found["memory_bytes"]
            yield f"Memory: {rounded(memory, 'B')} ({binary_bytes(memory)})."
    for what, ends in (("peak", time.utilization), ("bandwidth", time.bandwidth_utilization)):
        kind = {"peak": "compute", "bandwidth": "bandwidth"}[what]
        yield f"Achieved share of the {what}: {_share(time, kind, ends)}."
    if time.launch_seconds:
        yield f"Time per kernel launch: {seconds(time.launch_seconds)}{_from_launch(time)}."
    if time.power_watts is not None:
        power = devices.device(time.device).get("power") if time.device else None
        source = f", {link(power)}" if power and power["watts"] == time.power_watts else ""
        yield f"Power: {rounded(time.power_watts, 'W')}{source}, constant."


def _share(time: Runtime, what: str, ends: tuple[float, float] | None) -> str:
    """Return a share and where it is from: measured, your own, or not known."""
    if ends is None:
        return "unknown; enter one"
    if ends != devices.achieved(time.device, what):
        return f"{shares(ends)}, your figure"
    found = devices.measurements(time.device, what)
    sources = [*found.values()]
    how = f"in {sources[0]['dtype']}, dense" if what == "compute" else "with copies and additions"
    if time.device in found:
        return f"{shares(ends)}, measured {how}: {link(sources[0])}"
    vendor = devices.device(str(time.device))["vendor"]
    listed = ", ".join(link(source, devices.names()[name]) for name, source in found.items())
    return f"{shares(ends)}, measured {how} on other {vendor} GPUs: {listed}"


def _from_launch(time: Runtime) -> str:
    if time.launch_seconds != devices.launch_seconds(time.device):
        return ", your figure"
    for name, source in devices.measured("launch").items():
        if source["seconds"] == time.launch_seconds:
            return f", measured on {devices.names()[name]}: {link(source)}"
    return ""


def link(source: dict[str, Any], text: str = "") -> str:
    """Return a link to where a figure was read; its tip says what that is, if the text does not."""
    title = escape(source["source_title"])
    tip = f' title="{title}"' if text else ""
    return f'<a href="{escape(source["source_url"])}"{tip}>{escape(text) or title}</a>'
