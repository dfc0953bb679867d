"""What it takes to train a model: FLOPs from parameters and tokens, then hours or a share."""

from __future__ import annotations

from typing import Any

from calculator.core.calculation import quantity
from calculator.core.dtypes import DTYPE_BYTES
from calculator.core.fields import choice, size
from calculator.core.measure_fields import rate, share
from calculator.core.unit_families import DEVICE_HOURS, PARAMS, TOKENS
from calculator.core.units import rounded
from calculator.machines.machine import Figure
from calculator.machines.memory_fit import MemoryFit

_ROUNDING = 1e-9


class TrainingCost(MemoryFit, name="training_cost"):
    """The work of training a network made of matrices, by its parameters and tokens.

    Each parameter takes part in one multiply-accumulate for each token forward, and in two
    backward: 6ND FLOPs. Attention's products of two activations are not counted, and a table
    that is looked up is counted as if it were multiplied.

    The memory that is needed is that of weights and gradients alone, in the data type.

    Kaplan et al., "Scaling Laws for Neural Language Models", arXiv:2001.08361, 2020, section 2.1.
    """

    params: int = rate(
        "N", units=PARAMS, default=6_738_415_616,
        label="Parameters", whole=True, optional=False,
        help="Such as 7B. For a mixture of experts, the parameters active per token.",
    )  # fmt: skip
    tokens: int = rate(
        "D", units=TOKENS, default=2 * 10**12, label="Tokens", whole=True,
        optional=False, help="All training tokens, counted each time they are seen, such as 2T.",
    )  # fmt: skip
    recompute: str = choice(
        default="none", label="Activations",
        options={"none": "all kept: 6ND", "full": "recomputed: 8ND"},
        help="Recomputing them in the backward pass runs the forward pass twice.",
    )  # fmt: skip
    devices: int = size("n", default=1, label="Devices", role="hardware")
    measured_device_hours: Figure = rate(
        r"h_\text{measured}", units=DEVICE_HOURS, default=None,
        minimum=1e-6, role="hardware", label="Measured device-hours",
        help="All devices together. Gives the utilization; leave one of the two empty.",
    )  # fmt: skip
    utilization: Figure = share(
        "u", default=None, optional=True, role="hardware", label="Assumed utilization (MFU)",
        help="If nothing is measured. Gives the hours.",
    )  # fmt: skip

    def validate(self) -> None:
        super().validate()
        known = [
            self.fields[name]
            for name in ("measured_device_hours", "utilization")
            if getattr(self, name) is not None
        ]
        if len(known) == 2:
            raise known[1].refuse(
                f"is assumed if nothing is measured; clear “{known[0].label}” "
                f"({self.measured_device_hours:g}), or leave this empty",
                self.utilization,
            )
        if known and self.peak_flops_per_second is None:
            raise self.without_peak()
        if self.hfu is not None and self.hfu > 1 + _ROUNDING:
            why = (
                "look at the data type, at dense against sparse, and whether the hours are those "
                "of all devices"
                if self.utilization is None
                else "with all recomputed it is at most 75 %"
            )
            raise known[0].refuse(
                f"would take {rounded(100 * self.hfu)} % of the peak; {why}",
                getattr(self, known[0].name),
            )

    def device_count(self) -> Any:
        return self.devices

    def parts(self) -> dict[str, int]:
        weights = DTYPE_BYTES[self.dtype] * self.params
        return {"weights": weights, "gradients": weights}

    @quantity()
    def needed_bytes(self) -> int:
        """The weights and a gradient for each; optimizer states and activations not counted."""
        return 2 * DTYPE_BYTES[self.dtype] * self.params

    @quantity(r"\text{FLOPs}_\text{forward}", unit="FLOP", label="FLOPs of the forward pass")
    def forward_flops(self) -> int:
        """One multiply-accumulate for each parameter and token."""
        return 2 * self.params * self.tokens

    @quantity(r"\text{FLOPs}_\text{backward}", unit="FLOP", label="FLOPs of the backward pass")
    def backward_flops(self) -> int:
        """Two: one product for the gradient of the input, one for that of the weight."""
        return 4 * self.params * self.tokens

    @quantity(r"\text{FLOPs}_\text{model}", unit="FLOP", label="FLOPs of the model")
    def flops(self) -> int:
        """Both passes, nothing computed twice."""
        return 6 * self.params * self.tokens

    @quantity(r"\text{FLOPs}_\text{hardware}", unit="FLOP", label="FLOPs of the hardware")
    def hardware_flops(self) -> int:
        """What is really computed: with recomputation, the forward pass once more."""
        return self.flops + self.forward_flops if self.recompute == "full" else self.flops

    @quantity("h", unit="device-hours", label="Device-hours")
    def device_hours(self) -> float | None:
        """The work of the model at the assumed share of the peak; None if none is assumed."""
        if self.utilization is None:
            return None
        return self.flops / (3600 * self.peak_flops_per_second * self.utilization)

    def hours(self) -> Figure:
        """Return the hours of all devices together, measured or not; None if neither is known."""
        measured = self.measured_device_hours
        return self.device_hours if measured is None else measured

    @quantity(r"t_\text{training}", unit="s", label="Time on all devices")
    def training_seconds(self) -> float | None:
        """The device-hours shared out evenly."""
        return None if self.hours() is None else 3600 * self.hours() / self.devices

    @quantity(r"\text{MFU}", unit="%", label="Model FLOPs utilization (MFU)")
    def mfu(self) -> float | None:
        """The share of the peak that the FLOPs of the model take; None if it is assumed.

        Chowdhery et al., "PaLM", arXiv:2204.02311, 2022, appendix B.
        """
        if self.measured_device_hours is None:
            return None
        return self.flops / (3600 * self.hours() * self.peak_flops_per_second)

    @quantity(r"\text{HFU}", unit="%", label="Hardware FLOPs utilization (HFU)")
    def hfu(self) -> float | None:
        """The share that all FLOPs take, those of recomputation among them."""
        if self.hours() is None:
            return None
        return self.hardware_flops / (3600 * self.hours() * self.peak_flops_per_second)
