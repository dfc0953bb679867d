"""Every device as tables, one for each vendor: its rates, bandwidth, ridge, and where it is said.

All of it is read from the package's data, with what a rate is built on left to the calculators.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from calculator import CALCULATIONS
from calculator.answers.evaluate import form_fields
from calculator.core.units import rounded
from calculator.machines import devices
from calculator.web.machines_panel import link

COLUMNS = ("fp32", "tf32", "16-bit", "fp8", "int8")
"""The columns of rates; the 16-bit types share one."""
_KINDS = {"dense": "", "sparse": " sparse", "fp16_accumulate": " FP16 acc."}
_DOUBTS = {"high": "", "medium": "medium confidence", "low": "low confidence"}


def table(offers: str) -> str:
    """Return the tables; a row links to the calculator whose address begins with `offers`."""
    vendors: dict[str, dict[str, dict[str, Any]]] = {}
    for name, device in devices.devices().items():
        if "part_of" not in device:  # a part is named in the row of its whole
            vendors.setdefault(device["vendor"], {})[name] = device
    return "".join(
        _vendor(vendor, devices, offers, " open" if vendor == next(iter(vendors)) else "")
        for vendor, devices in vendors.items()
    )


def _vendor(vendor: str, devices: dict[str, dict[str, Any]], offers: str, opened: str) -> str:
    heads = (*COLUMNS, "Bandwidth", "FLOP/B", "Memory", "Power", "Note and source")
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(_row(name, device, offers) for name, device in devices.items())
    many = f"{len(devices)} devices" if len(devices) > 1 else "1 device"
    return (
        f'<details class="calculator-more"{opened}><summary>{escape(vendor)}: {many}</summary>'
        f'<div class="rosetta" tabindex="0" role="group" aria-label="Devices of {escape(vendor)}">'
        '<table class="rosetta-table device-table"><thead><tr><th scope="col">Device</th>'
        f"{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div></details>"
    )


def _row(name: str, device: dict[str, Any], offers: str) -> str:
    cells = "".join(_rates(name, column) for column in COLUMNS)
    power = device.get("power")
    watts = link(power, f"{power['watts']:g} W") if power else "–"
    doubt = _DOUBTS[device["confidence"]]
    marked = f"<br><strong>{doubt}</strong>" if doubt else ""
    notes = [device["note"]] if "note" in device else []
    said = "".join(f"{escape(note)}<br>" for note in (*notes, *devices.remarks(name)))
    return (
        f'<tr data-device="{name}"><th scope="row">'
        f'<a href="{_address(name, device, offers)}">{escape(device["name"])}</a>, '
        f"{device['year']}{marked}</th>{cells}"
        f"<td>{rounded(int(device['bandwidth_bytes_per_s']), 'B/s')}</td>{_ridge(name, device)}"
        f"<td>{rounded(int(device['memory_bytes']), 'B')}</td><td>{watts}</td>"
        f"<td>{said}Source: {_sources(device)}</td></tr>"
    )


def _sources(device: dict[str, Any]) -> str:
    """Return links to where the rates were read, and to where its parts were counted."""
    return "; ".join(link(source) for source in (device, device.get("parts")) if source)


def _address(name: str, device: dict[str, Any], offers: str) -> str:
    """Return the address of the calculator that says most about a device, with all its fields."""
    built = [each["dtype"] for each in device.get("derivation", ())]
    dtype = _main(name)
    calculator = "peak" if built else "runtime"
    chosen = {"device": name, "dtype": dtype if dtype in built or not built else built[0]}
    chosen |= {} if built else {"flops": "1P"}
    fields = {
        key: chosen.get(key, field.write(field.default))
        for key, field in form_fields(CALCULATIONS[calculator]).items()
    }
    query = urlencode({"calculator": calculator, **fields})
    return f"?{escape(query)}#{offers}{calculator}"


def _main(name: str) -> str:
    """Return the type that a device is known by: its 16-bit one, or what it has instead."""
    found = {dtype: devices.peak(name, dtype) for dtype in ("bf16", "fp16", "fp32")}
    own = {dtype: peak for dtype, peak in found.items() if peak and not peak.because}
    return max(own, key=lambda dtype: own[dtype].flops_per_second)


def _ridge(name: str, device: dict[str, Any]) -> str:
    dtype = _main(name)
    peak = devices.peak(name, dtype)
    assert peak is not None
    figure = rounded(peak.flops_per_second / device["bandwidth_bytes_per_s"])
    return f"<td>{figure}{'' if dtype == 'bf16' else f' {dtype}'}</td>"


def _rates(name: str, column: str) -> str:
    """Return the rates of one column: dense, then what is printed beside it, or what stands in."""
    dtypes = ("bf16", "fp16") if column == "16-bit" else (column,)
    lines = []
    for kind, said in _KINDS.items():
        texts: dict[str, list[str]] = {}
        for dtype in dtypes:
            peak = devices.peak(name, dtype, kind)
            if peak is not None:
                texts.setdefault(_rate(peak), []).append(dtype)
        for text, types in texts.items():
            which = "" if len(types) == len(dtypes) or "FP16" in said else f"{types[0]} "
            lines.append(f"<small>{which}{text}{said}</small>" if said else f"{which}{text}")
    return f"<td>{'<br>'.join(lines) or '–'}</td>"


def _rate(peak: devices.Peak) -> str:
    """Return a rate in TFLOP/s as its vendor prints it, or the row that is used instead."""
    if peak.because:
        return f'<span title="{escape(peak.because)}">as {peak.row.replace("_", " ")}</span>'
    return f"{peak.flops_per_second / 1e12:g}"
