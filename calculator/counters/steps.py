"""What torch runs of a layer or a network, in order, and how a tool may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from calculator.chain import Block
from calculator.layer import Layer

MODULE = "module"
"""A module that is called: its hooks run, and the function that it calls is looked up."""
FUNCTION = "function"
"""A function that is looked up when it is called: a tool that replaces it sees it."""
CAPTURED = "captured"
"""A function that was looked up when the model was made: a tool that replaces it comes late."""
OPERATOR = "operator"
"""A Python operator such as `x + y`: no function that a tool could replace."""


class Step(NamedTuple):
    """A layer that is run, how, and how many times over.

    Steps of one `module` share their parameters, which learn where it is `trained`.
    """

    layer: Layer
    how: str
    module: tuple[int, ...]
    trained: bool
    times: int = 1


_OPENED = {
    "transformer_encoder_layer", "transformer_decoder_layer", "grouped_query_attention",
    "llama_decoder_layer", "llama", "",
}  # fmt: skip
"""Blocks that a tool sees the modules of; the parts of the last ones bear no name."""


def steps(subject: Any) -> tuple[Step, ...]:
    """Return what is run of a layer or a network, blocks opened but for multi-head attention."""
    if isinstance(subject, Layer):
        first = [Step(subject, _how(subject), (0,), subject.weight_requires_grad)]
    else:
        lines = zip(subject.layers, subject.modules, strict=True)
        first = [
            Step(
                layer,
                FUNCTION if line.is_function else MODULE,
                (line.first,),
                layer.weight_requires_grad,
            )
            for layer, line in lines
        ]
    return tuple(step for each in first for step in _of(each))


def _of(step: Step) -> Iterator[Step]:
    layer = step.layer
    if not (isinstance(layer, Block) and layer.name in _OPENED):
        yield step
        return
    parts = zip(layer.labels, layer.counts(), layer.layers, strict=True)
    for place, (label, count, part) in enumerate(parts):
        how, module, times = _how(part, label), (*step.module, place), step.times * count
        yield from _of(Step(part, how, module, step.trained, times))


def _how(layer: Layer, label: str = "") -> str:
    if label.startswith("residual") and len(label) > len("residual"):  # torch's own x + y
        return OPERATOR
    if label == "activation":
        return CAPTURED
    return MODULE if layer.in_torch and layer.name else FUNCTION


def params(subject: Any, *, trained: bool = False) -> int:
    """Return the parameters of a layer or a network, shared ones once; or those that learn."""
    owned = (
        [(True, subject)]
        if isinstance(subject, Layer)
        else zip(subject.owners, subject.layers, strict=True)
    )
    return sum(
        layer.params for own, layer in owned if own and (layer.weight_requires_grad or not trained)
    )


def takes_fast_path(layer: Layer, grad: bool) -> bool:
    """Return whether torch runs attention, or a layer around it, as one kernel of inference.

    It does without gradients, on one batched sequence that stands first, heads in pairs, where
    biases are there and no hook looks on.
    """
    learns: Any = layer
    if grad and learns.weight_requires_grad:
        return False
    if layer.name == "transformer_encoder_layer":
        attention: Any = next(each for each in learns.layers if hasattr(each, "num_heads"))
        return takes_fast_path(attention, grad=False)
    if getattr(layer, "embed_dim", None) is None or not hasattr(layer, "batch_first"):
        return False
    return (
        learns.batch_size is not None
        and learns.key_length is None
        and learns.packed
        and learns.num_heads % 2 == 0
        and learns.batch_first
        and learns.bias
        and not learns.add_bias_kv
        and not learns.add_zero_attn
    )
