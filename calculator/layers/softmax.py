"""Activations along one dimension: softmax and its variants, gated linear units."""

from __future__ import annotations

from math import prod

from calculator.core.calculation import fact, quantity
from calculator.core.expression import quotient
from calculator.core.operations import SIGMOID, Operations, softmax, times, total
from calculator.core.tensor_fields import dimension, shape
from calculator.layers.inputs import Shaped


class _Normalizing(Shaped):
    """Numbers along one dimension turned into parts of 1."""

    @fact
    def along(self) -> int:
        """The dimension along which parts sum to 1, counted from the start."""
        raise NotImplementedError

    @quantity(r"\text{sets}", label="Sets of numbers")
    def sets(self) -> int:
        """Every position of the other dimensions."""
        return prod(self.size[: self.along]) * prod(self.size[self.along + 1 :])

    @quantity("F", label="Numbers in a set")
    def set_size(self) -> int:
        """The size along the dimension."""
        return self.size[self.along]

    @quantity()
    def operations(self) -> Operations:
        """What one set takes, for every set."""
        return softmax(self.sets, self.set_size)

    def keeps(self) -> tuple[bool, bool]:
        """The output, from which the gradient follows."""
        return False, self.input_requires_grad


class _AlongOne(_Normalizing):
    """A dimension that is given.

    Without `dim` torch chooses one, 0 for an input of one or three dimensions and 1 for any other,
    and warns that the choice is deprecated.
    """

    dim: int | None = dimension(
        default=None, label="Dimension", optional=True,
        help="−1 is the last. If empty, torch chooses 0 or 1 and warns.",
    )  # fmt: skip

    def validate_input(self) -> None:
        assert self.along is not None  # asked now, so that what is out of range is rejected now

    @fact
    def along(self) -> int:
        """The dimension along which parts sum to 1, counted from the start."""
        if self.dim is None:
            return min(len(self.size) - 1, 0 if len(self.size) == 3 else 1)
        return self.place("dim")


class Softmax(_AlongOne, name="softmax"):
    """Exponentials divided by their sum, as `torch.nn.Softmax`.

    Of F numbers: the largest (F − 1 comparisons) is subtracted from each, F exponentials, their sum
    (F − 1 additions), F divisions. The largest is there for safety, in every library.
    """


class Softmin(_AlongOne, name="softmin"):
    """Softmax of the numbers with their signs changed, as `torch.nn.Softmin`.

    It takes what softmax takes: a change of sign flips one bit and is not counted.
    """


class Softmax2d(_Normalizing, name="softmax2d"):
    """Softmax over the channels of every pixel, as `torch.nn.Softmax2d`: `(N, C, H, W)`.

    Of C channels: C − 1 comparisons, C subtractions, C exponentials, C − 1 additions and C
    divisions per pixel.
    """

    size: tuple[int, ...] = shape("n", default=(1, 21, 64, 64), label="Input shape", role="input")

    def validate_input(self) -> None:
        if len(self.size) not in (3, 4):
            raise self.fields["size"].refuse(
                f"Softmax2d: expected input to be 3D or 4D, got {len(self.size)}D instead. "
                "Give (N, C, H, W)",
                self.size,
            )

    @fact
    def along(self) -> int:
        """The channels, third from the end."""
        return len(self.size) - 3


class LogSoftmax(_AlongOne, name="log_softmax"):
    """The logarithm of softmax, as `torch.nn.LogSoftmax`, one logarithm per set.

    Of F numbers: the largest (F − 1 comparisons) is subtracted from each, F exponentials, their sum
    (F − 1 additions), its logarithm, which is subtracted from each. Every library does it so: no
    logarithm of a tiny quotient is taken.
    """

    @quantity()
    def operations(self) -> Operations:
        """What one set takes, for every set."""
        sets, elements = self.sets, self.sets * self.set_size
        return {
            "additions": sets * (self.set_size - 1),
            "subtractions": 2 * elements,
            "comparisons": sets * (self.set_size - 1),
            "exponentials": elements,
            "transcendentals": sets,
        }


class GLU(Shaped, name="glu"):
    """One half of the input times the sigmoid of the other, as `torch.nn.GLU`.

    An element of the output takes an exponential, an addition, a division, and a multiplication.
    """

    dim: int = dimension(default=-1, label="Dimension")

    def validate_input(self) -> None:
        halved = self.size[self.along]
        if halved % 2:
            raise self.fields["dim"].refuse(
                f"Halving dimension must be even, but dimension {self.along} is size {halved}. "
                "Choose another, or make it even",
                self.dim,
            )

    @fact
    def along(self) -> int:
        """The dimension that is halved, counted from the start."""
        return self.place("dim")

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """That of the input, one dimension halved."""
        before, after = self.size[: self.along], self.size[self.along + 1 :]
        return (*before, quotient(self.size[self.along], 2), *after)

    @quantity()
    def operations(self) -> Operations:
        """What one element takes, for every element of the output."""
        return times(prod(self.output_shape), total([{"multiplications": 1}, SIGMOID]))

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the slopes at it."""
        return self.input_requires_grad, False
