"""Normalisation by means, variances and roots, as in torch's documentation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch

from scripts.definitions.counting import Array, beside, total

Axes = tuple[int, ...]


def mean(x: Array, axes: Axes) -> Array:
    """Return the sums along axes, divided by how many numbers are in each."""
    return total(x, axes) / prod(x.shape[axis] for axis in axes)


def square(x: Array) -> Array:
    """Return each number times itself."""
    return x * x


def standardised(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """Return each number minus the mean, divided by the root of the variance plus eps."""
    return (x - mean) / np.sqrt(variance + eps)


def learned(module: Any, y: Array, shape: tuple[int, ...]) -> Array:
    """Multiply with the weight and add the bias, where there are any, laid out in a shape."""
    if module.weight is not None:
        y = y * beside(y, module.weight).reshape(shape)
    if module.bias is not None:
        y = y + beside(y, module.bias).reshape(shape)
    return y


def layer_norm(module: Any, x: Array) -> Array:
    """Standardise the last dimensions with their own mean and variance."""
    axes = tuple(range(-len(module.normalized_shape), 0))
    average = mean(x, axes)
    variance = mean(square(x - average), axes)
    y = standardised(x, average, variance, module.eps)
    return learned(module, y, module.normalized_shape)


def rms_norm(module: Any, x: Array) -> Array:
    """Divide the last dimensions by the root of their mean square."""
    eps = module.eps
    if eps is None:
        eps = torch.finfo(torch.float64 if module.weight is None else module.weight.dtype).eps
    y = x / np.sqrt(mean(square(x), tuple(range(-len(module.normalized_shape), 0))) + eps)
    return y if module.weight is None else y * beside(y, module.weight)


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
}
