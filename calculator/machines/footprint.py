"""What some work has to have in memory: weights, cache, gradients, activations."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from calculator.blocks.chain import Chain
from calculator.layers.layer import Layer, Work


class Footprint(NamedTuple):
    """Minimum of the bytes that are held; optimizer states are not counted.

    Gradients and activations need not be held at the same time: see `footprint`.
    """

    weight: int
    kv_cache: int
    gradient: int
    activation: int


def footprint(work: Work, *, is_trained: bool, is_recomputed: bool = False) -> Footprint:
    """Return the minimum that a forward pass, or a training step, holds, in bytes.

    The activations of a forward pass are the input and the output of its largest layer, those of a
    training step what autograd keeps until the backward pass; if they are recomputed, again those
    of the largest layer, since it is not given which inputs are kept. A training step has no cache.

    Activations are complete when the backward pass begins, gradients when it ends. Each gradient
    that it adds may take the place of activations that it frees, so a step needs weights and the
    larger of the two.
    """
    weights = work.weight_bytes
    gradients = weights if is_trained and work.weight_requires_grad else 0
    kv_cache = 0 if is_trained else getattr(work, "kv_cache_bytes", 0)
    if is_trained and not is_recomputed:
        return Footprint(weights, kv_cache, gradients, work.activation_bytes)
    leaves = [leaf for _, leaf in work.leaves()] if isinstance(work, Chain) else [work]
    live = max((_live_bytes(leaf) for leaf in leaves if isinstance(leaf, Layer)), default=0)
    return Footprint(weights, kv_cache, gradients, live)


def _live_bytes(layer: Layer) -> int:
    """Return the bytes of a layer's input and output, counted once if they share memory."""
    ends = prod(layer.input_shape), prod(layer.output_shape)
    numbers: int = max(ends) if layer.gives_a_view() else sum(ends)
    return numbers * layer.element_bytes
