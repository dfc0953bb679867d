"""From counts and a machine to seconds: what no run can undercut, and what to expect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from calculator import hardware
from calculator.calculation import quantity
from calculator.chain import Chain
from calculator.expression import added, maximum, ratio
from calculator.fields import size
from calculator.layer import Layer, Measured
from calculator.machine import Figure, Machine
from calculator.rates import rate, span

_BITS = "is a rate of bits; write bytes a second (an eighth), as B/s"
_NO_RATE = "is a number of bytes; write bytes a second, as B/s"
Shares = Any  # given as a share, two, or None; read as two


class Runtime(Machine, name="runtime"):
    """The time a machine needs for some work: it computes and it moves bytes.

    Both at once and at the full rates, so the longer of the two is a lower bound, the roofline.
    One after the other is the other extreme. What to expect lies between the two, at the shares of
    the rates that are reached in practice, with the time that starting the work takes.

    Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.
    """

    flops: int | float = rate(
        r"\text{FLOPs}", units=("FLOP", "FLOPs"), default=8_192_000, label="Work", whole=True,
        optional=False, minimum=0, largest=1e300,
        confused={"MAC": "counts MACs; write twice the figure, as FLOPs",
                  "MACs": "counts MACs; write twice the figure, as FLOPs"},
    )  # fmt: skip
    bytes_moved: Figure = rate(
        r"\text{bytes}", units=("B",), default=None, label="Bytes moved", whole=True,
        minimum=0, largest=1e300, help="Leave empty to ask for compute time only.",
    )  # fmt: skip
    recomputed_flops: int | float = rate(
        r"\text{FLOPs}_\text{again}", units=("FLOP", "FLOPs"), default=0, label="Computed again",
        whole=True, optional=False, minimum=0, largest=1e300, role="assumption",
        help="To save memory, on top of the work. Counts in the HFU.",
    )  # fmt: skip
    bandwidth_bytes_per_second: Figure = rate(
        r"\beta", units=("B/s", "Bps"), default=None, role="hardware", label="Memory bandwidth",
        help="Such as 1.555T, in bytes a second. Empty: the device's.",
        confused={"b/s": _BITS, "bit/s": _BITS, "bps": _BITS, "B": _NO_RATE, "Byte": _NO_RATE},
    )  # fmt: skip
    utilization: Shares = span(
        "u", default=None, role="assumption", label="Share of the peak reached",
        help="Such as 40 %, or 50 – 80 %. Empty: what was measured.",
    )  # fmt: skip
    bandwidth_utilization: Shares = span(
        "v", default=None, role="assumption", label="Share of the bandwidth reached",
        help="As above. Empty: what was measured.",
    )  # fmt: skip
    launches: Figure = size(
        "n", default=None, minimum=0, optional=True, role="assumption", label="Kernels launched",
        help="Empty: one for each layer.",
    )  # fmt: skip
    launch_seconds: Figure = rate(
        r"t_\text{launch}", units=("s",), default=None, minimum=0,
        role="assumption", label="Time of a launch",
        help="Such as 4 µs. Empty: of a GPU on a card or module as measured on an H100, else 0.",
    )  # fmt: skip
    measured_seconds: Figure = rate(
        r"t_\text{measured}", units=("s",), default=None, minimum=1e-12,
        role="assumption", label="Time you measured", help="Such as 48 µs. Gives MFU and HFU.",
    )  # fmt: skip
    power_watts: Figure = rate(
        "P", units=("W",), default=None, minimum=0, role="assumption", label="Power",
        help="Such as 700 W. Empty: the device's board power, where known.",
    )  # fmt: skip

    def validate(self) -> None:
        super().validate()
        if self.peak_flops_per_second is None:
            raise self.without_peak()
        usual = self._usual().items()
        self.assume(**{name: value for name, value in usual if getattr(self, name) is None})

    def _usual(self) -> dict[str, Any]:
        """Return what is taken for granted where a field is left empty."""
        machine = hardware.device(self.device) if self.device else {}
        bandwidth = machine.get("bandwidth_bytes_per_s")
        return {
            "bandwidth_bytes_per_second": None if bandwidth is None else int(bandwidth),
            "utilization": hardware.achieved(self.device, "compute"),
            "bandwidth_utilization": hardware.achieved(self.device, "bandwidth"),
            "launches": 1,
            "launch_seconds": hardware.launch_seconds(self.device),
            "power_watts": machine.get("power", {}).get("watts"),
        }

    @property
    def is_bandwidth_of_device(self) -> bool:
        """Whether the bandwidth is what the device's source says."""
        if not self.device:
            return False
        known = hardware.device(self.device)["bandwidth_bytes_per_s"]
        return bool(self.bandwidth_bytes_per_second == known)

    @quantity(r"t_\text{compute}", unit="s", label="Compute time")
    def compute_seconds(self) -> float:
        """The work at the full peak rate."""
        return self.flops / self.peak_flops_per_second

    @quantity(r"t_\text{memory}", unit="s", label="Memory time")
    def memory_seconds(self) -> float | None:
        """The bytes at the full bandwidth; None where bytes or bandwidth are not given."""
        if self.bytes_moved is None or self.bandwidth_bytes_per_second is None:
            return None
        return self.bytes_moved / self.bandwidth_bytes_per_second

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

    @quantity(r"t_\text{reached}", unit="s", label="At the best shares reached")
    def reached_seconds(self) -> float:
        """The longer of the two, at the highest share of each rate."""
        compute: float = self.compute_seconds / self.utilization[1]
        if self.memory_seconds is None:
            return compute
        return maximum(compute, self.memory_seconds / self.bandwidth_utilization[1])

    @quantity(r"t_\text{least}", unit="s", label="Expect at least")
    def least_seconds(self) -> float:
        """Everything overlaps: kernels start while others run."""
        return maximum(self.reached_seconds, self.overhead_seconds)

    @quantity(r"t_\text{most}", unit="s", label="Expect at most")
    def most_seconds(self) -> float:
        """Nothing overlaps, at the lowest share of each rate."""
        compute = self.compute_seconds / self.utilization[0]
        if self.memory_seconds is None:
            return compute + self.overhead_seconds
        memory = self.memory_seconds / self.bandwidth_utilization[0]
        return compute + memory + self.overhead_seconds

    @property
    def bound(self) -> str:
        """Which of the two takes longer: "compute" or "memory"."""
        return "memory" if (self.memory_seconds or 0) > self.compute_seconds else "compute"

    def bound_by(self, bound: str) -> float:
        """Return the seconds of the lower bound in which compute binds, or memory does."""
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

    @quantity(r"\text{MFU}", unit="%", label="Model FLOPs utilization (MFU)")
    def mfu(self) -> float | None:
        """The share of the peak that the work took, in the time that was measured.

        Chowdhery et al., "PaLM", arXiv:2204.02311, 2022, appendix B.
        """
        if self.measured_seconds is None:
            return None
        return self.flops / (self.measured_seconds * self.peak_flops_per_second)

    @quantity(r"\text{HFU}", unit="%", label="Hardware FLOPs utilization (HFU)")
    def hfu(self) -> float | None:
        """The share that all FLOPs took, those computed again among them."""
        if self.measured_seconds is None:
            return None
        done = self.flops + self.recomputed_flops
        return done / (self.measured_seconds * self.peak_flops_per_second)

    @quantity(r"\text{MBU}", unit="%", label="Model bandwidth utilization (MBU)")
    def mbu(self) -> float | None:
        """The share of the bandwidth that the bytes took, in the time that was measured."""
        if self.measured_seconds is None or self.memory_seconds is None:
            return None
        return self.bytes_moved / (self.measured_seconds * self.bandwidth_bytes_per_second)

    @quantity(r"E_\text{least}", unit="J", label="Energy, at least expected")
    def least_joules(self) -> float | None:
        """The power through the shortest time that is expected."""
        return None if self.power_watts is None else self.power_watts * self.least_seconds

    @quantity(r"E_\text{most}", unit="J", label="Energy, at most expected")
    def most_joules(self) -> float | None:
        """The power through the longest time that is expected."""
        return None if self.power_watts is None else self.power_watts * self.most_seconds


