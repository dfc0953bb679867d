"""What computes: a device or rates of one's own, and which of its peaks."""

from __future__ import annotations

from typing import Any

from calculator.core.calculation import Calculation, fact
from calculator.core.dtypes import DTYPE_BYTES, TORCH_DTYPES
from calculator.core.expression import Expression
from calculator.core.fields import Field, InvalidField, choice
from calculator.core.measure_fields import rate
from calculator.core.unit_families import FLOP_RATE
from calculator.machines import devices

Figure = Any  # given as a number or None, read as a number if there is one

PEAKS = {
    "dense": "dense",
    "sparse": "structured sparsity",
    "fp16_accumulate": "dense, FP16 accumulation",
}


def device(
    *, default: str | None = None, help: str = "", own: str = "peak FLOP/s and bandwidth"
) -> Any:
    """Declare the field of a device, which is named; `own` is what else a reader can enter."""

    def find(text: str) -> str:
        from calculator.machines import (
            device_names,  # a reader who picks a key does not wait for it
        )

        return device_names.find(text, own)

    return choice(
        default=default, label="Device", role="hardware", optional=True, help=help,
        options=devices.names, find=find,
    )  # fmt: skip


class Name(Field):
    """What somebody calls a thing: a few words on one line; None for no name."""

    longest = 60

    def check(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not value.isprintable():
            raise self.refuse("must be a name on one line", value)
        if len(value) > self.longest:
            raise self.refuse(f"must be at most {self.longest} characters long", value)
        return value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        return value


def name(**more: Any) -> Any:
    """Declare the field of a name."""
    return Name(default=None, **more)


class Machine(Calculation):
    """What computes: a device, or a peak of one's own, at a data type."""

    dtype: str = choice(
        default="fp32", label="Data type", role="hardware",
        options={dtype: dtype for dtype in DTYPE_BYTES}, also=TORCH_DTYPES,
    )  # fmt: skip
    device: str | None = device(
        help="Search by vendor or name, or paste what torch.cuda.get_device_name() prints. "
        "Leave empty to enter your own figures."
    )
    peak_kind: str = choice(
        default="dense", label="Dense or sparse peak", role="hardware", options=PEAKS,
    )  # fmt: skip
    peak_flops_per_second: Figure = rate(
        r"\pi", default=None, role="hardware", label="Peak FLOP/s",
        units=FLOP_RATE,
        help="Such as 19.5T; in OP/s for int8. Leave empty for the device's, at this data type.",
    )  # fmt: skip
    machine_name: str | None = name(
        label="Name of your machine", role="hardware",
        help="If you enter your own rates, such as lab server.",
    )  # fmt: skip

    @classmethod
    def assume(cls, given: Any) -> dict[str, Any]:
        if not given.device or given.peak_flops_per_second is not None:
            return {}
        return {"peak_flops_per_second": cls._device_peak(given).flops_per_second}

    @classmethod
    def _device_peak(cls, given: Any) -> devices.Peak:
        found = devices.peak(given.device, given.dtype, given.peak_kind)
        if found is not None:
            return found
        machine = devices.device(given.device)
        kinds = [
            kind
            for kind in PEAKS
            if kind != "dense" and devices.peak(given.device, given.dtype, kind)
        ]
        if devices.peak(given.device, given.dtype) is not None:
            known = " or ".join(("dense", *kinds))
            raise cls.fields["peak_kind"].refuse(
                f"{machine['name']} has no known {given.dtype} rate of this kind; choose {known}",
                given.peak_kind,
            )
        rows = [dtype for dtype in DTYPE_BYTES if devices.peak(given.device, dtype)]
        raise cls.fields["dtype"].refuse(
            f"{machine['name']} has no known {given.dtype} rate; choose one of {', '.join(rows)}",
            given.dtype,
        )

    @fact
    def peak(self) -> devices.Peak | None:
        """The device's rate that is computed with, None for a figure of one's own."""
        return device_peak(self)

    def without_peak(self) -> InvalidField:
        """Return the error for a machine whose peak is not given."""
        return self.fields["peak_flops_per_second"].refuse(
            "is empty; write a FLOP/s figure, or choose a device", "nothing"
        )


def device_peak(given: Any) -> devices.Peak | None:
    """Return the device's rate that fields of a machine compute with, None for one's own."""
    found = devices.peak(given.device, given.dtype, given.peak_kind) if given.device else None
    rate = given.peak_flops_per_second
    return found if found is not None and found.flops_per_second == rate else None
