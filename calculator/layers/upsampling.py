"""Layers that give an image another size: upsampling and pixel shuffle."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any, Self

from calculator.core.calculation import fact, quantity
from calculator.core.expression import Expression
from calculator.core.fields import choice, decision
from calculator.core.operations import Operations, times
from calculator.core.tensor_fields import Extent, Factor, shape
from calculator.layers.layer import Layer
from calculator.layers.windows import average_below_zero, shared_out

_EXACT = 2**53  # up to here a double holds every whole number
_NEEDS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}  # dimensions
_COPIES = ("nearest", "nearest-exact")
_MODES = (*_COPIES, *_NEEDS, "area")
_KNOWN = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


class _Interpolation(Layer):
    """An image in another size, in a mode that is given or fixed."""

    size: Any = Extent(
        "m",
        default=None,
        optional=True,
        label="Output size",
        help="One for all axes, or one per axis.",
    )
    scale_factor: Any = Factor(
        "s",
        default=None,
        optional=True,
        label="Scale factor",
        start=2,
        help="Instead of an output size.",
    )
    mode: Any = "nearest"
    align_corners: Any = None
    recompute_scale_factor: Any = None
    shape: tuple[int, ...] = shape("n", default=(1, 64, 28, 28), label="Input shape", role="input")

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (given,) = input_shapes
        return cls.fitted(
            lambda layer: layer.unfit(fields.get("size")), given, shape=given, **fields
        )

    def validate_module(self) -> None:
        if self.align_corners is not None and self.mode in (*_COPIES, "area"):
            raise self.fields["align_corners"].refuse(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear. Leave it out",
                self.align_corners,
            )
        if self.size is not None and self.scale_factor is not None:
            raise self.fields["scale_factor"].refuse(
                "only one of size or scale_factor should be defined. Leave one of them out",
                self.fields["scale_factor"].write(self.scale_factor),
            )
        if self.size is None and self.scale_factor is None:
            raise self.fields["size"].refuse(
                "either size or scale_factor should be defined. Give one of them", "nothing"
            )

    def unfit(self, size: Any) -> str:
        """Return torch's reason to reject an input of this shape, with the size as it was given."""
        axes = list(self.shape[2:])
        ask = "Please provide input tensor in (N, C, d1, d2, ...,dK) format and"
        if isinstance(size, (tuple, list)) and len(size) != len(axes):
            return (
                "Input and output must have the same number of spatial dimensions, but got input "
                f"with spatial dimensions of {axes} and output size of {size}. {ask} output size "
                "in (o1, o2, ...,oK) format. Give one number for all axes"
            )
        factor = self.scale_factor
        if isinstance(factor, tuple) and len(factor) != len(axes):
            return (
                "Input and scale_factor must have the same number of spatial dimensions, but got "
                f"input with spatial dimensions of {axes} and scale_factor of shape {factor}. "
                f"{ask} scale_factor in (s1, s2, ...,sK) format. Give one number for all axes"
            )
        if self.size is not None and self.recompute_scale_factor:
            raise self.fields["recompute_scale_factor"].refuse(
                "recompute_scale_factor is not meaningful with an explicit size. Leave it out", True
            )
        dimensions = len(self.shape)
        needed = _NEEDS.get(self.mode, dimensions)
        reason = (
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {dimensions}D) for the modes: {_KNOWN} (got {self.mode})"
        )
        if self.mode not in _MODES:
            if self.mode == "lanczos" and dimensions == 4:
                reason = "Lanczos mode requires antialias=True"
            raise self.fields["mode"].refuse(f"{reason}. Use one of {', '.join(_MODES)}", self.mode)
        if not 3 <= dimensions <= 5 or (self.mode == "bicubic" and dimensions != 4):
            return f"{reason}. Change the mode or the input"
        if dimensions != needed:
            return (
                f"Got {dimensions}D input, but {self.mode} mode needs {needed}D input. "
                "Change one of them"
            )
        return ""

    def validate_input(self) -> None:
        reason = self.unfit(self.size)
        if reason:
            raise self.fields["shape"].refuse(reason, self.shape)
        given = "scale_factor" if self.size is None else "size"
        refuse = self.fields[given].refuse
        written = self.fields[given].write(getattr(self, given))
        if self.scale_factor is not None and max(self.products) > _EXACT:
            raise refuse(
                f"gives a size above {_EXACT}, too large for double precision; give size", written
            )
        found = self.sizes()
        if min(found) < 1:
            reason = self._too_small(self.shape[2:], found)
            raise refuse("must be at least 1", written, reason)

    def _too_small(self, sizes: tuple[int, ...], found: tuple[int, ...]) -> str:
        """Return torch's reason to reject an output of these sizes, if it has one."""
        if self.mode == "area":
            if min(found) == 0:
                return ""
            padded = (1, *found) if len(found) == 1 else found
            return average_below_zero(padded)
        given, wanted = (
            ", ".join(
                f"{axis}: {each}" for axis, each in zip("DHW"[-len(found) :], of, strict=True)
            )
            for of in (sizes, found)
        )
        both = " and" if len(found) == 1 else ""
        return (
            "Input and output sizes should be greater than 0, but got "
            f"input ({given}){both} output ({wanted})"
        )

    def along(self, given: Any) -> tuple[Any, ...]:
        """Return what is given, one for each axis."""
        return given if isinstance(given, tuple) else tuple(given for _ in self.shape[2:])

    @fact
    def products(self) -> tuple[float, ...]:
        """Each size times its factor, in double precision."""
        factors = self.along(self.scale_factor)
        return tuple(float(n) * s for n, s in zip(self.shape[2:], factors, strict=True))

    @fact
    def rounded(self) -> tuple[int | None, ...]:
        """The output sizes that differ in double precision from those of the factors as written."""
        if self.scale_factor is None:
            return self.along(None)
        factors = self.along(self.scale_factor)
        exact = [n * Fraction(repr(s)) for n, s in zip(self.shape[2:], factors, strict=True)]
        pairs = zip(self.products, exact, strict=True)
        return tuple(int(found) if int(found) != int(each) else None for found, each in pairs)

    def sizes(self) -> tuple[int, ...]:
        """Return the size of the output along each axis."""
        if self.size is not None:
            return self.along(self.size)
        factors = zip(self.shape[2:], self.along(self.scale_factor), self.rounded, strict=True)
        return tuple(_whole(n * s) if found is None else found for n, s, found in factors)

    @fact
    def is_mean(self) -> bool:
        """Whether one window covers all: torch then takes a mean, and needs the input no more."""
        return self.mode == "area" and set(self.sizes()) == {1}

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The batch, the channels, one axis to three."""
        return self.shape

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The batch, the channels, a size for each axis."""
        return (*self.shape[:2], *self.sizes())

    @quantity()
    def operations(self) -> Operations:
        """Weighted sums of 2 or 4 neighbours, axis after axis; means of windows in mode area."""
        if self.mode == "area":
            planes, sizes = prod(self.shape[:2]), self.sizes()
            steps = planes * (shared_out(self.shape[2:], sizes) - prod(sizes))
            return {"additions": steps, "divisions": planes * prod(sizes)}
        if self.mode not in _NEEDS:
            return {}
        neighbours = 4 if self.mode == "bicubic" else 2
        sums = sum(neighbours**axis for axis in range(len(self.shape) - 2))
        each = {"additions": sums * (neighbours - 1), "multiplications": sums * neighbours}
        return times(prod(self.output_shape), each)

    def keeps(self) -> tuple[bool, bool]:
        """Nothing: neighbours and weights follow from the sizes. A mode area keeps the input."""
        return self.mode == "area" and self.input_requires_grad and not self.is_mean, False


