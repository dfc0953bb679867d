"""What torch runs of a layer or a network, in order, and how a tool may see it."""

from __future__ import annotations

from typing import NamedTuple

from calculator.chain import Block, Chain
from calculator.layer import Layer, Measured

MODULE = "module"
"""A module that is called: its hooks run, and the function that it calls is looked up."""
FUNCTION = "function"
"""A function that is looked up when it is called: a tool that replaces it sees it."""
CAPTURED = "captured"
"""A function that was looked up when the model was made: a tool that replaces it comes late."""
OPERATOR = "operator"
"""A Python operator such as `x + y`: no function that a tool could replace."""


class Step(NamedTuple):
    """A layer that is run, and how; steps of one `module` share their parameters."""

    layer: Layer
    how: str
    module: int
    trained: bool


def steps(subject: Measured) -> tuple[Step, ...]:
    """Return what is run of a layer or a network, a block of torch's opened."""
    trained = subject.weight_requires_grad
    if isinstance(subject, Layer):
        return tuple(_of(subject, 0, trained))
    assert isinstance(subject, Chain)
    return tuple(
        step for place, layer in enumerate(subject.layers) for step in _of(layer, place, trained)
    )


def _of(layer: Layer, module: int, trained: bool) -> list[Step]:
    if layer.name in ("transformer_encoder_layer", "transformer_decoder_layer"):
        assert isinstance(layer, Block)
        return [
            Step(part, _within(label), module, trained)
            for label, part in zip(layer.labels, layer.layers, strict=True)
        ]
    return [Step(layer, MODULE if layer.in_torch else FUNCTION, module, trained)]


def _within(label: str) -> str:
    if label.startswith("residual"):
        return OPERATOR
    return CAPTURED if label == "activation" else MODULE


def params(subject: Measured, *, trained: bool = False) -> int:
    """Return the parameters of a layer or a network, shared ones once; those that learn alone."""
    return subject.params if subject.weight_requires_grad or not trained else 0
