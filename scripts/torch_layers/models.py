"""What torch has no module for, as plain modules of torch, named as in Hugging Face's configs.

A witness: no formula of ours stands here. Whatever computes is a module of its own, so that what
goes in and comes out can be watched. `tests/models/test_transformers.py` compares the decoders with
those of Hugging Face.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Function(nn.Module):
    """A function as a module; one of torch's is looked up in its home when it is called."""

    def __init__(self, function: Callable[..., Any], home: Any = None, **arguments: Any) -> None:
        super().__init__()
        self.function = function
        self.home = home
        self.arguments = arguments

    def forward(self, *inputs: Any, **more: Any) -> Any:
        """Return the function of the inputs, with the arguments it was given."""
        call = getattr(self.home, self.function.__name__) if self.home else self.function
        return call(*inputs, **self.arguments, **more)


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Return x · cos + rotate_half(x) · sin: pairs of dimensions half a head apart are turned."""
    one, other = torch.unflatten(x, 3, (2, -1)).unbind(3)
    turned = one * cosines - other * sines, other * cosines + one * sines
    return torch.cat(turned, 3).contiguous()


class RotaryEmbedding(nn.Module):
    """Rotary positions, tables and all."""

    def __init__(self, rope_theta: float = 10000.0) -> None:
        super().__init__()
        self.rope_theta = rope_theta
        self.rotate = Function(rotate)

    def tables(self, x: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        """Return the cosines and the sines for (N, heads, L, head_dim), from a position on."""
        if x.ndim != 4:
            raise ValueError(f"expected (N, heads, L, head_dim), got {x.ndim} dimensions")
        length, head_dim = x.shape[2:]
        powers = torch.arange(0, head_dim, 2, dtype=torch.float64, device=x.device) / head_dim
        positions = torch.arange(first, first + length, device=x.device).double()
        angles = torch.outer(positions, self.rope_theta**-powers)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return x, each pair turned by position · theta^(−2i/head_dim)."""
        y: Tensor = self.rotate(x, *self.tables(x))
        return y


