"""Devices: peak rates by data type, bandwidth, memory and power, each with its source.

devices.json holds FLOP/s (OP/s for integers; one multiply-add is 2), bytes per second, bytes and
watts. `peak` is dense, with the accumulator that frameworks use by default; what a device does
with structured sparsity stands under `sparse`, what it does with FP16 accumulation under
`fp16_accumulate`. A row that ends in `_tensor` or `_matrix` is the rate of the matrix units if
the plain row is that of the vector units. Capacities that vendors print in GB are 10^9 bytes,
those in GiB 2^30.

`also` are names by which a device is known besides its key and its `name`. A device that software
shows as several has `parts`: how many, what its vendor calls one, and the key of that one, whose
entry is divided out of the whole's when the table is read.

`confidence` is "high" if the main rows agree with the vendor's text or with two independent
sources, "medium" for one source or documents that disagree (see `note`), "low" if units and
clock were multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple


class Peak(NamedTuple):
    """A rate of a device: in FLOP/s, from which row, and why from another one than was asked."""

    flops_per_second: int
    row: str
    because: str = ""


@cache
def devices() -> dict[str, dict[str, Any]]:
    """Return every device of devices.json by its key, and one part of each that has parts."""
    import json  # a reader who picks no device does not wait for these
    from pkgutil import get_data

    table: dict[str, dict[str, Any]] = json.loads(
        get_data("calculator.machines", "devices.json") or b"{}"
    )
    return {key: device for name in table for key, device in _with_part(name, table[name])}


def _with_part(name: str, whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield name, whole
    if "parts" in whole:
        yield whole["parts"]["key"], _part(name, whole)


_KEPT = (
    "vendor", "year", "kind", "source_title", "source_url", "confidence", "checked", "fallback",
)  # fmt: skip
"""What a part has from its whole. The power is the whole's alone: nothing divides it."""


def _part(name: str, whole: dict[str, Any]) -> dict[str, Any]:
    """Return one part of a device: its share of rates, bandwidth, memory and units."""
    count, title = whole["parts"]["count"], whole["parts"]["name"]
    part = {key: whole[key] for key in _KEPT if key in whole} | {
        "name": f"{short_name(whole)} (1 of {count} {title}s)",
        "part_of": name,
        "bandwidth_bytes_per_s": whole["bandwidth_bytes_per_s"] / count,
        "memory_bytes": whole["memory_bytes"] // count,
        "note": f"1/{count} of what {name} has. {whole.get('note', '')}".rstrip(". "),
    }
    for kind in ("peak", "sparse", "fp16_accumulate"):
        if kind in whole:
            part[kind] = {row: rate / count for row, rate in whole[kind].items()}
    if "derivation" in whole:
        built = whole["derivation"]
        part["derivation"] = [{**each, "units": each["units"] // count} for each in built]
    return part


def short_name(device: dict[str, Any]) -> str:
    """Return the name of a device without the part in parentheses."""
    return str(device["name"]).partition(" (")[0]


def names() -> dict[str, str]:
    """Return the full name of every device."""
    return {name: str(device["name"]) for name, device in devices().items()}


def device(name: str) -> dict[str, Any]:
    """Return one device: `peak` in FLOP/s by dtype, `bandwidth_bytes_per_s`, `source_title`, …"""
    return devices()[name]


def largest_memory(name: str) -> int | None:
    """Return the most bytes that a device may have: vendors print GB where GiB are built in."""
    printed = device(name).get("memory_bytes")
    if printed is None or printed % 2**30 == 0:
        return printed
    return int(printed * 2**30 // 10**9)


def peak(name: str, dtype: str, kind: str = "dense") -> Peak | None:
    """Return the rate at which a device multiplies matrices of a type, None if it has none.

    `kind` is "dense", "sparse" or "fp16_accumulate". Of vector and matrix units the faster count.
    A device without a unit for the type may have a `fallback`: the rate of another row.
    """
    machine = device(name)
    rates: dict[str, float] = machine["peak"] if kind == "dense" else machine.get(kind, {})
    rows = [row for row in (dtype, f"{dtype}_tensor", f"{dtype}_matrix") if row in rates]
    if rows:
        row = max(rows, key=rates.__getitem__)
        return Peak(int(rates[row]), row)
    fallback = machine.get("fallback", {}).get(dtype) if kind == "dense" else None
    if fallback is None:
        return None
    return Peak(int(rates[fallback["row"]]), fallback["row"], fallback["because"])


_GPUS = ("datacenter_gpu", "consumer_gpu", "edge")


def measured(what: str) -> dict[str, dict[str, Any]]:
    """Return what was measured on any device, by its name: also "launch", the seconds of one."""
    return {
        name: found["achieved"][what]
        for name, found in devices().items()
        if what in found.get("achieved", {})
    }


def measurements(name: str | None, what: str) -> dict[str, dict[str, Any]]:
    """Return what was measured of a rate, by device, with its source: "compute" or "bandwidth".

    On the device if somebody did, else on the GPUs of its vendor if it is one. Nothing for a
    machine without a name.
    """
    found = measured(what)
    if name is None or name in found:
        return {name: found[name]} if name else {}
    asked = device(name)

    def is_alike(other: dict[str, Any]) -> bool:
        return other["vendor"] == asked["vendor"] and {other["kind"], asked["kind"]} <= {*_GPUS}

    return {key: source for key, source in found.items() if is_alike(device(key))}


@cache  # each layer of a network asks
def achieved(name: str | None, what: str) -> tuple[float, float] | None:
    """Return the lowest and highest measured share of a rate, None if it was not measured."""
    shares = [source["share"] for source in measurements(name, what).values()]
    return (min(shares), max(shares)) if shares else None


@cache
def launch_seconds(name: str | None) -> float:
    """Return the time from one launch of a kernel to the next: a GPU's as measured, else 0."""
    if name is None or device(name)["kind"] not in _GPUS:
        return 0.0
    found = measured("launch")
    sources = [found[name]] if name in found else found.values()
    return min((source["seconds"] for source in sources), default=0.0)


def remarks(name: str) -> Iterator[str]:
    """Yield what a reader has to know of a device that software shows as several."""
    whole = device(name)
    if "parts" in whole:
        parts = whole["parts"]
        otherwise = f" ({parts['note']})" if "note" in parts else ""
        yield (
            f"{short_name(whole)} shows as {parts['count']} devices{otherwise}: the rates are of "
            f"the whole, and {parts['key']} is one {parts['name']}."
        )
