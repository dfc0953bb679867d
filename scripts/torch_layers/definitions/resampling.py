"""Interpolation, and elements that are moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from scripts.torch_layers.definitions.counting import Array, Number
from scripts.torch_layers.definitions.pooling import adaptive_means

Neighbours = list[tuple[int, float]]  # places along an axis, and what each weighs


def upsample(module: Any, x: Array) -> Array:
    """Weigh the neighbours of each output: first those along the last axis, the first axis last.

    A weighted sum of m neighbours takes m multiplications and m − 1 additions. Places and weights
    are those of an axis, not of an element, and plain numbers.
    """
    sizes = x.shape[2:]
    factors = _each(module.scale_factor, sizes)
    outputs = [
        int(size * factor) if given is None else given
        for size, factor, given in zip(sizes, factors, _each(module.size, sizes), strict=True)
    ]
    if module.mode == "area":
        return adaptive_means(x, tuple(outputs))
    if module.recompute_scale_factor:
        factors = _each(None, sizes)
    find = {
        "nearest": _nearest(0, two_axes=len(sizes) == 2),
        "nearest-exact": _nearest(0.5),
        "bicubic": _cubic,
    }
    along = [
        [
            find.get(module.mode, _linear)(place, *axis, module.align_corners)
            for place in range(axis[1])
        ]
        for axis in zip(sizes, outputs, factors, strict=True)
    ]
    y = np.empty((*x.shape[:2], *outputs), dtype=object)
    for image, channel, *at in np.ndindex(y.shape):
        near = [neighbours[place] for neighbours, place in zip(along, at, strict=True)]
        y[image, channel, *at] = _weighed(x[image, channel], near)
    return y


def _each(given: Any, sizes: tuple[int, ...]) -> list[Any]:
    return list(given) if isinstance(given, (tuple, list)) else [given for _ in sizes]


def _weighed(x: Any, near: list[Neighbours]) -> Any:
    """Return the weighted sum over the first axis of the weighted sums over the others."""
    if not near:
        return x
    found = [(_weighed(x[place], near[1:]), weight) for place, weight in near[0]]
    if len(found) == 1:
        return found[0][0]
    return reduce(lambda one, other: one + other, (each * weight for each, weight in found))


def _step(size: int, output: int, factor: float | None, align_corners: bool | None) -> float:
    """Return how far two neighbouring outputs lie apart on the input."""
    if align_corners:
        return (size - 1) / (output - 1) if output > 1 else 0
    return 1 / factor if factor else size / output


def _source(place: int, step: float, align_corners: bool | None) -> float:
    """Return where an output lies on the input: pixels are squares, or points at the corners."""
    return place * step if align_corners else (place + 0.5) * step - 0.5


def _nearest(middle: float, two_axes: bool = False) -> Callable[..., Neighbours]:
    """Return how to find the neighbour of an output; on two axes torch forgets some factors."""

    def find(place: int, size: int, output: int, factor: float | None, _: Any) -> Neighbours:
        if two_axes and output in (size, 2 * size):
            return [(place * size // output, 1)]
        step = np.float32(_step(size, output, factor, None))  # single precision, as in torch
        return [(min(int(np.float32(place + middle) * step), size - 1), 1)]

    return find


def _linear(
    place: int, size: int, output: int, factor: float | None, align_corners: bool | None
) -> Neighbours:
    if size == output:  # torch copies then, whatever the factor
        return [(place, 1), (place, 0)]
    at = max(_source(place, _step(size, output, factor, align_corners), align_corners), 0)
    first = min(math.floor(at), size - 1)
    rest = min(max(at - first, 0), 1)
    return [(first, 1 - rest), (min(first + 1, size - 1), rest)]


def _cubic(
    place: int, size: int, output: int, factor: float | None, align_corners: bool | None
) -> Neighbours:
    """Return four neighbours and Keys' weights for them, with a = −0.75."""
    at = _source(place, _step(size, output, factor, align_corners), align_corners)
    first = min(math.floor(at), size - 1)
    rest = min(max(at - first, 0), 1)
    return [
        (min(max(first + step, 0), size - 1), _keys(abs(rest - step))) for step in (-1, 0, 1, 2)
    ]


