"""What a machine makes of some work: its roofline, layer by layer, beside another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from calculator import charts, hardware
from calculator.batching import flip
from calculator.calculation import Calculation
from calculator.chain import Chain
from calculator.evaluate import Evaluation, evaluate
from calculator.export import printed
from calculator.fields import quoted
from calculator.form import escape
from calculator.html import formulas, percent
from calculator.machine import PEAKS
from calculator.roofline import ChainRuntime, Runtime
from calculator.statement import machine, peak
from calculator.units import binary_bytes, grouped, interval, rounded, seconds, shares

ASK = "Choose a device, or write a peak FLOP/s and a bandwidth, to see time and roofline here."
_MOST = 24  # layers that stand unfolded
_ROWS = (
    "compute_seconds", "memory_seconds", "floor_seconds", "serial_seconds", "overhead_seconds",
    "ridge_intensity", "least_joules", "most_joules", "mfu", "hfu", "mbu",
)  # fmt: skip


def told(
    outcome: Evaluation,
    calculator: str,
    fields: Mapping[str, str],
    compare: str = "",
    *,
    drawn: bool = True,
) -> str:
    """Return what a machine makes of some work, beside another device where one is named.

    `calculator` and `fields` are what the outcome is of: the other machine is asked the same.
    """
    work, time = outcome.calculation, _time(outcome)
    if work is None or time is None:
        return f"<p>{escape(ASK)}</p>"
    times, refused = [time], []
    if compare.strip():
        other = evaluate(calculator, {**fields, **_OWN, "device": compare})
        refused = [f"{quoted(compare)}: {each.message}" for each in other.errors.values()]
        beside = _time(other)
        if beside and machine(beside) == machine(time):
            refused = [f"{machine(time)} is the machine at hand: choose another to compare."]
        elif beside:
            times.append(beside)
    drawings = [rooflines(work, times), durations(work, times)] if drawn else []
    return (
        f'<p class="calculator-error" role="alert">{escape(" ".join(refused))}</p>'
        f"<div>{''.join(charts.element(each) for each in drawings if each.rows)}</div>"
        f"{_beside(work, times)}<div>{_layers(work, time)}</div>"
        f"<div>{_assumptions(times)}</div>{'' if time is work else formulas(time)}"
    )


_OWN = dict.fromkeys(
    ("peak_flops_per_second", "bandwidth_bytes_per_second", "measured_seconds", "power_watts"), ""
)
"""What a reader says of one machine, and not of the one beside it."""


def _time(outcome: Evaluation) -> Runtime | None:
    work = outcome.calculation
    return work if isinstance(work, Runtime) else outcome.time


def rooflines(work: Calculation, times: Sequence[Runtime]) -> charts.Chart:
    """Return the rooflines of machines, and the work, or each of its layers, under them."""
    roofs = {
        machine(time): charts.Roof(
            machine(time), time.peak_flops_per_second, time.bandwidth_bytes_per_second
        )
        for time in times
        if time.bandwidth_bytes_per_second is not None
    }
    points = [point for time in times if machine(time) in roofs for point in _points(work, time)]
    return charts.roofline(list(roofs.values()), points, f"Roofline of {work.title}")


def durations(work: Calculation, times: Sequence[Runtime]) -> charts.Chart:
    """Return what each machine is busy with as bars, and the interval to expect."""
    bars = [
        charts.Bar(machine(time), *bar)
        for time in times
        for bar in (
            ("compute", time.compute_seconds),
            ("memory", time.memory_seconds or 0.0),
            ("launches", time.overhead_seconds),
            ("floor", time.floor_seconds, time.least_seconds, time.most_seconds),
        )
        if bar[1]
    ]
    return charts.durations(bars, f"What {work.title} takes")


def _points(work: Calculation, time: Runtime) -> Iterator[charts.Point]:
    """Yield the work, or its layers, those that are alike as one; and what was measured."""
    parts = [(work.title, 1, time)]
    if isinstance(time, ChainRuntime) and isinstance(work, Chain):
        found = ((label, count, time.of_layer(layer)) for _, label, count, layer in work.parts())
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
        detail = f"{each.bound} binds, {seconds(count * each.floor_seconds)}"
        rate = each.attainable_flops_per_second or 0
        yield charts.Point(name, flops / moved, rate, machine(time), detail)
    if time.measured_seconds is not None and time.bytes_moved:
        yield charts.Point(
            "measured",
            time.flops / time.bytes_moved,
            time.flops / time.measured_seconds,
            machine(time),
            seconds(time.measured_seconds),
        )


def _beside(work: Calculation, times: Sequence[Runtime]) -> str:
    """Return the times on each machine as the columns of a table."""
    heads = "".join(f'<th scope="col">{escape(machine(each))}</th>' for each in times)
    rows = [
        ("Peak", [_peak(each) for each in times]),
        ("Bandwidth", [_rate(each.bandwidth_bytes_per_second) for each in times]),
        ("What binds", [each.bound for each in times]),
        ("Expect", [interval(each.least_seconds, each.most_seconds) for each in times]),
        ("Batch from which compute binds", [flip(work, each) for each in times]),
    ]  # fmt: skip
    for name in _ROWS:
        declared = Runtime.quantities[name]
        values = [getattr(each, name) for each in times]
        if any(value is not None for value in values):
            cells = ["–" if value is None else printed(declared, value) for value in values]
            rows.insert(-2 if name.endswith("seconds") else len(rows), (declared.label, cells))
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
        (kind, hardware.peak(str(time.device), time.dtype, kind))
        for kind in PEAKS
        if kind != time.peak_kind
    )
    return "; ".join(
        [peak(time), *(f"{PEAKS[kind]}: {rounded(each.flops_per_second, 'FLOP/s')}"
                 for kind, each in others if each is not None and not each.because)]
    )  # fmt: skip


def _rate(bandwidth: Any) -> str:
    return "–" if bandwidth is None else rounded(bandwidth, "B/s")


def _layers(work: Calculation, time: Runtime) -> str:
    """Return the two times of each layer, and which binds."""
    if not isinstance(work, Chain) or not isinstance(time, ChainRuntime):
        return ""
    rows = ""
    for place, label, count, layer in work.parts():
        each = time.of_layer(layer)
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
    heads = ("#", "Layer", "FLOP/B", "Compute", "Memory", "Binds", "Floor", "Share")
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    table = (
        '<div class="calculator-scroll" tabindex="0" role="group" '
        'aria-label="The floor layer by layer"><table class="calculator-layers">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    said = (
        f"<p>Compute binds for {percent(time.bound_by('compute'), time.floor_seconds)} of the "
        f"floor, memory for {percent(time.bound_by('memory'), time.floor_seconds)}.</p>"
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
        found = hardware.device(time.device)
        if time.peak is not None and time.peak.because:
            yield f"The peak is that of {time.peak.row}, since {escape(time.peak.because)}."
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
        yield f"Share of the {what}: {shares(ends)}{_from(time, kind, ends)}."
    if time.launch_seconds:
        yield f"A launch: {seconds(time.launch_seconds)}{_from_launch(time)}."
    if time.power_watts is not None:
        power = hardware.device(time.device).get("power") if time.device else None
        source = f", {link(power)}" if power and power["watts"] == time.power_watts else ""
        yield f"Power: {rounded(time.power_watts, 'W')}{source}, all the time."


def _from(time: Runtime, what: str, ends: tuple[float, float]) -> str:
    """Return where a default share is from, nothing where it is one's own."""
    if ends != hardware.achieved(time.device, what):
        return ", your figure"
    sources = [*hardware.measurements(time.device, what).values()]
    how = f"in {sources[0]['dtype']}, dense" if what == "compute" else "by copying and adding"
    if len(sources) == 1:
        return f", measured {how}: {link(sources[0])}"
    return f", from the lowest to the highest of {len(sources)} devices, measured {how}"


def _from_launch(time: Runtime) -> str:
    if time.launch_seconds != hardware.launch_seconds(time.device):
        return ", your figure"
    for name, source in hardware.measurements(time.device, "launch").items():
        if source["seconds"] == time.launch_seconds:
            return f", measured on {hardware.names()[name]}: {link(source)}"
    return ""


def link(source: dict[str, Any], text: str = "") -> str:
    """Return a link to where a figure was read; its tip says what that is, if the text does not."""
    title = escape(source["source_title"])
    tip = f' title="{title}"' if text else ""
    return f'<a href="{escape(source["source_url"])}"{tip}>{escape(text) or title}</a>'
