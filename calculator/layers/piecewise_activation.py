"""Activations made of comparisons: clipped, cut off below a threshold, shrunk towards 0."""

from __future__ import annotations

from typing import ClassVar

from calculator.core.measure_fields import real
from calculator.layers.activation import INPLACE, Activation, InPlace

_LARGEST = {
    "fp64": ("Double", 1.7976931348623157e308, "1.79769e+308"),
    "fp32": ("Float", (2 - 2**-23) * 2.0**127, "3.40282e+38"),
    "bf16": ("BFloat16", (2 - 2**-7) * 2.0**127, "3.38953e+38"),
    "fp16": ("Half", 65504.0, "65504"),
}
"""The largest number of each data type, with the words in which torch quotes it."""


class Hardtanh(InPlace, name="hardtanh"):
    """x, at least `min_val` and at most `max_val`, as `torch.nn.Hardtanh`.

    Two comparisons per element.
    """

    min_val: float = real(default=-1.0, label="Smallest value")
    max_val: float = real(default=1.0, label="Largest value")
    inplace: bool = INPLACE

    each: ClassVar = {"comparisons": 2}

    def validate_module(self) -> None:
        if self.max_val <= self.min_val:
            raise self.fields["max_val"].refuse(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val}). "
                "Write a larger max_val",
                self.max_val,
            )


class Threshold(InPlace, name="threshold"):
    """x, or a fixed value up to the threshold, as `torch.nn.Threshold`.

    One comparison per element.
    """

    threshold: float = real(default=0.1, required=True, label="Threshold")
    value: float = real(default=20.0, required=True, label="Value up to the threshold")
    inplace: bool = INPLACE

    each: ClassVar = {"comparisons": 1}


class Hardshrink(Activation, name="hardshrink"):
    """x, or 0 between −λ and λ, as `torch.nn.Hardshrink`: two comparisons per element."""

    lambd: float = real(default=0.5, label="Lambda")

    each: ClassVar = {"comparisons": 2}


class Softshrink(Activation, name="softshrink"):
    """x moved towards 0 by λ, or 0 between −λ and λ, as `torch.nn.Softshrink`.

    Two comparisons, one subtraction (x − λ) and one addition (x + λ) per element.
    """

    lambd: float = real(default=0.5, label="Lambda")

    each: ClassVar = {"additions": 1, "subtractions": 1, "comparisons": 2}

    def validate_input(self) -> None:
        dtype, largest, written = _LARGEST.get(self.dtype, _LARGEST["fp32"])
        if not 0 <= self.lambd <= largest:
            raise self.fields["lambd"].refuse(
                f"lambda must be in range [0, {written}] for input dtype {dtype}, but found "
                f"{self.lambd:g}",
                self.lambd,
            )
