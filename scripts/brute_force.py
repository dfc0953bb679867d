"""Layers computed output by output, on numbers that count what is done to them.

A witness: it holds no formula and shares no code with `calculator`. A tensor is a dictionary from
index to number; every loop stands where the definition of a layer says "for each". A layer is given
as a module of torch, whose arguments and parameters are read; torch computes nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

Index = tuple[int, ...]
Tensor = dict[Index, Any]


class Numbers:
    """Numbers of one computation, and the tally of what it did with them.

    `fused` chooses how products are summed: as multiply-accumulates that start from zero, or one
    operation at a time, where the first product needs no addition.
    """

    def __init__(self, *, fused: bool) -> None:
        self.fused = fused
        self.tally = tally = Counter[str]()

        class Number(float):
            __slots__ = ()

            def __mul__(self, other: float) -> Number:
                tally["multiplications"] += 1
                return Number(float.__mul__(self, other))

            def __add__(self, other: float) -> Number:
                tally["additions"] += 1
                return Number(float.__add__(self, other))

            def __gt__(self, other: float) -> bool:
                tally["comparisons"] += 1
                return float.__gt__(self, other)

            def accumulate(self, one: float, other: float) -> Number:
                tally["multiply_accumulates"] += 1
                return Number(float.__add__(self, float.__mul__(one, other)))

        self.number = Number
        self.zero = Number(0)

    def tensor(self, like: Any) -> Tensor:
        """Return a tensor of torch as numbers, small ones where it has none (on meta)."""
        places = list(product(*map(range, like.shape)))
        values = [sum(p) % 5 - 2 for p in places] if like.is_meta else like.flatten().tolist()
        return {place: self.number(value) for place, value in zip(places, values, strict=True)}

    def sum_of_products(self, pairs: Iterator[tuple[Any, Any]]) -> Any:
        """Return the sum of the products of pairs."""
        if self.fused:
            total = self.zero
            for one, other in pairs:
                total = total.accumulate(one, other)
            return total
        one, other = next(pairs)
        total = one * other
        for one, other in pairs:
            total = total + one * other
        return total


def forward(numbers: Numbers, module: Any, x: Tensor, shape: Index) -> tuple[Tensor, Index]:
    """Return what a module makes of a tensor of a shape, with the shape of it."""
    kind = type(module).__name__.rstrip("123d")
    if kind == "Sequential":
        for each in module:
            x, shape = forward(numbers, each, x, shape)
        return x, shape
    if kind == "ReLU":
        return {at: each if each > numbers.zero else numbers.zero for at, each in x.items()}, shape
    if kind == "Flatten":
        start, end = (at % len(shape) for at in (module.start_dim, module.end_dim))
        count = len({at[start : end + 1] for at in x})
        shape = (*shape[:start], count, *shape[end + 1 :])
        return dict(zip(product(*map(range, shape)), x.values(), strict=True)), shape
    layer = {"Linear": linear, "Conv": convolution, "ConvTranspose": transposed}[kind]
    y, shape = layer(numbers, module, x, shape)
    if module.bias is not None:
        bias, channel = numbers.tensor(module.bias), -1 if kind == "Linear" else 1
        y = {place: total + bias[place[channel],] for place, total in y.items()}
    return y, shape


def linear(numbers: Numbers, module: Any, x: Tensor, shape: Index) -> tuple[Tensor, Index]:
    """Return x · weightᵀ: every leading position is a row."""
    *leading, features = shape
    weight = numbers.tensor(module.weight)
    columns = [
        [weight[out, feature] for feature in range(features)] for out in range(module.out_features)
    ]
    y: Tensor = {}
    for lead in product(*map(range, leading)):
        row = [x[*lead, feature] for feature in range(features)]
        for out, column in enumerate(columns):
            y[*lead, out] = numbers.sum_of_products(zip(row, column, strict=True))
    return y, (*leading, len(columns))


def convolution(numbers: Numbers, module: Any, x: Tensor, shape: Index) -> tuple[Tensor, Index]:
    """Slide the kernel along each axis for as long as it lies on the padded input."""
    batch, channels, *sizes = shape
    weight = numbers.tensor(module.weight)
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

    def element(image: int, channel: int, corner: Index, kernel: Index) -> Any:
        place = tuple(
            _inside(start + step * dilation, size, module.padding_mode)
            for start, step, dilation, size in zip(
                corner, kernel, module.dilation, sizes, strict=True
            )
        )
        return x.get((image, channel, *place), numbers.zero)

    y: Tensor = {}
    for image, out in product(range(batch), range(module.out_channels)):
        first = out // outputs * together
        for place in product(*(range(len(along)) for along in starts)):
            corner = tuple(along[step] for along, step in zip(starts, place, strict=True))
            y[image, out, *place] = numbers.sum_of_products(
                (element(image, first + channel, corner, kernel), weight[out, channel, *kernel])
                for channel in range(together)
                for kernel in kernels
            )
    return y, (batch, module.out_channels, *map(len, starts))


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


def transposed(numbers: Numbers, module: Any, x: Tensor, shape: Index) -> tuple[Tensor, Index]:
    """Add the kernel to a canvas once for each input, each sum starting from zero.

    The canvas is cropped by the padding at the end: what falls there was computed all the same.
    """
    batch, channels, *sizes = shape
    weight = numbers.tensor(module.weight)
    together, outputs = channels // module.groups, module.out_channels // module.groups
    canvas: Tensor = {}
    for image, channel, *place in product(range(batch), range(channels), *map(range, sizes)):
        for out, *kernel in product(range(outputs), *map(range, module.kernel_size)):
            spot = (
                start * stride + step * dilation
                for start, stride, step, dilation in zip(
                    place, module.stride, kernel, module.dilation, strict=True
                )
            )
            here = (image, channel // together * outputs + out, *spot)
            canvas[here] = canvas.get(here, numbers.zero).accumulate(
                x[image, channel, *place], weight[channel, out, *kernel]
            )
    ends = [max(along) + 1 for along in list(zip(*canvas, strict=True))[2:]]
    kept = [
        range(crop, end + more - crop)
        for crop, end, more in zip(module.padding, ends, module.output_padding, strict=True)
    ]
    y: Tensor = {}
    for image, out, *place in product(
        range(batch), range(module.out_channels), *(range(len(along)) for along in kept)
    ):
        spot = (along[step] for along, step in zip(kept, place, strict=True))
        y[image, out, *place] = canvas.get((image, out, *spot), numbers.zero)
    return y, (batch, module.out_channels, *map(len, kept))
