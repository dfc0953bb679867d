"""The charts that stand on pages, and their drawings as SVG that works without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import vl_convert

from calculator import hardware
from calculator.charts import Chart, Point, Roof, element, roofline
from calculator.evaluate import evaluate
from calculator.layer import Measured
from calculator.units import seconds

WIDTHS = {"wide": 680, "narrow": 340}
"""Pixels of the drawings of a chart: the stylesheet shows the one that suits the column."""


def roofline_rows() -> Chart:
    """A linear layer of Llama 2 7B on more and more rows, under the roofs of two machines."""
    roofs, points = [], []
    for device in ("a100_80gb_sxm", "h100_sxm"):
        machine = hardware.device(device)
        roof = Roof(
            f"{machine['name']}, bf16", machine["peak"]["bf16"], machine["bandwidth_bytes_per_s"]
        )
        roofs.append(roof)
        for rows in (1, 64, 256, 512):
            fields = {
                **{"in_features": "4096", "out_features": "11008", "bias": "false"},
                **{"batch_size": str(rows), "dtype": "bf16", "device": device},
            }
            outcome = evaluate("linear", fields)
            layer, time = outcome.calculation, outcome.time
            assert isinstance(layer, Measured)
            assert time is not None
            points.append(
                Point(
                    "1 row" if rows == 1 else f"{rows} rows",
                    layer.arithmetic_intensity or 0.0,
                    layer.flops / time.floor_seconds,
                    roof.name,
                    f"at least {seconds(time.floor_seconds)}, {time.bound} binds",
                )
            )
    title = "A linear layer of 4096 → 11008 on two machines: the more rows, the further right"
    return roofline(roofs, points, title)


CHARTS: dict[str, Callable[[], Chart]] = {"roofline_rows": roofline_rows}
"""Every chart of a page, by the name that the page asks for it."""


def svg(chart: Chart, name: str) -> str:
    """Return the drawings of a chart as inline SVG, whose ids no other chart of a page has.

    Raises ValueError where Vega-Lite refuses the specification.
    """
    return "".join(_svg(chart, f"{name}-{kind}", kind, width) for kind, width in WIDTHS.items())


def _svg(chart: Chart, name: str, kind: str, width: int) -> str:
    drawn = vl_convert.vegalite_to_svg(
        {**chart.spec, "width": width}, vl_version="6.4", allowed_base_urls=[]
    )
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


def fragment(name: str) -> str:
    """Return a chart of the table, drawn, as HTML."""
    chart = CHARTS[name]()
    return element(chart, svg(chart, name) if chart.spec else "")
