"""Rows looked up in a table."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self

from calculator.core.calculation import quantity
from calculator.core.dtypes import INDEX_BYTES
from calculator.core.expression import minimum
from calculator.core.fields import LARGEST, Flag, Size, choice, flag, size
from calculator.core.measure_fields import real
from calculator.core.operations import Operations
from calculator.core.tensor_fields import shape
from calculator.layers.layer import Layer

_PADDING_IDX: Any = Size(
    "", default=None, minimum=-LARGEST, optional=True, label="Padding index",
    help="Its row is not trained.",
)  # fmt: skip
_SCALE_GRAD_BY_FREQ: Any = Flag(default=False, label="Scale gradients by frequency")
_SPARSE: Any = Flag(default=False, label="Sparse gradient")


class _Table(Layer):
    """A table of V rows with d numbers each, read row by row.

    The parameters are the whole table; what is read of it are the rows that are looked up.
    """

    num_embeddings: int = size("V", default=32000, label="Rows of the table", required=True)
    embedding_dim: int = size("d", default=4096, label="Numbers per row", required=True)
    padding_idx: int | None = _PADDING_IDX
    max_norm: float | None = real(default=None, optional=True, label="Maximum norm of a row")
    norm_type: float = real(default=2.0, label="Norm")
    scale_grad_by_freq: bool = _SCALE_GRAD_BY_FREQ
    sparse: bool = _SPARSE

    takes_indices = True
    padding_said: ClassVar[str]

    def indices(self) -> tuple[int, ...]:
        """Return the shape of the indices."""
        raise NotImplementedError

    def validate_module(self) -> None:
        padding = self.padding_idx
        if padding is not None and not -self.num_embeddings <= padding < self.num_embeddings:
            raise self.fields["padding_idx"].refuse(
                f"{self.padding_said} must be within num_embeddings. Give {-self.num_embeddings} "
                f"to {self.num_embeddings - 1}",
                padding,
            )

    def validate_input(self) -> None:
        if self.sparse and self.scale_grad_by_freq and self.weight_requires_grad:
            raise self.fields["sparse"].refuse(
                "embedding_backward: scale_grad_by_freq not supported with sparse gradients. "
                "Set one of the two, or train no weights",
                True,
            )

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """That of the indices."""
        return self.indices()

    @quantity()
    def params(self) -> int:
        """The whole table."""
        return self.num_embeddings * self.embedding_dim

    @quantity()
    def operations(self) -> Operations:
        """One look-up per index."""
        return {"lookups": prod(self.indices())}

    @quantity()
    def backward_macs(self) -> int:
        """None: the gradient of a row is added to it, and an index has none."""
        return 0

    @quantity()
    def input_bytes(self) -> int:
        """The indices, 8 bytes each."""
        return prod(self.indices()) * INDEX_BYTES

    @quantity(r"\text{bytes}_\text{rows}", unit="B", label="Bytes of the rows looked up")
    def row_bytes(self) -> int:
        """One row per index, none of them twice: if all indices differ, as far as they can."""
        rows = minimum(prod(self.indices()), self.num_embeddings)
        return rows * self.embedding_dim * self.element_bytes

    @quantity()
    def bytes_moved(self) -> int:
        """Indices and the rows looked up, read once, output written once: not the table."""
        return self.row_bytes + self.input_bytes + self.output_bytes

    def keeps(self) -> tuple[bool, bool]:
        """The indices: they say which rows the gradient belongs to."""
        return self.weight_requires_grad, False


class Embedding(_Table, name="embedding"):
    """A row of the table for each index, as `torch.nn.Embedding`: a look-up, no arithmetic.

    Shortening rows to `max_norm` is not counted, neither their norms nor the scaling: torch does it
    once for each row that is met, and which rows are met and too long depends on numbers.
    """

    size: tuple[int, ...] = shape(
        "n", default=(1, 2048), label="Shape of the indices", role="input"
    )

    padding_said = "Padding_idx"

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        return cls(size=shape, **fields)

    def indices(self) -> tuple[int, ...]:
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the indices, then the numbers of a row."""
        return (*self.size, self.embedding_dim)


class EmbeddingBag(_Table, name="embedding_bag"):
    """One row for each bag of indices, as `torch.nn.EmbeddingBag`: their sum, mean or maximum.

    Input `(B, L)`: B bags of L indices, none of them the padding index. Shortening rows to
    `max_norm` is not counted, as in `Embedding`.
    """

    scale_grad_by_freq: bool = _SCALE_GRAD_BY_FREQ
    mode: str = choice(
        default="mean", label="Reduction per bag",
        refusal="mode has to be one of sum, mean or max",
        options={"sum": "sum", "mean": "mean", "max": "maximum"},
    )  # fmt: skip
    sparse: bool = _SPARSE
    include_last_offset: bool = flag(default=False, label="Include the last offset")
    padding_idx: int | None = _PADDING_IDX
    bags: int = size("B", default=32, label="Bags", role="input")
    bag_size: int = size("L", default=20, label="Indices per bag", role="input")

    padding_said = "padding_idx"

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        if len(shape) != 2:
            reason = (
                "offsets has to be a 1D Tensor but got None"
                if len(shape) == 1
                else f"input has to be 1D or 2D Tensor, but got Tensor of dimension {len(shape)}"
            )
            raise cls.misfit(f"{reason}. Give (bags, indices of each)", shape)
        return cls(bags=shape[0], bag_size=shape[1], **fields)

    def validate_input(self) -> None:
        for name, said in (
            ("scale_grad_by_freq", "scaling the gradient by the frequency"),
            ("sparse", "sparse weights"),
        ):
            if self.mode == "max" and getattr(self, name):
                raise self.fields[name].refuse(
                    f"max mode does not support {said}. Set {name}=False", True
                )
        super().validate_input()

    def indices(self) -> tuple[int, ...]:
        return (self.bags, self.bag_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """One row per bag."""
        return (self.bags, self.embedding_dim)

    @quantity()
    def operations(self) -> Operations:
        """A look-up per index; a bag of L rows takes L − 1 additions or comparisons per number."""
        numbers = prod(self.output_shape)
        each = (self.bag_size - 1) * numbers
        found: Operations = {"lookups": prod(self.indices())}
        found["comparisons" if self.mode == "max" else "additions"] = each
        return {**found, "divisions": numbers} if self.mode == "mean" else found

    def kept_bytes(self) -> int:
        """Where each bag begins, ends, and what it holds, as torch's kernel lists it, in int64.

        A plain sum of numbers of up to 4 bytes has a kernel of its own, which needs no such list.
        The list is one longer than what it lists.
        """
        if not self.weight_requires_grad:
            return 0
        if self.mode == "max":
            listed = prod(self.indices()) + 1 + self.bags * 2 + prod(self.output_shape)
        elif self.mode == "sum" and self.padding_idx is None and self.dtype != "fp64":
            listed = self.bags * 3
        else:
            listed = prod(self.indices()) + 1 + self.bags * 3
        return listed * INDEX_BYTES
