"""The charts that stand on pages, and their drawings as SVG that works without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

import vl_convert

from calculator import hardware
from calculator.charts import Bar, Chart, Point, Roof, durations, element, roofline
from calculator.drawing import COLOURS, LETTER, drawing, layer, nominal, scale, series
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


PRINTED = {
    "t4": "fp16",
    "a100_80gb_sxm": "bf16",
    "rtx4090": "bf16",
    "l4": "bf16",
    "h100_sxm": "bf16",
    "mi300x": "bf16",
    "tpu_v6e": "bf16",
    "gaudi3": "bf16",
    "trainium2": "bf16",
    "b200_sxm": "bf16",
}
"""Well-known devices, and the 16-bit type whose rates are drawn of each."""
_KINDS = ("dense", "with structured sparsity")


def dense_and_sparse() -> Chart:
    """The 16-bit peaks of well-known devices: what they do, and what sparsity adds in print."""
    title = "Peak in a 16-bit type: dense, and what data sheets print with structured sparsity"
    bars: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    rows = []
    for name, dtype in sorted(PRINTED.items(), key=lambda item: _peak(*item)):
        device = hardware.device(name)
        dense, sparse = _peak(name, dtype), device.get("sparse", {}).get(dtype)
        label = f"{dense:g}" if sparse is None else f"{dense:g}, sparse {sparse / 1e12:g}"
        top = 40 * len(names)
        names.append({"y": top + 10, "name": f"{device['name']}, {dtype}"})
        mark = {"top": top + 20, "y": top + 27, "foot": top + 34, "name": device["name"]}
        drawn = [(0.0, dense)] if sparse is None else [(0.0, dense), (dense, sparse / 1e12)]
        said = f"{device['name']}, {dtype}: {label} TFLOP/s"
        for kind, (low, high) in zip(_KINDS, drawn, strict=False):
            last = {"said": said} if kind == "dense" else {}
            bars.append({**mark, "kind": kind, "low": low, "high": high, **last})
        names[-1] |= {"end": drawn[-1][1], "label": label, "middle": top + 27}
        printed = "–" if sparse is None else f"{sparse / 1e12:g}"
        rows.append((device["name"], dtype, f"{dense:g}", printed))
    height = 40 * len(names)
    room = 12 + round(LETTER * max(len(name["label"]) for name in names))
    across = {
        "type": "quantitative",
        "scale": {"nice": False, "range": [0, {"expr": f"width - {room}"}]},
        "axis": {"title": "TFLOP/s", "tickCount": 4},
    }

    def down(field: str) -> dict[str, Any]:
        pixels = {"domain": [0, height], "range": [0, height], "nice": False, "zero": True}
        return {"field": field, "type": "quantitative", "scale": pixels, "axis": None}

    colours = scale(series(_KINDS, COLOURS))
    whole = {
        "x": {**across, "field": "low"}, "x2": {"field": "high"},
        "y": down("top"), "y2": {"field": "foot"},
        "color": {**nominal("kind"), "scale": colours},
    }  # fmt: skip
    head = {"x": {"value": 0}, "y": down("y"), "text": nominal("name")}
    end = {"x": {**across, "field": "end"}, "y": down("middle"), "text": nominal("label")}
    layers = [
        layer("rect", bars, whole),
        layer("text", names, head, align="left", baseline="middle", fontWeight=600),
        layer("text", names, end, align="left", dx=6, baseline="middle"),
    ]
    columns = ("Device", "Type", "Dense TFLOP/s", "Sparse TFLOP/s")
    return Chart(drawing(title, height, layers), columns, tuple(rows), title)


def _peak(name: str, dtype: str) -> float:
    """Return a dense peak in TFLOP/s."""
    return float(hardware.device(name)["peak"][dtype]) / 1e12


def precision_floors() -> Chart:
    """The floor of one layer in four data types, with few rows and with many."""
    bars = []
    for dtype in ("fp32", "tf32", "bf16", "fp8"):
        for rows, said in (("1", "1 row"), ("4096", "4096 rows")):
            fields = {
                **{"in_features": "4096", "out_features": "11008", "bias": "false"},
                **{"batch_size": rows, "dtype": dtype, "device": "h100_sxm"},
            }
            time = evaluate("linear", fields).time
            assert time is not None
            bars.append(Bar(dtype, said, time.floor_seconds))
    title = "Lower bound of a linear layer of 4096 → 11008 on an H100, by data type"
    return durations(bars, title, logarithmic=True)


CHARTS: dict[str, Callable[[], Chart]] = {
    "roofline_rows": roofline_rows,
    "dense_and_sparse": dense_and_sparse,
    "precision_floors": precision_floors,
}
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
