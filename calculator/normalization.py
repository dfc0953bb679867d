"""Layers that bring sets of numbers to a common scale, by their mean and variance."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.calculation import quantity
from calculator.fields import flag, shape
from calculator.layer import Layer
from calculator.operations import Operations, total
from calculator.rates import real
from calculator.shaped import Shaped


def _mean(sets: int, set_size: int) -> Operations:
    """The sum of each set, divided by how many they are."""
    return {"additions": sets * (set_size - 1), "divisions": sets}


def _squares(elements: int) -> Operations:
    """Each number times itself."""
    return {"multiplications": elements}


def _centred(elements: int) -> Operations:
    """The mean subtracted from each number."""
    return {"subtractions": elements}


def _scaled(sets: int, elements: int) -> Operations:
    """Each number divided by the root of its set: of a variance, or mean square, plus eps."""
    return {"additions": sets, "square_roots": sets, "divisions": elements}


def _variance(sets: int, set_size: int) -> Operations:
    """The mean of the squared differences from the mean: biased, divided by how many they are."""
    elements = sets * set_size
    return total([_centred(elements), _squares(elements), _mean(sets, set_size)])


def _standardised(sets: int, elements: int) -> Operations:
    """Each number minus the mean of its set, divided by the root of variance plus eps."""
    return total([_centred(elements), _scaled(sets, elements)])


class _Normalization(Layer):
    """Sets of numbers that share a mean and a variance, and a scale and a shift learned for each.

    The difference from the mean stands twice in the definition, in the variance and in the result,
    and is counted twice.
    """

    @quantity(r"\text{sets}", label="Sets of numbers")
    def sets(self) -> int:
        """How many sets there are, each with statistics of its own."""
        raise NotImplementedError

    @quantity("F", label="Numbers in a set")
    def set_size(self) -> int:
        """How many numbers share their statistics."""
        raise NotImplementedError

    def scales(self) -> bool:
        """Return whether each number is multiplied by a weight."""
        raise NotImplementedError

    def shifts(self) -> bool:
        """Return whether a bias is added to each number."""
        raise NotImplementedError

    def weight_size(self) -> int:
        """Return how many numbers the weight has, and the bias as many."""
        raise NotImplementedError

    def elements(self) -> int:
        """Return how many numbers are normalised."""
        return self.sets * self.set_size

    def learned(self) -> Operations:
        """Return what weight and bias take: a multiplication and an addition an element."""
        weight = {"multiplications": self.elements()} if self.scales() else {}
        bias = {"additions": self.elements()} if self.shifts() else {}
        return weight | bias

    @quantity()
    def params(self) -> int:
        """The weight and the bias, where there are any."""
        tensors = self.scales() + self.shifts()
        return tensors * self.weight_size() if tensors else 0

    def is_differentiated(self) -> bool:
        """Return whether there is a gradient to compute."""
        return self.input_requires_grad or (self.weight_requires_grad and self.scales())

    def keeps(self) -> tuple[bool, bool]:
        """The input, which either gradient needs."""
        return self.is_differentiated(), False


class _Trailing(_Normalization, Shaped):
    """The last dimensions of a tensor normalised: `normalized_shape` says which sizes they have."""

    normalized_shape: Any = shape(
        "d", default=(768,), label="Normalised shape", required=True,
        scalar="Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
        "one element, but got normalized_shape = []",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(32, 768), label="Input shape", role="input")

    @quantity()
    def sets(self) -> int:
        """Every position in front of the normalised dimensions."""
        return prod(self.size[: len(self.size) - len(self.normalized_shape)])

    @quantity()
    def set_size(self) -> int:
        """The product of the normalised dimensions."""
        return prod(self.normalized_shape)

    def weight_size(self) -> int:
        return self.set_size

    def refuse_another_shape(self, any_leading: str) -> None:
        """Raise InvalidField where the input does not end in the normalised shape."""
        wanted, given = self.normalized_shape, self.size
        if given[-len(wanted) :] != wanted:
            ends = ", ".join(map(str, wanted))
            raise self.fields["normalized_shape"].refuse(
                f"Given normalized_shape={list(wanted)}, expected input with shape "
                f"[{any_leading}{ends}], but got input of size{list(given)}. Give the last sizes "
                "of the input",
                self.fields["normalized_shape"].write(wanted),
            )


class LayerNorm(_Trailing, name="layer_norm"):
    """Layer normalisation, as `torch.nn.LayerNorm`: `(…, F)` to the same shape.

    Of each set: the mean (F − 1 additions, 1 division), the biased variance (F subtractions, F
    multiplications, F − 1 additions, 1 division), + eps, a square root. Of each number: minus the
    mean, divided by the root, times the weight, plus the bias.
    """

    eps: float = real(default=1e-5, label="Epsilon")
    elementwise_affine: bool = flag(default=True, label="Weight")
    bias: bool = flag(default=True, label="Bias")

    def validate_input(self) -> None:
        self.refuse_another_shape("*, ")

    def scales(self) -> bool:
        return self.elementwise_affine

    def shifts(self) -> bool:
        return self.elementwise_affine and self.bias

    @quantity()
    def operations(self) -> Operations:
        """Mean, variance, normalised numbers, weight and bias."""
        return total(
            [
                _mean(self.sets, self.set_size),
                _variance(self.sets, self.set_size),
                _standardised(self.sets, self.elements()),
                self.learned(),
            ]
        )

    def kept_bytes(self) -> int:
        """The mean and the inverse of the root, of each set."""
        return 2 * self.sets * self.element_bytes if self.is_differentiated() else 0


class RMSNorm(_Trailing, name="rms_norm"):
    """Normalisation by the root mean square, as `torch.nn.RMSNorm`: no mean, no bias.

    Of each set: F squares, F − 1 additions, 1 division, + eps, a square root. Of each number:
    divided by the root, times the weight.
    """

    eps: float | None = real(default=None, label="Epsilon", optional=True)
    elementwise_affine: bool = flag(default=True, label="Weight")

    def validate_input(self) -> None:
        least, given = len(self.normalized_shape), len(self.size)
        if given < least:
            raise self.fields["normalized_shape"].refuse(
                f"Input tensor must have at least {least} dimensions, but got {given}. "
                "Give fewer sizes, or a larger input",
                self.fields["normalized_shape"].write(self.normalized_shape),
            )
        self.refuse_another_shape("*")

    def scales(self) -> bool:
        return self.elementwise_affine

    def shifts(self) -> bool:
        return False

    @quantity()
    def operations(self) -> Operations:
        """Mean square, normalised numbers, weight."""
        return total(
            [
                _squares(self.elements()),
                _mean(self.sets, self.set_size),
                _scaled(self.sets, self.elements()),
                self.learned(),
            ]
        )

    def keeps(self) -> tuple[bool, bool]:
        """The input, for its own gradient."""
        return self.input_requires_grad, False

    def kept_bytes(self) -> int:
        """The inverse of each root for the input, the normalised numbers for the weight."""
        roots = self.sets if self.input_requires_grad else 0
        trained = self.weight_requires_grad and self.scales()
        return (roots + (self.elements() if trained else 0)) * self.element_bytes
