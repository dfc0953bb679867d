"""The parts of a decoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scripts.definitions.counting import Array, Number


def rotary(module: Any, x: Array, first: int = 0) -> Array:
    """Turn each pair of dimensions by its angle; a cosine and a sine are looked up once."""
    _, _, length, head_dim = x.shape
    half = head_dim // 2
    tally = x.flat[0].tally
    y = np.empty(x.shape, dtype=object)
    for place in range(length):
        for pair in range(half):
            angle = (first + place) / module.rope_theta ** (2 * pair / head_dim)
            cosine, sine = (Number(turn(angle), tally) for turn in (math.cos, math.sin))
            tally["lookups"] += 2
            one, other = x[:, :, place, pair], x[:, :, place, pair + half]
            y[:, :, place, pair] = one * cosine - other * sine
            y[:, :, place, pair + half] = other * cosine + one * sine
    return y


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "RotaryEmbedding": rotary,
}
