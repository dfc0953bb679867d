"""Layers that give a tensor another shape or another edge, without arithmetic."""

from __future__ import annotations

from math import prod
from typing import Any

from calculator.core.calculation import fact, quantity
from calculator.core.expression import quotient
from calculator.core.fields import size
from calculator.core.tensor_fields import Extent, dimension, shape
from calculator.layers.inputs import Passing, Shaped


class Flatten(Passing, name="flatten"):
    """Some neighbouring dimensions in one, as `torch.nn.Flatten`: a view, free of charge."""

    start_dim: int = dimension(default=1, label="First dimension")
    end_dim: int = dimension(default=-1, label="Last dimension")
    size: tuple[int, ...] = shape("n", default=(32, 16, 5, 5), label="Input shape", role="input")

    def validate_input(self) -> None:
        if self.span.start >= self.span.stop:
            raise self.fields["start_dim"].refuse(
                "flatten() has invalid args: start_dim cannot come after end_dim", self.start_dim
            )

    @fact
    def span(self) -> slice:
        """The dimensions that become one."""
        return slice(self.place("start_dim"), self.place("end_dim") + 1)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The dimensions before, the product of those in between, the dimensions after."""
        before, after = self.size[: self.span.start], self.size[self.span.stop :]
        return (*before, prod(self.size[self.span]), *after)

    def passes(self) -> bool:
        """The output is the input, read with other indices."""
        return True


class _Pixels(Shaped):
    """Every element is copied to another place of an image: no arithmetic."""

    def validate_input(self) -> None:
        if len(self.size) < 3:
            raise self.fields["size"].refuse(
                f"{self.name} expects input to have at least 3 dimensions, but got input with "
                f"{len(self.size)} dimension(s). Give (N, C, H, W)",
                self.size,
            )


class PixelShuffle(_Pixels, name="pixel_shuffle"):
    """Channels made pixels, `(…, C·r², H, W)` to `(…, C, H·r, W·r)`, as `torch.nn.PixelShuffle`.

    Every element is copied to another place: no arithmetic.
    """

    upscale_factor: int = size(
        "r", default=2, label="Upscale factor", required=True,
        refusal="pixel_shuffle expects a positive upscale_factor, but got {given}",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(1, 256, 28, 28), label="Input shape", role="input")

    def validate_input(self) -> None:
        super().validate_input()
        square = self.upscale_factor**2
        if self.size[-3] % square:
            raise self.fields["upscale_factor"].refuse(
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the "
                f"square of upscale_factor, but input.size(-3)={self.size[-3]} is not divisible by "
                f"{square}. Change upscale_factor or the channels",
                self.upscale_factor,
            )

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """Each r² channels make r × r pixels of one."""
        *leading, channels, height, width = self.size
        r = self.upscale_factor
        return (*leading, quotient(channels, r * r), height * r, width * r)


class PixelUnshuffle(_Pixels, name="pixel_unshuffle"):
    """Pixels made channels, `(…, C, H·r, W·r)` to `(…, C·r², H, W)`, as `torch.nn.PixelUnshuffle`.

    Every element is copied to another place: no arithmetic.
    """

    downscale_factor: int = size(
        "r", default=2, label="Downscale factor", required=True,
        refusal="pixel_unshuffle expects a positive downscale_factor, but got {given}",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(1, 64, 56, 56), label="Input shape", role="input")

    def validate_input(self) -> None:
        super().validate_input()
        for place, axis in ((-2, "height"), (-1, "width")):
            if self.size[place] % self.downscale_factor:
                raise self.fields["downscale_factor"].refuse(
                    f"pixel_unshuffle expects {axis} to be divisible by downscale_factor, but "
                    f"input.size({place})={self.size[place]} is not divisible by "
                    f"{self.downscale_factor}. Change downscale_factor or the {axis}",
                    self.downscale_factor,
                )

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """Each r × r pixels of a channel make one pixel of r² channels."""
        *leading, channels, height, width = self.size
        r = self.downscale_factor
        return (*leading, channels * r * r, quotient(height, r), quotient(width, r))


class ChannelShuffle(Shaped, name="channel_shuffle"):
    """Channels of g groups interleaved, `(N, C, …)`, as `torch.nn.ChannelShuffle`.

    Every element is copied to another place: no arithmetic.
    """

    groups: int = size(
        "g", default=2, label="Groups", required=True,
        refusal="Number of groups to divide channels in must be positive. Value of groups:{given}",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(1, 240, 28, 28), label="Input shape", role="input")

    def validate_input(self) -> None:
        if len(self.size) < 3:
            raise self.fields["size"].refuse(
                "channel_shuffle expects input with > 2 dims, but got input with sizes "
                f"{list(self.size)}. Give (N, C, H, W)",
                self.size,
            )
        if self.size[1] % self.groups:
            raise self.fields["groups"].refuse(
                f"Number of channels must be divisible by groups. Got {self.size[1]} channels and "
                f"{self.groups} groups. Change groups or the channels",
                self.groups,
            )


class Padded(Shaped):
    """Numbers before and after the last axes; negative ones crop. A copy: no arithmetic."""

    padding: Any = Extent(
        "P", default=1, required=True, label="Padding",
        help="One number for all edges, or: left, right, top, bottom …",
    )  # fmt: skip
    size: tuple[int, ...] = shape("n", default=(1, 64, 56, 56), label="Input shape", role="input")

    def validate_module(self) -> None:
        if isinstance(self.padding, tuple) and len(self.padding) % 2:
            raise self.refused("Padding length must be divisible by 2. Give two for each axis")

    def validate_length(self) -> None:
        """Raise InvalidField where more axes are padded than there are."""
        dimensions, edges = len(self.size), self.edges()
        if len(edges) > dimensions:
            raise self.refused(
                "Padding length should be less than or equal to two times the input dimension but "
                f"got padding length {2 * len(edges)} and input of dimension {dimensions}. "
                "Give two for each axis"
            )

    def validate_input(self) -> None:
        self.validate_length()
        for extent, pair in zip(reversed(self.size), self.edges(), strict=False):
            if extent + sum(min(edge, 0) for edge in pair) < 0:
                raise self.refused("narrow(): length must be non-negative. Crop less")
        if min(self.output_shape) < 1:
            raise self.refused("leaves nothing; the output's size. Must be at least 1")

    def refused(self, message: str) -> Exception:
        """Return the error of the padding with these words."""
        field = self.fields["padding"]
        return field.refuse(message, field.write(self.padding))

    def edges(self) -> tuple[tuple[int, int], ...]:
        """Return what is put before and after each axis, the last axis first."""
        if not isinstance(self.padding, tuple):
            return tuple((self.padding, self.padding) for _ in self.axes)
        return tuple(zip(self.padding[::2], self.padding[1::2], strict=True))

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """Each of the last axes with what is put before and after it."""
        edges = self.edges()
        place = len(self.size) - len(edges)
        padded = zip(self.size[place:], reversed(edges), strict=True)
        return (
            *self.size[:place],
            *(extent + before + behind for extent, (before, behind) in padded),
        )


class ZeroPad1d(Padded, name="zero_pad1d", axes="L"):
    """Zeros before and after the last axis, as `torch.nn.ZeroPad1d`: a copy, no arithmetic."""


class ZeroPad2d(Padded, name="zero_pad2d", axes="HW"):
    """Zeros around the last two axes, as `torch.nn.ZeroPad2d`: a copy, no arithmetic."""


class ZeroPad3d(Padded, name="zero_pad3d", axes="DHW"):
    """Zeros around the last three axes, as `torch.nn.ZeroPad3d`: a copy, no arithmetic."""
