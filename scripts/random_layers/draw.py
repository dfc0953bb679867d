"""Random layers: what a caller may write to torch, right and wrong, on what tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from calculator import CALCULATIONS, Network, Sequential
from calculator.core.fields import Choice, Field, Flag, InvalidField
from calculator.layers.layer import Layer, Work
from calculator.networks.architectures import ARCHITECTURES
from scripts.random_layers.arguments import Arguments, value
from scripts.random_layers.shapes import Sizes, fitting, odd_shapes


@dataclass(frozen=True)
class Configuration:
    """A layer to construct, how it is called, and the shapes of its inputs.

    `wrong` names what was drawn from odd values; nothing else is meant to be refused.
    """

    layer: str
    arguments: Arguments
    call: Arguments
    shapes: tuple[Sizes, ...]
    wrong: tuple[str, ...] = ()

    @classmethod
    def like(cls, layer: Layer) -> Configuration:
        """Return the configuration that a layer of ours was made of."""
        call = {field.name: getattr(layer, field.name) for field in _called(type(layer))}
        return cls(layer.name, layer.module_arguments(), call, layer.input_shapes())

    @property
    def owner(self) -> type[Layer]:
        """Our class."""
        return LAYERS[self.layer]

    def ours(self, **more: Any) -> Layer:
        """Return our layer; raise InvalidField where it is refused."""
        return self.owner.on(*self.shapes, **self.arguments, **self.call, **more)

    def simpler(self) -> Iterator[Configuration]:
        """Yield what is like this one but for one thing that is usual or smaller."""
        for name in self.arguments:
            field = self.owner.fields[name]
            if not field.required and self.arguments[name] != field.default:
                yield replace(self, arguments={**self.arguments, name: field.default})
        for place, shape in enumerate(self.shapes):
            for axis, size in enumerate(shape):
                if size > 1:
                    less = (*shape[:axis], size - 1, *shape[axis + 1 :])
                    shapes = (*self.shapes[:place], less, *self.shapes[place + 1 :])
                    yield replace(self, shapes=shapes)


LAYERS: dict[str, type[Layer]] = {
    name: owner for name, owner in CALCULATIONS.items() if issubclass(owner, Layer)
}


def draw(rng: Random, layer: str, odd: bool = False) -> Configuration:
    """Return a random configuration of a layer, with one odd argument or shape where `odd`."""
    owner = LAYERS[layer]
    fields = [field for field in owner.fields.values() if field.role == "module"]
    strange = rng.choice([*(field.name for field in fields), "shape"]) if odd else ""
    arguments: Arguments = {}
    for field in fields:
        if not field.required and field.name != strange and rng.random() < 0.25:
            continue  # torch's own default
        arguments[field.name] = value(rng, owner, field, arguments, field.name == strange)
    call = {
        field.name: value(rng, owner, field, arguments, strange=False) for field in _called(owner)
    }
    shapes = fitting(rng, owner, arguments)
    if strange == "shape":
        shapes = odd_shapes(rng, shapes)
    return Configuration(layer, arguments, call, shapes, (strange,) if strange else ())


def _called(owner: type[Layer]) -> list[Field]:
    """Return the fields that say how a module is called, the shapes of its inputs apart."""
    fields = owner.fields.values()
    return [each for each in fields if each.role == "input" and isinstance(each, (Flag, Choice))]


def accepted(layer: str) -> Iterator[tuple[Configuration, Layer]]:
    """Yield random layers that are not refused, for ever, the same at each call."""
    rng = Random(layer)
    while True:
        one = draw(rng, layer)
        try:
            yield one, one.ours()
        except InvalidField:
            continue


def network(name: str, shape: Sizes, **more: Any) -> Work:
    """Return our network: a published one by its name on a batch of images, or that of lines."""
    if name in ARCHITECTURES:
        batch, _, *sizes = shape
        return Network(architecture=name, batch_size=batch, image_size=sizes, **more)
    return Sequential(modules=name, input_shape=shape, **more)
