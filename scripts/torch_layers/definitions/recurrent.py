"""Recurrent layers, step by step, as torch's documentation writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from scripts.torch_layers.definitions.counting import Array, beside, larger, numbers, product
from scripts.torch_layers.definitions.elementwise import dropped, sigmoid


class Weights(NamedTuple):
    """The parameters of one layer in one direction."""

    of_input: Any
    of_state: Any
    input_bias: Any
    state_bias: Any
    projection: Any = None


Step = Callable[[Any, Weights, Array, tuple[Array, ...]], tuple[Array, ...]]


def gates(weights: Weights, x: Array, h: Array, count: int) -> list[tuple[Array, Array]]:
    """Return W x + b and W h + b of each gate."""
    both = []
    for matrix, bias, given in (
        (weights.of_input, weights.input_bias, x),
        (weights.of_state, weights.state_bias, h),
    ):
        y = product(given, beside(x, matrix).T)
        both.append(y if bias is None else y + beside(x, bias))
    of_input, of_state = (np.split(each, count, axis=-1) for each in both)
    return list(zip(of_input, of_state, strict=True))


def elman(module: Any, weights: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next state of an RNN."""
    ((of_input, of_state),) = gates(weights, x, state[0], 1)
    y = of_input + of_state
    return (np.tanh(y) if module.nonlinearity == "tanh" else larger(y, 0.0),)


def lstm(module: Any, weights: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next h and c of an LSTM."""
    h, c = state
    i, f, g, o = (one + other for one, other in gates(weights, x, h, 4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    if weights.projection is not None:
        h = product(h, beside(x, weights.projection).T)
    return h, c


def gru(module: Any, weights: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next state of a GRU."""
    (h,) = state
    r, z, n = gates(weights, x, h, 3)
    reset, update = sigmoid(r[0] + r[1]), sigmoid(z[0] + z[1])
    new = np.tanh(n[0] + reset * n[1])
    return (((1 - update) * new) + update * h,)


def first_state(step: Step, weights: Weights, x: Array) -> tuple[Array, ...]:
    """Return states of zeros."""
    sizes = [weights.of_state.shape[1]]
    if step is lstm:
        sizes.append(len(weights.of_input) // 4)
    tally = x.flat[0].tally
    return tuple(numbers(np.zeros((x.shape[-2], size)), tally) for size in sizes)


def cell(step: Step) -> Callable[[Any, Array], Array]:
    """Return the definition of one step."""

    def run(module: Any, x: Array) -> Array:
        rows = x if x.ndim == 2 else x[None]
        weights = Weights(module.weight_ih, module.weight_hh, module.bias_ih, module.bias_hh)
        y = step(module, weights, rows, first_state(step, weights, rows))[0]
        return y if x.ndim == 2 else y[0]

    return run


def layers(step: Step) -> Callable[[Any, Array], Array]:
    """Return the definition of layers that read a sequence."""

    def run(module: Any, x: Array) -> Array:
        batched = x.ndim == 3
        batch_first = batched and module.batch_first
        x = x if batched else x[:, None]
        y = x.swapaxes(0, 1) if batch_first else x
        with torch.random.fork_rng():  # the numbers that torch draws next
            for layer in range(module.num_layers):
                if layer and module.training:
                    y = dropped(y, module.dropout)
                ways = range(2 if module.bidirectional else 1)
                y = np.concatenate(
                    [direction(step, module, layer, way, y) for way in ways], axis=-1
                )
        y = y.swapaxes(0, 1) if batch_first else y
        return y if batched else y[:, 0]

    return run


def direction(step: Step, module: Any, layer: int, way: int, x: Array) -> Array:
    """Return what one layer makes of a sequence, read forwards or backwards."""
    suffix = f"l{layer}{'_reverse' if way else ''}"
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    weights = Weights(*(getattr(module, f"{name}_{suffix}", None) for name in names))
    state = first_state(step, weights, x[0])
    found = []
    for each in x[::-1] if way else x:
        state = step(module, weights, each, state)
        found.append(state[0])
    return np.stack(found[::-1] if way else found)


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "RNN": layers(elman),
    "LSTM": layers(lstm),
    "GRU": layers(gru),
    "RNNCell": cell(elman),
    "LSTMCell": cell(lstm),
    "GRUCell": cell(gru),
}
