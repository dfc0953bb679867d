"""Torch's twin of each layer, and what torch says of it.

A layer that is called in `torch.nn` as it is here needs no line in `TWINS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.configurations import Arguments, Configuration, Sizes

Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Twin:
    """How torch constructs a layer and what it is given."""

    module: Callable[..., torch.nn.Module]
    inputs: Callable[[tuple[Sizes, ...]], Tensors] = lambda shapes: tuple(map(torch.zeros, shapes))


class Function(torch.nn.Module):
    """A function of torch as a module."""

    def __init__(self, function: Callable[..., torch.Tensor], **arguments: Any) -> None:
        super().__init__()
        self.function = function
        self.arguments = arguments

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return the function of the inputs, with the arguments it was given."""
        return self.function(*inputs, **self.arguments)


def concatenated(*tensors: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Return what `torch.cat` makes of tensors, which takes them in one sequence."""
    return torch.cat(tensors, dim)


TWINS: dict[str, Twin] = {
    "add": Twin(partial(Function, torch.add)),
    "cat": Twin(partial(Function, concatenated)),
    "multiply": Twin(partial(Function, torch.mul)),
}


def twin(one: Configuration) -> Twin:
    """Return the twin of a layer."""
    return TWINS.get(one.layer) or Twin(getattr(torch.nn, one.owner.__name__))


@dataclass(frozen=True)
class Answer:
    """What there is to say of a layer that is accepted."""

    output_shape: Sizes
    params: int
    buffers: int
    macs: int
    training_macs: int
    activation_bytes: int


def torch_says(
    one: Configuration, *, input_requires_grad: bool, weight_requires_grad: bool
) -> Answer | Exception:
    """Return what torch answers, or the exception that it raises.

    The CPU decides what is refused, by torch's own kernels: oneDNN, which is there on some
    processors only, lets two things through, an output of size 0 and a dilation of 0 under a kernel
    of 1. Work is counted on the meta device.
    """
    grads = input_requires_grad, weight_requires_grad
    try:
        with torch.backends.mkldnn.flags(enabled=False):
            answer = run(module(one), inputs(one), *grads)
    except Exception as error:
        return error
    macs, training_macs = work(one, *grads)
    return replace(answer, macs=macs, training_macs=training_macs)


def work(
    one: Configuration, input_requires_grad: bool, weight_requires_grad: bool
) -> tuple[int, int]:
    """Return the multiply-accumulates forward, and forward and backward together, of a layer."""
    arguments, shapes, times = _ungrouped(one)
    if "momentum" in arguments:  # None, a cumulative average, counts batches: no number on meta
        arguments = {**arguments, "momentum": 0.1}
    with torch.device("meta"):
        layer, given = module(one, arguments), inputs(one, shapes)
        macs, training_macs = count(layer, given, input_requires_grad, weight_requires_grad)
    return times * macs, times * training_macs


def module(one: Configuration, arguments: Arguments | None = None) -> torch.nn.Module:
    """Return torch's module, in the mode it is called in, with other arguments where given."""
    call = dict(one.call)
    training = call.pop("training", True)
    given = one.arguments if arguments is None else arguments
    return twin(one).module(**given, **call).train(training)


def inputs(
    one: Configuration, shapes: tuple[Sizes, ...] | None = None, *, random: bool = False
) -> Tensors:
    """Return the inputs: zeros, or random numbers in double precision."""
    given = twin(one).inputs(one.shapes if shapes is None else shapes)
    if not random:
        return given
    return tuple(
        torch.randn(each.shape, dtype=torch.float64) if each.is_floating_point() else each
        for each in given
    )


def _tracked(tensors: Tensors, requires_grad: bool) -> Tensors:
    # A clone is no leaf, so that a layer may work in place on it.
    return tuple(
        each.requires_grad_(requires_grad).clone() if each.is_floating_point() else each
        for each in tensors
    )


def first(output: Any) -> torch.Tensor:
    """Return the first tensor of what a module gives: an RNN gives its states beside it."""
    while not isinstance(output, torch.Tensor):
        output = output[0]
    return output


def run(
    module: torch.nn.Module, given: Tensors, input_requires_grad: bool, weight_requires_grad: bool
) -> Answer:
    """Return what a module says for itself, and the bytes that autograd saves, parameters apart."""
    module.requires_grad_(weight_requires_grad)
    given = _tracked(given, input_requires_grad)
    own = {each.untyped_storage()._cdata for each in (*module.parameters(), *module.buffers())}
    saved: dict[int, list[torch.Tensor]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage()._cdata
        if place not in own:  # held, so that its memory is not given to another
            saved.setdefault(place, []).append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = first(module(*given))
    return Answer(
        output_shape=tuple(y.shape),
        params=sum(each.numel() for each in module.parameters()),
        buffers=sum(each.numel() for each in module.buffers()),
        macs=0,
        training_macs=0,
        activation_bytes=sum(max(map(_held, views)) for views in saved.values()),
    )


def _held(tensor: torch.Tensor) -> int:
    """Return the bytes of a tensor: less than its storage where torch has set aside too much."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def count(
    module: torch.nn.Module, given: Tensors, input_requires_grad: bool, weight_requires_grad: bool
) -> tuple[int, int]:
    """Return the multiply-accumulates forward, and forward and backward together."""
    module.requires_grad_(weight_requires_grad)
    given = _tracked(given, input_requires_grad)
    with FlopCounterMode(display=False) as counter:
        y = first(module(*given))
        forward = counter.get_total_flops()
        if y.requires_grad:
            torch.autograd.backward(y.sum())
    return forward // 2, counter.get_total_flops() // 2


def _ungrouped(one: Configuration) -> tuple[Arguments, tuple[Sizes, ...], int]:
    """Return one group of a grouped convolution, and how many there are.

    FlopCounterMode forgets the groups in the gradient of the weight.
    """
    groups = one.arguments.get("groups", 1)
    if groups == 1:
        return one.arguments, one.shapes, 1
    channels = {name: one.arguments[name] // groups for name in ("in_channels", "out_channels")}
    (shape,) = one.shapes
    place = len(shape) - len(one.owner.axes) - 1
    part = (*shape[:place], channels["in_channels"], *shape[place + 1 :])
    return {**one.arguments, **channels, "groups": 1}, (part,), groups
