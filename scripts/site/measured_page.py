"""Measured beside predicted: the runs of `make measure`, as a page shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from calculator.core.units import binary_bytes, rounded, seconds
from calculator.layers.layer import Layer
from calculator.machines import devices
from calculator.machines.runtime import Runtime
from calculator.web.charts.roofline import Case, element, measured
from calculator.web.form import UNSEARCHED
from scripts.measure.run_record import EXCEPTIONS, TABLE, best_share, least_flops, ours
from scripts.site.chart_svg import svg

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"
Run = dict[str, Any]
_SOFTWARE = ("torch", "python", "mkldnn", "driver", "cuda", "cudnn")


class Family(NamedTuple):
    """Layers that are told together: which, what one is called, and which are drawn."""

    title: str
    layers: tuple[str, ...]
    named: Callable[[Any], str]
    is_drawn: Callable[[Any], bool] = lambda layer: True


FAMILIES = (
    Family(
        "Linear",
        ("linear",),
        lambda each: f"{each.in_features} → {each.out_features}, {_rows(each.batch_size)}",
        lambda each: (each.in_features, each.out_features) == (4096, 11008),
    ),
    Family(
        "Convolution",
        ("conv2d",),
        lambda each: (
            f"{each.in_channels} → {each.out_channels}, {each.kernel_size[0]}×"
            f"{each.kernel_size[1]}{' depthwise' if each.groups > 1 else ''}, batch "
            f"{each.batch_size} of {each.height}×{each.width}"
        ),
        lambda each: each.batch_size > 1,
    ),
    Family(
        "Attention",
        ("scaled_dot_product_attention",),
        lambda each: (
            f"{each.num_heads} heads of {each.head_dim}, {each.query_length} tokens, batch "
            f"{each.batch_size}{', causal' if each.is_causal else ''}"
        ),
        lambda each: not each.is_causal,
    ),
    Family(
        "Normalisation",
        ("layer_norm", "rms_norm", "batch_norm2d"),
        lambda each: f"{each.title} on {'×'.join(map(str, each.input_shape))}",
    ),
    Family(
        "Element-wise",
        ("relu", "gelu", "add"),
        lambda each: f"{each.title} on {'×'.join(map(str, each.input_shape))}",
    ),
)


class Compared(NamedTuple):
    """A case of a run: the layer, the seconds that were predicted, those that were measured."""

    name: str
    layer: Layer
    time: Runtime
    case: Run

    @property
    def ratio(self) -> float:
        """How many times as long as its floor the case took."""
        return float(self.case["median_seconds"]) / self.time.floor_seconds

    @property
    def is_faster(self) -> bool:
        """Whether the quickest repeat undercut the floor."""
        return float(self.case["least_seconds"]) < self.time.floor_seconds

    @property
    def excuse(self) -> str:
        """Why it may be."""
        key = (self.case["calculator"], self.case["dtype"])
        return EXCEPTIONS.get(key, "nobody has said why")

    @property
    def place(self) -> str:
        """Where the measured time lies, seen from the best case in practice."""
        took = self.case["median_seconds"]
        least, most = self.best_case
        if took < (1 - 1e-9) * least:  # the best product is the bound itself
            return "below"
        return "above" if took > most else "inside"

    @property
    def best_case(self) -> tuple[float, float]:
        """The best case in practice, which a run always has."""
        assert self.time.best_case is not None
        return self.time.best_case


@cache
def runs(folder: Path = FOLDER) -> tuple[Run, ...]:
    """Return every run, those of accelerators first."""
    found = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    return tuple(sorted(found, key=lambda run: (run["machine"]["kind"] == "cpu", run["name"])))


def machine(run: Run, dtype: str) -> dict[str, Any]:
    """Return what a prediction takes for the machine of a run: a known device, or its own rates.

    A rate that the record has from elsewhere goes before the table's. Of a machine without a data
    sheet the shares are those of this very run: of the peak, what the best matrix product reached;
    of the bandwidth, from the slowest of the sweeps to the fastest.
    """
    peak, fastest = run["peak"][dtype], run["bandwidth_bytes_per_second"]
    if run["machine"]["device"]:
        given = {}
        if not run["peak_source"].startswith(TABLE):
            given["peak_flops_per_second"] = peak
        if not run["bandwidth_source"].startswith(TABLE):
            given["bandwidth_bytes_per_second"] = fastest
        return {"device": run["machine"]["device"], **given}
    return {
        "peak_flops_per_second": peak,
        "bandwidth_bytes_per_second": fastest,
        "utilization": best_share(run, dtype),
        "bandwidth_utilization": (min(run["sweep"].values()) / fastest, 1),
        "launch_seconds": run["launch_seconds"],
    }


def compared(run: Run, family: Family) -> Iterator[Compared]:
    """Yield the cases of a family, each beside what was predicted of it."""
    for case in run["cases"]:
        if case["calculator"] not in family.layers:
            continue
        dtype = case["dtype"]
        layer = ours(case["calculator"], case["fields"], dtype)
        time = Runtime(
            flops=least_flops(layer),
            bytes_moved=layer.bytes_moved,
            dtype=dtype,
            **machine(run, dtype),
        )
        yield Compared(f"{family.named(layer)}, {dtype}", layer, time, case)


def page() -> str:
    """Return every run: what it ran on, its charts, all its cases."""
    found = runs()
    accelerators = sum(run["machine"]["kind"] == "cuda" for run in found)
    said = (
        ""
        if accelerators
        else "<p><strong>No accelerator has been measured yet.</strong> What stands below are runs "
        "on processors. The record and the page are ready for one: <code>ALLOW_CUDA=1 make "
        "measure</code> on a machine with CUDA adds it.</p>"
    )
    return said + "".join(map(_run, found))


def _run(run: Run) -> str:
    families = [(family, list(compared(run, family))) for family in FAMILIES]
    whole = [each for _, cases in families for each in cases]
    return (
        f'<section class="run"{UNSEARCHED} data-run="{escape(run["name"])}">'
        f"{_provenance(run)}<p>{_summary(whole)}</p>{_exceptions(whole)}"
        + "".join(
            _family(run, family, cases, is_first=place == 0)
            for place, (family, cases) in enumerate(families)
            if cases
        )
        + "</section>"
    )


def _provenance(run: Run) -> str:
    of = run["machine"]
    cores = f"{of['cores']} cores" if "cores" in of else f"{of['sms']} SMs"
    threads = f", {of['threads']} threads" if "threads" in of else ""
    software = [f"{name} {of[name]}" for name in _SOFTWARE if of.get(name)]
    caches = [
        f"{name[:2].upper()} {binary_bytes(of[name])}"
        for name in ("l1_bytes", "l2_bytes", "l3_bytes")
        if of.get(name)
    ]
    clocks = [of["clocks"].get(end) for end in ("lowest_hz", "highest_hz")]
    peaks = [f"{dtype} {rounded(int(rate), 'FLOP/s')}" for dtype, rate in run["peak"].items()]
    reached = [
        f"{dtype} {rounded(100 * best_share(run, dtype))} % of the peak"
        for dtype in run["achieved"]
    ]
    bandwidth = rounded(run["bandwidth_bytes_per_second"], "B/s")
    rows = {
        "Machine": f"{of['name']}, {cores}{threads}, {of['os']}",
        "Device of the table": devices.names().get(of["device"] or "", "none: its own rates"),
        "Made": f"{run['date']}, by {run['command']}",
        "Software": ", ".join(software),
        "Clocks seen": " to ".join(rounded(each, "Hz") for each in clocks if each),
        "Caches": ", ".join(caches),
        "Peak": f"{', '.join(peaks)}; {run['peak_source']}",
        "Bandwidth": f"{bandwidth}; {run['bandwidth_source']}",
        "Best matrix product": ", ".join(reached),
        "A launch": seconds(run["launch_seconds"]),
    }
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in rows.items()
        if text
    )
    return (
        f"<h3>{escape(of['name'])}, {escape(cores)}</h3>"
        f'<table class="calculator-beside"><tbody>{body}</tbody></table>'
    )


def _summary(cases: list[Compared]) -> str:
    ratios = sorted(each.ratio for each in cases)
    places = {
        name: sum(each.place == name for each in cases) for name in ("inside", "above", "below")
    }
    faster = sum(each.is_faster for each in cases)
    return (
        f"<strong>{len(cases)} cases.</strong> Below the floor: {faster}. The median case took "
        f"{_times(median(ratios))} its floor, the nearest {_times(ratios[0])}, the farthest "
        f"{_times(ratios[-1])}. Inside the best case in practice: {places['inside']}; "
        f"above it: {places['above']}; below it: {places['below']}."
    )


def _exceptions(cases: list[Compared]) -> str:
    """Return which cases were quicker than their floor, and why they may be."""
    told = "".join(
        f"<li>{escape(each.name)}: {escape(each.excuse)}.</li>" for each in cases if each.is_faster
    )
    return told and f"<p>Quicker than their floor:</p><ul>{told}</ul>"


def _family(run: Run, family: Family, cases: list[Compared], *, is_first: bool) -> str:
    drawn = [each for each in cases if family.is_drawn(each.layer)]
    chart = measured(
        [
            Case(
                each.name, family.title, each.time.floor_seconds, *each.best_case,
                each.case["median_seconds"], each.case["p10_seconds"], each.case["p90_seconds"],
            )
            for each in drawn
        ],
        f"{family.title}: floor, best case, measured",
    )  # fmt: skip
    drawing = svg(chart, f"{run['name']}-{family.title.lower()}") if is_first and chart.spec else ""
    rows = "".join(
        f'<tr><th scope="row">{escape(each.name)}</th>'
        f"<td>{seconds(each.time.floor_seconds)}</td><td>{each.time.bound}</td>"
        f"<td>{' – '.join(map(seconds, each.best_case))}</td>"
        f"<td>{seconds(each.case['median_seconds'])}</td>"
        f"<td>{seconds(each.case['p10_seconds'])} – {seconds(each.case['p90_seconds'])}</td>"
        f"<td>{_times(each.ratio)}</td><td>{_rate(each)}</td></tr>"
        for each in cases
    )
    heads = ("Case", "Floor", "Bound by", "Best case", "Measured", "10th – 90th percentile",
             "Of the floor", "Reached")  # fmt: skip
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        f'<details class="calculator-more"{" open" if is_first else ""}><summary>'
        f"{family.title}: "
        f"{len(cases)} cases, {_times(median(each.ratio for each in cases))} the floor in the "
        f"median</summary>{element(chart, drawing)}"
        f'<details class="calculator-more"><summary>All {len(cases)} cases</summary>'
        f'<div class="calculator-scroll" tabindex="0" role="group" aria-label="{family.title}: '
        f'all cases"><table class="calculator-layers"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details></details>"
    )


def _rate(each: Compared) -> str:
    """Return what was reached of the rate that binds."""
    took = each.case["median_seconds"]
    if each.time.bound == "compute":
        return rounded(each.time.flops / took, "FLOP/s")
    return rounded(each.layer.bytes_moved / took, "B/s")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _times(ratio: float) -> str:
    return f"{rounded(ratio)} ×"
