"""The charts that stand on pages, each made of what the calculators say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from calculator.answers.evaluate import evaluate
from calculator.blocks.chain import Chain
from calculator.core.units import rounded, seconds
from calculator.layers.convolution import Conv2d
from calculator.layers.layer import Layer, Work
from calculator.layers.tensor_functions import Add
from calculator.machines import devices
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import ChainRuntime
from calculator.web.charts.roofline import Bar, Chart, Point, Roof, durations, element, roofline
from calculator.web.charts.vega import COLOURS, LETTER, drawing, layer, nominal, scale, series
from scripts.site.chart_svg import svg

A100 = "a100_80gb_sxm"
ROWS = (1, 64, 256, 512)


def _asked(calculator: str, **fields: object) -> tuple[Work, Runtime]:
    """Return the work and its time that the calculator gives for some fields.

    Raises the InvalidField that it refuses one with.
    """
    outcome = evaluate(calculator, {name: str(value) for name, value in fields.items()})
    for error in outcome.errors.values():
        raise error
    assert isinstance(outcome.calculation, Work)
    assert outcome.time is not None
    return outcome.calculation, outcome.time


def _rows(rows: int, device: str) -> tuple[Work, Runtime]:
    return _asked(
        "linear", in_features=4096, out_features=11008, bias=False, batch_size=rows,
        dtype="bf16", device=device,
    )  # fmt: skip


def _row_name(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"


def _roof(device: str, dtype: str) -> Roof:
    machine = devices.device(device)
    rates = machine["peak"][dtype], machine["bandwidth_bytes_per_s"]
    return Roof(f"{machine['name']}, {dtype}", *rates)


def roofline_rows() -> Chart:
    """A linear layer of Llama 2 7B on more and more rows, under the roofs of two machines."""
    roofs, points = [], []
    for device in (A100, "h100_sxm"):
        roofs.append(_roof(device, "bf16"))
        for rows in ROWS:
            layer, time = _rows(rows, device)
            points.append(
                Point(
                    _row_name(rows),
                    layer.arithmetic_intensity or 0.0,
                    layer.flops / time.floor_seconds,
                    roofs[-1].name,
                    f"at least {seconds(time.floor_seconds)}, {time.bound}-bound",
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
        device = devices.device(name)
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
        "axis": {"title": "TFLOP/s", "tickCount": 4, "format": "d"},
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
    return float(devices.device(name)["peak"][dtype]) / 1e12


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


def _resnet50(batch_size: int, **more: object) -> tuple[Chain, ChainRuntime]:
    fields = {"architecture": "resnet50", "batch_size": batch_size, "dtype": "fp16"}
    network, time = _asked("network", **fields, device=A100, **more)
    assert isinstance(network, Chain)
    assert isinstance(time, ChainRuntime)
    return network, time


def _steps(network: Chain, time: ChainRuntime) -> Iterator[tuple[str, int, Runtime]]:
    """Yield the name of each layer that moves something, how many there are, and its time."""
    for one, (count, each) in zip(network.layers, time.steps, strict=True):
        if each.bytes_moved:
            yield _named(one), count, each


def _named(one: Layer) -> str:
    """Return what tells a layer of a ResNet from the others on its roofline."""
    if isinstance(one, Conv2d):
        size = "×".join(map(str, one.kernel_size))
        stride = f", stride {one.stride[0]}" if one.stride[0] > 1 else ""
        return f"{size}, {one.in_channels} → {one.out_channels}{stride}"
    return "Addition" if isinstance(one, Add) else one.title


def roofline_resnet50() -> Chart:
    """The layers of ResNet-50, those that are alike as one point, under the roof of one machine."""
    roof = _roof(A100, "fp16")
    alike: dict[tuple[str, str], list[tuple[int, Runtime]]] = {}
    for name, count, each in _steps(*_resnet50(64, convention="all")):
        intensity = rounded(each.flops / each.bytes_moved)
        alike.setdefault((name, intensity), []).append((count, each))
    points = []
    for (name, _), found in alike.items():
        layers = sum(count for count, _ in found)
        whole = sum(count * each.floor_seconds for count, each in found)
        one = found[0][1]
        many = f"{layers} layers, together" if layers > 1 else "1 layer,"
        points.append(
            Point(
                name,
                one.flops / one.bytes_moved,
                one.attainable_flops_per_second or 0.0,
                roof.name,
                f"{many} at least {seconds(whole)}, {one.bound}-bound",
            )
        )
    return roofline([roof], points, "The layers of ResNet-50 on 64 images, all arithmetic counted")


def time_rows() -> Chart:
    """The two times of a linear layer on more and more rows, and the best case."""
    bars = []
    for rows in ROWS:
        _, time = _rows(rows, A100)
        name = _row_name(rows)
        bars += [
            Bar(name, "compute", time.compute_seconds),
            Bar(name, "memory", time.memory_seconds or 0.0),
            Bar(name, "floor", time.floor_seconds, *(time.best_case or ())),
        ]
    return durations(
        bars, "A linear layer of 4096 → 11008 on an A100, and the best case in practice"
    )


def time_batches() -> Chart:
    """The time of ResNet-50 for each of more and more images: its floor and its launches."""
    bars = []
    for batch_size in (1, 8, 64):
        _, time = _resnet50(batch_size)
        name = "1 image" if batch_size == 1 else f"Each of {batch_size} images"
        whole = time.floor_seconds, *(time.best_case or ())
        bars += [
            Bar(name, "launches", time.overhead_seconds / batch_size),
            Bar(name, "floor", *(each / batch_size for each in whole)),
        ]
    title = "ResNet-50 in fp16 on an A100, time for an image, and the best case in practice"
    return durations(bars, title)


def time_kinds() -> Chart:
    """The floor of ResNet-50 by the kind of layer."""
    kinds: dict[str, float] = {}
    for name, count, each in _steps(*_resnet50(64)):
        kind = "Convolution" if "×" in name else name
        kind = "Pooling and Linear" if kind.endswith(("Pool2d", "Linear")) else kind
        kinds[kind] = kinds.get(kind, 0.0) + count * each.floor_seconds
    ranked = sorted(kinds.items(), key=lambda item: -item[1])
    title = "Where the floor of ResNet-50 goes, on 64 images in fp16 on an A100"
    return durations([Bar(kind, "floor", floor) for kind, floor in ranked], title)


CHARTS: dict[str, Callable[[], Chart]] = {
    each.__name__: each
    for each in (
        roofline_rows,
        roofline_resnet50,
        time_rows,
        time_batches,
        time_kinds,
        dense_and_sparse,
        precision_floors,
    )
}
"""Every chart of a page, by the name that the page asks for it."""


def fragment(name: str) -> str:
    """Return a chart of the table, drawn, as HTML."""
    chart = CHARTS[name]()
    return element(chart, svg(chart, name) if chart.spec else "")
