"""Adaptive pooling: the output's size is given, and the windows follow from it."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Self

from calculator.core.calculation import fact, quantity
from calculator.core.fields import LARGEST, flag, size
from calculator.core.operations import Operations
from calculator.core.tensor_fields import PerAxis
from calculator.layers.inputs import OneAxis, Sizes, Spatial, ThreeAxes, TwoAxes
from calculator.layers.windows import Largest, average_below_zero, shared_out


def _target(lengths: Callable[[str, int, list[Any]], str]) -> Any:
    return PerAxis(
        r"AXIS_\text{out}", label="Output size", default=7, minimum=-LARGEST, required=True,
        holes=True, lengths=lengths, help="In a tuple, None keeps the size of the input.",
    )  # fmt: skip


class _Adaptive(Spatial):
    """Windows that cover each axis: they differ in size, and neighbours may share a position."""

    output_size: Sizes
    channels: int = size("C", default=64, label="Channels", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        given = fields.get("output_size")
        if len(cls.axes) > 1 and isinstance(given, (tuple, list)):
            (shape,) = input_shapes
            if len(given) >= len(shape):
                raise cls.fields["output_size"].refuse(
                    f"Input dimension should be at least {len(given) + 1}. "
                    f"Give {len(cls.axes)} numbers for (N, C, {', '.join(cls.axes)})",
                    given,
                )
        return super().on(*input_shapes, **fields)

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        axes = len(cls.axes)
        advice = f"Give (N, C, {', '.join(cls.axes)})"
        if axes == 1:
            return (
                f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument "
                f"#1 'self' (while checking arguments for {cls.name}). {advice}"
            )
        return (
            f"{cls.name}(): Expected {axes + 1}D or {axes + 2}D tensor, but got"
            f"{cls.before_a_shape}{list(shape)}. {advice}"
        )

    before_a_shape = " "

    def validate_input(self) -> None:
        sizes = [1, *self.output_sizes()] if self.axes == "L" else list(self.output_sizes())
        if min(sizes) < 1:
            reason = self.below_zero(sizes) if min(sizes) < 0 else ""
            field = self.fields["output_size"]
            raise field.refuse("must be at least 1", field.write(self.output_size), reason)

    def below_zero(self, sizes: list[int]) -> str:
        """Return torch's reason to reject a negative size among these, of two axes or three."""
        raise NotImplementedError

    def output_sizes(self) -> tuple[int, ...]:
        """Return the size of the output along each axis."""
        pairs = zip(self.input_size(), self.output_size, strict=True)
        return tuple(size if out is None else out for size, out in pairs)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The batch, the channels, a size for each axis."""
        return (*self.leading(), self.channels, *self.output_sizes())

    def outputs(self) -> int:
        """Return how many windows there are, in all channels."""
        return self.samples() * self.channels * prod(self.output_sizes())

    def steps(self) -> int:
        """Return how often a window goes from one of its positions to the next."""
        sizes = self.output_sizes()
        positions = shared_out(self.input_size(), sizes)
        return self.samples() * self.channels * (positions - prod(sizes))


def _average_lengths(name: str, axes: int, given: list[Any]) -> str:
    if axes == 1:
        return f"adaptive_avg_pool1d() argument {name!r} should contain one int (got {len(given)})"
    return f"adaptive_avg_pool{axes}d: {name} must be {axes}"


def _max_lengths(name: str, axes: int, given: list[Any]) -> str:
    if axes == 1:
        return f"adaptive_max_pool1d() argument {name!r} should contain one int (got {len(given)})"
    return f"adaptive_max_pool{axes}d(): internal error: {name}.size() must be {axes}"


class _AdaptiveAvgPool(_Adaptive):
    """The mean of each window: K − 1 additions and a division for its K positions."""

    output_size: Sizes = _target(_average_lengths)

    def below_zero(self, sizes: list[int]) -> str:
        return average_below_zero(sizes)

    @fact
    def is_global(self) -> bool:
        """Whether one window covers all: torch then takes a mean, and needs the input no more."""
        return set(self.output_sizes()) == {1}

    @quantity()
    def operations(self) -> Operations:
        """The sum of K numbers takes K − 1 additions, and one division makes it a mean."""
        return {"additions": self.steps(), "divisions": self.outputs()}

    def keeps(self) -> tuple[bool, bool]:
        """The input, but for a mean over all."""
        return self.input_requires_grad and not self.is_global, False


class _AdaptiveMaxPool(_Adaptive, Largest):
    """The largest number of each window, however many positions it covers."""

    output_size: Sizes = _target(_max_lengths)
    return_indices: bool = flag(default=False, label="Return indices")

    before_a_shape = ": "

    def below_zero(self, sizes: list[int]) -> str:
        first = next(size for size in sizes if size < 0)
        shape = [*self.leading(), self.channels, *sizes]
        return f"Trying to create tensor with negative dimension {first}: {shape}"

    @quantity()
    def operations(self) -> Operations:
        """The largest of K numbers takes K − 1 comparisons."""
        return {"comparisons": self.steps()}


class AdaptiveAvgPool1d(_AdaptiveAvgPool, OneAxis, name="adaptive_avg_pool1d"):
    """Means of windows, as `torch.nn.AdaptiveAvgPool1d`: input `(N, C, L)`.

    K − 1 additions and a division for a window of K positions.
    """


class AdaptiveAvgPool2d(_AdaptiveAvgPool, TwoAxes, name="adaptive_avg_pool2d"):
    """Means of windows, as `torch.nn.AdaptiveAvgPool2d`: input `(N, C, H, W)`.

    K − 1 additions and a division for a window of K positions. With `output_size=1` the global
    average.
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPool, ThreeAxes, name="adaptive_avg_pool3d"):
    """Means of windows, as `torch.nn.AdaptiveAvgPool3d`: input `(N, C, D, H, W)`.

    K − 1 additions and a division for a window of K positions.
    """


class AdaptiveMaxPool1d(_AdaptiveMaxPool, OneAxis, name="adaptive_max_pool1d"):
    """Largest numbers of windows, as `torch.nn.AdaptiveMaxPool1d`: input `(N, C, L)`.

    K − 1 comparisons for a window of K positions.
    """


class AdaptiveMaxPool2d(_AdaptiveMaxPool, TwoAxes, name="adaptive_max_pool2d"):
    """Largest numbers of windows, as `torch.nn.AdaptiveMaxPool2d`: input `(N, C, H, W)`.

    K − 1 comparisons for a window of K positions.
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPool, ThreeAxes, name="adaptive_max_pool3d"):
    """Largest numbers of windows, as `torch.nn.AdaptiveMaxPool3d`: input `(N, C, D, H, W)`.

    K − 1 comparisons for a window of K positions.
    """
