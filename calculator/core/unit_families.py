"""Units by families: the spellings that mean one kind of thing, and those that mean another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from calculator.core.units import BINARY_PREFIXES, SI_PREFIXES, SMALL_PREFIXES

_LARGE = {**SI_PREFIXES, "K": 3, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_COUNTING = _LARGE | dict.fromkeys(
    ("B", "b", "bn", "Bn"), 9
)  # "B" is a billion unless it is a byte
_SMALL = {**SMALL_PREFIXES, "milli": -3, "micro": -6, "nano": -9}


class Units(NamedTuple):
    """A family of units: how much each spelling is, and what may stand before it.

    `name` is what is printed after a number, `such` a number as people write it. `prefixes` are
    powers of ten, `binary` ones powers of two. `confused` maps an ending that means another kind
    of thing to the sentence that says so.
    """

    name: str
    such: str
    spellings: Mapping[str, int]
    prefixes: Mapping[str, int] = _COUNTING
    binary: Mapping[str, int] = {}
    confused: Mapping[str, str] = {}


def _spelled(spellings: str, factor: int = 1) -> dict[str, int]:
    return dict.fromkeys(spellings.split(), factor)


def _confused(spellings: Mapping[str, int], sentence: str) -> dict[str, str]:
    return dict.fromkeys(spellings, sentence)


_FLOPS = _spelled("FLOP FLOPs Flop Flops flop flops OP OPs op ops")
_MACS = _spelled("MAC MACs Mac Macs mac macs MAdd MAdds mult-adds Mult-Adds multiply-adds")
_FLOP_RATES = _spelled("FLOP/s FLOPs/s FLOPS Flop/s Flops/s flop/s flops/s OP/s OPs/s OPS")
_MAC_RATES = _spelled("MAC/s MACs/s MACS")
_BYTES = _spelled("B byte bytes Byte Bytes")
_BYTE_RATES = _spelled("B/s Bps byte/s bytes/s")
_BITS = _spelled("b bit bits")
_BIT_RATES = _spelled("b/s bps bit/s bits/s")

_NO_COUNT = {
    **_confused(_FLOP_RATES, "is a rate, FLOPs per second; write FLOPs for a count"),
    **_confused(_MAC_RATES, "is a rate, MACs per second; write MACs for a count"),
}

THINGS = Units("", "1024, 4k or 7B", {"": 1}, binary=BINARY_PREFIXES)
PARAMS = THINGS._replace(
    name="parameter",
    such="7B",
    spellings={"": 1, **_spelled("param params Params parameter parameters")},
)
TOKENS = THINGS._replace(name="token", such="2T", spellings={"": 1, **_spelled("token tokens")})
FLOP_COUNT = Units(
    "FLOP", "8.2 GFLOPs", {"": 1, **_FLOPS},
    confused=_NO_COUNT | _confused(_MACS, "counts MACs; write twice the figure, as FLOPs"),
)  # fmt: skip
MAC_COUNT = Units(
    "MAC", "4.1 GMACs", {"": 1, **_MACS},
    confused=_NO_COUNT | _confused(_FLOPS, "counts FLOPs; write half the figure, as MACs"),
)  # fmt: skip
FMA_COUNT = Units(
    "FMA", "4.1 GFMAs", {"": 1, **_spelled("FMA FMAs")},
    confused=_NO_COUNT | _confused(_FLOPS, "counts FLOPs; write half the figure, as FMAs"),
)  # fmt: skip
PUBLISHED_COUNT = Units(
    "MAC", "4.09 G or 8.2 GFLOPs", {"": 1, **_MACS, **_FLOPS}, confused=_NO_COUNT
)
"""A figure of a paper, of which one has to find out what it counts."""
FLOP_RATE = Units(
    "FLOP/s", "19.5 TFLOP/s", {"": 1, **_FLOP_RATES, **_FLOPS},  # a peak can be no count
    confused=_confused(
        _MACS | _MAC_RATES,
        "is a rate of MACs, and this field is a rate of FLOPs: 1 MAC is 2 FLOPs, "
        "so write twice the figure, as FLOP/s",
    ),
)  # fmt: skip
BYTES = Units(
    "B", "12 GB", {"": 1, **_BYTES}, _LARGE, BINARY_PREFIXES,
    confused={
        **_confused(_BYTE_RATES | _BIT_RATES, "is a rate; write a number of bytes, as B"),
        **_confused(_BITS, "is a number of bits; write bytes (an eighth), as B"),
    },
)  # fmt: skip
BYTE_RATE = Units(
    "B/s", "1.555 TB/s", {"": 1, **_BYTE_RATES}, _LARGE, BINARY_PREFIXES,
    confused={
        **_confused(_BIT_RATES, "is a rate of bits; write bytes per second (an eighth), as B/s"),
        **_confused(_BYTES, "is a number of bytes; write bytes per second, as B/s"),
    },
)  # fmt: skip
INTENSITY = Units(
    "FLOP/B", "139 FLOP/B", {"": 1, **_spelled("FLOP/B FLOPs/B FLOP/byte FLOPs/byte")}
)
SECONDS = Units(
    "s", "48 µs",
    {
        "": 1, **_spelled("s sec secs second seconds"),
        **_spelled("min mins minute minutes", 60),
        **_spelled("h hr hrs hour hours", 3600),
        **_spelled("d day days", 86400),
    },
    _SMALL, confused={"m": "ends in m, which may be minutes or milliseconds; write min or ms"},
)  # fmt: skip
DEVICE_HOURS = Units(
    "device-hours", "184k",
    {
        "": 1,
        **_spelled("h hour hours device-hour device-hours GPU-hour GPU-hours TPU-hour TPU-hours"),
        **dict.fromkeys(("device hours", "GPU hours", "TPU hours"), 1),
        **_spelled("device-days GPU-days TPU-days", 24),
    },
    confused=_confused(
        _spelled("d day days s sec seconds min minutes"),
        "is not in hours; write the hours of all devices together, such as 48 h",
    ),
)  # fmt: skip
WATTS = Units("W", "400 W", {"": 1, "W": 1}, _LARGE | _SMALL)
JOULES = Units("J", "31 J", {"": 1, "J": 1}, _LARGE | _SMALL)
HERTZ = Units("Hz", "1.41 GHz", {"": 1, "Hz": 1, "hz": 1}, _LARGE)
SHARE = Units("", "40 % or 0.4", {"": 1}, {"%": -2})
PERCENT = Units("%", "40 %", {"": 1, "%": 1}, {})

FAMILIES = {
    units.name: units
    for units in (
        THINGS, MAC_COUNT, FLOP_COUNT, FMA_COUNT, FLOP_RATE, BYTES, INTENSITY, SECONDS, PERCENT,
        JOULES, DEVICE_HOURS,
    )
}  # fmt: skip
"""The family of each unit that a quantity is printed in."""
_COUNTED = {"MACs": MAC_COUNT, "FLOPs": FLOP_COUNT, "parameters": PARAMS}


def counted(unit: str) -> str:
    """Return what a unit counts: MACs, FLOPs or parameters; nothing if it is not said.

    >>> counted("MAdds"), counted("OPs"), counted("params"), counted("")
    ('MACs', 'FLOPs', 'parameters', '')
    """
    return next((name for name, units in _COUNTED.items() if unit and unit in units.spellings), "")
