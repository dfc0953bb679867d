"""What was counted and on what machine, in sentences: to copy into a paper, or to be warned."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.blocks.chain import Chain
from calculator.core.calculation import Calculation
from calculator.core.units import grouped, interval, rounded, seconds, shares
from calculator.layers.layer import Layer, Work
from calculator.machines import devices
from calculator.machines.machine import PEAKS
from calculator.machines.memory_fit import MemoryFit
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import PASSES, WorkRuntime

_SLOW = 1e6  # per second; anyone who writes less has left out the prefix


def how_to_report(work: Work) -> str:
    """Return a count with everything that a reader needs to repeat it.

    The convention, the input without its batch, the batch, and what is counted and what is not.
    """
    macs = rounded(work.macs, "MACs")
    if work.convention == "matrix":
        count = f"{macs} ({rounded(2 * work.macs, 'FLOPs')}, 1 MAC = 2 FLOPs)"
    else:
        each = f"exp, tanh, … = {work.function_weight} FLOPs each"
        count = (
            f"{rounded(work.flops, 'FLOPs')} of all arithmetic (1 MAC = 2 FLOPs, {each}), "
            f"including {macs}"
        )
    return f"{work.in_words(count)}, {_input(work)}, {_scope(work)}"


def _input(work: Work) -> str:
    """Return the shape of an input without its batch, and the batch."""
    shape = work.input_shape  # type: ignore[attr-defined]
    batch = work.batch_axis
    text = f"input {'×'.join(str(size) for axis, size in enumerate(shape) if axis != batch)}"
    return f"{text}, no batch" if batch is None else f"{text}, batch {shape[batch]}"


def _scope(work: Work) -> str:
    rest = "biases, normalisation, activations and pooling"
    if work.convention != "matrix":
        return f"{rest} included"
    attention = [each for each in _layers(work) if hasattr(each, "scores")]
    if not attention:
        return f"{rest} not included"
    masked = any(getattr(each, "is_causal", False) for each in attention)
    products = "attention products" + (" and masked pairs" if masked else "")
    return f"{products} included, but not {rest}"


def _layers(work: Work) -> Iterator[Layer]:
    if isinstance(work, Chain):
        for each in work.layers:
            yield from _layers(each)
    elif isinstance(work, Layer):
        yield work


def line(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return how to report a calculation, to copy; nothing if it counts no work."""
    return how_to_report(calculation) if isinstance(calculation, Work) else ""


def machine(time: Runtime) -> str:
    """Return what a time is of: devices, those with rates of one's own, or a machine of one's own.

    A machine of one's own is called what its owner calls it.
    """
    count = f"{time.devices} × " if (time.devices or 1) > 1 else ""
    if not time.device:
        return f"{count}{time.machine_name or 'your machine'}"
    found = devices.device(time.device)
    own = time.peak is None or not time.is_bandwidth_of_device
    return f"{count}{time.machine_name or found['name']}{', your rates' if own else ''}"


def peak(time: Runtime) -> str:
    """Return the peak of one device, with the row and the kind that it is of."""
    text = rounded(time.peak_flops_per_second, time.in_words("FLOP/s"))
    return text if time.peak is None else f"{text} ({PEAKS[time.peak_kind]} {time.peak.row})"


def rates(time: Runtime) -> str:
    """Return the peak and the bandwidth of one device."""
    each = " each" if (time.devices or 1) > 1 else ""
    if time.bandwidth_bytes_per_second is None:
        return peak(time) + each
    return f"{peak(time)} and {rounded(time.bandwidth_bytes_per_second, 'B/s')}{each}"


def best_case(time: Runtime) -> str:
    """Return the best case in practice, and what it rests on."""
    between = f"{interval(*time.best_case)}, " if time.best_case else ""
    return f"Best case in practice: {between}{basis(time)}"


def basis(time: Runtime) -> str:
    """Return what the best case in practice rests on, or why there is none, to its full stop."""
    ends = {"peak": time.utilization}
    if time.memory_seconds is not None:
        ends["bandwidth"] = time.bandwidth_utilization
    missing = [what for what, share in ends.items() if share is None]
    if missing:
        return (
            f"unknown, because there is no measurement of the share of its {' and '.join(missing)} "
            f"that {machine(time)} achieves; enter a share to see it."
        )
    reached = " and ".join(f"{shares(share)} of the {what}" for what, share in ends.items())
    launched = (
        f", and {grouped(time.launches)} kernel launch{'es' * (time.launches != 1)} of "
        f"{seconds(time.launch_seconds)}"
        if time.launch_seconds
        else ""
    )
    rates = ("compute", "bandwidth")
    own = [
        what
        for (what, share), rate in zip(ends.items(), rates, strict=False)
        if share != devices.achieved(time.device, rate)
    ]
    measured = "the best efficiency measured"
    if own:
        measured = "your efficiency" if len(own) == len(ends) else f"your share of the {own[0]}"
    caveat = "" if "peak" in own else f" {_caveat(time)}"
    return f"at {measured} ({reached}){launched}, with full overlap or none.{caveat}"


def timed(time: Runtime) -> str:
    """Return what a measured time is taken to be of, nothing if none was measured."""
    if time.measured_seconds is None:
        return ""
    passed = f"{PASSES[time.timed_pass]} on " if isinstance(time, WorkRuntime) else ""
    count = time.devices or 1
    devices = f"{grouped(count)} device{'s' * (count > 1)}"
    return f"Your {seconds(time.measured_seconds)} is taken as the time of {passed}{devices}."


