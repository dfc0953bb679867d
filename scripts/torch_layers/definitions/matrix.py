"""Matrix work, product by product."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from scripts.torch_layers.definitions.counting import (
    Array,
    Number,
    batched,
    beside,
    channelwise,
    sum_of_products,
)
from scripts.torch_layers.definitions.counting import product as matrices

Index = tuple[int, ...]


def linear(module: Any, x: Array) -> Array:
    """Multiply x with the transposed weight: every leading position is a row."""
    return projected(x, module.weight, module.bias)


def projected(x: Array, weights: Any, bias: Any) -> Array:
    """Return the dot products of every row of x with every row of weights, plus the bias."""
    weight = beside(x, weights)
    y = np.empty((*x.shape[:-1], len(weight)), dtype=object)
    for at in np.ndindex(y.shape):
        y[at] = sum_of_products(zip(x[at[:-1]], weight[at[-1]], strict=True))
    return y if bias is None else y + beside(x, bias)


def bilinear(module: Any, one: Array, other: Array) -> Array:
    """Multiply the first input with the matrix of each output, and that with the second."""
    weight = beside(one, module.weight)
    y = np.empty((*one.shape[:-1], len(weight)), dtype=object)
    for at in np.ndindex(y.shape):
        (left,) = matrices(one[at[:-1]][None], weight[at[-1]])
        y[at] = sum_of_products(zip(left, other[at[:-1]], strict=True))
    return y if module.bias is None else y + beside(one, module.bias)


def convolution(module: Any, x: Array) -> Array:
    """Slide the kernel along each axis for as long as it lies on the padded input."""
    batch, channels, *sizes = x.shape
    zero = Number(0, x.flat[0].tally)
    weight = beside(x, module.weight)
    together, outputs = channels // module.groups, module.out_channels // module.groups
    starts = [
        [
            start
            for start in range(-before, size + after, stride)
            if start + (kernel - 1) * dilation < size + after
        ]
        for size, (before, after), stride, kernel, dilation in zip(
            sizes, _edges(module), module.stride, module.kernel_size, module.dilation, strict=True
        )
    ]
    kernels = list(product(*map(range, module.kernel_size)))

    def element(image: int, channel: int, corner: Index, kernel: Index) -> Number:
        place = tuple(
            _inside(start + step * dilation, size, module.padding_mode)
            for start, step, dilation, size in zip(
                corner, kernel, module.dilation, sizes, strict=True
            )
        )
        on = all(0 <= at < size for at, size in zip(place, sizes, strict=True))
        return x[image, channel, *place] if on else zero

    y = np.empty((batch, module.out_channels, *map(len, starts)), dtype=object)
    for image, out, *place in np.ndindex(y.shape):
        first = out // outputs * together
        corner = tuple(along[step] for along, step in zip(starts, place, strict=True))
        y[image, out, *place] = sum_of_products(
            (element(image, first + channel, corner, kernel), weight[out, channel, *kernel])
            for channel in range(together)
            for kernel in kernels
        )
    return y if module.bias is None else y + channelwise(x, module.bias, len(sizes))


def _edges(module: Any) -> list[tuple[int, int]]:
    """Return how many elements are put before and behind the input along each axis."""
    if module.padding == "valid":
        return [(0, 0) for _ in module.kernel_size]
    if module.padding == "same":  # an odd one goes behind
        missing = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        return [(each // 2, each - each // 2) for each in missing]
    return [(each, each) for each in module.padding]


def _inside(place: int, size: int, padding_mode: str) -> int:
    """Return which element of the input a place outside of it repeats; none where it is a zero."""
    if 0 <= place < size or padding_mode == "zeros":
        return place
    if padding_mode == "replicate":
        return 0 if place < 0 else size - 1
    if padding_mode == "circular":
        return place % size
    return -place if place < 0 else 2 * (size - 1) - place  # reflect


def transposed(module: Any, x: Array) -> Array:
    """Add the kernel to a canvas once for each input, each sum starting from zero.

    The canvas is cropped by the padding at the end: what falls there was computed all the same.
    """
    batch, channels, *sizes = x.shape
    zero = Number(0, x.flat[0].tally)
    weight = beside(x, module.weight)
    together, outputs = channels // module.groups, module.out_channels // module.groups
    canvas: dict[Index, Number] = {}
    for image, channel, *place in np.ndindex(x.shape):
        for out, *kernel in product(range(outputs), *map(range, module.kernel_size)):
            spot = (
                start * stride + step * dilation
                for start, stride, step, dilation in zip(
                    place, module.stride, kernel, module.dilation, strict=True
                )
            )
            here = (image, channel // together * outputs + out, *spot)
            canvas[here] = canvas.get(here, zero).accumulate(
                x[image, channel, *place], weight[channel, out, *kernel]
            )
    ends = [max(along) + 1 for along in list(zip(*canvas, strict=True))[2:]]
    kept = [
        range(crop, end + more - crop)
        for crop, end, more in zip(module.padding, ends, module.output_padding, strict=True)
    ]
    y = np.empty((batch, module.out_channels, *map(len, kept)), dtype=object)
    for image, out, *place in np.ndindex(y.shape):
        spot = (along[step] for along, step in zip(kept, place, strict=True))
        y[image, out, *place] = canvas.get((image, out, *spot), zero)
    return y if module.bias is None else y + channelwise(x, module.bias, len(sizes))


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Linear": linear,
    "Bilinear": bilinear,
    **{f"Conv{axes}d": batched(axes, convolution) for axes in (1, 2, 3)},
    **{f"ConvTranspose{axes}d": batched(axes, transposed) for axes in (1, 2, 3)},
}
