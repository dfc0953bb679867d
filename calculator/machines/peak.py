"""From units, engines and a clock to the peak rate of a machine: what a data sheet multiplies."""

from __future__ import annotations

from typing import Any

from calculator.core.calculation import Calculation, fact, quantity
from calculator.core.dtypes import TORCH_DTYPES
from calculator.core.expression import numeral
from calculator.core.fields import LARGEST, choice, size
from calculator.core.measure_fields import rate
from calculator.core.unit_families import HERTZ
from calculator.machines import devices
from calculator.machines.machine import Figure, device

PARTS = ("units", "engines", "fma", "clock_hz")
_EMPTY = "Leave empty for the device's."


def rows() -> dict[str, str]:
    """Return every row that a device has a peak for, the widest type first."""
    known = {row for device in devices.devices().values() for row in device["peak"]}
    return {row: row for row in sorted(known, key=lambda row: (-_bits(row), row))}


def _bits(row: str) -> int:
    return int("".join(filter(str.isdigit, row)))


class Peak(Calculation, name="peak", title="Peak rate"):
    """The rate of a machine whose every engine is busy at every tick of its clock.

    What a data sheet prints as the peak. What is left empty is the device's, at this data type.
    """

    units: Figure = size(
        r"n_\text{units}", default=None, optional=True, role="hardware",
        label="Units", help=f"SMs, CUs, cores. {_EMPTY}",
    )  # fmt: skip
    engines: Figure = size(
        r"n_\text{engines}", default=None, optional=True, role="hardware",
        label="Engines per unit", help=f"Tensor cores, matrix cores, lanes. {_EMPTY}",
    )  # fmt: skip
    fma: Figure = size(
        r"n_\text{FMA}", default=None, optional=True, role="hardware",
        label="FMAs per engine and clock",
        help=f"Multiply-adds of numbers, not instructions. {_EMPTY}",
    )  # fmt: skip
    clock_hz: Figure = rate(
        "f", units=HERTZ, default=None, role="hardware", label="Clock",
        help=f"Such as 1.41 GHz. {_EMPTY}",
    )  # fmt: skip
    sparsity: str = choice(
        default="1", label="Sparsity", role="hardware",
        options={"1": "1: dense", "2": "2: two of four, counted as if dense"},
        also={"dense": "1", "2:4": "2"},
    )  # fmt: skip
    dtype: str = choice(
        default="bf16", label="Data type", role="hardware", options=rows, also=TORCH_DTYPES,
        help="The row of the data sheet, which decides which engines are used.",
    )  # fmt: skip
    device: str | None = device(
        default="a100_80gb_sxm",
        help="Its printed rate is shown next to yours. Leave empty to enter your own.",
        own="units, engines, FMAs and clock",
    )

    def validate(self) -> None:
        for part in PARTS:
            if getattr(self, part) > LARGEST:
                raise self.fields[part].refuse(
                    "is too large; write at most 10^30", getattr(self, part)
                )

    @classmethod
    def assume(cls, given: Any) -> dict[str, Any]:
        empty = [part for part in PARTS if getattr(given, part) is None]
        if not empty:
            return {}
        if given.device is None:
            raise cls.fields[empty[0]].refuse(
                "is empty; write a number, or choose a device whose units are known", "nothing"
            )
        machine = devices.device(given.device)
        built = cls._derivation(given, machine, empty)
        if is_sparse(given) and given.dtype not in machine.get("sparse", {}):
            raise cls.fields["sparsity"].refuse(
                f"{machine['name']} has no known sparse {given.dtype} rate; choose 1",
                given.sparsity,
            )
        return {part: int(built[part]) for part in empty}

    @classmethod
    def _derivation(cls, given: Any, machine: dict[str, Any], empty: list[str]) -> dict[str, Any]:
        """Return what the peak of this row is built of; `empty` is what was not given."""
        known = {row["dtype"]: row for row in machine.get("derivation", ())}
        own = f"fill in {', '.join(empty)}"
        if not known:
            raise cls.fields["device"].refuse(
                f"has no known units; {own}, or choose another device", given.device
            )
        if given.dtype not in known:
            raise cls.fields["dtype"].refuse(
                f"has no known units on {machine['name']}; choose one of {', '.join(known)}, "
                f"or {own}",
                given.dtype,
            )
        return dict(known[given.dtype])

    @fact
    def is_sparse(self) -> bool:
        """Whether products with the zeros that are left out are counted."""
        return is_sparse(self)

    @quantity(r"\text{FMAs}_\text{clock}", unit="FMA", label="FMAs per clock")
    def fma_per_clock(self) -> int:
        """Every engine of every unit, at once."""
        return self.units * self.engines * self.fma

    @quantity(r"\text{FLOPs}_\text{clock}", unit="FLOP", label="FLOPs per clock")
    def flops_per_clock(self) -> int:
        """Two for each: a multiplication and an addition."""
        return 2 * self.fma_per_clock

    @quantity(r"\pi", unit="FLOP/s", label="Peak FLOP/s")
    def peak_flops_per_second(self) -> float:
        """The number per clock times the clock; sparsity doubles it, but not the work done."""
        dense = self.flops_per_clock * self.clock_hz
        return 2 * dense if self.is_sparse else dense

    @quantity(r"\pi_\text{printed}", unit="FLOP/s", label="Printed by the vendor")
    def printed_flops_per_second(self) -> int | None:
        """The row of the device's data sheet; None without a device or such a row."""
        if self.device is None:
            return None
        rates = devices.device(self.device).get("sparse" if self.is_sparse else "peak", {})
        return numeral(int(rates[self.dtype]), self.units) if self.dtype in rates else None

    @quantity("r", label="Computed peak / printed peak")
    def ratio(self) -> float | None:
        """Near 1 if the clock is the one that the vendor counts with."""
        if self.printed_flops_per_second is None:
            return None
        return self.peak_flops_per_second / self.printed_flops_per_second


def is_sparse(given: Any) -> bool:
    """Return whether fields of a peak count products with zeros that are left out."""
    return bool(given.sparsity != "1")
