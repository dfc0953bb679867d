"""The kinds of operations that a layer is counted in, and what each is worth in FLOPs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = {
    "multiply_accumulates": "multiply-accumulates",
    "additions": "additions",
    "subtractions": "subtractions",
    "multiplications": "multiplications",
    "divisions": "divisions",
    "comparisons": "comparisons",
    "square_roots": "square roots",
    "exponentials": "exponentials",
    "transcendentals": "other functions",
    "lookups": "table look-ups",
}
"""Every kind with its name in print. "Other functions" are tanh, erf, log, sin, cos and powers."""

Operations = dict[str, Any]  # a count, or the expression of one, by its kind


def total(parts: list[Operations]) -> Operations:
    """Return the sum of several counts, kind by kind, in the order of `KINDS`."""
    return {
        kind: sum(part[kind] for part in parts if kind in part)
        for kind in KINDS
        if any(kind in part for part in parts)
    }


def times(count: int, each: Mapping[str, int]) -> Operations:
    """Return what is done `count` times over.

    >>> times(6, {"additions": 1, "multiplications": 2})
    {'additions': 6, 'multiplications': 12}
    """
    return {kind: number * count for kind, number in each.items()}


SIGMOID: Operations = {"additions": 1, "divisions": 1, "exponentials": 1}
"""What 1 / (1 + exp(−x)) takes: a change of sign flips one bit, and is not counted."""


def softmax(sets: int, set_size: int) -> Operations:
    """Return what it takes to make the exponentials of each set of numbers sum to 1.

    The largest is subtracted first: it changes no result, and every library does it.
    """
    return {
        "additions": sets * (set_size - 1),
        "subtractions": sets * set_size,
        "divisions": sets * set_size,
        "comparisons": sets * (set_size - 1),
        "exponentials": sets * set_size,
    }


def worth(convention: str, function_weight: Any) -> dict[str, Any]:
    """Return the FLOPs that one operation of each kind counts for; kinds left out for none.

    "matrix": two for each multiply-accumulate. "all": every operation once, a multiply-accumulate
    as two; a function, which no arithmetic unit computes in one operation, the number that the
    reader gives. A look-up calculates nothing.
    """
    if convention == "matrix":
        return {"multiply_accumulates": 2}
    functions = dict.fromkeys(("exponentials", "transcendentals"), function_weight)
    once = dict.fromkeys(KINDS.keys() - {"lookups"}, 1)
    return {**once, "multiply_accumulates": 2, **functions}


def flops(operations: Operations, each: dict[str, Any]) -> Any:
    """Return what operations count for, at so many FLOPs for each of a kind."""
    return sum(each[kind] * count for kind, count in operations.items() if kind in each)
