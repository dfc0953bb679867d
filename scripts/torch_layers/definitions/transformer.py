"""The layers of a transformer, as "Attention is all you need" draws them, norms first or last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from scripts.torch_layers.definitions.attention import heads
from scripts.torch_layers.definitions.counting import Array, larger
from scripts.torch_layers.definitions.elementwise import dropped, gelu
from scripts.torch_layers.definitions.matrix import linear
from scripts.torch_layers.definitions.normalization import layer_norm


def encoder(module: Any, x: Array) -> Array:
    """Attend to the sequence itself, then transform each position."""
    layer = getattr(module, "inner", module)
    causal = getattr(module, "is_causal", False)
    return _sublayers(
        layer,
        x,
        lambda x: heads(layer.self_attn, x, x, x, causal)[0],
        lambda x: _feed_forward(layer, x),
    )


def decoder(module: Any, x: Array, memory: Array) -> Array:
    """Attend to the sequence itself, then to the memory, then transform each position."""
    layer = module.inner
    return _sublayers(
        layer,
        x,
        lambda x: heads(layer.self_attn, x, x, x, module.tgt_is_causal)[0],
        lambda x: heads(layer.multihead_attn, x, memory, memory, module.memory_is_causal)[0],
        lambda x: _feed_forward(layer, x),
    )


def _sublayers(module: Any, x: Array, *sublayers: Callable[[Array], Array]) -> Array:
    """Add what each sublayer makes of its input to that input, with a norm before or behind."""
    with torch.random.fork_rng():  # the numbers that torch draws next
        for place, sublayer in enumerate(sublayers, start=1):
            norm = getattr(module, f"norm{place}")
            y = sublayer(layer_norm(norm, x) if module.norm_first else x)
            x = x + _drop(module, y)
            x = x if module.norm_first else layer_norm(norm, x)
    return x


def _feed_forward(module: Any, x: Array) -> Array:
    """Widen each position, bend it, narrow it."""
    wide = linear(module.linear1, x)
    if module.activation is torch.nn.functional.relu:
        wide = larger(wide, 0.0)
    else:
        wide = gelu(torch.nn.GELU(), wide)
    return linear(module.linear2, _drop(module, wide))


def _drop(module: Any, x: Array) -> Array:
    return dropped(x, module.dropout.p) if module.training else x


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "TransformerEncoderLayer": encoder,
    "TransformerDecoderLayer": decoder,
}
