"""The parts of a decoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scripts.definitions.attention import attended
from scripts.definitions.counting import Array, Number
from scripts.definitions.matrix import linear


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


def grouped_query_attention(module: Any, x: Array, *past: Array) -> Array:
    """Project, turn, put behind what is cached, attend to what is in sight, project."""
    batch, length, _ = x.shape
    window = module.sliding_window

    def heads(projection: Any) -> Array:
        return linear(projection, x).reshape(batch, length, -1, module.head_dim).swapaxes(1, 2)

    first = past[0].shape[2] if past else 0
    query = rotary(module.rotary, heads(module.q_proj), first)
    new = rotary(module.rotary, heads(module.k_proj), first), heads(module.v_proj)
    sight = first if window is None else min(first, window - 1)
    key, value = (
        np.concatenate([cached[:, :, first - sight :], each], axis=2)
        for cached, each in zip(past or [each[:, :, :0] for each in new], new, strict=True)
    )

    ahead = np.arange(key.shape[2])[None, :] - np.arange(sight, sight + length)[:, None]
    seen = (ahead <= 0) & (ahead > -(window or math.inf))
    y = attended(query, key, value, seen if length > 1 else None)
    return linear(module.o_proj, y.swapaxes(1, 2).reshape(batch, length, -1))


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "GroupedQueryAttention": grouped_query_attention,
    "RotaryEmbedding": rotary,
}
