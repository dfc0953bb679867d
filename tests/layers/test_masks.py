"""Work that a mask leaves, pair by pair, under the masks that torch is seen to attend with."""

from collections.abc import Iterator
from itertools import islice, product
from math import prod
from typing import Any

import pytest
import torch

from calculator import Layer, MultiheadAttention
from scripts.random_layers.draw import Configuration, accepted
from scripts.torch_layers.run import inputs, module

COUNT = 150  # of each layer
NAMES = ("multihead_attention", "transformer_encoder_layer", "transformer_decoder_layer")
attention = torch.nn.functional.scaled_dot_product_attention


def drawn(name: str) -> Iterator[tuple[Configuration, Layer]]:
    """Random layers that are small."""
    return ((one, ours) for one, ours in accepted(name) if ours.macs < 20_000)


def hidden(query: torch.Tensor, key: torch.Tensor) -> int:
    """Return the multiply-accumulates of the pairs that torch's causal mask hides, one by one."""
    *heads, queries, each = query.shape
    pairs = sum(other > place for place, other in product(range(queries), range(key.shape[-2])))
    return prod(heads) * pairs * 2 * each


def watched(one: Configuration, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the masked multiply-accumulates of all attention that torch does in a layer.

    Weights that are returned are 0 where a pair is masked, and nowhere else.
    """
    found = []

    def spy(query: Any, key: Any, value: Any, mask: None, dropout: float, causal: bool) -> Any:
        assert mask is None
        found.append(hidden(query, key) if causal else 0)
        return attention(query, key, value, mask, dropout, causal)

    layer = module(one).double().eval()
    with monkeypatch.context() as patched, torch.no_grad():
        patched.setattr(torch.nn.functional, "scaled_dot_product_attention", spy)
        y = layer(*inputs(one, random=True))
    if one.layer == "multihead_attention" and y[1] is not None:
        found.append(2 * one.arguments["embed_dim"] * int((y[1] == 0).sum()))
    return sum(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_useful_work_is_all_but_that_of_the_pairs_that_torch_masks(name, monkeypatch):
    torch.manual_seed(0)
    masked = 0
    for one, ours in islice(drawn(name), COUNT):
        left_out = watched(one, monkeypatch)
        assert ours.macs - ours.useful_macs == left_out, one
        masked += left_out > 0
    assert masked > COUNT // 10


@pytest.mark.parametrize(
    ("need_weights", "queries", "keys", "pairs"),
    [  # and a key of zeros behind the keys
        pytest.param(True, 3, 1, 2 + 2 + 2, id="weights: all see it"),
        pytest.param(True, 2, 3, 2 + 3, id="weights, fewer queries: all see it"),
        pytest.param(False, 3, 1, 1 + 2 + 2, id="no weights: who is past the keys sees it"),
        pytest.param(False, 2, 3, 1 + 2, id="no weights, fewer queries: nobody sees it"),
    ],
)
def test_who_sees_an_appended_key_under_a_causal_mask(need_weights, queries, keys, pairs):
    ours = MultiheadAttention(
        embed_dim=2, num_heads=1, add_zero_attn=True, query_length=queries, key_length=keys,
        is_causal=True, need_weights=need_weights,
    )  # fmt: skip
    projections = 2 * queries * 4 + 2 * keys * 4
    assert ours.useful_macs == projections + pairs * 2 * 2
