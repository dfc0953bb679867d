"""Normalisation by means, variances and roots, as in torch's documentation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch

from scripts.torch_layers.definitions.counting import Array, batched, beside, total

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


def group_norm(module: Any, x: Array) -> Array:
    """Standardise each group of channels over its positions."""
    groups = x.reshape(len(x), module.num_groups, -1)
    average = mean(groups, (2,))
    variance = mean(square(groups - average), (2,))
    y = standardised(groups, average, variance, module.eps).reshape(x.shape)
    return learned(module, y, by_channel(x))


def by_channel(x: Array) -> tuple[int, ...]:
    """Return the shape in which one number a channel meets (N, C, …)."""
    return (-1, *(1 for _ in x.shape[2:]))


def channelwise_norm(module: Any, x: Array) -> Array:
    """Standardise each channel, of the batch or of one input, or by the running statistics."""
    kept = module.running_mean is not None
    if kept and not module.training:
        y = by_running_statistics(module, x)
    else:
        average, squares, count = statistics(module, x)
        y = standardised(x, average, squares / count, module.eps)
    if kept and module.training:
        moved(module, average, squares / (count - 1))
    return learned(module, y, by_channel(x))


def statistics(module: Any, x: Array) -> tuple[Array, Array, int]:
    """Return means, the sums of the squared differences from them, and of how many numbers.

    Batch normalisation takes them over batch and positions, instance normalisation over positions.
    """
    axes = tuple(range(2, x.ndim))
    if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
        axes = (0, *axes)
    average = mean(x, axes)
    return average, total(square(x - average), axes), prod(x.shape[axis] for axis in axes)


def by_running_statistics(module: Any, x: Array) -> Array:
    """Standardise each channel by the mean and the variance that are kept."""
    shape = by_channel(x)
    average = beside(x, module.running_mean).reshape(shape)
    variance = beside(x, module.running_var).reshape(shape)
    return standardised(x, average, variance, module.eps)


def moved(module: Any, average: Array, variance: Array) -> tuple[Array, Array]:
    """Return the running statistics moved towards those of a batch, whose variance is unbiased.

    Those of several inputs are averaged first.
    """
    momentum = module.momentum
    if momentum is None:  # the average of all batches
        momentum = 1 / (int(module.num_batches_tracked) + 1)
    old = module.running_mean, module.running_var
    if isinstance(module, torch.nn.modules.instancenorm._InstanceNorm):
        average, variance = mean(average, (0,)), mean(variance, (0,))
    new = average.reshape(-1), variance.reshape(-1)
    running_mean, running_var = (
        (1 - momentum) * beside(there, kept) + momentum * there
        for kept, there in zip(old, new, strict=True)
    )
    return running_mean, running_var


def running_statistics(module: Any, x: Array) -> tuple[Array, Array]:
    """Return the running statistics after training on a batch."""
    average, squares, count = statistics(module, x)
    return moved(module, average, squares / (count - 1))


def local_response_norm(module: Any, x: Array) -> Array:
    """Multiply with a power of k plus the mean of the squares of the channels around, times α."""
    before, behind = (
        beside(x, np.zeros((len(x), more, *x.shape[2:])))
        for more in (module.size // 2, (module.size - 1) // 2)
    )
    squares = np.concatenate([before, square(x), behind], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(squares, module.size, axis=1)
    sums = total(windows, (-1,)).squeeze(-1)
    return x * (module.k + module.alpha / module.size * sums) ** -module.beta


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "GroupNorm": group_norm,
    "LocalResponseNorm": local_response_norm,
    **{f"BatchNorm{axes}d": channelwise_norm for axes in (1, 2, 3)},
    **{f"InstanceNorm{axes}d": batched(axes, channelwise_norm) for axes in (1, 2, 3)},
}
