"""Devices: dense peak rates by data type, bandwidth and memory, each with its source."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def devices() -> dict[str, dict[str, Any]]:
    """Return every device of hardware.json by its name."""
    import json  # a reader who picks no device does not wait for these
    from pkgutil import get_data

    table: dict[str, dict[str, Any]] = json.loads(get_data("calculator", "hardware.json") or b"{}")
    return table


def names() -> dict[str, str]:
    """Return the full name of every device."""
    return {name: str(device["name"]) for name, device in devices().items()}


def device(name: str) -> dict[str, Any]:
    """Return one device: `peak` in FLOP/s by dtype, `bandwidth_bytes_per_s`, `source_title`, …"""
    return devices()[name]
