"""The drawing of a chart as SVG, which works without a script and prints."""

from __future__ import annotations

import re
from html import escape

from calculator.web.charts.roofline import Chart
from scripts.site.typesetting import draw_chart

WIDTHS = {"wide": 680, "narrow": 340}
"""Pixels of the drawings of a chart: the stylesheet shows the one that suits the column."""


def svg(chart: Chart, name: str) -> str:
    """Return the drawings of a chart as inline SVG, whose ids no other chart of a page has.

    Raises ValueError if Vega-Lite rejects the specification.
    """
    return "".join(_svg(chart, f"{name}-{kind}", kind, width) for kind, width in WIDTHS.items())


def _svg(chart: Chart, name: str, kind: str, width: int) -> str:
    drawn = draw_chart({**chart.spec, "width": width})
    known: dict[str, str] = {}
    for identity in re.findall(r'\bid="([^"]+)"', drawn):
        known[identity] = f"chart-{name}-{len(known)}"
        old = re.escape(identity)
        drawn = re.sub(rf'(\bid="|url\(#|href="#){old}(?=["\)])', rf"\g<1>{known[identity]}", drawn)
    size = re.search(r'viewBox="[^"]+"', drawn)
    if not size:
        raise ValueError("it has no size")
    label = escape(chart.title)
    head = f'<svg class="chart-{kind}" role="img" aria-label="{label}" {size[0]}>'
    return head + drawn[drawn.index(">", size.end()) + 1 :]
