"""What layers read: a batch or one input, sequences, axes, a tensor of any shape."""

from __future__ import annotations

from itertools import zip_longest
from math import prod
from typing import Any, ClassVar, Self

from calculator.core.calculation import quantity
from calculator.core.fields import Field, size
from calculator.core.tensor_fields import shape
from calculator.layers.layer import Layer

Shape = tuple[int, ...]


class Batched(Layer):
    """A layer on a batch of inputs, or on one if `batch_size` is None."""

    batch_size: int | None = size(
        "N", default=1, label="Batch size", role="input", optional=True,
        help="Leave empty for an unbatched input.",
    )  # fmt: skip

    def samples(self) -> int:
        """Return how many inputs the batch holds."""
        return 1 if self.batch_size is None else self.batch_size

    def leading(self) -> Shape:
        """Return the shape in front of an input: the batch, if there is one."""
        return () if self.batch_size is None else (self.batch_size,)


class Sequences(Batched):
    """A layer on `(L, N, d)`, `(N, L, d)` if `batch_first`, or `(L, d)` without a batch."""

    batch_first: bool

    def sequence(self, length: int, features: int) -> Shape:
        """Return the shape of a sequence of this length, and of so many features."""
        if self.batch_first:
            return (*self.leading(), length, features)
        return (length, *self.leading(), features)

    def copies(self, length: int) -> bool:
        """Return whether torch lays an input of this length out anew, its length first."""
        return self.batch_first and self.samples() > 1 and length > 1


def batch_and_length(shape: Shape, batch_first: bool) -> tuple[int | None, int]:
    """Return the batch and the length of a sequence of any number of dimensions."""
    if len(shape) < 3:
        return None, shape[0]
    return (shape[0], shape[1]) if batch_first else (shape[1], shape[0])


Sizes = Any  # given as an int or a tuple, read as a tuple

AXES = {"D": "depth", "H": "height", "W": "width", "L": "length"}


class Spatial(Batched):
    """A layer on `(N, C, …)`, or on `(C, …)` if `batch_size` is None."""

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
        """Return torch's reason to reject a shape with this many dimensions, and what to give."""
        raise NotImplementedError

    def wrong_channels(self, channels: int) -> str:
        """Return torch's reason to reject an input with so many channels, and what to give."""
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


def from_start(field: Field, given: int, dimensions: int) -> int:
    """Return a dimension counted from the start; raise InvalidField if there is none."""
    if not -dimensions <= given < dimensions:
        raise field.refuse(
            f"Dimension out of range (expected to be in range of [{-dimensions}, "
            f"{dimensions - 1}], but got {given}). The input has {dimensions} dimensions",
            given,
        )
    return given % dimensions


class Shaped(Layer):
    """A layer that takes a tensor of any shape, and by default gives one of the same."""

    size: tuple[int, ...] = shape("n", default=(32, 64), label="Input shape", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        return cls(size=shape, **fields)

    def place(self, name: str) -> int:
        """Return the dimension that a field names, counted from the start."""
        return from_start(self.fields[name], getattr(self, name), len(self.size))

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Any shape."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.size


class Passing(Shaped):
    """A layer that may hand the elements of its input on as they are: then nothing is moved."""

    def passes(self) -> bool:
        """Return whether the output is the input, or a view of it."""
        raise NotImplementedError

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of the input; none if it is handed on."""
        return 0 if self.passes() else prod(self.input_shape) * self.element_bytes

    @quantity()
    def output_bytes(self) -> int:
        """The bytes of the output; none if it is the input."""
        return 0 if self.passes() else prod(self.output_shape) * self.element_bytes

    def gives_a_view(self) -> bool:
        """What is handed on is the same memory."""
        return self.passes()
