"""The parts of a decoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from scripts.torch_layers.definitions.attention import weights
from scripts.torch_layers.definitions.counting import Array, Number, product, total
from scripts.torch_layers.definitions.elementwise import shares, sigmoid
from scripts.torch_layers.definitions.matrix import linear
from scripts.torch_layers.definitions.normalization import rms_norm
from scripts.torch_layers.definitions.tables import embedding


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
    shared = query.shape[1] // key.shape[1]
    key, value = np.repeat(key, shared, axis=1), np.repeat(value, shared, axis=1)
    y = product(weights(query, key, seen if length > 1 else None, None, 0), value)
    return linear(module.o_proj, y.swapaxes(1, 2).reshape(batch, length, -1))


def mlp(module: Any, x: Array) -> Array:
    """Let one projection gate another."""
    gate = linear(module.gate_proj, x)
    return linear(module.down_proj, gate * sigmoid(gate) * linear(module.up_proj, x))


def mixture_of_experts(module: Any, x: Array) -> Array:
    """Send each token to its best experts, found one after another, and weigh their answers."""
    parts = shares(linear(module.router, x), (-1,))
    y = np.empty(x.shape, dtype=object)
    for at in np.ndindex(x.shape[:-1]):
        left, chosen = list(range(len(module.experts))), []
        for _ in range(module.each):
            best = left[0]
            for other in left[1:]:
                best = other if parts[at][other] > parts[at][best] else best
            left.remove(best)
            chosen.append(best)
        trust = parts[at][chosen] / total(parts[at][chosen], (0,))
        answers = [mlp(module.experts[place], x[at][None])[0] for place in chosen]
        weighted = [each * weight for each, weight in zip(answers, trust, strict=True)]
        y[at] = reduce(lambda one, other: one + other, weighted)
    return y


def llama_decoder_layer(module: Any, x: Array, *past: Array) -> Array:
    """Add what attention makes of the normalised tokens, then what the MLP or the experts do."""
    x = x + grouped_query_attention(module.self_attn, rms_norm(module.input_layernorm, x), *past)
    feed = mixture_of_experts if hasattr(module.mlp, "experts") else mlp
    return x + feed(module.mlp, rms_norm(module.post_attention_layernorm, x))


def llama(module: Any, tokens: Array, *past: Array) -> Array:
    """Look up a row for each word, run the blocks, and score the normalised outcome."""
    x = embedding(module.embed_tokens, tokens)
    for place, layer in enumerate(module.layers):
        x = llama_decoder_layer(layer, x, *past[2 * place : 2 * place + 2])
    return linear(module.lm_head, rms_norm(module.norm, x))


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "GroupedQueryAttention": grouped_query_attention,
    "Llama": llama,
    "LlamaDecoderLayer": llama_decoder_layer,
    "RotaryEmbedding": rotary,
}
