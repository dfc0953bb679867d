"""From one way of counting to another: MACs, FLOPs, and FMA instructions."""

from __future__ import annotations

from calculator.calculation import Calculation, quantity
from calculator.expression import quotient
from calculator.fields import choice
from calculator.rates import rate


class Conversion(Calculation, name="conversion"):
    """A published count, read in the convention it was counted in."""

    count: int = rate(
        "x", units=("MAC", "MACs", "FLOP", "FLOPs", "FLOPS", "mult-adds"), default=4_096_000,
        label="The number you have", whole=True, optional=False,
        help="With its prefix: 4.09G, 8.2 GFLOPs, 4096000.",
    )  # fmt: skip
    counts: str = choice(
        default="macs", label="What it counts",
        options={
            "macs": "MACs, or FLOPs with 1 MAC = 1 FLOP",
            "flops": "FLOPs with 1 MAC = 2 FLOPs",
        },
        help="A count made one by one, 2K − 1 an output, follows neither: it cannot be converted.",
    )  # fmt: skip

    def validate(self) -> None:
        if self.counts == "flops" and self.count % 2:
            raise self.fields["count"].refuse(
                "is odd: it counts additions that belong to no multiplication, "
                "so no number of MACs gives it",
                self.count,
            )

    @property
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
        """One each, where the machine fuses the two: a·x + b is one instruction on one number."""
        return self.macs