def memory(machine: Calculation) -> str:
    """Return whether some work fits into the memory of a machine, nothing if it is not known."""
    if not isinstance(machine, MemoryFit) or machine.capacity_bytes is None:
        return ""
    needed, capacity = rounded(machine.needed_bytes, "B"), rounded(machine.capacity_bytes, "B")
    parts = ", ".join(f"{name} {rounded(size, 'B')}" for name, size in machine.parts().items())
    held = "; ".join(filter(None, (parts, *_not_held(machine))))
    said = f"at least {needed} of {capacity}" + (f" ({held})" if held else "")
    if machine.fits:
        return f"Needs {said}."
    if machine.fits is None:
        return f"May not fit: needs {said}. It depends on whether the vendor's GB are GiB."
    devices = grouped(machine.needed_devices or 1)
    return f"Does not fit: needs {said}; at least {devices} devices would hold it."


def _not_held(machine: MemoryFit) -> Iterator[str]:
    """Yield what of a training step is not held at once, and what is not counted."""
    if not isinstance(machine, WorkRuntime):
        yield "optimizer states and activations are not counted"
        return
    if machine.timed_pass == "forward":
        return
    if machine.gradient_bytes:
        yield "gradients replace activations"
    kept = (
        ", nor are activations kept for recomputation" if machine.timed_pass == "recomputed" else ""
    )
    yield f"optimizer states are not counted{kept}"


def remarks(time: Runtime) -> Iterator[str]:
    """Yield what a reader has to know of the rates that were taken, and of a time below them."""
    if not time.flops and not time.bytes_moved:
        yield "Nothing is computed and nothing is moved."
    elif time.bytes_moved is None:
        yield "Memory is not considered: there are no bytes."
    elif time.bandwidth_bytes_per_second is None:
        yield "Memory is not considered: there is no bandwidth."
    given = {
        time.in_words("FLOP/s"): time.peak_flops_per_second,
        "B/s": time.bandwidth_bytes_per_second,
    }
    for unit, rate in given.items():
        if rate is not None and rate < _SLOW:
            yield f"{rounded(rate, unit)} has no prefix; write a T after the number for trillions."
    if time.device:
        yield from _of_device(time, time.device)
    if (time.devices or 1) > 1:
        yield "The work is shared evenly; communication between the devices is not counted."
    if time.reached_seconds is not None and time.overhead_seconds > time.reached_seconds:
        yield (
            "Kernel launches take longer than the work: fewer kernels or graph capture would help "
            "first."
        )
    if time.measured_seconds is not None:
        yield from _of_measured(time, time.measured_seconds)


def _of_device(time: Runtime, device: str) -> Iterator[str]:
    found, taken = devices.device(device), time.peak
    yield from devices.remarks(device)
    if time.memory_seconds is not None and not time.is_bandwidth_of_device:
        yield f"The bandwidth is your own, not that of {found['name']}."
    if taken is None:
        yield f"The peak is your own, not that of {found['name']}."
    elif taken.because:
        yield f"The rate is that of {taken.row}, not of {time.dtype}, because {taken.because}."
    elif time.peak_kind != "dense":
        dense = devices.peak(device, time.dtype)
        accumulates = time.peak_kind == "fp16_accumulate"
        usual = "With FP32 accumulation" if accumulates else "Dense"
        if dense is not None:
            rate = rounded(dense.flops_per_second, time.in_words("FLOP/s"))
            yield f"{usual}, the peak is {rate}."
    elif taken.row != time.dtype:
        yield f"The peak is that of the matrix units ({taken.row})."
    if found["confidence"] == "low":
        yield "The vendor does not print these rates: they are computed as units × clock."


def _caveat(time: Runtime) -> str:
    """Return on what, and in which type, the share of the peak was measured."""
    sources = devices.measurements(time.device, "compute")
    vendor = devices.device(str(time.device))["vendor"]
    where = "" if time.device in sources else f" on other {vendor} GPUs"
    types = dict.fromkeys(source["dtype"] for source in sources.values())
    other = [] if time.dtype in types else [f"not in {time.dtype}"]
    if time.peak_kind != "dense":
        other.append("of the dense peak with FP32 accumulation")
    return (
        f"Large, well-shaped work achieved that share of the peak{where} in "
        f"{', '.join([' and '.join(types), *other])}; other work takes longer."
    )


def _of_measured(time: Runtime, measured: float) -> Iterator[str]:
    """Yield why there is no MBU, and how a time can be below the bound."""
    if time.backward_flops is not None:
        yield "There is no MBU: the bytes of the backward pass are not counted."
    if isinstance(time, WorkRuntime) and time.matrix_flops is not None:
        yield f"MFU and HFU of a training step count the {time.in_words('FLOPs')} of matrix work."
    if measured >= (time.measured_floor_seconds or time.floor_seconds):
        return
    cause = {
        "compute": "the run had another peak or data type than the one entered here",
        "memory": "the operands were in a cache",
    }[time.bound]
    count = time.devices or 1
    yield (
        f"Your time is below the bound. Either more devices than {grouped(count)} shared the work, "
        f"or {cause}, or less was computed than is counted, or the clock was read before the work "
        "was done."
    )
