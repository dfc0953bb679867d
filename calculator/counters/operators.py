"""Operators of torch as `torch.jit` traces them, and how a layer says which it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from calculator.layers.layer import Layer

Shape = tuple[int, ...]


PRODUCTS = {
    "scaled_dot_product_attention", "baddbmm", "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd", "_convolution_mode", "lstm", "gru", "rnn_tanh", "rnn_relu",
    "bilinear",
}  # fmt: skip
"""Operators of matrix work that a tool may have no formula for."""


class Operator(NamedTuple):
    """An operator of a trace, with the shapes that it is given and the one that it makes.

    `flag` says of a convolution that it is transposed, of a batch norm that it takes its own
    statistics. A number is a tensor without a dimension.
    """

    name: str
    output: Shape = ()
    inputs: tuple[Shape, ...] = ()
    flag: bool = False
    times: int = 1


class Mode(NamedTuple):
    """How a model is traced; `hooked` if its modules have hooks."""

    training: bool = False
    grad: bool = True
    hooked: bool = False

    def learns(self, layer: Layer) -> bool:
        """Return whether autograd follows a layer: torch's fused kernels are for inference."""
        return self.grad and layer.weight_requires_grad


Traced = Iterable[Operator | Layer]
"""What a layer runs: operators, and layers in whose place their own operators stand."""
Trace = Callable[[Any, Mode], Traced]


class Traces(dict[str, Trace]):
    """What layers run, by their names, or those of their classes if they have none.

    What only changes a shape is left out if both fvcore and torchprofile pass over it.
    """

    def of(self, *names: str) -> Callable[[Trace], Trace]:
        """Declare what layers of these names run."""

        def declare(trace: Trace) -> Trace:
            self.update(dict.fromkeys(names, trace))
            return trace

        return declare


def named(names: str) -> Iterator[Operator]:
    """Yield operators that no tool counts, which leaves their shapes without a reader."""
    return map(Operator, names.split())
