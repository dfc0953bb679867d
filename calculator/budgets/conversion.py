"""From one way of counting to another: MACs, FLOPs, and FMA instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calculator.core.calculation import Calculation, fact, quantity
from calculator.core.expression import quotient
from calculator.core.fields import InvalidField, choice
from calculator.core.measure_fields import rate
from calculator.core.numerals import parse_amount
from calculator.core.unit_families import PUBLISHED_COUNT, counted


class Conversion(Calculation, name="conversion"):
    """A published count, read in the convention it was counted in."""

    count: int = rate(
        "x", units=PUBLISHED_COUNT, default=4_096_000, label="Published count", whole=True,
        optional=False, help="With its prefix: 4.09G, 4.09 GMACs, 4096000.",
    )  # fmt: skip
    counts: str = choice(
        default="macs", label="What it counts",
        options={
            "macs": "MACs, or FLOPs with 1 MAC = 1 FLOP",
            "flops": "FLOPs with 1 MAC = 2 FLOPs",
        },
        help="An exact count (2K − 1 per output) follows neither and cannot be converted.",
    )  # fmt: skip

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, InvalidField]]:
        """Read as any calculation; reject a unit that says another thing than `counts`."""
        values, errors = super().read(texts)
        if "count" not in values:
            return values, errors
        given = texts["count"]
        unit = counted(parse_amount(given, PUBLISHED_COUNT).unit)
        if texts.get("counts") == "flops" and unit == "MACs":
            errors["counts"] = InvalidField(
                "counts", "contradicts the unit, which says MACs; choose MACs (macs)", given=given
            )
        if "counts" not in texts and unit == "FLOPs":
            errors["counts"] = InvalidField(
                "counts",
                "is missing; write macs if 1 MAC is 1 FLOP, or flops if it is 2 (papers use both)",
                given=given,
            )
        return values, errors

    def validate(self) -> None:
        if self.counts == "flops" and self.count % 2:
            raise self.fields["count"].refuse(
                "is odd: it counts additions that belong to no multiplication, "
                "so no number of MACs gives it",
                self.count,
            )

    @fact
    def counts_flops(self) -> bool:
        """Whether the number given counts FLOPs."""
        return self.counts == "flops"

    @quantity(r"\text{MACs}", unit="MAC", label="Multiply-accumulates")
    def macs(self) -> int:
        """Two FLOPs are one multiply-accumulate."""
        return quotient(self.count, 2) if self.counts_flops else self.count

    @quantity(r"\text{FLOPs}", unit="FLOP", label="Floating-point operations")
    def flops(self) -> int:
        """Two for each multiply-accumulate."""
        return 2 * self.macs

    @quantity(r"\text{FMAs}", unit="FMA", label="Fused multiply-add instructions")
    def fmas(self) -> int:
        """One each, if the machine fuses the two: a·x + b is one instruction on one number."""
        return self.macs
