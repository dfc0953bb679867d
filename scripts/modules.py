"""What torch has no module for, as plain modules of torch in Hugging Face's layout.

A witness: no formula of ours stands here. Every part that computes is a module of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Rotate(nn.Module):
    """Pairs (x1, x2) of halves turned by the angles whose cosines and sines are given."""

    def forward(self, x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """Return x · cos + rotate_half(x) · sin."""
        first, second = x.unflatten(3, (2, -1)).unbind(3)
        turned = (first * cosines - second * sines, second * cosines + first * sines)
        return torch.cat(turned, -1)


class RotaryEmbedding(nn.Module):
    """Rotary positions on (N, heads, L, head_dim), from a first position on."""

    def __init__(self, rope_theta: float = 10000.0) -> None:
        super().__init__()
        self.rope_theta = rope_theta
        self.rotate = Rotate()

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """Return x, each pair turned by position · theta^(−2i/head_dim)."""
        if x.ndim != 4:
            raise ValueError(f"expected (N, heads, L, head_dim), got {x.ndim} dimensions")
        length, head_dim = x.shape[2:]
        with torch.no_grad():
            powers = torch.arange(0, head_dim, 2, dtype=torch.float64, device=x.device) / head_dim
            positions = torch.arange(first, first + length, device=x.device)
            angles = torch.outer(positions.double(), self.rope_theta**-powers)
        return self.rotate(x, angles.cos().to(x.dtype), angles.sin().to(x.dtype))


class Attend(nn.Module):
    """Scaled dot products of the last tokens with all, each blind to what comes after it."""

    def __init__(self, sliding_window: int | None = None) -> None:
        super().__init__()
        self.sliding_window = sliding_window

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return (N, heads, L, head_dim); a mask is made only where torch's own is not enough."""
        length, tokens, window = query.shape[-2], key.shape[-2], self.sliding_window
        windowed = window is not None and window < tokens
        mask = None
        if windowed or 1 < length < tokens:
            mask = torch.ones(length, tokens, dtype=torch.bool, device=query.device)
            mask = mask.tril(tokens - length)
            if windowed:
                mask = mask.triu(tokens - length - window + 1)
        causal = mask is None and length > 1
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=causal, enable_gqa=True
        )


class GroupedQueryAttention(nn.Module):
    """Causal self-attention of new tokens on a cache and themselves."""

    def __init__(
        self,
        hidden_size: int,
        num_attention_heads: int,
        num_key_value_heads: int | None = None,
        head_dim: int | None = None,
        attention_bias: bool = False,
        sliding_window: int | None = None,
    ) -> None:
        super().__init__()
        if head_dim is None and hidden_size % num_attention_heads:
            raise ValueError(  # as LlamaConfig of transformers says
                f"The hidden size ({hidden_size}) is not a multiple of the number of attention "
                f"heads ({num_attention_heads})."
            )
        self.head_dim = head_dim or hidden_size // num_attention_heads
        queries = num_attention_heads * self.head_dim
        keys = (num_key_value_heads or num_attention_heads) * self.head_dim
        self.sliding_window = sliding_window
        self.q_proj = nn.Linear(hidden_size, queries, bias=attention_bias)
        self.k_proj = nn.Linear(hidden_size, keys, bias=attention_bias)
        self.v_proj = nn.Linear(hidden_size, keys, bias=attention_bias)
        self.o_proj = nn.Linear(queries, hidden_size, bias=attention_bias)
        self.rotary = RotaryEmbedding()
        self.attend = Attend(sliding_window)

    def forward(
        self, x: Tensor, past_key: Tensor | None = None, past_value: Tensor | None = None
    ) -> Tensor:
        """Return (N, L, hidden_size), given the cached keys and values before x."""
        query, key, value = (
            each(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for each in (self.q_proj, self.k_proj, self.v_proj)
        )
        past = 0 if past_key is None else past_key.shape[-2]
        query, key = self.rotary(query, past), self.rotary(key, past)
        if past_key is not None and past_value is not None:
            seen = past if self.sliding_window is None else min(past, self.sliding_window - 1)
            key = torch.cat((past_key[..., past - seen :, :], key), -2)
            value = torch.cat((past_value[..., past - seen :, :], value), -2)
        y = self.attend(query, key, value)
        return self.o_proj(y.transpose(1, 2).flatten(2))
