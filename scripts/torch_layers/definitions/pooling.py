"""Pooling, window by window."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from scripts.torch_layers.definitions.counting import Array, Number, batched

Windows = list[list[list[int]]]  # the positions of each window, along each axis


def _each_axis(value: Any, axes: int) -> tuple[int, ...]:
    """Return a number for each axis, from one for all of them or a tuple."""
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return numbers if len(numbers) == axes else numbers * axes


def _sliding(module: Any, sizes: tuple[int, ...]) -> Windows:
    """Return the positions of each window, those outside of the input among them.

    With ceil_mode a window may reach over the end of what is padded, if the one before it left
    something there and it starts on the input or on the padding before it.
    """
    axes = len(sizes)
    kernel = _each_axis(module.kernel_size, axes)
    stride = kernel if module.stride in (None, (), []) else _each_axis(module.stride, axes)
    padding = _each_axis(module.padding, axes)
    dilation = _each_axis(getattr(module, "dilation", 1), axes)
    found = []
    for size, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        reach, end = d * (k - 1) + 1, size + p
        starts = [
            start
            for start in range(-p, end, s)
            if start + reach <= end
            or (module.ceil_mode and start - s + reach < end and start < size)
        ]
        found.append([[start + step * d for step in range(k)] for start in starts])
    return found


def _pooled(
    x: Array, windows: Windows, outside: float, function: Callable[[list[Any], Any], Any]
) -> Array:
    """Return what a function makes of each window's numbers and of its places."""
    beyond = Number(outside, x.flat[0].tally)
    y = np.empty((*x.shape[:2], *map(len, windows)), dtype=object)
    for image, channel, *at in np.ndindex(y.shape):
        along = [window[step] for window, step in zip(windows, at, strict=True)]
        places = list(product(*along))
        inside = [
            all(0 <= place < size for place, size in zip(each, x.shape[2:], strict=True))
            for each in places
        ]
        found = [
            x[image, channel, *each] if is_in else beyond
            for each, is_in in zip(places, inside, strict=True)
        ]
        y[image, channel, *at] = function(found, places)
    return y


def _largest(numbers: list[Any], places: Any) -> Any:
    return reduce(lambda one, other: one if one > other else other, numbers)


def _mean(numbers: list[Any], divisor: int) -> Any:
    return reduce(lambda one, other: one + other, numbers) / divisor


def largest(module: Any, x: Array) -> Array:
    """Keep the largest number of each window; padding is smaller than any."""
    return _pooled(x, _sliding(module, x.shape[2:]), -math.inf, _largest)


def average(module: Any, x: Array) -> Array:
    """Divide the sum of each window, padding being 0, by how much of it there is.

    That is what lies on the input, or with count_include_pad on the padding too; what ceil_mode
    lets a window reach beyond is never counted.
    """
    sizes = x.shape[2:]
    padding = _each_axis(module.padding, len(sizes)) if module.count_include_pad else (0,) * 3

    def mean(numbers: list[Number], places: list[tuple[int, ...]]) -> Any:
        there = sum(
            all(-p <= at < size + p for at, size, p in zip(place, sizes, padding, strict=False))
            for place in places
        )
        return _mean(numbers, getattr(module, "divisor_override", None) or there)

    return _pooled(x, _sliding(module, sizes), 0, mean)


def _adapted(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> Windows:
    """Return the positions of each window, so that as many as asked for cover each axis."""
    return [
        [
            list(range(math.floor(each * size / out), math.ceil((each + 1) * size / out)))
            for each in range(out)
        ]
        for size, out in zip(sizes, outputs, strict=True)
    ]


def _target(module: Any, x: Array) -> tuple[int, ...]:
    sizes = x.shape[2:]
    pairs = zip(sizes, _each_axis(module.output_size, len(sizes)), strict=True)
    return tuple(size if given is None else given for size, given in pairs)


def adaptive_largest(module: Any, x: Array) -> Array:
    """Keep the largest number of each window."""
    return _pooled(x, _adapted(x.shape[2:], _target(module, x)), -math.inf, _largest)


def adaptive_average(module: Any, x: Array) -> Array:
    """Keep the mean of each window."""
    return adaptive_means(x, _target(module, x))


def adaptive_means(x: Array, outputs: tuple[int, ...]) -> Array:
    """Return the means of windows that cover x, as many along each axis as asked for."""
    return _pooled(
        x, _adapted(x.shape[2:], outputs), 0, lambda numbers, places: _mean(numbers, len(numbers))
    )


DEFINITIONS: dict[str, Callable[..., Array]] = {
    **{f"MaxPool{axes}d": batched(axes, largest) for axes in (1, 2, 3)},
    **{f"AvgPool{axes}d": batched(axes, average) for axes in (1, 2, 3)},
    **{f"AdaptiveMaxPool{axes}d": batched(axes, adaptive_largest) for axes in (1, 2, 3)},
    **{f"AdaptiveAvgPool{axes}d": batched(axes, adaptive_average) for axes in (1, 2, 3)},
}
