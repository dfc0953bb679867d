"""Activations and what else is done to each element by itself, and changes of shape.

Where a definition branches on an element, both sides are computed and one is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np
import torch

from scripts.torch_layers.definitions.counting import (
    Array,
    absolute,
    beside,
    erf,
    larger,
    largest,
    smaller,
    total,
)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(−x))."""
    return 1.0 / (1.0 + np.exp(-x))


def gelu(module: Any, x: Array) -> Array:
    """Multiply x with the normal distribution at x, or with what comes near it."""
    if module.approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * (x * x * x))))
    return x * (0.5 * (1.0 + erf(x / sqrt(2))))


def softmax(module: Any, x: Array) -> Array:
    """Make the numbers along an axis positive, with a sum of 1."""
    return shares(x, _axis(module, x))


def shares(x: Array, axis: tuple[int, ...]) -> Array:
    """Divide the exponentials by their sum, the largest number being subtracted first."""
    powers = np.exp(x - largest(x, axis))
    return powers / total(powers, axis)


def log_softmax(module: Any, x: Array) -> Array:
    """Subtract the logarithm of the sum of the exponentials, the largest subtracted first."""
    axis = _axis(module, x)
    x = x - largest(x, axis)
    return x - np.log(total(np.exp(x), axis))


def prelu(module: Any, x: Array) -> Array:
    """Choose x, or x times its slope: the one of its channel where there are several."""
    slope = beside(x, module.weight)
    if len(slope) > 1:
        slope = slope.reshape(-1, *(1 for _ in x.shape[2:]))
    return np.where(x > 0.0, x, slope * x)


def softplus(module: Any, x: Array) -> Array:
    """Return x, or below the threshold log(1 + exp(β · x)) times 1/β."""
    scaled = module.beta * x
    return np.where(scaled > module.threshold, x, 1 / module.beta * np.log(1.0 + np.exp(scaled)))


def softmin(module: Any, x: Array) -> Array:
    """Make the negated numbers along an axis positive, with a sum of 1."""
    return shares(-x, _axis(module, x))


