"""The fully connected layer."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.fields import flag, size
from calculator.core.operations import Operations
from calculator.core.tensor_fields import shape
from calculator.layers.inputs import Batched


class Linear(Batched, name="linear"):
    """Fully connected layer, as `torch.nn.Linear`.

    Input `(N, d_in)` or `(N, L, d_in)`, output the same with `d_out` at the end. Every leading
    position is a row of one matrix product, however many dimensions lead.
    """

    in_features: int = size(r"d_\text{in}", default=768, label="Input features", required=True)
    out_features: int = size(r"d_\text{out}", default=3072, label="Output features", required=True)
    bias: bool = flag(default=True, label="Bias")
    sequence_length: Any = shape(
        "L", default=None, label="Sequence length", role="input", optional=True,
        help="Leave empty for (N, in_features); several numbers for (N, H, W, in_features).",
    )  # fmt: skip

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        (shape,) = input_shapes
        *leading, features = shape
        expected = fields.setdefault("in_features", features)
        rows = prod(leading)
        return cls.fitted(
            lambda layer: (
                ""
                if features == expected
                else f"mat1 and mat2 shapes cannot be multiplied ({rows}x{features} and "
                f"{expected}x{layer.out_features}). Set in_features={features}"
            ),
            shape,
            batch_size=leading[0] if leading else None,
            sequence_length=tuple(leading[1:]) or None,
            **fields,
        )

    def validate_input(self) -> None:
        if self.batch_size is None and self.sequence_length:
            raise self.fields["batch_size"].refuse(
                "is empty, but the sequence length is not; write 1 for a single sequence", "nothing"
            )

    @quantity(r"\text{rows}", label="Rows of the input")
    def rows(self) -> int:
        """Every leading position: torch multiplies each by the weight."""
        return prod(self.leading())

    def leading(self) -> tuple[int, ...]:
        """Return the shape in front of the features."""
        if self.batch_size is None:
            return ()
        return (self.batch_size, *(self.sequence_length or ()))

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """The leading positions, then `d_in`."""
        return (*self.leading(), self.in_features)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The leading positions, then `d_out`."""
        return (*self.leading(), self.out_features)

    @quantity()
    def params(self) -> int:
        """The weight, and one bias per output feature."""
        weight = self.in_features * self.out_features
        return weight + self.out_features if self.bias else weight

    @quantity()
    def macs(self) -> int:
        """One multiply-accumulate per weight and per row of the input."""
        return self.rows * self.in_features * self.out_features

    @quantity()
    def operations(self) -> Operations:
        """The bias is one addition per output."""
        additions = {"additions": self.rows * self.out_features} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}

    @quantity(r"\text{FLOPs}_\text{exact}", unit="FLOP", label="Exact count (2K − 1)")
    def exact_flops(self) -> int:
        """K products need K − 1 additions; the bias is the K-th."""
        products = 2 * self.in_features
        each = products if self.bias else products - 1
        return self.rows * self.out_features * each

    def keeps(self) -> tuple[bool, bool]:
        """The input, for the gradient of the weight."""
        return self.weight_requires_grad, False
