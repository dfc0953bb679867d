"""Modules of torch that are called with a mask, as modules of their input alone."""

from __future__ import annotations

from operator import index
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.bias import CausalVariant

# The fused path of inference counts nothing, and refuses in other words.
torch.backends.mha.set_fastpath_enabled(False)


class Attention(torch.nn.Module):
    """Attention whose mask torch may have to be given as a tensor."""

    def __init__(
        self,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        window_size: int | None = None,
        causal_variant: str = "upper_left",
    ) -> None:
        super().__init__()
        if window_size is not None and index(window_size) < 1:
            raise ValueError("a query sees itself at least")
        if window_size is not None and not is_causal:
            raise ValueError("window_size needs is_causal")
        known: Any = {each.name.lower(): each for each in CausalVariant}
        self.is_causal = is_causal
        self.variant = CausalVariant(known.get(causal_variant, causal_variant))
        self.window_size = window_size
        self.more: Any = {"dropout_p": dropout_p, "scale": scale, "enable_gqa": True}

    def mask(self, queries: int, keys: int, device: torch.device | None = None) -> Tensor:
        """Return which keys each query sees."""
        seen = torch.ones(queries, keys, dtype=torch.bool, device=device)
        if not self.is_causal:
            return seen
        last = keys - queries if self.variant is CausalVariant.LOWER_RIGHT else 0
        seen = seen.tril(last)
        return seen if self.window_size is None else seen.triu(last - self.window_size + 1)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the attention of a query to a key and a value."""
        plain = self.window_size is None and self.variant is CausalVariant.UPPER_LEFT
        if plain or not self.is_causal:
            return functional.scaled_dot_product_attention(
                query, key, value, is_causal=self.is_causal, **self.more
            )
        mask = self.mask(query.shape[-2], key.shape[-2], query.device)
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, **self.more
        )


class MultiheadAttention(torch.nn.Module):
    """Attention of one tensor to itself, or to a second, or with values of their own."""

    def __init__(self, *, need_weights: bool = True, is_causal: bool = False, **more: Any) -> None:
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(**more)
        self.need_weights = need_weights
        self.is_causal = is_causal

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None) -> Any:
        """Return the output, and the weights where they are needed."""
        key = query if key is None else key
        value = key if value is None else value
        along = 1 if self.inner.batch_first and query.ndim == 3 else 0
        mask = masked(query.shape[along], key.shape[along]) if self.is_causal else None
        how = {"need_weights": self.need_weights, "is_causal": self.is_causal}
        return self.inner(query, key, value, attn_mask=mask, **how)


def masked(queries: int, keys: int) -> Tensor:
    """Return which keys each query does not see, as torch's modules want it."""
    return torch.ones(queries, keys, dtype=torch.bool).triu(1)


class TransformerEncoderLayer(torch.nn.Module):
    """An encoder layer, with a causal mask or without."""

    def __init__(self, *, is_causal: bool = False, **more: Any) -> None:
        super().__init__()
        self.inner = torch.nn.TransformerEncoderLayer(**more)
        self.is_causal = is_causal

    def forward(self, source: Tensor) -> Any:
        """Return what the layer makes of a sequence."""
        length = source.shape[1 if self.inner.self_attn.batch_first and source.ndim == 3 else 0]
        mask = masked(length, length) if self.is_causal else None
        return self.inner(source, src_mask=mask, is_causal=self.is_causal)


class TransformerDecoderLayer(torch.nn.Module):
    """A decoder layer, with causal masks or without."""

    def __init__(
        self, *, tgt_is_causal: bool = False, memory_is_causal: bool = False, **more: Any
    ) -> None:
        super().__init__()
        self.inner = torch.nn.TransformerDecoderLayer(**more)
        self.tgt_is_causal = tgt_is_causal
        self.memory_is_causal = memory_is_causal

    def forward(self, target: Tensor, memory: Tensor) -> Any:
        """Return what the layer makes of a target and a memory."""
        along = 1 if self.inner.self_attn.batch_first and target.ndim == 3 else 0
        queries, keys = target.shape[along], memory.shape[along if memory.ndim == 3 else 0]
        return self.inner(
            target,
            memory,
            tgt_mask=masked(queries, queries) if self.tgt_is_causal else None,
            memory_mask=masked(queries, keys) if self.memory_is_causal else None,
            tgt_is_causal=self.tgt_is_causal,
            memory_is_causal=self.memory_is_causal,
        )
