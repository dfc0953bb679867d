"""The time of a layer or a network on a machine, what was timed of it, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from calculator.blocks.chain import Chain
from calculator.core.calculation import fact, quantity
from calculator.core.expression import added, maximum
from calculator.core.fields import choice
from calculator.core.measure_fields import rate
from calculator.core.unit_families import BYTES, FLOP_COUNT
from calculator.layers.layer import Work
from calculator.machines.footprint import footprint
from calculator.machines.machine import Figure
from calculator.machines.memory_fit import MemoryFit
from calculator.machines.runtime import Runtime

PASSES = {
    "forward": "a forward pass",
    "training": "a training step",
    "recomputed": "a training step with activations recomputed",
}
"""What a measured time may be of."""
_MEASURED = ("measured_seconds", "measured_pass", "recomputed_flops")


def _held(symbol: str, label: str) -> Any:
    """Declare bytes of the work that are held at once; None if there are none."""
    return rate(
        rf"\text{{bytes}}_\text{{{symbol}}}", units=BYTES, default=None, whole=True, label=label,
        largest=1e300,
    )  # fmt: skip


class WorkRuntime(MemoryFit, Runtime):
    """The time of some work, whose shape says what a training step and its memory take."""

    measured_pass: str | None = choice(
        default=None, optional=True, options=PASSES, role="assumption", label="What you timed",
        empty='forward, or a training step if "In training" is on',
        help="MFU, HFU and the memory needed are of this pass. "
        "A training step is forward and backward.",
    )  # fmt: skip
    matrix_flops: Figure = rate(
        r"\text{FLOPs}_\text{matrix}", units=FLOP_COUNT, default=None, whole=True, minimum=0,
        largest=1e300, label="Matrix work of the forward pass",
    )  # fmt: skip
    memory_bytes: Figure = rate(
        r"\text{bytes}_\text{device}", units=BYTES, default=None, role="hardware", whole=True,
        label="Memory per device", help="Such as 80 GB. Leave empty for the device's.",
    )  # fmt: skip
    weight_bytes: Figure = _held("weight", "Weights")
    kv_cache_bytes: Figure = _held("cache", "KV cache")
    gradient_bytes: Figure = _held("gradient", "Gradients")
    activation_bytes: Figure = _held("activation", "Activations")

    carries: ClassVar[tuple[str, ...]] = ("work", "asked")
    work: Work
    """What the time is of."""
    asked: Mapping[str, Any]
    """What describes the machine, as it was asked for."""

    @classmethod
    def assume(cls, given: Any) -> dict[str, Any]:
        return {**super().assume(given), "memory_bytes": MemoryFit.device_bytes(given)}

    @classmethod
    def of(cls, work: Work, values: Mapping[str, Any]) -> Self:
        """Return the time of some work on the machine that values describe."""
        said = timed_pass(work, values.get("measured_pass"))
        held = footprint(work, is_trained=said != "forward", is_recomputed=said == "recomputed")
        more = {f"{name}_bytes": size for name, size in held._asdict().items() if size}
        return cls.alone(work, {**values, **more, **_timed(work, values)}, asked=dict(values))

    @classmethod
    def alone(cls, work: Work, values: Mapping[str, Any], **carried: Any) -> Self:
        """Return the time alone, without what was timed and what is held.

        What moves nothing and computes nothing launches nothing.
        """
        given = {**values, "dtype": work.dtype}
        if given.get("launches") is None:
            given["launches"] = 1 if work.bytes_moved or work.flops else 0
        given |= {"flops": work.flops, "bytes_moved": work.bytes_moved}
        return cls(work=work, **given, **carried)

    def replace(self, **values: Any) -> Self:
        """Return the time of the same work on a machine that differs in some fields.

        Raises InvalidField for the work.
        """
        for name in values.keys() & Runtime.fields.keys() - {*HARDWARE}:
            raise Runtime.fields[name].refuse(
                "is given by the layers; change the layers instead", values[name]
            )
        return self.of(self.work, {**self.asked, **values})

    @fact
    def timed_pass(self) -> str:
        """What the measured time is of: "forward", "training" or "recomputed"."""
        return timed_pass(self.work, self.measured_pass)

    def timed_flops(self) -> Any:
        """Return the FLOPs of what was timed: of a training step, the matrix work of both passes.

        Other arithmetic of a backward pass is not counted, so a step is counted without it.
        """
        if self.matrix_flops is None:
            return Runtime.timed_flops(self)
        return self.matrix_flops + self.backward_flops

    def held(self) -> tuple[Any, ...]:
        """Return the bytes that are held, in the order of a `Footprint`."""
        return self.weight_bytes, self.kv_cache_bytes, self.gradient_bytes, self.activation_bytes

    def passing_bytes(self) -> Any:
        """Return the activations, or the gradients that take their place if these are more."""
        sizes = [size for size in (self.activation_bytes, self.gradient_bytes) if size is not None]
        return maximum(*sizes) if len(sizes) == 2 else next(iter(sizes), None)

    def parts(self) -> dict[str, int]:
        """Return what is held at once, of gradients and activations the larger."""
        are_more = (self.gradient_bytes or 0) > (self.activation_bytes or 0)
        passing = "gradients" if are_more else "activations"
        named = {
            "weights": self.weight_bytes,
            "KV cache": self.kv_cache_bytes,
            passing: self.passing_bytes(),
        }
        return {name: size for name, size in named.items() if size}

    def device_bytes(self) -> Any:
        return self.memory_bytes

    def largest_device_bytes(self) -> Any:
        own = self.memory_bytes != super().device_bytes()
        return self.memory_bytes if own else super().largest_device_bytes()

    def device_count(self) -> Any:
        return 1 if self.devices is None else self.devices

    @quantity()
    def needed_bytes(self) -> int:
        """Weights, cache and activations; gradients take the place of activations."""
        sizes = self.weight_bytes, self.kv_cache_bytes, self.passing_bytes()
        return added(size for size in sizes if size is not None)


HARDWARE = tuple(
    name
    for name, field in WorkRuntime.fields.items()
    if field.role in ("hardware", "assumption") and name not in Work.fields
)
"""The fields that describe the machine, on any form that asks for a time: device, rates, shares."""
_NAMED = ("device", "peak_flops_per_second", "bandwidth_bytes_per_second")


class ChainRuntime(WorkRuntime):
    """The time of layers that run one after another: none lends its time to the next.

    So each waits for the longer of its own two, and the lower bounds add up.
    """

    carries = (*WorkRuntime.carries, "steps")
    steps: tuple[tuple[int, Runtime], ...]
    """How many there are of each layer, and its time."""

    @fact
    def layers(self) -> tuple[Runtime, ...]:
        """The time of each layer."""
        return tuple(time for _, time in self.steps)

    @fact
    def counts(self) -> tuple[int, ...]:
        """How many there are of each layer."""
        return tuple(count for count, _ in self.steps)

    @classmethod
    def alone(cls, work: Work, values: Mapping[str, Any], **carried: Any) -> Self:
        """Return the time of the layers of a chain, each without what was timed and is held."""
        assert isinstance(work, Chain)
        given = {**values, "dtype": work.dtype}
        machine = {name: values[name] for name in HARDWARE if name in values}
        for name in _MEASURED:
            machine.pop(name, None)
        known: dict[int, WorkRuntime] = {}  # a network repeats its layers
        for layer in work.layers:
            if id(layer) not in known:
                known[id(layer)] = _kind(layer).alone(layer, machine)
        steps = tuple(
            (count, known[id(layer)])
            for count, layer in zip(work.counts(), work.layers, strict=True)
        )
        if given.get("launches") is None:
            given["launches"] = sum(count * time.launches for count, time in steps)
        return super().alone(work, given, steps=steps, **carried)

    @fact
    def times(self) -> dict[int, Runtime]:
        """The time of each layer, and of each within one, by the identity of the layer."""
        assert isinstance(self.work, Chain)
        found: dict[int, Runtime] = {}
        for layer, time in zip(self.work.layers, self.layers, strict=True):
            found[id(layer)] = time
            if isinstance(time, ChainRuntime):
                found |= time.times
        return found

    @quantity()
    def floor_seconds(self) -> float:
        """The sum of the layers' own lower bounds."""
        return self.over_layers("floor_seconds")

    @quantity()
    def reached_seconds(self) -> float | None:
        """The sum over the layers."""
        return self.over_layers("reached_seconds") if self.has_best_case() else None

    def over_layers(self, name: str) -> float:
        """Return the sum of a quantity over the layers."""
        pairs = zip(self.counts, self.layers, strict=True)
        return added(count * getattr(time, name) for count, time in pairs)

    @fact
    def bound(self) -> str:
        """What holds for the longer part of the lower bound: "compute" or "memory"."""
        compute = self.bound_by("compute")
        return "compute" if compute >= self.floor_seconds - compute else "memory"

    def bound_by(self, bound: str) -> float:
        """The sum over the layers."""
        pairs = zip(self.counts, self.layers, strict=True)
        return added(count * time.bound_by(bound) for count, time in pairs)