def _keys(distance: float) -> float:
    a = -0.75
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * distance**3 - 5 * a * distance**2 + 8 * a * distance - 4 * a


def pixel_shuffle(module: Any, x: Array) -> Array:
    """Put the channels c·r² + i·r + j in the places (i, j) of squares of r × r pixels."""
    r = module.upscale_factor
    *leading, channels, height, width = x.shape
    y = np.empty((*leading, channels // r**2, height * r, width * r), dtype=object)
    for *image, channel, row, column in np.ndindex(y.shape):
        part = channel * r**2 + row % r * r + column % r
        y[*image, channel, row, column] = x[*image, part, row // r, column // r]
    return y


def pixel_unshuffle(module: Any, x: Array) -> Array:
    """Put the pixels (i, j) of squares of r × r pixels in the channels c·r² + i·r + j."""
    r = module.downscale_factor
    *leading, channels, height, width = x.shape
    y = np.empty((*leading, channels * r**2, height // r, width // r), dtype=object)
    for *image, part, row, column in np.ndindex(y.shape):
        channel, place = divmod(part, r**2)
        at = channel, row * r + place // r, column * r + place % r
        y[*image, part, row, column] = x[*image, *at]
    return y


def channel_shuffle(module: Any, x: Array) -> Array:
    """Take a channel of each group in turn."""
    each = x.shape[1] // module.groups
    y = np.empty(x.shape, dtype=object)
    for place in range(x.shape[1]):
        turn, group = divmod(place, module.groups)
        y[:, place] = x[:, group * each + turn]
    return y


def constant_pad(module: Any, x: Array) -> Array:
    """Put a value before and behind each axis, the last one first; fewer than none crop."""
    edges = list(zip(module.padding[::2], module.padding[1::2], strict=True))
    edges += [(0, 0)] * (x.ndim - len(edges))
    edges.reverse()
    value = Number(module.value or 0, x.flat[0].tally)
    shape = [size + before + behind for size, (before, behind) in zip(x.shape, edges, strict=True)]
    y = np.empty(shape, dtype=object)
    for at in np.ndindex(y.shape):
        source = tuple(place - before for place, (before, _) in zip(at, edges, strict=True))
        on = all(0 <= place < size for place, size in zip(source, x.shape, strict=True))
        y[at] = x[source] if on else value
    return y


def edge_pad(module: Any, x: Array) -> Array:
    """Fill the edges along each axis in turn, from places that lie on the input."""
    pairs = zip(module.padding[::2], module.padding[1::2], strict=True)
    for axis, (before, behind) in enumerate(pairs, start=1):
        x = np.take(x, _sources(type(module).__name__, x.shape[-axis], before, behind), -axis)
    return x


def _sources(kind: str, size: int, before: int, behind: int) -> list[int]:
    """Return where the numbers along a padded axis come from."""
    if kind.startswith("Circular"):  # what is cropped is gone before the rest wraps around
        first, rest = max(-before, 0), size + min(before, 0) + min(behind, 0)
        places = range(-max(before, 0), rest + max(behind, 0))
        return [first + place % rest for place in places]
    places = range(-before, size + behind)
    if kind.startswith("Replication"):
        return [min(max(place, 0), size - 1) for place in places]
    return [size - 1 - abs(size - 1 - abs(place)) for place in places]


DEFINITIONS: dict[str, Callable[..., Array]] = {
    **dict.fromkeys(("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"), upsample),
    "PixelShuffle": pixel_shuffle,
    "PixelUnshuffle": pixel_unshuffle,
    "ChannelShuffle": channel_shuffle,
    **{
        f"{kind}Pad{axes}d": edge_pad
        for kind in ("Reflection", "Replication", "Circular")
        for axes in (1, 2, 3)
    },
    **{f"{kind}Pad{axes}d": constant_pad for kind in ("Zero", "Constant") for axes in (1, 2, 3)},
}