HARDWARE = tuple(
    name
    for name, field in Runtime.fields.items()
    if field.role in ("hardware", "assumption") and name not in Measured.fields
)
"""The fields that describe the machine, on any form that asks for a time: device, rates, shares."""
_NAMED = ("device", "peak_flops_per_second", "bandwidth_bytes_per_second")


class ChainRuntime(Runtime):
    """The time of layers that run one after another: none lends its time to the next.

    So each waits for the longer of its own two, and the lower bounds add up.
    """

    @property
    def layers(self) -> tuple[Runtime, ...]:
        """The time of each layer."""
        return tuple(each for _, each in self.steps)

    @property
    def steps(self) -> tuple[tuple[int, Runtime], ...]:
        """How many there are of each layer, and its time."""
        known: tuple[tuple[int, Runtime], ...] = self.__dict__["_steps"]
        return known

    @classmethod
    def of(cls, chain: Chain, values: Mapping[str, Any]) -> Self:
        """Return the time of the layers of a chain on a machine."""
        given = {**values, "dtype": chain.dtype}
        known: dict[int, Runtime] = {}  # a network repeats its layers
        for layer in chain.layers:
            if id(layer) not in known:
                known[id(layer)] = _of(layer, given)
        steps = tuple(
            (count, known[id(layer)])
            for count, layer in zip(chain.counts(), chain.layers, strict=True)
        )
        if given.get("launches") is None:
            given["launches"] = sum(count * each.launches for count, each in steps)
        whole = cls(
            flops=sum(count * each.flops for count, each in steps),
            bytes_moved=sum(count * each.bytes_moved for count, each in steps),
            **given,
        )
        whole.__dict__.update(_steps=steps, _known=known, _of=(chain, dict(values)))
        return whole

    def replace(self, **values: Any) -> Self:
        """Return the time of the same layers on a machine that differs in some fields.

        Raises InvalidField for the work, which is that of the layers.
        """
        for name in values.keys() & Runtime.fields.keys() - {*HARDWARE}:
            raise Runtime.fields[name].refuse(
                "is that of the layers; ask for the time of other layers", values[name]
            )
        chain, given = self.__dict__["_of"]
        return self.of(chain, {**given, **values})

    def of_layer(self, layer: Layer) -> Runtime | None:
        """Return the time of one of the layers, or of one within them."""
        known: dict[int, Runtime] = self.__dict__["_known"]
        inner = (each for each in known.values() if isinstance(each, ChainRuntime))
        found = (each.of_layer(layer) for each in inner)
        return known.get(id(layer)) or next(filter(None, found), None)

    @quantity()
    def floor_seconds(self) -> float:
        """The sum of the layers' own lower bounds."""
        return self.over_layers("floor_seconds")

    @quantity()
    def reached_seconds(self) -> float:
        """The sum over the layers."""
        return self.over_layers("reached_seconds")

    def over_layers(self, name: str) -> float:
        """Return the sum of a quantity over the layers."""
        counts = (count for count, _ in self.steps)
        return added(
            count * getattr(each, name) for count, each in zip(counts, self.layers, strict=True)
        )

    @property
    def bound(self) -> str:
        """What binds for the longer part of the lower bound: "compute" or "memory"."""
        compute = self.bound_by("compute")
        return "compute" if compute >= self.floor_seconds - compute else "memory"

    def bound_by(self, bound: str) -> float:
        """The sum over the layers."""
        return added(count * each.bound_by(bound) for count, each in self.steps)

    @cached_property
    def branches(self) -> tuple[object, ...]:
        return (*super().branches, tuple((count, each.branches) for count, each in self.steps))


def _of(work: Measured, values: Mapping[str, Any]) -> Runtime:
    """Return the runtime of some work: what moves nothing and computes nothing launches nothing."""
    if isinstance(work, Chain):
        return ChainRuntime.of(work, values)
    given = dict(values)
    if given.get("launches") is None:
        given["launches"] = 1 if work.bytes_moved or work.flops else 0
    given["dtype"] = work.dtype
    return Runtime(flops=work.flops, bytes_moved=work.bytes_moved, **given)


def runtime(work: Measured, values: Mapping[str, Any]) -> Runtime | None:
    """Return the runtime of some work on the machine that values describe, None where none is.

    Raises InvalidField where they describe one halfway.
    """
    if not any(values.get(name) for name in _NAMED):
        for name in HARDWARE:
            field, given = Runtime.fields[name], values.get(name)
            if name not in _NAMED and given not in (None, field.default):
                raise field.refuse(
                    "is about a machine; choose a device, or write a peak FLOP/s", given
                )
        return None
    return _of(work, values)