def timed_pass(work: Work, said: str | None) -> str:
    """Return what a measured time is of: what was said, else what the work is set to."""
    return said or ("training" if getattr(work, "training", False) else "forward")


def _timed(work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the FLOPs of a measured training step beyond those of the forward pass."""
    passed, again = timed_pass(work, values.get("measured_pass")), values.get("recomputed_flops")
    if again is not None and passed != "recomputed":
        field = WorkRuntime.fields["recomputed_flops"]
        raise field.refuse(
            f"does not belong to {PASSES[passed]}; choose {PASSES['recomputed']}", again
        )
    if values.get("measured_seconds") is None or passed == "forward":
        return {}
    forward, backward = 2 * work.macs, 2 * work.backward_macs
    more = {"backward_flops": backward}
    if work.convention != "matrix":
        more["matrix_flops"] = forward
    if passed == "recomputed" and again is None:
        more["recomputed_flops"] = forward
    return more


def _kind(work: Work) -> type[WorkRuntime]:
    return ChainRuntime if isinstance(work, Chain) else WorkRuntime


def runtime(work: Work, values: Mapping[str, Any]) -> WorkRuntime | None:
    """Return the runtime of some work on the machine that values describe, None if none is.

    Raises InvalidField if they describe one halfway.
    """
    if not any(values.get(name) for name in _NAMED):
        for name in HARDWARE:
            field, given = WorkRuntime.fields[name], values.get(name)
            if name not in _NAMED and given not in (None, field.default):
                raise field.refuse(
                    "needs a machine; choose a device, or write a peak FLOP/s", given
                )
        return None
    return _kind(work).of(work, values)