def causal(length: int, tokens: int, window: int | None, device: torch.device) -> Tensor | None:
    """Return which of all tokens each of the last ones sees, None where torch's own will do."""
    if length == 1 or (length == tokens and (window is None or window >= tokens)):
        return None
    sees = torch.ones(length, tokens, dtype=torch.bool, device=device).tril(tokens - length)
    return sees if window is None else sees.triu(tokens - length - window + 1)


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
        self.head_dim = hidden_size // num_attention_heads if head_dim is None else head_dim
        if num_key_value_heads is None:
            num_key_value_heads = num_attention_heads
        if sliding_window is not None and index(sliding_window) < 1:
            raise ValueError("a token sees itself at least")
        self.key_value_heads = num_key_value_heads
        self.sliding_window = sliding_window
        queries, keys = num_attention_heads * self.head_dim, num_key_value_heads * self.head_dim
        self.q_proj = nn.Linear(hidden_size, queries, bias=attention_bias)
        self.k_proj = nn.Linear(hidden_size, keys, bias=attention_bias)
        self.v_proj = nn.Linear(hidden_size, keys, bias=attention_bias)
        self.o_proj = nn.Linear(queries, hidden_size, bias=attention_bias)
        self.rotary = RotaryEmbedding()
        self.attend = Function(functional.scaled_dot_product_attention, functional, enable_gqa=True)

    def forward(
        self, x: Tensor, past_key: Tensor | None = None, past_value: Tensor | None = None
    ) -> Tensor:
        """Return (N, L, hidden_size), given the cached keys and values of the tokens before x."""
        query, key, value = (
            torch.unflatten(each(x), -1, (-1, self.head_dim)).permute(0, 2, 1, 3)
            for each in (self.q_proj, self.k_proj, self.v_proj)
        )
        past = 0 if past_key is None else past_key.shape[-2]
        tables = self.rotary.tables(query, past)
        query, key = (self.rotary.rotate(each, *tables) for each in (query, key))
        if past_key is not None and past_value is not None:
            wanted = (len(x), self.key_value_heads, past, self.head_dim)
            for each in (past_key, past_value):
                if tuple(each.shape) != wanted:
                    found = tuple(each.shape)
                    raise ValueError(f"expected keys and values {wanted} in the cache, got {found}")
            first = 0 if self.sliding_window is None else max(0, past - self.sliding_window + 1)
            key = torch.cat((past_key[:, :, first:], key), 2)
            value = torch.cat((past_value[:, :, first:], value), 2)
        length, tokens = query.shape[2], key.shape[2]
        mask = causal(length, tokens, self.sliding_window, x.device)
        is_causal = mask is None and bool(length > 1)  # a tensor while torch.jit traces
        y = self.attend(query, key, value, attn_mask=mask, is_causal=is_causal)
        return self.o_proj(y.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """SwiGLU: one projection gates another."""

    def __init__(self, hidden_size: int, intermediate_size: int, bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden_size, intermediate_size, bias=bias)
        self.up_proj = nn.Linear(hidden_size, intermediate_size, bias=bias)
        self.down_proj = nn.Linear(intermediate_size, hidden_size, bias=bias)
        self.silu = nn.SiLU()
        self.multiply = Function(torch.mul, torch)

    def forward(self, x: Tensor) -> Tensor:
        """Return down(silu(gate(x)) · up(x))."""
        gated = self.multiply(self.silu(self.gate_proj(x)), self.up_proj(x))
        return self.down_proj(gated)


def route(logits: Tensor, each: int) -> tuple[Tensor, Tensor]:
    """Return the weights of the experts that a token is sent to, which sum to 1, and which."""
    weights, chosen = logits.softmax(-1).topk(each)
    return weights / weights.sum(-1, keepdim=True), chosen


def combine(answers: Tensor, weights: Tensor, tokens: Tensor, count: int) -> Tensor:
    """Return the sum of the weighted answers for each of so many tokens."""
    y = torch.zeros(count, answers.shape[-1], dtype=answers.dtype, device=answers.device)
    return y.index_add(0, tokens, answers * weights[:, None])


class MixtureOfExperts(nn.Module):
    """Mixtral's layout: every token goes through a few of the experts, as a router says."""

    def __init__(
        self, hidden_size: int, intermediate_size: int, experts: int, each: int, bias: bool
    ) -> None:
        super().__init__()
        self.each = each
        self.router = nn.Linear(hidden_size, experts, bias=False)
        self.route = Function(route, each=each)
        self.experts = nn.ModuleList(
            MLP(hidden_size, intermediate_size, bias) for _ in range(experts)
        )
        self.combine = Function(combine)

    def sent(self, chosen: Tensor) -> list[int]:
        """Return how many tokens each expert is sent.

        On the meta device nobody knows: there it is as many to one as to another.
        """
        if chosen.is_meta:
            return [len(part) for part in chosen.flatten().tensor_split(len(self.experts))]
        return torch.bincount(chosen.flatten(), minlength=len(self.experts)).tolist()

    def forward(self, x: Tensor) -> Tensor:
        """Return the experts' answers, each times its weight, summed for each token."""
        rows = x.flatten(0, -2)
        weights, chosen = self.route(self.router(rows))
        order = chosen.flatten().argsort(stable=True)
        tokens, choices = order // self.each, order % self.each
        answers = [
            expert(rows[own])
            for expert, own in zip(self.experts, tokens.split(self.sent(chosen)), strict=True)
            if len(own)
        ]
        y = self.combine(torch.cat(answers), weights[tokens, choices], tokens, count=len(rows))
        return y.view_as(x)


class LlamaDecoderLayer(nn.Module):
    """Attention and an MLP, each on normalised input and added to what it was given."""

    def __init__(
        self,
        hidden_size: int,
        intermediate_size: int,
        num_attention_heads: int,
        num_key_value_heads: int | None = None,
        head_dim: int | None = None,
        attention_bias: bool = False,
        mlp_bias: bool = False,
        rms_norm_eps: float = 1e-6,
        sliding_window: int | None = None,
        num_local_experts: int | None = None,
        num_experts_per_tok: int = 2,
    ) -> None:
        super().__init__()
        experts_each = index(num_experts_per_tok)
        if experts_each < 1:
            raise ValueError("a token is sent through an expert at least")
        self.self_attn = GroupedQueryAttention(
            hidden_size, num_attention_heads, num_key_value_heads, head_dim, attention_bias,
            sliding_window,
        )  # fmt: skip
        self.mlp = (
            MLP(hidden_size, intermediate_size, mlp_bias)
            if num_local_experts is None
            else MixtureOfExperts(
                hidden_size, intermediate_size, num_local_experts, experts_each, mlp_bias
            )
        )
        self.input_layernorm = nn.RMSNorm(hidden_size, rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(hidden_size, rms_norm_eps)
        self.add = Function(torch.add, torch)

    def forward(self, x: Tensor, *past: Tensor) -> Tensor:
        """Return (N, L, hidden_size)."""
        x = self.add(x, self.self_attn(self.input_layernorm(x), *past))
        return self.add(x, self.mlp(self.post_attention_layernorm(x)))


class Llama(nn.Module):
    """A whole decoder: tokens in, a score for each word of the vocabulary out."""

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        num_hidden_layers: int,
        tie_word_embeddings: bool = False,
        rms_norm_eps: float = 1e-6,
        **layer: Any,
    ) -> None:
        super().__init__()
        if index(num_hidden_layers) < 1:
            raise ValueError("a model has a block at least")
        self.embed_tokens = nn.Embedding(vocab_size, hidden_size)
        self.layers = nn.ModuleList(
            LlamaDecoderLayer(hidden_size, rms_norm_eps=rms_norm_eps, **layer)
            for _ in range(num_hidden_layers)
        )
        self.norm = nn.RMSNorm(hidden_size, rms_norm_eps)
        self.lm_head = nn.Linear(hidden_size, vocab_size, bias=False)
        if tie_word_embeddings:
            self.lm_head.weight = self.embed_tokens.weight

    def forward(self, tokens: Tensor, *past: Tensor) -> Tensor:
        """Return (N, L, vocab_size), given each layer's cached keys and values."""
        x = self.embed_tokens(tokens)
        past = tuple(each.detach() for each in past)
        for place, layer in enumerate(self.layers):
            x = layer(x, *past[2 * place : 2 * place + 2])
        return self.lm_head(self.norm(x))
