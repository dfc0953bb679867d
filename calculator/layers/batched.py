"""Layers on a batch of inputs, or on one input without a batch; sequences among them."""

from __future__ import annotations

from calculator.core.fields import size
from calculator.layers.layer import Layer

Shape = tuple[int, ...]


class Batched(Layer):
    """A layer on a batch of inputs, or on one where `batch_size` is None."""

    batch_size: int | None = size(
        "N", default=1, label="Batch size", role="input", optional=True,
        help="Empty: an input without a batch.",
    )  # fmt: skip

    def samples(self) -> int:
        """Return how many inputs the batch holds."""
        return 1 if self.batch_size is None else self.batch_size

    def leading(self) -> Shape:
        """Return the shape in front of an input: the batch, where there is one."""
        return () if self.batch_size is None else (self.batch_size,)


class Sequences(Batched):
    """A layer on `(L, N, d)`, `(N, L, d)` where `batch_first`, or `(L, d)` without a batch."""

    batch_first: bool

    def sequence(self, length: int, features: int) -> Shape:
        """Return the shape of a sequence of this length, and of so many features."""
        if self.batch_first:
            return (*self.leading(), length, features)
        return (length, *self.leading(), features)

    def copies(self, length: int) -> bool:
        """Return whether torch lays an input of this length out anew, its length first."""
        return self.batch_first and self.samples() > 1 and length > 1


def batch_and_length(shape: Shape, batch_first: bool) -> tuple[int | None, int]:
    """Return the batch and the length of a sequence of any number of dimensions."""
    if len(shape) < 3:
        return None, shape[0]
    return (shape[0], shape[1]) if batch_first else (shape[1], shape[0])
