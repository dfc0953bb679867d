"""What calflops and DeepSpeed's profiler share: they replace functions of torch by ones that count.

Each of these adds its FLOPs and MACs to the module that calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calculator.blocks.chain import CAPTURED, OPERATOR
from calculator.counters.steps import Step, is_fused, leaves, params, steps
from calculator.counters.tool import Number, Reading, Rules, explained
from calculator.layers.layer import Layer, Work

_UNSEEN = {
    CAPTURED: "This function is looked up when the model is made, before the tool replaces it: 0.",
    OPERATOR: "This is an operator, not a function that the tool could replace: 0.",
}


@dataclass(frozen=True)
class Profiler:
    """A tool that counts two FLOPs per MAC that it sees, and the rest by rule."""

    rules: Rules
    """The FLOPs in addition to those of the MACs."""
    macs: dict[str, Callable[[Any], int]]
    """The MACs by the name of a layer."""

    def read(self, subject: Work, *, trained: bool = False) -> Reading:
        """Return the sums over what is run, and the parameters, or only those that learn."""
        parts = [part for each in steps(subject) for part in self._parts(each)]
        return Reading(
            value=sum(count * flops for count, _, flops, _, _ in parts),
            macs=sum(count * macs for count, _, _, macs, _ in parts),
            params=params(subject, trained=trained),
            why=explained(
                ((layer, flops, why) for _, layer, flops, _, why in parts),
                scale=2,
                counts=[count for count, *_ in parts],
            ),
        )

    def _parts(self, step: Step) -> list[tuple[int, Layer, Number, int, str]]:
        """Return the layers of a step: how many, the FLOPs and the MACs of one, and why."""
        layer = step.layer
        if step.how in _UNSEEN:
            return [(1, layer, 0, 0, _UNSEEN[step.how])]
        if is_fused(step):
            return [(1, layer, 0, 0, "If frozen, it runs as one kernel and calls no function: 0.")]
        if layer.name in self.rules.known:
            return [(1, layer, *self._counted(layer, step.how))]
        return [(count, leaf, *self._counted(leaf, step.how)) for count, leaf in leaves(layer)]

    def _counted(self, layer: Layer, how: str) -> tuple[Number, int, str]:
        """Return the FLOPs and the MACs of a layer, and why."""
        macs = self.macs[layer.name](layer) if layer.name in self.macs else 0
        beside, why = self.rules.of(layer, how)
        return 2 * macs + beside, macs, why
