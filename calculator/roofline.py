"""From counts and a machine to seconds: the roofline's lower bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calculator import hardware
from calculator.calculation import Calculation, quantity
from calculator.expression import maximum
from calculator.fields import InvalidField, choice
from calculator.layer import Measured
from calculator.rates import rate, share
from calculator.units import DTYPE_BYTES, TORCH_DTYPES

Figure = Any  # given as a number or None, read as a number where there is one

_NOT_A_MAC_RATE = (
    "is a rate of MACs, and this field is a rate of FLOPs: 1 MAC is 2 FLOPs, "
    "so write twice the figure, as FLOP/s"
)


class Machine(Calculation):
    """What computes: a device, or a peak of one's own, at a data type."""

    dtype: str = choice(
        default="fp32", label="Data type", role="hardware",
        options={dtype: dtype for dtype in DTYPE_BYTES}, also=TORCH_DTYPES,
    )  # fmt: skip
    device: str | None = choice(
        default=None, label="Device", role="hardware", optional=True,
        options=hardware.names,
        refusal="is not a device known here; it is one of {options}",
    )  # fmt: skip
    peak_flops_per_second: Figure = rate(
        r"\pi", units=("FLOP/s", "FLOPS", "FLOPs", "FLOP", "OP/s", "OPS"), default=None,
        role="hardware", label="Peak FLOP/s",
        help="Such as 19.5T. Empty: the device's, at this data type.",
        confused={"MAC/s": _NOT_A_MAC_RATE, "MACs/s": _NOT_A_MAC_RATE, "MACS": _NOT_A_MAC_RATE},
    )  # fmt: skip

    def validate(self) -> None:
        if self.device and self.peak_flops_per_second is None:
            self.__dict__["peak_flops_per_second"] = self._peak(hardware.device(self.device))

    def _peak(self, machine: dict[str, Any]) -> int:
        peaks = machine["peak"]
        if self.dtype not in peaks:
            raise InvalidField(
                "dtype",
                f"{machine['name']} has no {self.dtype} rate; it has {', '.join(peaks)}",
                given=self.dtype,
            )
        return int(peaks[self.dtype])

    def without_peak(self) -> InvalidField:
        """Return the error for a machine of which nobody said how fast it is."""
        return self.fields["peak_flops_per_second"].refuse(
            "is empty; write a FLOP/s figure, or choose a device", "nothing"
        )


class Runtime(Machine, name="runtime"):
    """The least time a machine needs for some work: it computes and it moves bytes.

    Both at once and at the full rate, so the longer of the two is a lower bound. A utilization
    below 1 makes it an estimate instead: as good as that number.

    Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.
    """

    flops: int | float = rate(
        r"\text{FLOPs}", units=("FLOP", "FLOPs"), default=8_192_000, label="Work", whole=True,
        optional=False, minimum=0, largest=1e300,
        confused={"MAC": "counts MACs; write twice the figure, as FLOPs",
                  "MACs": "counts MACs; write twice the figure, as FLOPs"},
    )  # fmt: skip
    bytes_moved: int | float | None = rate(
        r"\text{bytes}", units=("B",), default=None, label="Bytes moved", whole=True,
        minimum=0, largest=1e300, help="Leave empty to ask for compute time only.",
    )  # fmt: skip
    bandwidth_bytes_per_second: Figure = rate(
        r"\beta", units=("B/s",), default=None, role="hardware", label="Memory bandwidth",
        help="Such as 1.555T, in bytes a second. Empty: the device's.",
        confused={"b/s": "is a rate of bits; write bytes a second (an eighth), as B/s",
                  "bit/s": "is a rate of bits; write bytes a second (an eighth), as B/s"},
    )  # fmt: skip
    utilization: int | float = share(
        "u", default=1, role="hardware", label="Utilization (MFU)",
        help="The share of the peak that is reached: 1 gives the lower bound.",
    )  # fmt: skip

    def validate(self) -> None:
        super().validate()
        if self.device and self.bandwidth_bytes_per_second is None:
            machine = hardware.device(self.device)
            self.__dict__["bandwidth_bytes_per_second"] = int(machine["bandwidth_bytes_per_s"])
        if self.peak_flops_per_second is None:
            raise self.without_peak()

    @quantity(r"t_\text{compute}", unit="s", label="Compute time")
    def compute_seconds(self) -> float:
        """The work over the share of the peak rate that is reached."""
        return self.flops / (self.peak_flops_per_second * self.utilization)

    @quantity(r"t_\text{memory}", unit="s", label="Memory time")
    def memory_seconds(self) -> float | None:
        """The bytes at the full bandwidth; None where bytes or bandwidth are not given."""
        if self.bytes_moved is None or self.bandwidth_bytes_per_second is None:
            return None
        return self.bytes_moved / self.bandwidth_bytes_per_second

    @quantity(r"t_\text{floor}", unit="s", label="Lower bound")
    def floor_seconds(self) -> float:
        """The longer of the two: the machine can at best do both at once."""
        if self.memory_seconds is None:
            return self.compute_seconds
        return maximum(self.compute_seconds, self.memory_seconds)

    @property
    def bound(self) -> str:
        """Which of the two takes longer: "compute" or "memory"."""
        return "memory" if (self.memory_seconds or 0) > self.compute_seconds else "compute"

    @quantity(r"I_\text{ridge}", unit="FLOP/B", label="Ridge point")
    def ridge_intensity(self) -> float | None:
        """The arithmetic intensity at which both take equally long."""
        if self.bandwidth_bytes_per_second is None:
            return None
        return self.peak_flops_per_second * self.utilization / self.bandwidth_bytes_per_second


HARDWARE = tuple(
    name
    for name, field in Runtime.fields.items()
    if field.role == "hardware" and name not in Measured.fields
)
"""The fields that describe the machine, on any form that asks for a time: device, rates, share."""


def runtime(work: Measured, values: Mapping[str, Any]) -> Runtime | None:
    """Return the runtime of some work on the machine that values describe, None where none is.

    Raises InvalidField where they describe one halfway.
    """
    if not any(values.get(name) for name in HARDWARE[:3]):
        share = values.get("utilization", 1)
        if share != 1:
            raise Runtime.fields["utilization"].refuse(
                "is a share of a machine's peak; choose a device, or write a peak FLOP/s", share
            )
        return None
    return Runtime(
        flops=work.flops, bytes_moved=work.bytes_moved, **{**values, "dtype": work.dtype}
    )
