"""Numbers that count what is done to them, in arrays of numpy.

What numpy does to an array of them it does to each element, and each operation is tallied: a
definition is then written as in a textbook.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np

Array = Any  # of numpy, its elements Numbers


class Tally(Counter[str]):
    """How often each kind of operation was done.

    `fused` chooses how products are summed: as multiply-accumulates that start from zero, or one
    operation at a time, where the first product needs no addition.
    """

    def __init__(self, *, fused: bool = True) -> None:
        super().__init__()
        self.fused = fused


class Number(float):
    """A number that enters every operation done to it in its tally."""

    __slots__ = ("tally",)
    tally: Tally

    def __new__(cls, value: float, tally: Tally) -> Number:
        number = float.__new__(cls, value)
        number.tally = tally
        return number

    def like(self, value: float) -> Number:
        """Return a value as a number with the same tally."""
        return Number(value, self.tally)

    def __neg__(self) -> Number:
        return self.like(-float(self))  # a change of sign flips one bit: not counted

    def accumulate(self, one: float, other: float) -> Number:
        """Return this number and a product, in one multiply-accumulate."""
        self.tally["multiply_accumulates"] += 1
        return Number(float(self) + float(one) * float(other), self.tally)


def _counted(kind: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Number, *others: float) -> Any:
        self.tally[kind] += 1
        result = operation(float(self), *map(float, others))
        return result if isinstance(result, bool) else Number(result, self.tally)

    return method


def _power(base: float, exponent: float) -> float:
    return float(base**exponent)


_OPERATIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "__add__": ("additions", lambda one, other: one + other),
    "__radd__": ("additions", lambda one, other: other + one),
    "__sub__": ("subtractions", lambda one, other: one - other),
    "__rsub__": ("subtractions", lambda one, other: other - one),
    "__mul__": ("multiplications", lambda one, other: one * other),
    "__rmul__": ("multiplications", lambda one, other: other * one),
    "__truediv__": ("divisions", lambda one, other: one / other),
    "__rtruediv__": ("divisions", lambda one, other: other / one),
    "__lt__": ("comparisons", lambda one, other: one < other),
    "__le__": ("comparisons", lambda one, other: one <= other),
    "__gt__": ("comparisons", lambda one, other: one > other),
    "__ge__": ("comparisons", lambda one, other: one >= other),
    "__pow__": ("transcendentals", _power),
    "sqrt": ("square_roots", math.sqrt),
    "exp": ("exponentials", math.exp),
    "expm1": ("exponentials", math.expm1),
    "tanh": ("transcendentals", math.tanh),
    "log": ("transcendentals", math.log),
    "log1p": ("transcendentals", math.log1p),
    "sin": ("transcendentals", math.sin),
    "cos": ("transcendentals", math.cos),
    "erf": ("transcendentals", math.erf),
}
for _name, (_kind, _operation) in _OPERATIONS.items():
    setattr(Number, _name, _counted(_kind, _operation))

absolute = np.frompyfunc(lambda number: number.like(abs(float(number))), 1, 1)  # clears one bit
erf = np.frompyfunc(lambda number: number.erf(), 1, 1)
larger = np.frompyfunc(lambda one, other: one if one > other else one.like(other), 2, 1)
smaller = np.frompyfunc(lambda one, other: one if one < other else one.like(other), 2, 1)


def numbers(values: Any, tally: Tally) -> Array:
    """Return an array of Numbers with the values of a tensor of torch, or of an array."""
    plain = np.asarray(values.detach() if hasattr(values, "detach") else values, dtype=float)
    made = np.empty(plain.shape, dtype=object)
    for place in np.ndindex(plain.shape):
        made[place] = Number(float(plain[place]), tally)
    return made


def beside(x: Array, values: Any) -> Array:
    """Return parameters as Numbers with the tally of an input."""
    return numbers(values, x.flat[0].tally)


def sum_of_products(pairs: Iterable[tuple[Number, Number]]) -> Number:
    """Return the sum of the products of pairs."""
    (one, other), *rest = pairs
    if one.tally.fused:
        start = Number(0, one.tally).accumulate(one, other)
        return reduce(lambda found, pair: found.accumulate(*pair), rest, start)
    products: Iterable[Any] = (one * other for one, other in [(one, other), *rest])
    return reduce(lambda found, each: found + each, products)


def product(a: Array, b: Array) -> Array:
    """Return the matrix products of stacks of matrices, (…, n, k) and (…, k, m)."""
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*stack, *a.shape[-2:]))
    b = np.broadcast_to(b, (*stack, *b.shape[-2:]))
    y = np.empty((*stack, a.shape[-2], b.shape[-1]), dtype=object)
    for at in np.ndindex(y.shape):
        row, column = a[*at[:-2], at[-2]], b[*at[:-2], :, at[-1]]
        y[at] = sum_of_products(zip(row, column, strict=True))
    return y


def total(x: Array, axes: tuple[int, ...]) -> Array:
    """Return the sums along axes, which stay with a size of 1: n − 1 additions for n numbers."""
    return _along(x, axes, lambda row: reduce(lambda one, other: one + other, row))


def largest(x: Array, axes: tuple[int, ...]) -> Array:
    """Return the largest along axes, which stay with a size of 1: n − 1 comparisons."""
    return _along(x, axes, lambda row: reduce(lambda a, b: a if a > b else b, row))


def _along(x: Array, axes: tuple[int, ...], function: Callable[[Any], Any]) -> Array:
    axes = tuple(axis % x.ndim for axis in axes)
    rest = tuple(axis for axis in range(x.ndim) if axis not in axes)
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    rows = x.transpose(*rest, *axes).reshape(math.prod(x.shape[axis] for axis in rest), -1)
    found = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        found[place] = function(row)
    return found.reshape(shape)


def batched(axes: int, layer: Callable[[Any, Array], Array]) -> Callable[[Any, Array], Array]:
    """Return a layer on (N, C, …) that takes (C, …) too."""
    return lambda module, x: (
        layer(module, x) if x.ndim == axes + 2 else layer(module, x[None]).squeeze(0)
    )


def channelwise(x: Array, values: Any, axes: int) -> Array:
    """Return one number a channel in the shape that is added to (N, C, …)."""
    return beside(x, values).reshape(-1, *(1 for _ in range(axes)))
