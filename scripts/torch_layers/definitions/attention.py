"""Attention, query by query."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np
import torch

from scripts.torch_layers.definitions.counting import Array, beside, product, total
from scripts.torch_layers.definitions.elementwise import dropped, shares
from scripts.torch_layers.definitions.matrix import projected


def attention(module: Any, query: Array, key: Array, value: Array) -> Array:
    """Compare every query with every key, and mix the values by the result."""
    shared = query.shape[1] // key.shape[1]
    key, value = np.repeat(key, shared, axis=1), np.repeat(value, shared, axis=1)
    seen = module.mask(query.shape[2], key.shape[2]).numpy() if module.is_causal else None
    scale, p = module.more["scale"], module.more["dropout_p"]
    with torch.random.fork_rng():  # the numbers that torch draws next
        return product(weights(query, key, seen, scale, p), value)


def weights(query: Array, key: Array, seen: Any, scale: float | None, p: float) -> Array:
    """Return what share of each value every query takes, nothing where it sees none."""
    scores: Array = product(query, key.swapaxes(-1, -2))
    scores = scores * (1 / sqrt(query.shape[-1]) if scale is None else scale)
    if seen is None:
        return dropped(shares(scores, (-1,)), p)
    scores = scores + np.where(seen, 0.0, -inf)
    with np.errstate(invalid="ignore"):
        found: Array = shares(scores, (-1,))
    return dropped(np.where(seen.any(-1, keepdims=True), found, beside(scores, 0.0)), p)


def multihead(module: Any, *inputs: Array) -> Array:
    """Attend, and average the weights of the heads where they are needed."""
    return with_weights(module, *inputs)[0]


def with_weights(module: Any, *inputs: Array) -> tuple[Array, Array | None]:
    """Return the output, and the mean of the weights over the heads where they are needed."""
    query, key, value = (*inputs, *inputs[-1:] * 2)[:3]
    with torch.random.fork_rng():  # the numbers that torch draws next
        y, found = heads(module.inner, query, key, value, module.is_causal, module.need_weights)
    if not module.need_weights:
        return y, None
    mean = (total(found, (1,)) / module.inner.num_heads)[:, 0]
    return y, mean if query.ndim == 3 else mean[0]


def heads(
    module: Any, query: Array, key: Array, value: Array, causal: bool, needed: bool = False
) -> tuple[Array, Array]:
    """Project queries, keys and values, attend in every head, project the heads side by side."""
    batched = query.ndim == 3
    if not batched:
        query, key, value = query[:, None], key[:, None], value[:, None]
    elif module.batch_first:
        query, key, value = (each.swapaxes(0, 1) for each in (query, key, value))
    query, key, value = (
        projected(each, *parameters)
        for each, parameters in zip((query, key, value), _projections(module), strict=True)
    )
    length, batch, features = query.shape
    if module.bias_k is not None:
        key = np.concatenate([key, np.repeat(beside(key, module.bias_k), batch, axis=1)])
        value = np.concatenate([value, np.repeat(beside(value, module.bias_v), batch, axis=1)])
    if module.add_zero_attn:
        zeros = beside(key, np.zeros((1, batch, features)))
        key, value = np.concatenate([key, zeros]), np.concatenate([value, zeros])
    query, key, value = (
        each.reshape(len(each), batch, module.num_heads, -1).transpose(1, 2, 0, 3)
        for each in (query, key, value)
    )
    seen = None
    if causal:
        seen = np.tril(np.ones((length, key.shape[2]), dtype=bool))
        if needed:  # torch masks what is appended where it needs no weights
            appended = (module.bias_k is not None) + module.add_zero_attn
            seen[:, key.shape[2] - appended :] = True
    found = weights(query, key, seen, None, module.dropout if module.training else 0)
    y = product(found, value).transpose(2, 0, 1, 3).reshape(length, batch, features)
    y = projected(y, module.out_proj.weight, module.out_proj.bias)
    if not batched:
        return y[:, 0], found
    return (y.swapaxes(0, 1) if module.batch_first else y), found


def _projections(module: Any) -> list[tuple[Any, Any]]:
    """Return weight and bias of the projections of queries, keys and values."""
    if module.in_proj_weight is None:
        parts = [module.q_proj_weight, module.k_proj_weight, module.v_proj_weight]
    else:
        parts = module.in_proj_weight.chunk(3)
    biases = [None] * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    return list(zip(parts, biases, strict=True))


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Attention": attention,
    "MultiheadAttention": multihead,
}
