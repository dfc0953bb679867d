"""Layers over one, two or three axes: their axes, and the shape of what they read."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, ClassVar, Self

from calculator.core.calculation import quantity
from calculator.core.fields import size
from calculator.layers.batched import Batched

Sizes = Any  # given as an int or a tuple, read as a tuple

AXES = {"D": "depth", "H": "height", "W": "width", "L": "length"}


class Spatial(Batched):
    """A layer on `(N, C, …)`, or on `(C, …)` where `batch_size` is None."""

    channels_field: ClassVar[str] = "channels"

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        leading = len(shape) - len(cls.axes) - 1
        if leading not in (0, 1):
            raise cls.misfit(cls.wrong_dimensions(shape, fields), shape)
        return cls.split(shape, leading, fields)

    @classmethod
    def split(cls, shape: tuple[int, ...], leading: int, fields: dict[str, Any]) -> Self:
        """Return the layer on a shape that has so many sizes in front of the channels."""
        axes = [AXES[axis] for axis in cls.axes]
        channels, *sizes = shape[leading:]
        expected = fields.setdefault(cls.channels_field, channels)
        dimensions: dict[str, Any] = dict(zip_longest(axes, sizes))  # fewer: the last are None
        return cls.fitted(
            lambda layer: "" if channels == expected else layer.wrong_channels(channels),
            shape,
            batch_size=shape[0] if leading else None,
            **dimensions,
            **fields,
        )

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        """Return torch's reason to refuse a shape with this many dimensions, and what to give."""
        raise NotImplementedError

    def wrong_channels(self, channels: int) -> str:
        """Return torch's reason to refuse an input with so many channels, and what to give."""
        raise NotImplementedError

    def input_size(self) -> tuple[int, ...]:
        """Return the size of the input along each axis."""
        return tuple(getattr(self, AXES[axis]) for axis in self.axes)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The batch, the channels, a size for each axis."""
        return (*self.leading(), getattr(self, self.channels_field), *self.input_size())

    @quantity(r"AXIS_\text{out}", label="Output size")
    def output_size(self) -> tuple[int, ...]:
        """The size of the output along each axis."""
        raise NotImplementedError


class OneAxis(Spatial, axes="L"):
    """A layer along a length."""

    length: int = size(r"L_\text{in}", default=128, label="Length", role="input")


class TwoAxes(Spatial, axes="HW"):
    """A layer over height and width."""

    height: int = size(r"H_\text{in}", default=128, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=128, label="Width", role="input")


class ThreeAxes(Spatial, axes="DHW"):
    """A layer over depth, height and width."""

    depth: int = size(r"D_\text{in}", default=16, label="Depth", role="input")
    height: int = size(r"H_\text{in}", default=112, label="Height", role="input")
    width: int = size(r"W_\text{in}", default=112, label="Width", role="input")


def by(sizes: tuple[int, ...] | list[int]) -> str:
    """Return sizes as torch quotes those of an image: 2 x 8."""
    return " x ".join(map(str, sizes))
