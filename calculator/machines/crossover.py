"""How work grows with its batch, and from which batch size on it is compute-bound."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from math import inf
from typing import NamedTuple

from calculator.blocks.chain import Chain
from calculator.core.calculation import Calculation
from calculator.core.fields import InvalidField
from calculator.core.units import grouped
from calculator.layers.layer import Work
from calculator.machines.runtime import Runtime

LARGEST_BATCH = 2**30  # a browser's Python counts a range in 32 bits


class LayerWork(NamedTuple):
    """Layers that are alike: how many, and the work of one of them."""

    many: int
    flops: int
    bytes_moved: int

    def grown(self, next_: LayerWork, samples: int) -> LayerWork:
        """Return the work of so many samples more, each of which adds what the next one did."""
        pairs = zip(self, next_, strict=True)
        return LayerWork(*(one + samples * (two - one) for one, two in pairs))


def at_batch(work: Work) -> Callable[[int], Work] | None:
    """Return the function from a batch size to the same work on it, None if it has none."""
    if "batch_size" in work.fields:
        return lambda size: work.replace(batch_size=size)
    shape: tuple[int, ...] = getattr(work, "input_shape", ())
    inputs = (name for name, field in work.fields.items() if field.role == "input")
    name = next((name for name in inputs if getattr(work, name) == shape), None)
    if name is None:
        return None
    axis = work.batch_axis
    if axis is not None:
        return lambda size: work.replace(**{name: (*shape[:axis], size, *shape[axis + 1 :])})

    def batched(place: int) -> Callable[[int], Work]:
        return lambda size: work.replace(**{name: (*shape[:place], size, *shape[place:])})

    for place in (0, 1):  # an input without a batch: give it one
        try:
            if batched(place)(2).batch_axis == place:
                return batched(place)
        except InvalidField:
            continue
    return None


def flip_batch_size(work: Calculation, time: Runtime) -> int | float | None:
    """Return the smallest batch at which the work is compute-bound, infinity if there is none.

    For several layers, the one from which on the longer part of the floor is compute-bound. None
    if it is not known: for work that moves nothing or takes no batch, without a bandwidth.
    """
    bandwidth = time.bandwidth_bytes_per_second
    if not isinstance(work, Work) or bandwidth is None or not work.bytes_moved:
        return None
    at = at_batch(work)
    if at is None:
        return None
    for least in (1, 2):  # a layer that is trained may reject a batch of one
        try:
            samples = [_leaves(at(size)) for size in (least, least + 1, LARGEST_BATCH)]
        except InvalidField:
            continue
        break
    else:
        return None
    first, second, last = samples

    def grown(size: int) -> list[LayerWork]:
        """Return the work if each sample adds the same amount as the second."""
        pairs = zip(first, second, strict=True)
        return [one.grown(two, size - least) for one, two in pairs]

    is_even = grown(LARGEST_BATCH) == last

    def is_bound_by_compute(size: int) -> bool:
        computing = moving = 0.0
        for many, flops, moved in grown(size) if is_even else _leaves(at(size)):
            busy, slow = flops / time.peak_flops_per_second, moved / bandwidth
            computing += many * busy * (busy >= slow)
            moving += many * slow * (slow > busy)
        return computing >= moving

    if not is_bound_by_compute(LARGEST_BATCH):
        return inf
    return least + bisect_left(range(least, LARGEST_BATCH), True, key=is_bound_by_compute)


def flip(work: Calculation, time: Runtime) -> str:
    """Return that batch as a table has it."""
    size = flip_batch_size(work, time)
    if size is None:
        return "–"
    return grouped(size) if isinstance(size, int) else "never"


def _leaves(work: Work) -> list[LayerWork]:
    leaves = work.leaves() if isinstance(work, Chain) else [(1, work)]
    return [LayerWork(many, each.flops, each.bytes_moved) for many, each in leaves]