def selu(module: Any, x: Array) -> Array:
    """Scale an ELU with the two constants of Klambauer et al., 2017."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * np.where(x > 0.0, x, alpha * (np.exp(x) - 1.0))


def softshrink(module: Any, x: Array) -> Array:
    """Choose x − λ, x + λ or, between −λ and λ, 0."""
    less, more = x - module.lambd, x + module.lambd
    above, below = x > module.lambd, x < -module.lambd
    return np.where(above, less, np.where(below, more, beside(x, 0.0)))


def hardshrink(module: Any, x: Array) -> Array:
    """Choose x or, between −λ and λ, 0."""
    above, below = x > module.lambd, x < -module.lambd
    return np.where(above | below, x, beside(x, 0.0))


def glu(module: Any, x: Array) -> Array:
    """Multiply one half with the sigmoid of the other."""
    one, other = np.split(x, 2, axis=module.dim)
    return one * sigmoid(other)


def _axis(module: Any, x: Array) -> tuple[int]:
    if module.dim is None:
        return (0 if x.ndim in (0, 1, 3) else 1,)
    return (module.dim,)


def in_training(drop: Callable[[Any, Array], Array]) -> Callable[[Any, Array], Array]:
    """Return a dropout of modules: nothing in evaluation or with p = 0, all with p = 1."""

    def dropout(module: Any, x: Array) -> Array:
        if not module.training or module.p in (0, 1):
            return x * 0.0 if module.training and module.p else x
        with torch.random.fork_rng():  # the numbers that torch draws next
            return drop(module, x)

    return dropout


def dropped(x: Array, p: float) -> Array:
    """Multiply with a mask, and with the inverse of the share that is kept."""
    if p in (0, 1):
        return x * 0.0 if p else x
    return x * beside(x, _mask(x, p)) * (1 / (1 - p))


def _mask(x: Array, p: float) -> torch.Tensor:
    """Draw a 0 with the probability p, or a 1, for each element."""
    strides = [step // x.itemsize for step in x.strides]  # torch draws in the order of memory
    return torch.empty_strided(x.shape, strides, dtype=torch.float64).bernoulli_(1 - p)


@in_training
def alpha_dropout(module: Any, x: Array) -> Array:
    """Set some numbers to α′, then scale and shift all, as Klambauer et al. (2017) define it."""
    p, dropped_value = module.p, -1.7580993408473766
    scale = 1 / sqrt((1 - p) * (1 + p * dropped_value**2))
    shift = -scale * p * dropped_value
    mask = beside(x, _mask(x, p))
    return scale * (x * mask + dropped_value * (1.0 - mask)) + shift


@in_training
def channel_dropout(module: Any, x: Array) -> Array:
    """Set some channels to 0, with one mask for each, which is scaled before it is used."""
    has_batch = {"Dropout1d": x.ndim == 3, "Dropout2d": True, "Dropout3d": x.ndim == 5}
    batch = x if has_batch[type(module).__name__] else x[None]
    drawn = torch.empty(batch.shape[:2], dtype=torch.float64).bernoulli_(1 - module.p)
    mask = beside(x, drawn) * (1 / (1 - module.p))
    y: Array = batch * mask.reshape(*mask.shape, *(1 for _ in batch.shape[2:]))
    return y.reshape(x.shape)


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Flatten": lambda m, x: x.reshape(
        *x.shape[: m.start_dim % x.ndim], -1, *x.shape[m.end_dim % x.ndim + 1 :]
    ),
    "ReLU": lambda m, x: larger(x, 0.0),
    "GELU": gelu,
    "SiLU": lambda m, x: x * sigmoid(x),
    "Softmax": softmax,
    "Identity": lambda m, x: x,
    "Dropout": in_training(lambda module, x: dropped(x, module.p)),
    **{f"Dropout{axes}d": channel_dropout for axes in (1, 2, 3)},
    "AlphaDropout": alpha_dropout,
    "ReLU6": lambda m, x: smaller(larger(x, 0.0), 6.0),
    "LeakyReLU": lambda m, x: np.where(x > 0.0, x, m.negative_slope * x),
    "PReLU": prelu,
    "ELU": lambda m, x: np.where(x > 0.0, x, m.alpha * (np.exp(x) - 1.0)),
    "Sigmoid": lambda m, x: sigmoid(x),
    "Tanh": lambda m, x: np.tanh(x),
    "Hardsigmoid": lambda m, x: np.where(
        x <= -3.0, beside(x, 0.0), np.where(x >= 3.0, beside(x, 1.0), x / 6.0 + 0.5)
    ),
    "Hardswish": lambda m, x: np.where(
        x <= -3.0, beside(x, 0.0), np.where(x >= 3.0, x, x * (x + 3.0) / 6.0)
    ),
    "Softplus": softplus,
    "Mish": lambda m, x: x * np.tanh(np.log(1.0 + np.exp(x))),
    "LogSoftmax": log_softmax,
    "Softmin": softmin,
    "Softmax2d": lambda m, x: shares(x, (x.ndim - 3,)),
    "SELU": selu,
    "CELU": lambda m, x: np.where(x > 0.0, x, m.alpha * (np.exp(x / m.alpha) - 1.0)),
    "Softsign": lambda m, x: x / (1.0 + absolute(x)),
    "LogSigmoid": lambda m, x: np.log(sigmoid(x)),
    "Tanhshrink": lambda m, x: x - np.tanh(x),
    "Hardtanh": lambda m, x: smaller(larger(x, m.min_val), m.max_val),
    "Threshold": lambda m, x: np.where(x > m.threshold, x, beside(x, m.value)),
    "Softshrink": softshrink,
    "Hardshrink": hardshrink,
    "GLU": glu,
    "add": lambda m, x, other: x + other,
    "mul": lambda m, x, other: x * other,
    "concatenated": lambda m, *tensors: np.concatenate(tensors, m.arguments.get("dim", 0)),
}
