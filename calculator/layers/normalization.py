"""Layers that normalise sets of numbers of a tensor by their mean and variance."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.expression import quotient
from calculator.core.fields import LARGEST, flag, size
from calculator.core.measure_fields import real
from calculator.core.operations import Operations, times, total
from calculator.core.tensor_fields import shape
from calculator.layers.inputs import Shaped
from calculator.layers.layer import Layer, widened
from calculator.layers.normalization_base import Normalization, mean, scaled, squares


class _Trailing(Normalization, Shaped):
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
        """Raise InvalidField if the input does not end in the normalised shape."""
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
                squares(self.elements()),
                mean(self.sets, self.set_size),
                scaled(self.sets, self.elements()),
                self.learned(),
            ]
        )

    def keeps(self) -> tuple[bool, bool]:
        """The input, for its own gradient, if torch computes in its type."""
        return self.input_requires_grad and not self.is_widened, False

    def kept_bytes(self) -> int:
        """The inverse of each root for the input, the normalised numbers for the weight.

        Of a type of less than 4 bytes torch makes an FP32, and keeps that.
        """
        copies = (self.input_requires_grad and self.is_widened) + (
            self.weight_requires_grad and self.scales()
        )
        roots = self.sets if self.input_requires_grad else 0
        return (roots + (copies * self.elements() if copies else 0)) * widened(self.element_bytes)


class GroupNorm(Normalization, Shaped, name="group_norm"):
    """Groups of channels normalised, as `torch.nn.GroupNorm`: input `(N, C, …)`.

    A set is one group of channels of one input, over all positions. Each takes what it takes in
    `LayerNorm`; weight and bias are one per channel.
    """

    num_groups: int = size("G", default=32, minimum=-LARGEST, label="Groups", required=True)
    num_channels: int = size("C", default=64, minimum=-LARGEST, label="Channels", required=True)
    eps: float = real(default=1e-5, label="Epsilon")
    affine: bool = flag(default=True, label="Weight")
    bias: bool = flag(default=True, label="Bias", keyword=True)
    size: tuple[int, ...] = shape("n", default=(1, 64, 56, 56), label="Input shape", role="input")

    def validate_module(self) -> None:
        channels, groups = self.num_channels, self.num_groups
        of_channels, of_groups = self.fields["num_channels"], self.fields["num_groups"]
        if groups and channels % groups:
            raise (of_channels if channels < 0 else of_groups).refuse(
                f"num_channels ({channels}) must be divisible by num_groups ({groups}). "
                "Change one of them",
                channels if channels < 0 else groups,
            )
        if channels < 1:
            raise of_channels.refuse("must be at least 1", channels)
        if groups < 1:
            reason = f"Expected num groups to be greater than 0, got {groups}" if groups else ""
            raise of_groups.refuse("must be at least 1", groups, reason)

    def validate_input(self) -> None:
        given, groups = list(self.size), self.num_groups
        if len(given) < 2:
            raise self.fields["size"].refuse(
                f"Expected at least 2 dimensions for input tensor but received {len(given)}. "
                "Give (N, C) or (N, C, …)",
                self.fields["size"].write(self.size),
            )
        alike = given[0] * given[1] // groups
        if alike * prod(given[2:]) == 1:
            raise self.fields["num_groups"].refuse(
                "Expected more than 1 value per channel when training, got input size "
                f"{[alike, groups, *given[2:]]}. Make the groups or the input larger",
                groups,
            )
        if given[1] % groups:
            raise self.fields["num_groups"].refuse(
                "Expected number of channels in input to be divisible by num_groups, but got input "
                f"of shape {given} and num_groups={groups}. Set num_channels to {given[1]} first",
                groups,
            )
        if self.affine and given[1] != self.num_channels:
            raise self.fields["num_channels"].refuse(
                "Expected weight to be a vector of size equal to the number of channels in input, "
                f"but got weight of shape [{self.num_channels}] and input of shape {given}. "
                f"Give {given[1]}",
                self.num_channels,
            )

    @quantity()
    def sets(self) -> int:
        """The groups of every input."""
        return self.size[0] * self.num_groups

    @quantity()
    def set_size(self) -> int:
        """The channels of a group, at every position."""
        return quotient(self.size[1], self.num_groups) * prod(self.size[2:])

    def weight_size(self) -> int:
        return self.num_channels

    def scales(self) -> bool:
        return self.affine

    def shifts(self) -> bool:
        return self.affine and self.bias


class LocalResponseNorm(Layer, name="local_response_norm"):
    """Each number divided by those of neighbouring channels, as `torch.nn.LocalResponseNorm`.

    Input `(N, C, …)`, three dimensions or more. Of each number: its square, the sum of the squares
    of n channels at its place (n − 1 additions; channels that are not there count as zeros), times
    α/n, plus k, a power with the exponent −β, times the number.
    """

    size: int = size("s", default=5, label="Channels per sum", required=True)
    alpha: float = real(default=1e-4, label="Alpha")
    beta: float = real(default=0.75, label="Beta")
    k: float = real(default=1.0, label="k")
    tensor_size: tuple[int, ...] = shape(
        "n", default=(1, 96, 55, 55), label="Input shape", role="input"
    )

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        return cls(tensor_size=shape, **fields)

    def validate_input(self) -> None:
        if len(self.tensor_size) < 3:
            raise self.fields["tensor_size"].refuse(
                "Expected 3D or higher dimensionality input (got "
                f"{len(self.tensor_size)} dimensions). Give (N, C, L) or more",
                self.fields["tensor_size"].write(self.tensor_size),
            )

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """Three dimensions or more."""
        return self.tensor_size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.tensor_size

    @quantity()
    def operations(self) -> Operations:
        """What one number takes, for every number."""
        each = {"additions": self.size, "multiplications": 3, "transcendentals": 1}
        return times(prod(self.tensor_size), each)

    def keeps(self) -> tuple[bool, bool]:
        """The input, of which both squares and quotient were made."""
        return self.input_requires_grad, False

    def kept_bytes(self) -> int:
        """The padded squares, the sums and their powers."""
        batch, channels, *positions = self.tensor_size
        padded = batch * (channels + self.size - 1) * prod(positions)
        kept = padded + 2 * prod(self.tensor_size)
        return kept * self.element_bytes if self.input_requires_grad else 0
