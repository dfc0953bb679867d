"""What calflops and DeepSpeed's profiler share: they replace functions of torch by ones that count.

Each of these adds its FLOPs and MACs to the module that calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calculator.chain import CAPTURED, MODULE, OPERATOR, Block
from calculator.counters.steps import Step, is_fused, params, steps
from calculator.counters.tool import Number, Reading, Rules, explained
from calculator.layer import Layer, Measured

_UNSEEN = {
    CAPTURED: "Looked up when the model is made, before the tool replaces it: 0.",
    OPERATOR: "An operator, no function that the tool replaces: 0.",
}


@dataclass(frozen=True)
class Profiler:
    """A tool that counts two FLOPs for each MAC that it sees, and the rest by rule."""

    rules: Rules
    """The FLOPs beside those of the MACs."""
    macs: dict[str, Callable[[Any], int]]
    """The MACs by the name of a layer."""

    def read(self, subject: Measured, *, trained: bool = False) -> Reading:
        """Return the sums over what is run, and the parameters, or those alone that learn."""
        parts = [(each.layer, *self._seen(each)) for each in steps(subject)]
        return Reading(
            value=sum(flops for _, flops, _, _ in parts),
            macs=sum(macs for _, _, macs, _ in parts),
            params=params(subject, trained=trained),
            why=explained(((layer, flops, why) for layer, flops, _, why in parts), scale=2),
        )

    def _seen(self, step: Step) -> tuple[Number, int, str]:
        """Return the FLOPs and the MACs of a step, and why."""
        if step.how in _UNSEEN:
            return 0, 0, _UNSEEN[step.how]
        if is_fused(step):
            return 0, 0, "Frozen, it runs as one kernel, and no function is called: 0."
        return self._counted(step.layer, step.how)

    def _counted(self, layer: Layer, how: str = MODULE) -> tuple[Number, int, str]:
        """Return the FLOPs and the MACs of a layer and why, by its parts where it has no rule."""
        if isinstance(layer, Block) and layer.name not in self.rules.known:
            parts = [(part, *self._counted(part)) for part in layer.layers]
            counted = [*zip(layer.counts(), parts, strict=True)]
            return (
                sum(count * flops for count, (_, flops, _, _) in counted),
                sum(count * macs for count, (_, _, macs, _) in counted),
                explained(((part, flops, why) for part, flops, _, why in parts), scale=2),
            )
        macs = self.macs[layer.name](layer) if layer.name in self.macs else 0
        beside, why = self.rules.of(layer, how)
        return 2 * macs + beside, macs, why
