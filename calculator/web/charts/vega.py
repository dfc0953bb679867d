"""What all charts have in common: a table next to the drawing, colours, type and logarithmic axes.

A drawing is a Vega-Lite specification, plain data: the build draws it, and the reader's browser
draws it again. Text, axes and grid are in `currentColor`, to follow the page into dark mode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil, floor, isfinite, log10
from typing import Any, NamedTuple

from calculator.web.form import UNSEARCHED
from calculator.web.markup import escape

COLOURS = ("#2b78d0", "#d55e00", "#128a5e", "#c56ba6")
"""Of series: blue, vermilion, green and purple in the manner of Okabe and Ito, at a lightness that
has a contrast of 3 with a white and with a dark page. tests/site/test_charts.py checks that by WCAG
2.2, and that they differ for protanopes and deuteranopes (Machado, Oliveira and Fernandes, 2009).
"""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
DASHES = ([1, 0], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2])
LETTER = 6.2  # pixels of a letter of 12 pixels; rather more

Spec = dict[str, Any]


class Chart(NamedTuple):
    """A drawing, and its numbers as the cells of a table. With an empty spec nothing is drawn."""

    spec: Spec
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str


def element(chart: Chart, svg: str = "") -> str:
    """Return a chart as HTML: its drawing, if there is one already, and its table."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in chart.columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in chart.rows
    )
    table = (
        '<details class="calculator-more"><summary>Data table</summary>'
        '<div class="calculator-scroll" tabindex="0" role="group" '
        f'aria-label="{escape(chart.title)}"><table class="chart-table"{UNSEARCHED}>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )
    title = f"<figcaption>{escape(chart.title)}</figcaption>"
    if not chart.spec:
        return (
            f'<flops-chart data-spec=""><figure{UNSEARCHED}>{title}</figure>{table}</flops-chart>'
        )
    spec = escape(json.dumps(chart.spec, ensure_ascii=False, allow_nan=False))
    return (
        f'<flops-chart data-spec="{spec}"><figure{UNSEARCHED}>{title}'
        f'<div class="chart-drawing" data-kept style="min-block-size: {chart.spec["height"]}px">'
        f'{svg}</div></figure><p class="chart-said" role="status"></p>'
        '<p class="chart-actions">'
        '<button type="button" data-export="svg">Save as SVG</button> '
        f'<button type="button" data-export="png">Save as PNG</button></p>{table}</flops-chart>'
    )


def drawing(title: str, height: float, layers: Sequence[Spec]) -> Spec:
    """Return the specification of layers that share their axes and are as wide as the page has it.

    Room for the labels of the axes is set and not measured: nothing then jumps as a reader types,
    and a drawing is the same on every machine, whatever fonts it has.
    """
    ink = {"labelColor": "currentColor", "titleColor": "currentColor"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": title,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 2,
        "background": "transparent",
        "layer": list(layers),
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "aria": True,
            "axis": {
                **ink,
                "aria": False,
                "domainColor": "currentColor",
                "domainOpacity": 0.5,
                "gridColor": "currentColor",
                "gridOpacity": 0.15,
                "labelFontSize": 12,
                "tickColor": "currentColor",
                "tickOpacity": 0.5,
                "titleFontSize": 12,
                "titleFontWeight": 600,
            },
            "axisX": {"minExtent": 22, "maxExtent": 22, "labelFlush": False, "titlePadding": 6},
            "axisY": {"minExtent": 36, "maxExtent": 36, "titlePadding": 2},
            "legend": {
                **ink,
                "aria": False,
                "columns": 1,
                "direction": "vertical",
                "labelFontSize": 12,
                "labelLimit": 300,
                "offset": 8,
                "orient": "top",
                "symbolOpacity": 1,
                "symbolSize": 90,
                "title": None,
            },
            "text": {"color": "currentColor", "fontSize": 12, "aria": False},
        },
    }


def layer(
    mark: str, values: Sequence[Mapping[str, Any]], encoding: Mapping[str, Any], **look: Any
) -> Spec:
    """Return one layer: a mark for each of some values. Those that have a `said` are announced."""
    told = any(value.get("said") for value in values)
    return {
        "data": {"values": [{k: v for k, v in value.items() if v is not None} for value in values]},
        "mark": {"type": mark, "aria": told, **look},
        "encoding": {**encoding, **({"description": nominal("said")} if told else {})},
    }


def series(names: Sequence[str], kinds: Sequence[Any]) -> dict[str, Any]:
    """Return a colour, a shape or a line of dashes for each name, in their order."""
    return {name: kinds[place % len(kinds)] for place, name in enumerate(names)}


def scale(of: Mapping[str, Any]) -> Spec:
    """Return a series as a scale."""
    return {"domain": list(of), "range": list(of.values())}


def nominal(field: str) -> Spec:
    """Return a channel that shows a word."""
    return {"field": field, "type": "nominal"}


def quantitative(field: str, on: Log, title: str, numbers: str = "~s") -> Spec:
    """Return a channel that places a number on a logarithmic axis."""
    axis = {"title": title, "values": on.ticks, "format": numbers}
    return {"field": field, "type": "quantitative", "scale": on.scale, "axis": axis}


class Log(NamedTuple):
    """A logarithmic axis from one number to another, over some pixels."""

    low: float
    high: float
    size: float

    def pixel(self, value: float) -> float:
        """Return how far along a number stands."""
        return self.size * log10(value / self.low) / log10(self.high / self.low)

    def value(self, pixel: float) -> float:
        """Return the number that stands so far along."""
        return float(self.low * (self.high / self.low) ** (pixel / self.size))

    @property
    def scale(self) -> Spec:
        """The axis as Vega-Lite has it."""
        return {"type": "log", "domain": [self.low, self.high], "nice": False}

    @property
    def ticks(self) -> list[float]:
        """The powers of ten on it; steps between them if they are few, some of them if many."""
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        steps = (1, 2, 5) if log10(self.high / self.low) < 2 else (1,)
        ticks = [float(f"{step}e{power}") for power in powers for step in steps]
        within = [tick for tick in ticks if self.low <= tick <= self.high]
        return within[:: 1 + len(within) // 8]


def positive(*values: float) -> bool:
    """Return whether numbers have a place on a logarithmic axis."""
    return all(value > 0 and isfinite(value) for value in values)


def once(names: Sequence[str]) -> list[str]:
    """Return names; raise ValueError if one comes twice, and could not be told apart."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands twice in one chart")
    return list(names)
