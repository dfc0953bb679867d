"""The charts of the pages: rooflines, times as bars, and measured next to predicted times."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

from calculator.core.units import rounded
from calculator.web.charts.labels import Box, Spot, place
from calculator.web.charts.times import Bar, Case, durations, measured
from calculator.web.charts.vega import (
    COLOURS,
    DASHES,
    LETTER,
    SHAPES,
    Chart,
    Log,
    Spec,
    drawing,
    element,
    layer,
    nominal,
    once,
    positive,
    quantitative,
    scale,
    series,
)

__all__ = [
    "Bar",
    "Case",
    "Chart",
    "Point",
    "Roof",
    "durations",
    "element",
    "measured",
    "roofline",
]

HEIGHT = 320
NARROWEST = 270  # pixels between the axes on a phone: what has room there has room anywhere
UNDRAWN = "not drawn: no place on a logarithmic axis"
TOLD = {
    "name": "Name",
    "roof": "Machine",
    "intensity": "Intensity",
    "rate": "Rate",
    "detail": "Note",
}
"""What is said of a point, and under which word."""


class Roof(NamedTuple):
    """A machine: the most FLOPs that it does in a second, and the most bytes that it moves."""

    name: str
    peak_flops_per_second: float
    bandwidth_bytes_per_second: float

    @property
    def ridge(self) -> float:
        """The FLOP/B from which on work is compute-bound."""
        return self.peak_flops_per_second / self.bandwidth_bytes_per_second

    def line(self, low: float, high: float) -> list[Spot]:
        """Return the FLOP/s that it reaches at most: slanted, then flat."""
        peak = self.peak_flops_per_second
        return [(low, self.bandwidth_bytes_per_second * low), (self.ridge, peak), (high, peak)]


class Point(NamedTuple):
    """Work on a machine: its FLOPs for each byte, and how many of them are done in a second."""

    name: str
    intensity: float
    flops_per_second: float
    roof: str
    detail: str = ""


def roofline(
    roofs: Sequence[Roof], points: Sequence[Point], title: str, operation: str = "FLOP"
) -> Chart:
    """Return rooflines and the points of some work under them, on logarithmic axes.

    `operation` is what the work is counted in: OP if it is of integers.

    A point without FLOPs, or without bytes, has no place on such axes: it is in the table alone.

    Raises ValueError if two roofs have one name, or a point stands under none of them.
    """
    names = once([roof.name for roof in roofs])
    drawn = [point for point in points if positive(point.intensity, point.flops_per_second)]
    rows = [
        ("Ridge point", roof.name, rounded(roof.ridge),
         rounded(roof.peak_flops_per_second, f"{operation}/s"),
         f"{rounded(roof.bandwidth_bytes_per_second, 'B/s')} of memory")
        for roof in roofs
    ]  # fmt: skip
    for point in points:
        if point.roof not in names:
            raise ValueError(f"{point.name!r} stands under {point.roof!r}, which is not here")
        note = [point.detail, "" if point in drawn else UNDRAWN]
        intensity = rounded(point.intensity) if isfinite(point.intensity) else "∞"
        is_finite = isfinite(point.flops_per_second)
        rate = rounded(point.flops_per_second, f"{operation}/s") if is_finite else "∞"
        rows.append((point.name, point.roof, intensity, rate, "; ".join(filter(None, note))))
    columns = ("Name", "Machine", f"{operation}/B", f"{operation}/s", "Note")
    spec = _spec(roofs, drawn, title, operation) if roofs else {}
    return Chart(spec, columns, tuple(rows), title)


def _spec(roofs: Sequence[Roof], points: Sequence[Point], title: str, operation: str) -> Spec:
    ridges = [roof.ridge for roof in roofs]
    across = [*ridges, *(point.intensity for point in points)]
    # Work of one FLOP per byte is in every chart, and room for the ridges' figures on the right.
    x = Log(min(1.0, *across) / 5, max(max(across) * 2, max(ridges) * 16), NARROWEST)
    lines = [roof.line(x.low, x.high) for roof in roofs]
    up = [rate for line in lines for _, rate in line]
    up += [point.flops_per_second for point in points]
    y = Log(min(up) / 1.2, max(up) * 2.5, HEIGHT)
    corners = _corners(roofs, y, operation)
    dots = [_mark(point, operation) for point in points]
    names = [roof.name for roof in roofs]
    dashes, colours = series(names, DASHES), scale(series(names, COLOURS))
    at = {
        "x": quantitative("x", x, f"Arithmetic intensity in {operation}/B", "~r"),
        "y": quantitative("y", y, f"{operation}/s"),
        "color": {**nominal("roof"), "scale": colours},
    }
    shaped = {**at, "shape": {**nominal("roof"), "scale": scale(series(names, SHAPES))}}
    told = [{**nominal(field), "title": word} for field, word in TOLD.items()]
    foot = {"x": at["x"], "y": {**at["y"], "field": "foot"}, "text": nominal("figure")}
    bare = [{**corner, "said": None} for corner in corners]
    layers = [
        *(
            layer("line", [{"x": i, "y": rate, "roof": roof.name} for i, rate in line], at,
                  strokeDash=dashes[roof.name], strokeWidth=2)
            for roof, line in zip(roofs, lines, strict=True)
        ),
        layer("rule", bare, {**at, "y2": {"field": "foot"}}, strokeDash=[1, 3], strokeWidth=1.5),
        layer("text", bare, foot, align="left", dx=5, baseline="middle"),
        layer("point", corners, {**shaped, "tooltip": told[:-1]}, size=150, **SOLID, filled=False),
        layer("point", dots, {**shaped, "tooltip": told}, size=70, **SOLID, filled=True),
        *_names(dots, lines, corners, x, y, at),
    ]  # fmt: skip
    return drawing(title, HEIGHT, layers)


SOLID = {"opacity": 1, "strokeWidth": 2}


def _mark(point: Point, operation: str) -> dict[str, Any]:
    name, intensity, rate, roof, detail = point
    figures = f"{rounded(intensity)} {operation}/B", rounded(rate, f"{operation}/s")
    said = f"{name}, {roof}: {figures[0]}, {figures[1]}" + (f"; {detail}" if detail else "")
    told = dict(zip(TOLD, (name, roof, *figures, detail), strict=True))
    return {"x": intensity, "y": rate, "said": said, **told}


def _corners(roofs: Sequence[Roof], y: Log, operation: str) -> list[dict[str, Any]]:
    """Return the ridge points; the further right, the higher the foot at which the figure stands.

    No line down to a foot then crosses a figure.
    """
    ranked = sorted(roofs, key=lambda roof: roof.ridge)
    return [
        {
            **_mark(
                Point("Ridge point", roof.ridge, roof.peak_flops_per_second, roof.name), operation
            ),
            "foot": y.value(9 + 16 * ranked.index(roof)),
            "figure": f"{rounded(roof.ridge)} {operation}/B",
        }
        for roof in roofs
    ]


def _names(
    dots: Sequence[dict[str, Any]],
    lines: Sequence[Sequence[Spot]],
    corners: Sequence[dict[str, Any]],
    x: Log,
    y: Log,
    at: Spec,
) -> list[Spec]:
    """Return the names of the points that have room next to them, each as a layer."""

    def spot(intensity: float, rate: float) -> Spot:
        return x.pixel(intensity), y.size - y.pixel(rate)

    taken = []
    for corner in corners:
        across, down = spot(corner["x"], corner["y"])
        taken.append(Box(across - 7, down - 7, across + 7, down + 7))
        across, down = spot(corner["x"], corner["foot"])
        taken.append(Box(across, down - 8, across + 6 + LETTER * len(corner["figure"]), down + 8))
    feet = [[(each["x"], each["y"]), (each["x"], each["foot"])] for each in corners]
    places = place(
        [(spot(dot["x"], dot["y"]), dot["name"]) for dot in dots],
        [[spot(*end) for end in line] for line in (*lines, *feet)],
        taken,
        (x.size, y.size),
    )
    named = {"x": at["x"], "y": at["y"], "text": nominal("name")}
    return [
        layer("text", [{key: dot[key] for key in ("x", "y", "name")}], named, baseline="middle",
              **found._asdict())
        for dot, found in zip(dots, places, strict=True)
        if found
    ]  # fmt: skip
