"""Activations and what else is done to each element by itself, and changes of shape."""

from __future__ import annotations

from collections.abc import Callable

from scripts.definitions.counting import Array, larger

DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Flatten": lambda m, x: x.reshape(
        *x.shape[: m.start_dim % x.ndim], -1, *x.shape[m.end_dim % x.ndim + 1 :]
    ),
    "ReLU": lambda m, x: larger(x, 0.0),
}
