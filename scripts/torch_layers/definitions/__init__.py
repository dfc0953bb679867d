"""Layers by their definition, on numbers that count what is done to them.

A witness: it holds no formula and shares no code with `calculator`. Every loop stands where the
definition of a layer says "for each"; a sum of n numbers takes n − 1 additions. A layer is given
as torch's module, whose arguments and parameters are read; torch computes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.torch_layers.definitions import (
    attention,
    decoder,
    elementwise,
    matrix,
    normalization,
    pooling,
    recurrent,
    resampling,
    tables,
    transformer,
)
from scripts.torch_layers.definitions.counting import Array, Tally, numbers


def computed(module: Any, *inputs: Any, fused: bool = True) -> tuple[Array, dict[str, int]]:
    """Return what a module makes of tensors, and the operations of each kind that it took."""
    tally = Tally(fused=fused)
    y = forward(module, *(numbers(each, tally) for each in inputs))
    return y, dict(tally)


def forward(module: Any, *inputs: Array) -> Array:
    """Return what a module, or a function as one, makes of arrays."""
    named = getattr(module, "function", type(module))
    return DEFINITIONS[named.__name__](module, *inputs)


def sequential(module: Any, x: Array) -> Array:
    """Run one layer after another."""
    for each in module:
        x = forward(each, x)
    return x


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Sequential": sequential,
    **attention.DEFINITIONS,
    **decoder.DEFINITIONS,
    **elementwise.DEFINITIONS,
    **matrix.DEFINITIONS,
    **recurrent.DEFINITIONS,
    **tables.DEFINITIONS,
    **transformer.DEFINITIONS,
    **normalization.DEFINITIONS,
    **pooling.DEFINITIONS,
    **resampling.DEFINITIONS,
}
"""What each module of torch makes of its inputs, by the name of its class or function."""
