"""What layers share that bring sets of numbers to a common scale, and what each step takes."""

from __future__ import annotations

from calculator.core.calculation import quantity
from calculator.core.operations import Operations, total
from calculator.layers.layer import Layer


def mean(sets: int, set_size: int) -> Operations:
    """The sum of each set, divided by how many they are."""
    return {"additions": sets * (set_size - 1), "divisions": sets}


def squares(elements: int) -> Operations:
    """Each number times itself."""
    return {"multiplications": elements}


def centred(elements: int) -> Operations:
    """The mean subtracted from each number."""
    return {"subtractions": elements}


def scaled(sets: int, elements: int) -> Operations:
    """Each number divided by the root of its set: of a variance, or mean square, plus eps."""
    return {"additions": sets, "square_roots": sets, "divisions": elements}


def variance(sets: int, set_size: int) -> Operations:
    """The mean of the squared differences from the mean: biased, divided by how many they are."""
    elements = sets * set_size
    return total([centred(elements), squares(elements), mean(sets, set_size)])


def standardised(sets: int, elements: int) -> Operations:
    """Each number minus the mean of its set, divided by the root of variance plus eps."""
    return total([centred(elements), scaled(sets, elements)])


class Normalization(Layer):
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
        """Return how many numbers the weight has, and the bias has the same number."""
        raise NotImplementedError

    def elements(self) -> int:
        """Return how many numbers are normalised."""
        return self.sets * self.set_size

    def learned(self) -> Operations:
        """Return what weight and bias take: a multiplication and an addition per element."""
        weight = {"multiplications": self.elements()} if self.scales() else {}
        bias = {"additions": self.elements()} if self.shifts() else {}
        return weight | bias

    @quantity()
    def params(self) -> int:
        """The weight and the bias, if there are any."""
        tensors = self.scales() + self.shifts()
        return tensors * self.weight_size() if tensors else 0

    def is_differentiated(self) -> bool:
        """Return whether there is a gradient to compute."""
        return self.input_requires_grad or (self.weight_requires_grad and self.scales())

    def keeps(self) -> tuple[bool, bool]:
        """The input, which either gradient needs."""
        return self.is_differentiated(), False

    @quantity()
    def operations(self) -> Operations:
        """Mean, variance, normalised numbers, weight and bias."""
        return total(
            [
                mean(self.sets, self.set_size),
                variance(self.sets, self.set_size),
                standardised(self.sets, self.elements()),
                self.learned(),
            ]
        )

    def kept_bytes(self) -> int:
        """The mean and the inverse of the root, of each set."""
        return 2 * self.sets * self.element_bytes if self.is_differentiated() else 0
