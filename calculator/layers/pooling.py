"""Pooling: of each window on a channel, the largest number or the mean is kept."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from calculator.core.calculation import quantity
from calculator.core.fields import LARGEST, flag, size
from calculator.core.operations import Operations
from calculator.core.tensor_fields import PerAxis
from calculator.layers.inputs import OneAxis, Sizes, ThreeAxes, TwoAxes
from calculator.layers.windows import TOO_LARGE, Largest, Windows, spelled

_COUNTED = {2: "two", 3: "three"}


def _max_lengths(name: str, axes: int, given: list[Any]) -> str:
    if axes == 1:
        none = "None, " if name == "stride" else ""
        comma = "," if name in ("stride", "padding") else ""
        return (
            f"max_pool1d() {name} must be {none}an int, list of ints{comma} or tuple of ints "
            f"of size 1 but got size {len(given)}"
        )
    be = {"stride": "either be omitted,", "dilation": "be either"}.get(name, "either be")
    return f"max_pool{axes}d: {name} must {be} a single int, or a tuple of {_COUNTED[axes]} ints"


def _average_lengths(name: str, axes: int, given: list[Any]) -> str:
    if axes == 1:
        return f"avg_pool1d() argument {name!r} should contain one int (got {len(given)})"
    be = ("either " if axes == 2 else "") + ("be omitted," if name == "stride" else "be")
    return f"avg_pool{axes}d: {name} must {be} a single int, or a tuple of {_COUNTED[axes]} ints"


def _window(lengths: Callable[[str, int, list[Any]], str]) -> Callable[..., Any]:
    """Return how a family declares the numbers of its windows: what torch says of wrong ones."""
    return lambda symbol, label, **more: PerAxis(
        symbol, label=label, minimum=-LARGEST, broadcast=True, lengths=lengths, **more
    )


_of_max = _window(_max_lengths)
_of_average = _window(_average_lengths)


class _MaxPool(Windows, Largest):
    """The largest number of each window, wherever the windows slide."""

    kernel_size: Sizes = _of_max("K_axis", "Kernel size", default=2, required=True)
    stride: Sizes = _of_max(
        "S_axis", "Stride", default=None, optional=True, help="Leave empty for the kernel size."
    )
    padding: Sizes = _of_max("P_axis", "Padding", default=0)
    dilation: Sizes = _of_max("D_axis", "Dilation", default=1)
    return_indices: bool = flag(default=False, label="Return indices")
    ceil_mode: bool = flag(default=False, label="Round the output size up")

    def dilations(self) -> tuple[int, ...]:
        dilation: tuple[int, ...] = self.dilation
        return dilation

    def room(self) -> tuple[int, ...]:
        geometry = zip(
            self.input_size(), self.padding, self.dilation, self.kernel_size, strict=True
        )
        return tuple(size + 2 * p - d * (k - 1) - 1 for size, p, d, k in geometry)

    @quantity()
    def operations(self) -> Operations:
        """The largest of K numbers takes K − 1 comparisons."""
        return {"comparisons": self.outputs() * (prod(self.kernel_size) - 1)}


class _AvgPool(Windows):
    """The mean of each window: K − 1 additions and a division for its K positions."""

    kernel_size: Sizes = _of_average("K_axis", "Kernel size", default=2, required=True)
    stride: Sizes = _of_average(
        "S_axis", "Stride", default=None, optional=True, help="Leave empty for the kernel size."
    )
    padding: Sizes = _of_average("P_axis", "Padding", default=0)
    ceil_mode: bool = flag(default=False, label="Round the output size up")
    count_include_pad: bool = flag(default=True, label="Count padding in the mean")

    @quantity()
    def operations(self) -> Operations:
        """The sum of K numbers takes K − 1 additions, and one division makes it a mean."""
        outputs = self.outputs()
        return {"additions": outputs * (prod(self.kernel_size) - 1), "divisions": outputs}


class _DividedPool(_AvgPool):
    """An average whose divisor can be given."""

    divisor_override: int | None = size(
        "q", default=None, minimum=-LARGEST, label="Divisor", optional=True,
        help="Leave empty for the size of the window.",
    )  # fmt: skip

    def validate_module(self) -> None:
        if self.divisor_override == 0:
            raise self.refused("divisor_override", "divisor must be not zero", "Leave it out")


class MaxPool1d(_MaxPool, OneAxis, name="max_pool1d"):
    """Largest number of each window, as `torch.nn.MaxPool1d`: input `(N, C, L)`.

    K − 1 comparisons per output. Indices are no arithmetic, and 8 bytes each.
    """

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        if fields.get("return_indices"):
            return _wrong_length(cls.name, shape)
        return (
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(shape)}. Give (N, C, L)"
        )

    def validate_input(self) -> None:
        if not self.return_indices:  # torch then looks before it takes one axis for two
            self._validate_in_one_dimension()
        super().validate_input()

    def _validate_in_one_dimension(self) -> None:
        (k,), (s,), (p,), (d,) = self.kernel_size, self.steps(), self.padding, self.dilation
        found = {"kernel_size": k, "stride": s, "padding": p, "dilation": d}
        least = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
        for name, number in found.items():
            if number < least[name]:
                must = "be greater than zero" if least[name] else "be non-negative"
                reason = f"max_pool1d() {name} must {must}, but got {number}"
                raise self.refused(name, reason, f"Give {least[name]} or more")
            if name == "padding" and number > k // 2:
                raise self.refused(
                    "padding",
                    "max_pool1d() padding should be at most half of kernel size, but got "
                    f"padding={p} and kernel_size={k}",
                    "Make padding smaller, or kernel_size larger",
                )
        if min(self.output_size) < 1:
            reason = f"max_pool1d() Invalid computed output size: {self.output_size[0]}"
            raise self.refused("kernel_size", reason, TOO_LARGE)


class MaxPool2d(_MaxPool, TwoAxes, name="max_pool2d"):
    """Largest number of each window, as `torch.nn.MaxPool2d`: input `(N, C, H, W)`.

    K − 1 comparisons per output, K = K_h · K_w. Indices are no arithmetic, and 8 bytes each.
    """


class MaxPool3d(_MaxPool, ThreeAxes, name="max_pool3d"):
    """Largest number of each window, as `torch.nn.MaxPool3d`: input `(N, C, D, H, W)`.

    K − 1 comparisons per output, K = K_d · K_h · K_w. Indices are no arithmetic, and 8 bytes each.
    """


class AvgPool1d(_AvgPool, OneAxis, name="avg_pool1d"):
    """Mean of each window, as `torch.nn.AvgPool1d`: input `(N, C, L)`.

    K − 1 additions and a division per output.
    """

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        return _wrong_length(cls.name, shape)


class AvgPool2d(_DividedPool, TwoAxes, name="avg_pool2d"):
    """Mean of each window, as `torch.nn.AvgPool2d`: input `(N, C, H, W)`.

    K − 1 additions and a division per output, K = K_h · K_w.
    """

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        last = len(shape) - 1
        reason = (
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
            if last > 2
            else f"Dimension out of range (expected to be in range of [{-last - 1}, {last}], but "
            "got -3)"
        )
        return f"{reason}. Give (N, C, H, W)"


class AvgPool3d(_DividedPool, ThreeAxes, name="avg_pool3d"):
    """Mean of each window, as `torch.nn.AvgPool3d`: input `(N, C, D, H, W)`.

    K − 1 additions and a division per output, K = K_d · K_h · K_w.
    """

    def validate_fit(self, kernel: dict[str, int]) -> None:
        given = self.with_height(self.input_size(), 1)
        if any(given[axis] < kernel[axis] for axis in given):
            reason = (
                f"input image ({spelled('', given)}) smaller than kernel size "
                f"({spelled('k', kernel)})"
            )
            raise self.refused("kernel_size", reason, "Padding does not help here")


def _wrong_length(name: str, shape: tuple[int, ...]) -> str:
    return (
        f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 "
        f"'self' (while checking arguments for {name}). Give (N, C, L)"
    )
