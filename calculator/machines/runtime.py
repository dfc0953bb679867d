"""From counts and a machine to seconds: what no run can be below, and the best case in practice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from calculator.core.calculation import fact, quantity
from calculator.core.expression import maximum, ratio
from calculator.core.fields import size
from calculator.core.measure_fields import rate, span
from calculator.core.unit_families import BYTE_RATE, BYTES, FLOP_COUNT, SECONDS, WATTS
from calculator.machines import devices
from calculator.machines.machine import Figure, Machine, device_peak

Shares = Any  # given as a share, two, or None; read as two


class Runtime(Machine, name="runtime"):
    """The time a machine needs for some work: it computes and it moves bytes.

    Both at once and at the full rates, so the longer of the two is a lower bound, the roofline.
    One after the other is the other extreme. The best case in practice takes the best shares of
    the rates that somebody measured, and the time of the kernel launches.

    Several devices share work and bytes evenly; what they send to each other is not counted.

    Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.
    """

    flops: int | float = rate(
        r"\text{FLOPs}", units=FLOP_COUNT, default=8_192_000, label="Work", whole=True,
        optional=False, minimum=0, largest=1e300,
    )  # fmt: skip
    bytes_moved: Figure = rate(
        r"\text{bytes}", units=BYTES, default=None, label="Bytes moved", whole=True,
        minimum=0, largest=1e300, help="Leave empty to ask for compute time only.",
    )  # fmt: skip
    backward_flops: Figure = rate(
        r"\text{FLOPs}_\text{backward}", units=FLOP_COUNT, default=None, whole=True,
        minimum=0, largest=1e300, label="Work of the backward pass",
        help="If you timed a training step; usually twice the forward pass. Counts in the MFU.",
    )  # fmt: skip
    recomputed_flops: Figure = rate(
        r"\text{FLOPs}_\text{again}", units=FLOP_COUNT, default=None,
        label="Recomputed work", whole=True, minimum=0, largest=1e300, role="assumption",
        help="In the step that you timed, to save memory. Counts in the HFU.",
    )  # fmt: skip
    bandwidth_bytes_per_second: Figure = rate(
        r"\beta", units=BYTE_RATE, default=None, role="hardware", label="Memory bandwidth",
        help="Such as 1.555T, in bytes per second. Leave empty for the device's.",
    )  # fmt: skip
    devices: int | None = size(
        "n", default=None, optional=True, role="hardware", label="Devices",
        help="They share the work evenly. Leave empty for one.",
    )  # fmt: skip
    utilization: Shares = span(
        "u", default=None, role="assumption", label="Achieved share of the peak",
        help="Such as 40 %, or 50 – 80 %. Leave empty for the best measured on the device.",
    )  # fmt: skip
    bandwidth_utilization: Shares = span(
        "v", default=None, role="assumption", label="Achieved share of the bandwidth",
        help="As above.",
    )  # fmt: skip
    launches: Figure = size(
        r"n_\text{launch}", default=None, minimum=0, optional=True, role="assumption",
        label="Kernel launches", help="Leave empty for one per layer.",
    )  # fmt: skip
    launch_seconds: Figure = rate(
        r"t_\text{launch}", units=SECONDS, default=None, minimum=0,
        role="assumption", label="Time per launch",
        help="Such as 4 µs. If empty, the time measured on an H100 for a GPU on a card or module, "
        "otherwise 0.",
    )  # fmt: skip
    measured_seconds: Figure = rate(
        r"t_\text{measured}", units=SECONDS, default=None, minimum=1e-12,
        role="assumption", label="Time you measured", help="Such as 48 µs. Gives MFU and HFU.",
    )  # fmt: skip
    power_watts: Figure = rate(
        "P", units=WATTS, default=None, minimum=0, role="assumption", label="Power per device",
        help="Such as 700 W. Leave empty for the device's board power, if known.",
    )  # fmt: skip

    def validate(self) -> None:
        super().validate()
        if self.peak_flops_per_second is None:
            raise self.without_peak()
        if self.recomputed_flops is not None and self.measured_seconds is None:
            raise self.fields["recomputed_flops"].refuse(
                "needs a measured time; enter one, or leave this empty",
                self.recomputed_flops,
            )

    @classmethod
    def assume(cls, given: Any) -> dict[str, Any]:
        assumed = super().assume(given)
        peak = device_peak(SimpleNamespace(**{**vars(given), **assumed}))
        machine = devices.device(given.device) if given.device else {}
        bandwidth = machine.get("bandwidth_bytes_per_s")
        is_own = given.bandwidth_bytes_per_second not in (None, bandwidth)
        return assumed | {
            "bandwidth_bytes_per_second": None if bandwidth is None else int(bandwidth),
            "utilization": devices.achieved(given.device if peak else None, "compute"),
            "bandwidth_utilization": devices.achieved(
                None if is_own else given.device, "bandwidth"
            ),
            "launches": 1,
            "launch_seconds": devices.launch_seconds(given.device),
            "power_watts": machine.get("power", {}).get("watts"),
        }

    @fact
    def is_bandwidth_of_device(self) -> bool:
        """Whether the bandwidth is what the device's source says."""
        if not self.device:
            return False
        known = devices.device(self.device)["bandwidth_bytes_per_s"]
        return bool(self.bandwidth_bytes_per_second == known)

    def over_devices(self, rate: Any) -> Any:
        """Return a rate of one device as that of all of them."""
        return rate if self.devices is None else self.devices * rate

    @quantity(r"t_\text{compute}", unit="s", label="Compute time")
    def compute_seconds(self) -> float:
        """The work at the full peak rate."""
        return self.flops / self.over_devices(self.peak_flops_per_second)

    @quantity(r"t_\text{memory}", unit="s", label="Memory time")
    def memory_seconds(self) -> float | None:
        """The bytes at the full bandwidth; None if bytes or bandwidth are not given."""
        if self.bytes_moved is None or self.bandwidth_bytes_per_second is None:
            return None
        return self.bytes_moved / self.over_devices(self.bandwidth_bytes_per_second)

    @quantity(r"t_\text{floor}", unit="s", label="Lower bound (floor)")
    def floor_seconds(self) -> float:
        """The longer of the two: the machine can at best do both at once."""
        if self.memory_seconds is None:
            return self.compute_seconds
        return maximum(self.compute_seconds, self.memory_seconds)

    @quantity(r"t_\text{serial}", unit="s", label="One after the other")
    def serial_seconds(self) -> float | None:
        """The sum of the two, at the full rates: nothing overlaps."""
        if self.memory_seconds is None:
            return None
        return self.compute_seconds + self.memory_seconds

    @quantity(r"t_\text{launches}", unit="s", label="Launch overhead")
    def overhead_seconds(self) -> float:
        """What it takes to start the kernels, one after another."""
        seconds: float = 1.0 * self.launches * self.launch_seconds
        return seconds

    def has_best_case(self) -> bool:
        """Return whether a share is known of each rate that counts."""
        moves = self.memory_seconds is not None
        return self.utilization is not None and not (moves and self.bandwidth_utilization is None)

    @quantity(r"t_\text{reached}", unit="s", label="At the best efficiency measured")
    def reached_seconds(self) -> float | None:
        """The longer of the two, at the highest share of each rate; None without shares."""
        if not self.has_best_case():
            return None
        compute: float = self.compute_seconds / self.utilization[1]
        if self.memory_seconds is None:
            return compute
        return maximum(compute, self.memory_seconds / self.bandwidth_utilization[1])

    @quantity(r"t_\text{best}", unit="s", label="Best case, full overlap")
    def best_case_seconds(self) -> float | None:
        """Everything overlaps: kernels start while others run."""
        if not self.has_best_case():
            return None
        reached: Any = self.reached_seconds
        best: float = maximum(reached, self.overhead_seconds)
        return best

    @quantity(r"t_\text{best, serial}", unit="s", label="Best case, no overlap")
    def best_case_serial_seconds(self) -> float | None:
        """Nothing overlaps, at the lowest share of each rate."""
        if not self.has_best_case():
            return None
        compute = self.compute_seconds / self.utilization[0]
        if self.memory_seconds is None:
            return compute + self.overhead_seconds
        memory = self.memory_seconds / self.bandwidth_utilization[0]
        return compute + memory + self.overhead_seconds

    @fact
    def best_case(self) -> tuple[float, float] | None:
        """The best case in practice in seconds, from full overlap to none; None if not known."""
        ends = self.best_case_seconds, self.best_case_serial_seconds
        return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])

    @fact
    def bound(self) -> str:
        """Which of the two takes longer: "compute" or "memory"."""
        return "memory" if (self.memory_seconds or 0) > self.compute_seconds else "compute"

    def bound_by(self, bound: str) -> float:
        """Return the seconds of the lower bound that are compute-bound, or memory-bound."""
        return self.floor_seconds if self.bound == bound else 0.0

    @quantity(r"I_\text{ridge}", unit="FLOP/B", label="Ridge point")
    def ridge_intensity(self) -> float | None:
        """The arithmetic intensity at which both take equally long."""
        if self.bandwidth_bytes_per_second is None:
            return None
        return self.peak_flops_per_second / self.bandwidth_bytes_per_second

    @quantity(r"\pi_\text{attainable}", unit="FLOP/s", label="Attainable FLOP/s")
    def attainable_flops_per_second(self) -> float | None:
        """The work over its lower bound: the roof above this intensity."""
        return ratio(self.flops, self.floor_seconds)

    def timed_flops(self) -> Any:
        """Return the FLOPs of what was timed: of a training step, both passes."""
        return self.flops if self.backward_flops is None else self.flops + self.backward_flops

    def done_flops(self) -> Any:
        """Return the FLOPs of what was timed, those computed again among them."""
        again = self.recomputed_flops
        return self.timed_flops() if again is None else self.timed_flops() + again

    @quantity(r"t_\text{floor, timed}", unit="s", label="Lower bound of what you timed")
    def measured_floor_seconds(self) -> float | None:
        """The forward pass's bound, or all FLOPs at the full peak rate; None for a forward pass.

        The bytes of a backward pass are not counted.
        """
        if self.measured_seconds is None or (
            self.backward_flops is None and self.recomputed_flops is None
        ):
            return None
        all_compute = self.done_flops() / self.over_devices(self.peak_flops_per_second)
        return maximum(self.floor_seconds, all_compute)

    @quantity(r"\text{MFU}", unit="%", label="Model FLOPs utilization (MFU)")
    def mfu(self) -> float | None:
        """The share of the peak that the work took, in the time that was measured.

        Chowdhery et al., "PaLM", arXiv:2204.02311, 2022, appendix B.
        """
        if self.measured_seconds is None:
            return None
        peak = self.over_devices(self.peak_flops_per_second)
        return self.timed_flops() / (self.measured_seconds * peak)

    @quantity(r"\text{HFU}", unit="%", label="Hardware FLOPs utilization (HFU)")
    def hfu(self) -> float | None:
        """The share that all FLOPs took, those computed again among them."""
        if self.measured_seconds is None:
            return None
        peak = self.over_devices(self.peak_flops_per_second)
        return self.done_flops() / (self.measured_seconds * peak)

    @quantity(r"\text{MBU}", unit="%", label="Model bandwidth utilization (MBU)")
    def mbu(self) -> float | None:
        """The share of the bandwidth that the bytes took, in the time that was measured.

        None for a training step: the bytes of its backward pass are not counted.
        """
        if self.measured_seconds is None or self.memory_seconds is None:
            return None
        if self.backward_flops is not None:
            return None
        bandwidth = self.over_devices(self.bandwidth_bytes_per_second)
        return self.bytes_moved / (self.measured_seconds * bandwidth)

    @quantity(r"E_\text{best}", unit="J", label="Energy of the best case, full overlap")
    def best_case_joules(self) -> float | None:
        """The power of all devices through that time."""
        if self.power_watts is None or not self.has_best_case():
            return None
        return self.over_devices(self.power_watts) * self.best_case_seconds

    @quantity(r"E_\text{best, serial}", unit="J", label="Energy of the best case, no overlap")
    def best_case_serial_joules(self) -> float | None:
        """The power of all devices through that time."""
        if self.power_watts is None or not self.has_best_case():
            return None
        return self.over_devices(self.power_watts) * self.best_case_serial_seconds
