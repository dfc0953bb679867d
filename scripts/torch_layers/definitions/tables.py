"""Tables that rows are looked up in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scripts.torch_layers.definitions.counting import Array, Number, beside, largest, total


def shortened(module: Any, found: set[int]) -> Any:
    """Return the table, rows above the longest norm scaled down to it: in plain numbers, uncounted.

    How much it takes depends on the indices and on the rows.
    """
    table = module.weight.detach().numpy().copy()
    for row in found if module.max_norm is not None else ():
        norm = (abs(table[row]) ** module.norm_type).sum() ** (1 / module.norm_type)
        if norm > module.max_norm:
            table[row] *= module.max_norm / (norm + 1e-7)
    return table


def embedding(module: Any, x: Array) -> Array:
    """Take a row of the table for each index."""
    table = shortened(module, {int(index) for index in x.flat})
    y = np.empty((*x.shape, module.embedding_dim), dtype=object)
    for at in np.ndindex(x.shape):
        index: Number = x[at]
        index.tally["lookups"] += 1
        y[at] = beside(x, table[int(index)])
    return y


def embedding_bag(module: Any, x: Array) -> Array:
    """Add the rows of each bag, average them or take the largest numbers, padding left out."""
    rows = embedding(module, x)
    y = beside(x, np.zeros((len(x), module.embedding_dim)))
    for bag, indices in enumerate(x):
        kept = [place for place, index in enumerate(indices) if int(index) != module.padding_idx]
        if not kept:
            continue
        reduced = (largest if module.mode == "max" else total)(rows[bag, kept], (0,))[0]
        y[bag] = reduced / float(len(kept)) if module.mode == "mean" else reduced
    return y


DEFINITIONS: dict[str, Callable[..., Array]] = {
    "Embedding": embedding,
    "EmbeddingBag": embedding_bag,
}
