"""What the counting tools are shown: a layer or a network, as a reader would write it in torch.

Functions are looked up when they are called, as in a model's own `forward`: a tool that replaces
them sees them.
"""

from __future__ import annotations

import inspect
import re
import sys
from ast import literal_eval
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from types import CodeType
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from calculator.layers.layer import Work
from calculator.networks.architectures import ARCHITECTURES
from scripts.random_layers.draw import Configuration, network
from scripts.site.steps import BUILD
from scripts.torch_layers import models
from scripts.torch_layers.masks import masked
from scripts.torch_layers.run import TWINS, Tensors, twin, zeros


def _run(code: CodeType, x: torch.Tensor) -> Any:
    return eval(code, {"torch": torch, "F": functional, "x": x})


class Called(nn.Module):
    """A module that is called with more than tensors."""

    def __init__(self, inner: nn.Module, **more: Any) -> None:
        super().__init__()
        self.inner = inner
        self.more = more

    def forward(self, *inputs: torch.Tensor, **named: torch.Tensor) -> Any:
        """Return what the module makes of the tensors."""
        return self.inner(*inputs, **named, **self.more)


class Lines(nn.Module):
    """Modules and functions one after another, a module possibly twice."""

    def __init__(self, steps: list[nn.Module | str]) -> None:
        super().__init__()
        self.steps: list[Callable[[Any], Any]] = []
        for place, step in enumerate(steps):
            if isinstance(step, nn.Module):
                if not any(step is each for each in self.children()):
                    self.add_module(str(place), step)
                self.steps.append(step)
            else:
                self.steps.append(partial(_run, compile(step, "<line>", "eval")))

    def forward(self, x: torch.Tensor) -> Any:
        """Return what the last step makes of it."""
        for step in self.steps:
            x = step(x)
        return x


@dataclass(frozen=True)
class Subject:
    """A layer, or a network and the shape of its input; frozen where nothing of it learns.

    A network is lines, or the name of one of torchvision's. It is `bare` where a tensor is given
    in place of the tuple that a tool unpacks.
    """

    layer: Configuration | None = None
    network: str = ""
    input_shape: tuple[int, ...] = ()
    frozen: bool = False
    bare: bool = False

    def text(self) -> str:
        """Return the line that `subject` reads."""
        one = self.layer
        layer = one and (one.layer, one.arguments, one.call, one.shapes)
        return repr((layer, self.network, self.input_shape, self.frozen, self.bare))

    def ours(self) -> Work:
        """Return the calculation of it."""
        more = {"weight_requires_grad": not self.frozen}
        if self.layer is not None:
            return self.layer.ours(**more)
        return network(self.network, self.input_shape, **more)

    def module(self) -> nn.Module:
        """Return it as torch builds it, to be asked for an inference."""
        made = self._network() if self.layer is None else self._layer(self.layer)
        return made.eval().requires_grad_(False) if self.frozen else made.eval()

    def _layer(self, one: Configuration) -> nn.Module:
        call = {name: value for name, value in one.call.items() if name != "training"}
        own = one.layer in TWINS and not hasattr(nn, one.owner.__name__)
        made = (twin(one).module if own else getattr(nn, one.owner.__name__))(**one.arguments)
        lengths = [shape[self._along(one, shape)] for shape in one.shapes]
        more: dict[str, Any] = {}
        if call.get("is_causal"):
            name = "src_mask" if one.layer == "transformer_encoder_layer" else "attn_mask"
            more[name] = masked(lengths[0], (*lengths, lengths[0])[1])
            more["is_causal"] = True
        if call.get("tgt_is_causal"):
            more |= {"tgt_mask": masked(lengths[0], lengths[0]), "tgt_is_causal": True}
        if call.get("memory_is_causal"):
            more |= {"memory_mask": masked(*lengths), "memory_is_causal": True}
        if call.get("need_weights") is False:
            more["need_weights"] = False
        return Called(made, **more) if more else made

    @staticmethod
    def _along(one: Configuration, shape: tuple[int, ...]) -> int:
        return 1 if one.arguments.get("batch_first") and len(shape) == 3 else 0

    def _network(self) -> nn.Module:
        if self.network in ARCHITECTURES:
            model: nn.Module = getattr(torchvision(), self.network)()
            return model
        named: dict[str, nn.Module] = {}
        steps: list[nn.Module | str] = []
        for line in filter(None, map(str.strip, re.split("[\n;]", self.network))):
            name, _, made = line.rpartition(" = ")
            if line in named:
                steps.append(named[line])
            elif re.match(r"(F|torch)\.\w+\(x", line):
                steps.append(line)
            else:
                step = eval(made, {**vars(nn)})
                steps.append(step)
                if name:
                    named[name] = step
        own = [step for step in steps if isinstance(step, nn.Module)]
        if len(own) == len(steps) == len({id(step) for step in own}):
            return nn.Sequential(*own)
        return Lines(steps)

    def inputs(self) -> Tensors:
        """Return what it is called with."""
        if self.layer is None:
            return (zeros(re.split(r"\W", self.network.strip())[0], self.input_shape),)
        one = self.layer
        given = twin(one).inputs(one.shapes)
        if one.layer == "multihead_attention":
            given = (*given, *given[-1:] * 2)[:3]
        return given

    def named(self, given: Tensors) -> dict[str, torch.Tensor]:
        """Return the inputs by the names that the module has for them."""
        module = self.module()
        inner = module.inner if isinstance(module, Called) else module
        names: Iterable[str] = inspect.signature(inner.forward).parameters
        if isinstance(inner, models.Function):
            names = ("input", "other")  # as torch's functions of two tensors have it
        return dict(zip(names, given, strict=False))


def subject(text: str) -> Subject:
    """Return the subject of a line."""
    layer, *others = literal_eval(text)
    return Subject(layer and Configuration(*layer), *others)


@cache
def torchvision() -> Any:
    """Return torchvision's models, from the environment that `scripts.tools.read` makes.

    Its kernels are those of a build for CUDA; the models need none of them but have to find two
    operators declared.
    """
    (site,) = (BUILD / "counters" / "torchvision").glob("lib/*/site-packages")
    sys.path.append(str(site))
    for name in ("nms", "qnms"):
        operator = f"torchvision::{name}"
        torch.library.define(
            operator, "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    return import_module("torchvision.models")
