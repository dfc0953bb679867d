"""How to report a count: one line that says what was counted, to copy into a paper."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.calculation import Calculation
from calculator.chain import Chain
from calculator.layer import Layer, Measured
from calculator.roofline import Runtime
from calculator.units import rounded


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
    batched = getattr(work, "batch_size", 1) is not None and len(shape) > 1
    place = 1 if _batch_is_second(work) else 0
    own = [size for axis, size in enumerate(shape) if not (batched and axis == place)]
    text = f"input {'×'.join(map(str, own))}"
    return f"{text}, batch {shape[place]}" if batched else f"{text}, no batch"


def _batch_is_second(work: Measured) -> bool:
    return getattr(work, "batch_first", True) is False and len(work.input_shape) == 3  # type: ignore[attr-defined]


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
