"""How ptflops calls a model: in evaluation, on one input of its own or on those it is given."""

from __future__ import annotations

from typing import Any

from calculator.core.fields import Choice, Flag, InvalidField
from calculator.counters.steps import input_shapes, steps
from calculator.counters.tool import Raised, refused
from calculator.layers.layer import Layer, Work

Shape = tuple[int, ...]

BY_PLACE = ("cat", "llama", "llama_decoder_layer")
"""Layers that take more inputs than one by their place alone."""


def on_inputs(subject: Work) -> Work:
    """Return it on its inputs: one tensor is given by its place, several by their names."""
    shapes = _shapes(subject)
    if len(shapes) > 1 and subject.name in BY_PLACE:
        raise Raised("TypeError: it passes several inputs by name, but these have no names.")
    return _in_evaluation(subject, *shapes)


def on_one(subject: Work) -> Work:
    """Return it on one tensor of float32: a batch of one, otherwise shaped as its first input."""
    shape = (1, *_shapes(subject)[0][1:])
    missing = " and ".join(getattr(subject, "more_inputs", ()))
    if missing and subject.name != "cat":
        are = "are" if " and " in missing else "is"
        raise Raised(f"TypeError: it makes one input, so {missing} {are} missing.")
    if steps(subject)[0].layer.takes_indices:
        raise Raised(
            "RuntimeError: it makes an input of float32, but the layer looks up whole numbers."
        )
    try:
        return _in_evaluation(subject, shape)
    except InvalidField as error:
        raise refused(error, f"on its own input, of shape {shape}: ") from None


def by_name(subject: Work) -> bool:
    """Return whether its inputs are several, which are given by their names."""
    return bool(getattr(subject, "more_inputs", ())) or len(_shapes(subject)) > 1


def _shapes(subject: Any) -> tuple[Shape, ...]:
    """Return the shapes of the inputs; of the first, the first axis is taken for the batch."""
    shapes = input_shapes(subject)
    if len(shapes[0]) < 2:
        raise Raised("AssertionError: no size is left for input_res after the first axis.")
    return shapes


def _in_evaluation(subject: Any, *shapes: Shape) -> Work:
    if not isinstance(subject, Layer):
        sized = "input_shape" if "input_shape" in subject.fields else "batch_size"
        size = shapes[0] if sized == "input_shape" else shapes[0][0]
        network: Work = subject.replace(training=False, **{sized: size})
        return network
    more = {
        name: getattr(subject, name)
        for name, field in subject.fields.items()
        if name in Work.fields
        or (field.role == "input" and isinstance(field, (Flag, Choice)) and name != "training")
    }
    return type(subject).on(*shapes, **subject.module_arguments(), **more)
