"""Attention, query by query."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np
import torch

from scripts.definitions.counting import Array, beside, product
from scripts.definitions.elementwise import dropped, shares


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
        weights: Array = shares(scores, (-1,))
    weights = np.where(seen.any(-1, keepdims=True), weights, beside(scores, 0.0))
    with torch.random.fork_rng():  # the numbers that torch draws next
        return product(dropped(weights, module.more["dropout_p"]), value)


DEFINITIONS: dict[str, Callable[..., Array]] = {"Attention": attention}