class Upsample(_Interpolation, name="upsample"):
    r"""An image in another size, as `torch.nn.Upsample`: input `(N, C, L)` to `(N, C, D, H, W)`.

    `nearest` and `nearest-exact` copy: no arithmetic. `linear`, `bilinear` and `trilinear` weigh
    the 2 neighbours of an output along each axis, `bicubic` the 4, one axis after another and each
    output by itself, as torch's kernels do: with m neighbours a weighted sum is m multiplications
    and m − 1 additions, and n axes take 1 + m + … + mⁿ⁻¹ such sums. `area` takes the mean of each
    window, as adaptive average pooling does. Where an output lies and what its neighbours weigh is
    not counted: it follows from the sizes alone and is found once per position of an axis, not
    per element. Neighbours outside of the image count like all others.

    A `scale_factor` gives ⌊size · factor⌋, multiplied in double precision as torch does it.
    """

    mode: str = choice(
        default="nearest", label="Mode", open=True,
        options={mode: mode for mode in _MODES},
    )  # fmt: skip
    align_corners: bool | None = decision(default=None, label="Align corners")
    recompute_scale_factor: bool | None = decision(default=None, label="Recompute the scale")


class UpsamplingNearest2d(_Interpolation, name="upsampling_nearest2d"):
    """An image in another size, as `torch.nn.UpsamplingNearest2d`: copies, no arithmetic.

    It is `Upsample` in mode `nearest`.
    """


class UpsamplingBilinear2d(_Interpolation, name="upsampling_bilinear2d"):
    """An image in another size, as `torch.nn.UpsamplingBilinear2d`, with corners aligned.

    It is `Upsample` in mode `bilinear`: six multiplications and three additions per output.
    """

    mode = "bilinear"
    align_corners = True


def _whole(number: Any) -> Any:
    """Return what a number is cut to; an output that torch rejects may be negative."""
    return number // 1 if isinstance(number, Expression) else int(number)
