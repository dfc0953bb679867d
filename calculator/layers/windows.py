"""Windows that slide along each axis: where they lie, and where torch rejects them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from calculator.core.calculation import quantity
from calculator.core.dtypes import INDEX_BYTES
from calculator.core.expression import gcd, minimum
from calculator.core.fields import InvalidField, size
from calculator.layers.inputs import Sizes, Spatial
from calculator.layers.layer import Layer

TOO_LARGE = "Make kernel_size smaller, or padding or the input larger"


class Windows(Spatial):
    """Windows on each channel by itself.

    Along each axis a window of K positions moves on by S. Positions outside of the input count like
    all others, be they padding or what `ceil_mode` lets the last window reach.
    """

    kernel_size: Sizes
    stride: Sizes
    padding: Sizes
    ceil_mode: bool
    channels: int = size("C", default=64, label="Channels", role="input")

    @classmethod
    def wrong_dimensions(cls, shape: tuple[int, ...], fields: dict[str, Any]) -> str:
        axes = len(cls.axes)
        return (
            f"non-empty {axes + 1}D or {axes + 2}D (batch mode) tensor expected for input. "
            f"Give (N, C, {', '.join(cls.axes)})"
        )

    def validate_input(self) -> None:
        geometry = self.kernel_size, self.steps(), self.padding, self.dilations()
        for k, s, p, d in zip(*geometry, strict=True):
            if s == 0:
                raise self.refused("stride", "stride should not be zero", "Give 1 or more")
            if p < 0:
                reason = f"pad must be non-negative, but got pad: {p}"
                raise self.refused("padding", reason, "Give 0 or more")
            if p > _half((k - 1) * d + 1):
                raise self.refused(
                    "padding",
                    "pad should be at most half of effective kernel size, but got "
                    f"pad={p}, kernel_size={k} and dilation={d}",
                    "Make padding smaller, or kernel_size larger",
                )
        kernel, steps, padding, dilations = (
            self.with_height(numbers, 0 if numbers is self.padding else 1) for numbers in geometry
        )
        for name, letter, numbers in [
            ("kernel_size", "k", kernel),
            ("stride", "d", steps),
            ("dilation", "dilation", dilations),
        ]:
            if min(numbers.values()) < 1:
                reason = f"{name.replace('_', ' ')} should be greater than zero, but got "
                raise self.refused(name, reason + spelled(letter, numbers), "Give 1 or more")
        self.validate_fit(kernel)
        if any(padding[axis] > kernel[axis] // 2 for axis in kernel):
            order = "WH" if "T" not in kernel else "TWH"
            kernel, padding = ({axis: each[axis] for axis in order} for each in (kernel, padding))
            said = f"{spelled('k', kernel)} {spelled('pad', padding)}"
            if "T" not in kernel:
                parts = f"{spelled('pad', padding)} {spelled('k', kernel)}".replace(": ", " = ")
                said = parts.replace(" pad", ", pad").replace(" k", ", k")
            reason = "pad should be smaller than or equal to half of kernel size, but got "
            raise self.refused("padding", reason + said, "Make padding smaller")
        if min(self.output_size) < 1:
            given, found = (self.with_height(each, 1) for each in self.sizes())
            raise self.refused(
                "kernel_size",
                f"Given input size: ({_by(self.channels, given)}). "
                f"Calculated output size: ({_by(self.channels, found)}). Output size is too small",
                TOO_LARGE,
            )

    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the sizes of input and output."""
        return self.input_size(), self.output_size

    def validate_fit(self, kernel: dict[str, int]) -> None:
        """Raise InvalidField if the input has to be as large as a window."""

    def refused(self, name: str, reason: str, advice: str) -> InvalidField:
        """Return the error of a field; a stride that is left out is the kernel size."""
        if getattr(self, name) is None:
            name = "kernel_size"
        field = self.fields[name]
        return field.refuse(f"{reason}. {advice}", field.write(getattr(self, name)))

    def with_height(self, numbers: tuple[int, ...], height: int) -> dict[str, int]:
        """Return a number for each of torch's axes: it takes one axis for two, the first of 1."""
        if self.axes == "L":
            return {"H": height, "W": numbers[0]}
        return dict(zip(self.axes.replace("D", "T"), numbers, strict=True))

    def steps(self) -> tuple[int, ...]:
        """Return how far the window moves along each axis: by its own length if not given."""
        steps: tuple[int, ...] = self.kernel_size if self.stride is None else self.stride
        return steps

    def dilations(self) -> tuple[int, ...]:
        """Return the distance of neighbours in a window along each axis."""
        return tuple(1 for _ in self.axes)

    def room(self) -> tuple[int, ...]:
        """Return how far the first window can move along each axis."""
        geometry = zip(self.input_size(), self.padding, self.kernel_size, strict=True)
        return tuple(size + 2 * p - k for size, p, k in geometry)

    @quantity()
    def output_size(self) -> tuple[int, ...]:
        """One output a window.

        In ceil_mode one more may reach out, if it starts on the input or the padding before it.
        """
        room = zip(self.room(), self.steps(), strict=True)
        if not self.ceil_mode:
            return tuple(each // s + 1 for each, s in room)
        starts = zip(self.input_size(), self.padding, strict=True)
        return tuple(
            minimum((each + s - 1) // s, (size + p - 1) // s) + 1
            for (each, s), (size, p) in zip(room, starts, strict=True)
        )

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The batch, the channels, a size for each axis."""
        return (*self.leading(), self.channels, *self.output_size)

    def outputs(self) -> int:
        """Return how many windows there are, in all channels."""
        return self.samples() * self.channels * prod(self.output_size)

    def keeps(self) -> tuple[bool, bool]:
        """The input."""
        return self.input_requires_grad, False


class Largest(Layer):
    """The largest number of each window: K − 1 comparisons for its K positions.

    To remember where it stood is no arithmetic: `return_indices` adds bytes only.
    """

    return_indices: bool

    def outputs(self) -> int:
        """Return how many windows there are, in all channels."""
        raise NotImplementedError

    def gives_beside(self) -> str:
        return "the indices" if self.return_indices else ""

    @quantity()
    def output_bytes(self) -> int:
        """The largest numbers, and where they stood if that is asked for."""
        each = self.element_bytes + INDEX_BYTES if self.return_indices else self.element_bytes
        return self.outputs() * each

    def keeps(self) -> tuple[bool, bool]:
        """The input."""
        return self.input_requires_grad, False

    def kept_bytes(self) -> int:
        """Return the bytes of the indices, by which the gradient finds its way."""
        return self.outputs() * INDEX_BYTES if self.input_requires_grad else 0


def _half(number: int) -> int:
    """Return a half, towards zero as in C++."""
    return number // 2 if number >= 0 else -(-number // 2)


def spelled(name: str, numbers: dict[str, int]) -> str:
    """Return numbers by axis as torch quotes them: kH: 2 kW: 2."""
    return " ".join(f"{name}{axis}: {number}" for axis, number in numbers.items())


def _by(channels: int, sizes: dict[str, int]) -> str:
    return "x".join(map(str, [channels, *sizes.values()]))


def average_below_zero(sizes: Sequence[int]) -> str:
    """Return torch's reason to reject a negative size among these, of two axes or three."""
    said = f"{sizes[0]}, {','.join(map(str, sizes[1:]))}"  # spaced as torch does it
    return (
        f"adaptive_avg_pool{len(sizes)}d: elements of output_size must be greater than or "
        f"equal to 0 but received {{{said}}}"
    )


def shared_out(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    """Return how many positions the windows of adaptive pooling hold, all together.

    Window i of an axis begins at ⌊i·in/out⌋ and ends before ⌈(i + 1)·in/out⌉. The sizes of an
    axis' windows sum to in + out − gcd(in, out): each position once, and once more if a window
    ends inside of it.
    """
    return prod(size + out - gcd(size, out) for size, out in zip(sizes, outputs, strict=True))
