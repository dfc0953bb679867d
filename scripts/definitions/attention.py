"""Attention, query by query."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np
import torch

from scripts.definitions.counting import Array, beside, product
from scripts.definitions.elementwise import dropped, shares


def attended(
    query: Array,
    key: Array,
    value: Array,
    seen: Any = None,
    scale: float | None = None,
    dropout_p: float = 0.0,
) -> Array:
    """Compare every query with every key, and mix the values by the result.

    `seen` says which keys a query sees; where it is None there is no mask to add.
    """
    shared = query.shape[1] // key.shape[1]
    key, value = np.repeat(key, shared, axis=1), np.repeat(value, shared, axis=1)
    scores: Array = product(query, key.swapaxes(-1, -2))
    scores = scores * (1 / sqrt(query.shape[-1]) if scale is None else scale)
    if seen is not None:
        scores = scores + np.where(seen, 0.0, -inf)
    with np.errstate(invalid="ignore"):
        weights: Array = shares(scores, (-1,))
    if seen is not None:
        weights = np.where(seen.any(-1, keepdims=True), weights, beside(scores, 0.0))
    with torch.random.fork_rng():  # the numbers that torch draws next
        return product(dropped(weights, dropout_p), value)


def attention(module: Any, query: Array, key: Array, value: Array) -> Array:
    """Attend as a module says."""
    seen = module.mask(query.shape[2], key.shape[2]).numpy() if module.is_causal else None
    more = module.more
    return attended(query, key, value, seen, more["scale"], more["dropout_p"])


DEFINITIONS: dict[str, Callable[..., Array]] = {"Attention": attention}
