"""The fully connected layer."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import quantity
from calculator.fields import flag, size
from calculator.layer import Layer


class Linear(Layer, name="linear"):
    """Fully connected layer, as `torch.nn.Linear`.

    Input `(N, d_in)` or `(N, L, d_in)`, output the same with `d_out` at the end. Every leading
    position is a row of one matrix product.
    """

    in_features: int = size(r"d_\text{in}", default=768, label="Input features", required=True)
    out_features: int = size(r"d_\text{out}", default=3072, label="Output features", required=True)
    bias: bool = flag(default=True, label="Bias")
    batch_size: int = size("N", default=1, label="Batch size", role="input")
    sequence_length: int | None = size(
        "L", default=None, label="Sequence length", role="input", optional=True,
        help="Leave empty for an input (N, in_features).",
    )  # fmt: skip

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        *leading, features = input_shape
        if len(leading) not in (1, 2):
            raise cls.misfit(
                "Linear takes (N, in_features) or (N, L, in_features) here, and got "
                f"{len(input_shape)} dimensions. Multiply the leading ones into N, "
                "or put Flatten() before it",
                input_shape,
            )
        expected = fields.get("in_features", features)
        if features != expected:
            out_features = fields.get("out_features", cls.fields["out_features"].default)
            raise cls.misfit(
                f"mat1 and mat2 shapes cannot be multiplied ({prod(leading)}x{features} and "
                f"{expected}x{out_features}). Set in_features={features}",
                input_shape,
            )
        sequence_length = leading[1] if len(leading) == 2 else None
        return cls(batch_size=leading[0], sequence_length=sequence_length, **fields)

    @quantity(r"\text{rows}", label="Rows of the input")
    def rows(self) -> int:
        """Every leading position: torch multiplies each by the weight."""
        return prod(self._leading())

    def _leading(self) -> tuple[int, ...]:
        if self.sequence_length is None:
            return (self.batch_size,)
        return (self.batch_size, self.sequence_length)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """`(N, d_in)` or `(N, L, d_in)`."""
        return (*self._leading(), self.in_features)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """`(N, d_out)` or `(N, L, d_out)`."""
        return (*self._leading(), self.out_features)

    @quantity()
    def params(self) -> int:
        """The weight, and one bias an output feature."""
        weight = self.in_features * self.out_features
        return weight + self.out_features if self.bias else weight

    @quantity()
    def macs(self) -> int:
        """One multiply-accumulate per weight and per row of the input."""
        return self.rows * self.in_features * self.out_features

    @quantity()
    def operations(self) -> dict[str, int]:
        """The bias is one addition an output."""
        additions = {"additions": self.rows * self.out_features} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}

    @quantity(r"\text{FLOPs}_\text{exact}", unit="FLOP", label="Counted one by one")
    def exact_flops(self) -> int:
        """K products need K − 1 additions; the bias is the K-th."""
        products = 2 * self.in_features
        each = products if self.bias else products - 1
        return self.rows * self.out_features * each
