"""What one run of `make measure` found, as it is written and read.

A run is a file, docs/measurements/NAME.json, of one record. Seconds, FLOP/s, bytes/s and bytes are
plain numbers, a clock is in Hz, a case is one line:

    name       of the run: the file's
    date       when it was made
    command    what was typed
    machine    what it ran on: kind (cpu or cuda); device, its key in
               calculator/machines/devices.json or null; name, cores or sms, threads, software,
               caches, memory; of a CPU units, the flag of the unit that computes each dtype;
               clocks, the highest and lowest seen in the run,
               empty where nobody tells
    load       the load average of the last minute, before and after its last part: a run that was
               stopped is resumed with --resume
    method     flush_bytes, how large a buffer is rewritten before each call; flush_seconds, how
               long that takes; limit_seconds, the longest call that is measured; nothing_seconds,
               what the same timing says of no call at all
    peak       FLOP/s by dtype, peak_source where they are from: an upper bound
    bandwidth_bytes_per_second   and bandwidth_source, of the memory: an upper bound
    sweep      bytes/s that this run reached in memory, by what it did there
    achieved   by dtype the best matrix product of this run: its fields, its FLOP/s, their share
               of the peak
    launch_seconds   of one call among many of a layer that has one element
    cases      calculator and fields, with dtype our layer, a key of `calculator.CALCULATIONS`;
               median, least, 10th and 90th percentile of the repeats, which all began with operands
               in memory and not in a cache; warm_seconds, a call among many with no flush between;
               discarded, the repeats that do not count, for other work held a core meanwhile
    left_out   what was not measured: calculator, fields, dtype, reason
"""

from __future__ import annotations

import json
import os
from typing import Any

from calculator import CALCULATIONS, Runtime
from calculator.layers.layer import Layer

Record = dict[str, Any]
NAMED = ("calculator", "fields", "dtype")
"""What says which case it is."""

TABLE = "calculator/machines/devices.json"
"""How the source of a rate begins that is the table's."""
CPU_PEAK = (
    "computed: cores, times the FLOPs of a core's units in a cycle "
    "(scripts/measure/machine.py: UNITS), times the highest clock that any core showed in this run"
)
MEASURED_BANDWIDTH = (
    "measured: the best of the sweeps before and after this run, over buffers of twice "
    "method.flush_bytes, on a card 16 times; no vendor prints it"
)

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Why a layer in a dtype, ("relu", "fp16"), may be quicker than its floor. Nothing else may be."""


def ours(calculator: str, fields: dict[str, Any], dtype: str) -> Layer:
    """Return our layer of a case."""
    layer = CALCULATIONS[calculator](**fields, dtype=dtype)
    assert isinstance(layer, Layer)
    return layer


def least_flops(layer: Layer) -> int:
    """Return the FLOPs that no kernel can leave out: of attention, those of unmasked pairs."""
    return 2 * layer.useful()


def floor_seconds(layer: Layer, record: Record) -> float:
    """Return the least seconds by the peak and the bandwidth of a record."""
    return Runtime(
        flops=least_flops(layer),
        bytes_moved=layer.bytes_moved,
        peak_flops_per_second=record["peak"][layer.dtype],
        bandwidth_bytes_per_second=record["bandwidth_bytes_per_second"],
    ).floor_seconds


def best_product(record: Record, dtype: str) -> tuple[float, dict[str, Any]] | None:
    """Return the FLOP/s and the fields of the best matrix product, None where there is none."""
    products = [
        (ours("linear", case["fields"], dtype).flops / case["median_seconds"], case["fields"])
        for case in record["cases"]
        if (case["calculator"], case["dtype"]) == ("linear", dtype)
    ]
    return max(products, key=lambda each: each[0], default=None)


def best_share(record: Record, dtype: str) -> float:
    """Return the share of the peak that the best matrix product reached, 1 where there is none."""
    best = best_product(record, dtype)
    return best[0] / float(record["peak"][dtype]) if best else 1.0


def achieved(record: Record) -> dict[str, Any]:
    """Return what the best matrix product of each dtype reached."""
    return {
        dtype: {
            "fields": best[1],
            "flops_per_second": rounded(best[0]),
            "share": rounded(best_share(record, dtype)),
        }
        for dtype in record["peak"]
        if (best := best_product(record, dtype))
    }


def rounded(number: float) -> float:
    """Return four digits of a number: a repeat tells no more."""
    return float(f"{number:.4g}")


def load() -> float | None:
    """Return the load average of the last minute, where the system keeps one."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def text(record: Record) -> str:
    """Return the record as it is written: a line for each case and each part of a part."""
    lines = []
    for key, value in record.items():
        written = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value:
            rows = (json.dumps(each, ensure_ascii=False) for each in value)
            written = "[\n  " + ",\n  ".join(rows) + "\n ]"
        if isinstance(value, dict) and value:
            parts = (f'"{name}": {json.dumps(each)}' for name, each in value.items())
            written = "{\n  " + ",\n  ".join(parts) + "\n }"
        lines.append(f' "{key}": {written}')
    return "{\n" + ",\n".join(lines) + "\n}\n"
