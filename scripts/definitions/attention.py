"""Attention, query by query."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np

from scripts.definitions.counting import Array, beside, exp, largest, product, total


def softmax(x: Array, axis: int) -> Array:
    """Return exp(x) over its sum, the largest subtracted first."""
    powers = exp(x - largest(x, (axis,)))
    return powers / total(powers, (axis,))


def attention(module: Any, query: Array, key: Array, value: Array) -> Array:
    """Compare every query with every key, and mix the values by the result."""
    shared = query.shape[1] // key.shape[1]
    key, value = np.repeat(key, shared, axis=1), np.repeat(value, shared, axis=1)
    scale = module.more["scale"]
    scores: Array = product(query, key.swapaxes(-1, -2))
    scores = scores * (1 / sqrt(query.shape[-1]) if scale is None else scale)
    seen = module.mask(*scores.shape[-2:]).numpy()
    if module.is_causal:
        scores = scores + np.where(seen, 0.0, -inf)
    with np.errstate(invalid="ignore"):
        weights: Array = softmax(scores, -1)
    weights = np.where(seen.any(-1, keepdims=True), weights, beside(scores, 0.0))
    if module.more["dropout_p"]:
        kept = 1 - module.more["dropout_p"]
        weights = weights * (np.random.default_rng(0).random(weights.shape) < kept)
        weights = weights * (1 / kept) if kept else weights
    return product(weights, value)


DEFINITIONS: dict[str, Callable[..., Array]] = {"Attention": attention}
