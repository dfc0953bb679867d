"""How work grows with its batch, and from which batch on compute binds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from calculator.calculation import Calculation
from calculator.chain import Chain
from calculator.fields import InvalidField
from calculator.layer import Measured
from calculator.roofline import Runtime

LARGEST_BATCH = 2**30  # a browser's Python counts a range in 32 bits


class Growth(NamedTuple):
    """Layers that are alike: how many, the work without a batch, and what a sample adds to it."""

    many: int
    flops: int
    flops_each: int
    bytes_moved: int
    bytes_each: int

    def seconds(self, size: int, peak: float, bandwidth: float) -> tuple[float, float]:
        """Return the compute and the memory time of a batch, of one of the layers."""
        flops = self.flops + size * self.flops_each
        return flops / peak, (self.bytes_moved + size * self.bytes_each) / bandwidth


def growth(count: int, one: Measured, two: Measured, three: Measured) -> Growth | None:
    """Return how work grows from batches of 1, 2 and 3, None where it does not grow evenly."""
    flops = [each.flops for each in (one, two, three)]
    moved = [each.bytes_moved for each in (one, two, three)]
    if any(third - second != second - first for first, second, third in (flops, moved)):
        return None
    more, further = flops[1] - flops[0], moved[1] - moved[0]
    return Growth(count, flops[0] - more, more, moved[0] - further, further)


def of_batch(work: Measured) -> Callable[[int], Measured] | None:
    """Return the function from a batch size to the same work on it, None where it has none."""
    if "batch_size" in work.fields:
        return lambda size: work.replace(batch_size=size)
    shape = work.values().get("input_shape")
    if isinstance(shape, tuple) and len(shape) > 1:
        return lambda size: work.replace(input_shape=(size, *shape[1:]))
    return None


def flip_batch_size(work: Calculation, time: Runtime) -> int | None:
    """Return the least batch at which compute binds and not memory, None where there is none.

    Of layers in a row the one from which on compute binds for the longer part of the floor.
    """
    bandwidth = time.bandwidth_bytes_per_second
    if not isinstance(work, Measured) or bandwidth is None or not work.flops:
        return None
    at = of_batch(work)
    if at is None:
        return None
    rates = time.peak_flops_per_second, bandwidth
    try:
        leaves = [_leaves(at(size)) for size in (1, 2, 3)]
    except InvalidField:  # a layer takes no such batch
        return None
    growths = []
    for (count, one), (_, two), (_, three) in zip(*leaves, strict=True):
        grows = growth(count, one, two, three)
        if grows is None:
            return None
        growths.append(grows)

    def is_bound_by_compute(size: int) -> bool:
        computing = moving = 0.0
        for each in growths:
            busy, slow = each.seconds(size, *rates)
            computing += each.many * busy * (busy >= slow)
            moving += each.many * slow * (slow > busy)
        return computing >= moving

    if not is_bound_by_compute(LARGEST_BATCH):
        return None
    return 1 + bisect_left(range(1, LARGEST_BATCH), True, key=is_bound_by_compute)


def _leaves(work: Measured) -> list[tuple[int, Measured]]:
    return [*work.leaves()] if isinstance(work, Chain) else [(1, work)]
