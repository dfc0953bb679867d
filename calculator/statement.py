"""What was counted and on what machine, in sentences: to copy into a paper, or to be warned."""

from __future__ import annotations

from collections.abc import Iterator

from calculator import hardware
from calculator.calculation import Calculation
from calculator.chain import Chain
from calculator.layer import Layer, Measured
from calculator.machine import PEAKS
from calculator.roofline import Runtime
from calculator.units import rounded

_SLOW = 1e6  # a second; who writes less has left out the prefix


def how_to_report(work: Measured) -> str:
    """Return a count with everything that a reader needs to repeat it.

    The convention, the input without its batch, the batch, and what is counted and what is not.
    """
    macs = rounded(work.macs, "MACs")
    if work.convention == "matrix":
        count = f"{macs} ({rounded(2 * work.macs, 'FLOPs')}, 1 MAC = 2 FLOPs)"
    else:
        each = f"a function such as exp = {work.function_weight}"
        count = (
            f"{rounded(work.flops, 'FLOPs')} of all arithmetic (1 MAC = 2 FLOPs, {each}), of it "
            f"{macs}"
        )
    return f"{count}, {_input(work)}, {_scope(work)}"


def _input(work: Measured) -> str:
    """Return the shape of an input without its batch, and the batch."""
    shape = work.input_shape  # type: ignore[attr-defined]
    batch = work.batch_axis
    text = f"input {'×'.join(str(size) for axis, size in enumerate(shape) if axis != batch)}"
    return f"{text}, no batch" if batch is None else f"{text}, batch {shape[batch]}"


def _scope(work: Measured) -> str:
    rest = "biases, normalisation, activations and pooling"
    if work.convention != "matrix":
        return f"{rest} included"
    attention = [each for each in _layers(work) if hasattr(each, "scores")]
    if not attention:
        return f"{rest} not included"
    masked = any(getattr(each, "is_causal", False) for each in attention)
    products = "attention products included" + (", masked pairs too" if masked else "")
    return f"{products}; {rest} not"


def _layers(work: Measured) -> Iterator[Layer]:
    if isinstance(work, Chain):
        for each in work.layers:
            yield from _layers(each)
    elif isinstance(work, Layer):
        yield work


def line(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return how to report a calculation, to copy; nothing where it counts no work."""
    return how_to_report(calculation) if isinstance(calculation, Measured) else ""


def machine(time: Runtime) -> str:
    """Return what a time is of: a device, one with rates of one's own, or figures alone."""
    if not time.device:
        return "your figures"
    found = hardware.device(time.device)
    own = time.peak is None or not time.is_bandwidth_of_device
    return f"{found['name']}, your rates" if own else str(found["name"])


def peak(time: Runtime) -> str:
    """Return the peak, with the row and the kind that it is of."""
    text = rounded(time.peak_flops_per_second, "FLOP/s")
    return text if time.peak is None else f"{text} ({PEAKS[time.peak_kind]} {time.peak.row})"


def rates(time: Runtime) -> str:
    """Return the peak and the bandwidth."""
    if time.bandwidth_bytes_per_second is None:
        return peak(time)
    return f"{peak(time)} and {rounded(time.bandwidth_bytes_per_second, 'B/s')}"


def remarks(time: Runtime) -> Iterator[str]:
    """Yield what a reader has to know of the rates that were taken, and of a time below them."""
    if not time.flops and not time.bytes_moved:
        yield "Nothing is computed and nothing is moved: nothing binds."
    elif time.bytes_moved is None:
        yield "Memory is not asked: there are no bytes."
    elif time.bandwidth_bytes_per_second is None:
        yield "Memory is not asked: there is no bandwidth."
    given = {"FLOP/s": time.peak_flops_per_second, "B/s": time.bandwidth_bytes_per_second}
    for unit, rate in given.items():
        if rate is not None and rate < _SLOW:
            yield f"{rounded(rate, unit)} has no prefix: with a T behind it, it is trillions."
    if time.device:
        found = hardware.device(time.device)
        taken = time.peak
        if time.memory_seconds is not None and not time.is_bandwidth_of_device:
            yield f"The bandwidth is your own, not that of {found['name']}."
        if taken is None:
            yield f"The peak is your own, not that of {found['name']}."
        elif taken.because:
            yield f"The rate is that of {taken.row} and not of {time.dtype}, since {taken.because}."
        elif time.peak_kind != "dense":
            dense = hardware.peak(time.device, time.dtype)
            accumulates = time.peak_kind == "fp16_accumulate"
            usual = "With FP32 accumulation" if accumulates else "Dense"
            if dense is not None:
                yield f"{usual} it is {rounded(dense.flops_per_second, 'FLOP/s')}."
        elif taken.row != time.dtype:
            yield f"The peak is that of the matrix units ({taken.row})."
        if found["confidence"] == "low":
            yield "No vendor prints these rates: they are units × clock."
    if time.floor_seconds and time.utilization == hardware.achieved(time.device, "compute"):
        yield (
            "What to expect rests on shares that large, well-shaped work reached: other shapes may "
            "take longer."
        )
    if time.overhead_seconds > time.reached_seconds:
        yield "Launching takes longer than the work: a graph or fewer kernels would help first."
    if time.measured_seconds is not None and time.measured_seconds < time.floor_seconds:
        cause = {
            "compute": "the run has another peak, or another data type, than is computed with",
            "memory": "the operands were in a cache",
        }[time.bound]
        yield (
            f"Your time is below the bound. Either {cause}, or less was computed than is counted, "
            "or the work was not done when the clock was read."
        )
