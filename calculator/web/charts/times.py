"""Charts of seconds: bars, and measured times next to the floor and the best case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, NamedTuple

from calculator.core.units import interval, seconds
from calculator.web.charts.vega import (
    COLOURS,
    LETTER,
    Chart,
    Log,
    Spec,
    drawing,
    layer,
    nominal,
    once,
    positive,
    scale,
    series,
)

NAME, ROW, GAP = 20, 18, 8  # pixels of a name's line, of what stands under it, and between two
TICKS = "replace(format(datum.value, '~s'), regexp('([^0-9.]?)$'), ' $1s')"
EXACT = {"nice": False, "padding": 0}  # as long as it is said to be
UNDRAWN = "not drawn: no place on this axis"
PARTS = ("compute", "memory", "launches", "floor")
"""Kinds of bars that have one colour each in every chart, whichever of them it shows."""
KIND_SHAPES = {"floor": "M0,-1V1", "best case": "M-1,-.5H1V.5H-1Z", "measured": "circle"}
KIND_COLOURS = {"floor": "currentColor", "best case": COLOURS[0], "measured": COLOURS[1]}


class Bar(NamedTuple):
    """A time, of what `name` says, of the kind that `group` says; perhaps with a best case."""

    name: str
    group: str
    seconds: float
    low: float | None = None
    high: float | None = None


class Case(NamedTuple):
    """A measured case: its floor, the best case, the median and the middle four fifths."""

    name: str
    family: str
    floor_seconds: float
    low_seconds: float
    high_seconds: float
    measured_seconds: float
    p10: float
    p90: float


def durations(bars: Sequence[Bar], title: str, logarithmic: bool = False) -> Chart:
    """Return times as bars, those of one name together, each with its group and figure next to it.

    A best case stands under its bar, as a line with two ends.

    A bar on a logarithmic axis begins where the axis does: its length then says nothing, its end
    does.

    Raises ValueError if a name has two bars of one group.
    """
    once([f"{bar.name}: {bar.group}" for bar in bars])
    groups = list(dict.fromkeys(bar.group for bar in bars))
    colours = series(PARTS if {*groups} <= {*PARTS} else groups, COLOURS)

    def drawable(value: float | None) -> bool:
        return value is not None and (positive(value) if logarithmic else _finite(value))

    drawn = [bar for bar in bars if drawable(bar.seconds)]
    rows = tuple(
        (
            bar.name,
            bar.group,
            _seconds(bar.seconds),
            _interval(bar.low, bar.high),
            "" if bar in drawn else UNDRAWN,
        )
        for bar in bars
    )
    columns = ("Name", "Kind", "Time", "Best case", "Note")
    if not drawn:
        return Chart({}, columns, rows, title)
    heads: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    down = 0
    for name in dict.fromkeys(bar.name for bar in drawn):
        heads.append({"y": down + NAME / 2, "name": name})
        down += NAME
        for bar in (bar for bar in drawn if bar.name == name):
            figure = _seconds(bar.seconds)
            mark: dict[str, Any] = {
                "seconds": bar.seconds,
                "top": down,
                "y": down + ROW / 2 - 2,
                "foot": down + ROW - 4,
                "name": name,
                "group": bar.group,
                "figure": figure,
                "label": f"{bar.group} {figure}" if len(groups) > 1 else figure,
                "interval": _interval(bar.low, bar.high),
                "end": bar.seconds,
                "said": f"{name}, {bar.group}: {figure}",
            }
            marks.append(mark)
            down += ROW
            if drawable(bar.low) and drawable(bar.high):
                mark["said"] += f", best case {mark['interval']}"
                span = {"low": bar.low, "high": bar.high, "end": bar.high}
                spans.append({**span, "y": down + ROW / 2 - 2, "label": mark["interval"]})
                down += ROW
        down += GAP
    ends = [mark["end"] for mark in marks]
    ends += (end for span in spans for end in (span["low"], span["high"]))
    axis = Log(min(ends) / 2, max(ends), 1) if logarithmic else None
    room = 12 + round(LETTER * max(len(mark["label"]) for mark in (*marks, *spans)))
    at = _across(axis, room, max(ends))
    said = [("name", "Name"), ("group", "Kind"), ("figure", "Time"), ("interval", "Best case")]
    whole = {
        "x": {**at, "field": "seconds"},
        "x2": {"datum": axis.low if axis else 0},
        "y": _down("top", down),
        "y2": {"field": "foot"},
        "color": {**nominal("group"), "scale": scale(colours), "legend": None},
        "tooltip": [{**nominal(field), "title": word} for field, word in said],
    }
    label = {"x": {**at, "field": "end"}, "y": _down("y", down), "text": nominal("label")}
    layers = [
        layer("rect", marks, whole),
        *_spans(spans, at, down),
        layer("text", _quiet([*marks, *spans]), label, align="left", dx=6, baseline="middle"),
        _heads(heads, down, 600),
    ]
    return Chart(drawing(title, down, layers), columns, rows, title)


def measured(rows: Sequence[Case], title: str) -> Chart:
    """Return measured times, by families, next to the floor and the best case of each.

    What is not above zero has no place on the logarithmic axis: it is in the table alone.
    """
    table = tuple(
        (
            case.name,
            case.family,
            _seconds(case.floor_seconds),
            _interval(case.low_seconds, case.high_seconds),
            _seconds(case.measured_seconds),
            _interval(case.p10, case.p90),
        )
        for case in rows
    )
    columns = ("Case", "Family", "Floor", "Best case", "Measured", "10th to 90th percentile")
    times = [time for case in rows for time in case[2:] if positive(time)]
    if not times:
        return Chart({}, columns, table, title)
    families: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    down = 0
    for family in dict.fromkeys(case.family for case in rows):
        families.append({"y": down + NAME / 2, "name": family})
        down += NAME
        for case in (case for case in rows if case.family == family):
            marks.append(_case(case, down))
            down += NAME + ROW
        down += GAP
    axis = Log(min(times) / 1.5, max(times) * 1.5, 1)
    at = _across(axis, 0)
    colour = {"color": {**nominal("kind"), "scale": scale(KIND_COLOURS)}}
    kinds = {**colour, "shape": {**nominal("kind"), "scale": scale(KIND_SHAPES)}}

    def channel(field: str) -> Spec:
        return {"x": {**at, "field": field}, "y": _down("y", down)}

    def having(kind: str, *fields: str) -> list[dict[str, Any]]:
        drawn = (mark for mark in marks if positive(*(mark[field] for field in fields)))
        said = {} if kind == "measured" else {"said": None}
        return [{**mark, "kind": kind, **said} for mark in drawn]

    said = [("name", "Case"), ("floor_text", "Floor"), ("interval", "Best case"),
            ("measured_text", "Measured"), ("spread", "10th to 90th percentile")]  # fmt: skip
    told = {"tooltip": [{**nominal(field), "title": word} for field, word in said]}
    between = {**channel("low"), "x2": {"field": "high"}, **colour, **told}
    spread = {**channel("p10"), "x2": {"field": "p90"}}
    layers = [
        layer("bar", having("best case", "low", "high"), between, size=10),
        layer("point", having("floor", "floor"), {**channel("floor"), **kinds, **told},
              size=180, strokeWidth=2.5, opacity=1),
        layer("rule", _quiet(having("measured", "p10", "p90")), spread,
              color="currentColor", strokeWidth=1.5),
        layer("point", having("measured", "measured"), {**channel("measured"), **kinds, **told},
              filled=True, size=70, stroke="currentColor", strokeWidth=1.5, opacity=1),
        _heads([{"y": mark["head"], "name": mark["name"]} for mark in marks], down, 400),
        _heads(families, down, 700),
    ]  # fmt: skip
    return Chart(drawing(title, down, layers), columns, table, title)


def _case(case: Case, down: float) -> dict[str, Any]:
    told = {
        "floor_text": _seconds(case.floor_seconds),
        "interval": _interval(case.low_seconds, case.high_seconds),
        "measured_text": _seconds(case.measured_seconds),
        "spread": _interval(case.p10, case.p90),
    }
    return {
        "name": case.name,
        "head": down + NAME / 2,
        "y": down + NAME + ROW / 2 - 2,
        "floor": case.floor_seconds,
        "low": case.low_seconds,
        "high": case.high_seconds,
        "measured": case.measured_seconds,
        "p10": case.p10,
        "p90": case.p90,
        **told,
        "said": f"{case.name}, {case.family}: measured {told['measured_text']} "
        f"({told['spread']}), best case {told['interval']}, floor {told['floor_text']}",
    }


def _finite(value: float | None) -> bool:
    return value is not None and value >= 0 and isfinite(value)


def _seconds(value: float) -> str:
    return seconds(value) if _finite(value) else "–"


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return interval(low, high) if _finite(low) and _finite(high) else "–"


def _across(axis: Log | None, room: int, longest: float = 0) -> Spec:
    """Return the axis of time, which leaves some pixels on the right to the labels."""
    on = axis.scale if axis else {"domain": [0, longest or 1], "zero": True}
    ticks = {"values": axis.ticks} if axis else {"tickCount": 4}
    title = "Time, logarithmic axis" if axis else "Time"
    return {
        "type": "quantitative",
        "scale": {**on, **EXACT, "range": [0, {"expr": f"width - {room}"}]},
        "axis": {"title": title, "labelExpr": TICKS, "labelOverlap": True, **ticks},
    }


def _down(field: str, height: float) -> Spec:
    """Return a place that is counted in pixels from the top."""
    pixels = {"domain": [0, height], "range": [0, height], **EXACT}
    return {"field": field, "type": "quantitative", "scale": pixels, "axis": None}


def _heads(names: Sequence[dict[str, Any]], height: float, weight: int) -> Spec:
    """Return names, each on a line of its own above what it names."""
    at = {"x": {"value": 0}, "y": _down("y", height), "text": nominal("name")}
    return layer("text", names, at, align="left", baseline="middle", fontWeight=weight)


def _spans(marks: Sequence[dict[str, Any]], at: Spec, height: float) -> Iterable[Spec]:
    """Return the intervals of bars as lines with an end on both sides."""
    if not marks:
        return
    place, quiet = _down("y", height), _quiet(marks)
    span = {"x": {**at, "field": "low"}, "x2": {"field": "high"}, "y": place}
    yield layer("rule", quiet, span, color="currentColor", strokeWidth=1.5)
    for field in ("low", "high"):
        end = {"x": {**at, "field": field}, "y": place}
        yield layer("tick", quiet, end, color="currentColor", size=10, thickness=1.5)


def _quiet(marks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return marks of which nothing is announced."""
    return [{**mark, "said": None} for mark in marks]
