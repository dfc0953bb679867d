"""Dropout of whole channels: one random number per channel instead of one per element."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from calculator.core.calculation import fact, quantity
from calculator.core.operations import Operations
from calculator.core.tensor_fields import shape
from calculator.layers.dropout import Dropout


class _ChannelDropout(Dropout):
    """Some channels set to 0.

    In training the mask of each channel, 0 or 1, is multiplied by 1/(1 − p), and every element by
    the mask of its channel; with p = 1 every element by 0 alone. Drawing the random numbers is not
    counted.
    """

    batched: ClassVar[int]
    """The dimensions of an input with a batch."""

    @fact
    def leading(self) -> int:
        """How many dimensions the mask has: the batch and the channels."""
        return 2 if len(self.size) == self.batched else 1

    @quantity(r"\text{masks}", label="Channels of all inputs")
    def masks(self) -> int:
        """Each channel of each input."""
        return prod(self.size[: self.leading])

    @quantity()
    def operations(self) -> Operations:
        """The scale for every channel, the mask for every element."""
        if self.passes():
            return {}
        scales = 0 if self.multiplications == 1 else self.masks
        return {"multiplications": prod(self.size) + scales}

    def kept_bytes(self) -> int:
        """The masks, already scaled."""
        if self.passes() or not self.input_requires_grad:
            return 0
        return (1 if self.multiplications == 1 else self.masks) * self.element_bytes


class Dropout1d(_ChannelDropout, name="dropout1d"):
    """Some channels set to 0, as `torch.nn.Dropout1d`: input `(N, C, L)` or `(C, L)`.

    In training one multiplication per element and one per channel; the input itself in evaluation.
    """

    size: tuple[int, ...] = shape("n", default=(32, 64, 128), label="Input shape", role="input")

    batched = 3

    def validate_input(self) -> None:
        if len(self.size) not in (2, 3):
            raise self.fields["size"].refuse(
                f"dropout1d: Expected 2D or 3D input, but received a {len(self.size)}D input. Note "
                "that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial "
                "dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D "
                "inputs)",
                self.size,
            )


class Dropout2d(_ChannelDropout, name="dropout2d"):
    """Some channels set to 0, as `torch.nn.Dropout2d`: input `(N, C, H, W)`.

    In training one multiplication per element and one per channel; the input itself in evaluation.
    The first two dimensions are the batch and the channels whatever stands behind them: torch reads
    a `(C, H, W)` as `(N, C, L)`.
    """

    size: tuple[int, ...] = shape("n", default=(32, 64, 28, 28), label="Input shape", role="input")

    @fact
    def leading(self) -> int:
        """The first two dimensions."""
        return 2

    def validate_input(self) -> None:
        if len(self.size) < 2 and self.multiplications == 2:
            raise self.fields["size"].refuse(
                "Feature dropout requires at least 2 dimensions in the input. Give (N, C, H, W)",
                self.size,
            )


class Dropout3d(_ChannelDropout, name="dropout3d"):
    """Some channels set to 0, as `torch.nn.Dropout3d`: input `(N, C, D, H, W)` or `(C, D, H, W)`.

    In training one multiplication per element and one per channel; the input itself in evaluation.
    The first dimension is the channels, unless there are five.
    """

    size: tuple[int, ...] = shape(
        "n", default=(4, 64, 8, 28, 28), label="Input shape", role="input"
    )

    batched = 5
