"""Batch and instance normalisation: each channel by a mean and a variance, taken or remembered."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.fields import Flag, flag, size
from calculator.core.measure_fields import Real, real
from calculator.core.operations import Operations, times, total
from calculator.layers.inputs import AXES, OneAxis, Spatial, ThreeAxes, TwoAxes
from calculator.layers.normalization_base import Normalization, mean, standardised, variance

_MOMENTUM: Any = Real(
    default=0.1, label="Momentum", optional=True, help="Leave empty for the average of all batches."
)
_BIAS: Any = Flag(label="Bias", default=True, keyword=True)


class _Channelwise(Normalization, Spatial):
    """One weight and one bias per channel, and running statistics in evaluation."""

    num_features: int = size("C", default=64, label="Channels", required=True)
    eps: float = real(default=1e-5, label="Epsilon")
    momentum: float | None = _MOMENTUM
    affine: bool = flag(default=True, label="Weight")
    track_running_stats: bool = flag(default=True, label="Running statistics")
    bias: bool = _BIAS
    training: bool = flag(default=False, label="In training", role="input")

    channels_field = "num_features"

    @classmethod
    def split(cls, shape: tuple[int, ...], leading: int, fields: dict[str, Any]) -> Self:
        reads_it = ("affine", "track_running_stats")
        if not any(fields.get(name, cls.fields[name].default) for name in reads_it):
            fields = {**fields, "num_features": shape[leading]}  # torch takes any number of them
        return super().split(shape, leading, fields)

    def scales(self) -> bool:
        return self.affine

    def shifts(self) -> bool:
        return self.affine and self.bias

    def weight_size(self) -> int:
        return self.num_features

    def takes_its_own(self) -> bool:
        """Return whether mean and variance are those of this very input."""
        return self.training or not self.track_running_stats

    def updates(self) -> bool:
        """Return whether the running statistics are moved towards those of the input."""
        return self.training and self.track_running_stats

    def refuse_other_channels(self, reason: str) -> str:
        """Return a reason to reject an input with other channels, and what to give."""
        return f"{reason}. Set num_features to the number of channels"

    @quantity()
    def output_size(self) -> tuple[int, ...]:
        """The size of the input."""
        return self.input_size()

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        return self.input_shape

    @quantity()
    def buffers(self) -> int:
        """A running mean and variance per channel, and the number of batches seen."""
        return 2 * self.num_features + 1 if self.track_running_stats else 0

    @quantity()
    def bytes_moved(self) -> int:
        """Weights, input and output, and the running statistics in use, or read and written anew.

        The number of batches seen is left out.
        """
        least = self.weight_bytes + self.input_bytes + self.output_bytes
        if not self.track_running_stats:
            return least
        passes = 2 if self.training else 1
        return least + passes * 2 * self.num_features * self.element_bytes

    @quantity()
    def operations(self) -> Operations:
        """Statistics if they are taken, normalised numbers, weight and bias, the update."""
        own = [mean(self.sets, self.set_size), variance(self.sets, self.set_size)]
        roots = self.sets if self.takes_its_own() else self.num_features
        return total(
            [
                *(own if self.takes_its_own() else []),
                standardised(roots, self.elements()),
                self.learned(),
                *(self.update() if self.updates() else []),
            ]
        )

    def update(self) -> list[Operations]:
        """Return what the update of the running statistics takes."""
        return self.moved()

    def moved(self) -> list[Operations]:
        """Return what it takes to move the running statistics.

        The variance among them is unbiased, the same sum divided by one less: one division more a
        set. Each statistic becomes (1 − momentum) times the old plus momentum times the new.
        """
        each = {"additions": 1, "multiplications": 2}
        return [{"divisions": self.sets}, times(2 * self.num_features, each)]


class _BatchNorm(_Channelwise):
    """Each channel normalised over the batch and all positions.

    In evaluation the running statistics are used: per channel + eps and a square root, per number
    minus the mean, divided by the root, times the weight, plus the bias. In training, and without
    running statistics, the mean and the biased variance of the batch are taken as in `LayerNorm`;
    and in training the running statistics are updated (two multiplications and one addition each;
    one more division for the unbiased variance).
    """

    batch_size: int = size("N", default=1, label="Batch size", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        taken = cls.dimensions_taken()
        if len(shape) not in taken:
            said = " or ".join(f"{each}D" for each in taken)
            raise cls.misfit(f"expected {said} input (got {len(shape)}D input)", shape)
        return cls.split(shape, 1, fields)

    @classmethod
    def dimensions_taken(cls) -> tuple[int, ...]:
        """Return how many dimensions an input may have."""
        return (len(cls.axes) + 2,)

    def wrong_channels(self, channels: int) -> str:
        self.validate_batch(channels)
        if self.track_running_stats:
            reason = f"running_mean should contain {channels} elements not {self.num_features}"
        else:
            reason = f"weight should contain {channels} elements not {self.num_features}"
        return self.refuse_other_channels(reason)

    def validate_input(self) -> None:
        self.validate_batch(self.num_features)

    def validate_batch(self, channels: int) -> None:
        """Raise InvalidField if the batch has no variance, or none that could be divided by."""
        if self.takes_its_own() and self.set_size == 1:
            shape = [*self.leading(), channels, *self.input_size()]
            raise self.fields["batch_size"].refuse(
                "Expected more than 1 value per channel when training, got input size "
                f"torch.Size({shape}). Make the batch or the input larger",
                self.batch_size,
            )
        if self.takes_its_own() and self.eps <= 0:
            raise self.fields["eps"].refuse(
                f"batch_norm eps must be positive during training, but got {self.eps}", self.eps
            )
        if self.eps < 0:
            raise self.fields["eps"].refuse(
                f"batch_norm eps must be non-negative, but got {self.eps}", self.eps
            )

    @quantity()
    def sets(self) -> int:
        """The channels."""
        return self.num_features

    @quantity()
    def set_size(self) -> int:
        """Every position of every input of the batch."""
        return self.samples() * prod(self.input_size())

    def kept_bytes(self) -> int:
        """The mean and the inverse of the root of each channel, but those that are buffers."""
        kept = self.is_differentiated() and self.takes_its_own()
        return 2 * self.sets * self.element_bytes if kept else 0


class BatchNorm1d(_BatchNorm, OneAxis, name="batch_norm1d"):
    """Batch normalisation, as `torch.nn.BatchNorm1d`: input `(N, C)` or `(N, C, L)`."""

    length: Any = size(
        r"L_\text{in}", default=None, label="Length", role="input", optional=True,
        help="Leave empty for an input (N, C).",
    )  # fmt: skip

    @classmethod
    def dimensions_taken(cls) -> tuple[int, ...]:
        return 2, 3

    def input_size(self) -> tuple[int, ...]:
        return () if self.length is None else (self.length,)


class BatchNorm2d(_BatchNorm, TwoAxes, name="batch_norm2d"):
    """Batch normalisation, as `torch.nn.BatchNorm2d`: input `(N, C, H, W)`."""


class BatchNorm3d(_BatchNorm, ThreeAxes, name="batch_norm3d"):
    """Batch normalisation, as `torch.nn.BatchNorm3d`: input `(N, C, D, H, W)`."""


class _InstanceNorm(_Channelwise):
    """Each channel of each input normalised over its positions.

    Mean, variance and result take what they do in `LayerNorm`. With running statistics they are
    used in evaluation, one root per channel; in training their update takes the average over the
    batch first (N − 1 additions, 1 division each), then what it does in `BatchNorm`.
    """

    momentum: float | None = _MOMENTUM
    affine: bool = flag(default=False, label="Weight")
    track_running_stats: bool = flag(default=False, label="Running statistics")
    bias: bool = _BIAS

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        axes = len(cls.axes)
        return f"expected {axes + 1}D or {axes + 2}D input (got {len(shape)}D input)"

    def wrong_channels(self, channels: int) -> str:
        dim = len(self.leading())
        if self.affine:
            return self.refuse_other_channels(
                f"expected input's size at dim={dim} to match num_features "
                f"({self.num_features}), but got: {channels}"
            )
        self.validate_positions(channels)
        given, kept = self.samples() * channels, self.samples() * self.num_features
        return self.refuse_other_channels(
            f"running_mean should contain {given} elements not {kept}"
        )

    def validate_input(self) -> None:
        self.validate_positions(self.num_features)

    def validate_positions(self, channels: int) -> None:
        """Raise InvalidField if a set would be one number, and its variance 0."""
        if self.takes_its_own() and self.set_size == 1:
            shape = [self.samples(), channels, *self.input_size()]
            raise self.fields[AXES[self.axes[-1]]].refuse(
                "Expected more than 1 spatial element when training, got input size "
                f"torch.Size({shape}). Make the input larger",
                self.input_size()[-1],
            )

    @quantity()
    def sets(self) -> int:
        """The channels of every input."""
        return self.samples() * self.num_features

    @quantity()
    def set_size(self) -> int:
        """The positions."""
        return prod(self.input_size())

    def update(self) -> list[Operations]:
        averaged = mean(self.num_features, self.samples())
        return [averaged, averaged, *self.moved()]

    def kept_bytes(self) -> int:
        """Mean and inverse root of each set, the weight and the running statistics repeated."""
        pairs = self.takes_its_own() + self.track_running_stats
        kept = 2 * pairs + self.affine
        return kept * self.sets * self.element_bytes if self.is_differentiated() else 0


class InstanceNorm1d(_InstanceNorm, OneAxis, name="instance_norm1d"):
    """Instance normalisation, as `torch.nn.InstanceNorm1d`: input `(N, C, L)`."""


class InstanceNorm2d(_InstanceNorm, TwoAxes, name="instance_norm2d"):
    """Instance normalisation, as `torch.nn.InstanceNorm2d`: input `(N, C, H, W)`."""


class InstanceNorm3d(_InstanceNorm, ThreeAxes, name="instance_norm3d"):
    """Instance normalisation, as `torch.nn.InstanceNorm3d`: input `(N, C, D, H, W)`."""
