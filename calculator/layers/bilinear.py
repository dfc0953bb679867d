"""The product of two inputs through a table."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.core.calculation import quantity
from calculator.core.fields import flag, size
from calculator.core.operations import Operations
from calculator.core.tensor_fields import shape
from calculator.layers.layer import Layer


class Bilinear(Layer, name="bilinear"):
    """The product of two inputs through a table, as `torch.nn.Bilinear`: y = x₁ᵀ A x₂ + b.

    Inputs `(…, d_1)` and `(…, d_2)`, output the same with `d_out` at the end. Each output has a
    matrix of its own, and torch multiplies from the left: x₁ᵀ A first, then that with x₂.
    """

    more_inputs = ("input2",)

    in1_features: int = size(
        "d_1", default=128, label="First input features", required=True,
        refusal="in1_features must be > 0, but got (in1_features={given})",
    )  # fmt: skip
    in2_features: int = size("d_2", default=128, label="Second input features", required=True)
    out_features: int = size(r"d_\text{out}", default=64, label="Output features", required=True)
    bias: bool = flag(default=True, label="Bias")
    leading: Any = shape(
        "n", default=(32,), label="Rows", role="input", optional=True,
        help="Leading dimensions of both inputs; leave empty for none.",
    )  # fmt: skip

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        one, other = input_shapes
        return cls.fitted(
            lambda layer: layer.misfitting(one, other), one, leading=one[:-1] or None, **fields
        )

    def misfitting(self, one: tuple[int, ...], other: tuple[int, ...]) -> str:
        """Return torch's reason to reject two inputs, and what to give."""
        if len(one) != len(other):
            return (
                f"bilinear(): input dimensions do not match: got {len(one)} and {len(other)}. "
                "Give both inputs the same number of dimensions"
            )
        for place, (rows, others) in enumerate(zip(one[:-1], other[:-1], strict=True)):
            if rows != others:
                said = (
                    f"input batch dimensions do not match at dim {place}: got {rows} and {others}"
                )
                return f"bilinear(): {said}. Give both inputs the same leading dimensions"
        for name, (*_, features) in (("in1_features", one), ("in2_features", other)):
            wanted = getattr(self, name)
            if features != wanted:
                return (
                    f"bilinear(): input{name[2]} size does not match weight size: got {features} "
                    f"but expected {wanted}. Set {name}={features}"
                )
        return ""

    def rows(self) -> int:
        """Return how many pairs of inputs there are."""
        return prod(self.leading or ())

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        leading = self.leading or ()
        return (*leading, self.in1_features), (*leading, self.in2_features)

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """That of the first input: the rows, then its features."""
        return (*(self.leading or ()), self.in1_features)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The rows, then `d_out`."""
        return (*(self.leading or ()), self.out_features)

    @quantity()
    def params(self) -> int:
        """One matrix per output, and one bias."""
        weight = self.out_features * self.in1_features * self.in2_features
        return weight + self.out_features if self.bias else weight

    @quantity()
    def macs(self) -> int:
        """For each output x₁ᵀ A, a product for each number of A, and one more for each of x₂."""
        each = self.in1_features * self.in2_features + self.in2_features
        return self.rows() * self.out_features * each

    @quantity()
    def operations(self) -> Operations:
        """The bias is one addition per output."""
        additions = {"additions": self.rows() * self.out_features} if self.bias else {}
        return {"multiply_accumulates": self.macs, **additions}

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of both inputs, each read once."""
        return self.rows() * (self.in1_features + self.in2_features) * self.element_bytes

    @quantity()
    def backward_macs(self) -> int:
        """A product for each number of A, for A itself and for each of the two inputs."""
        gradients = self.weight_requires_grad + 2 * self.input_requires_grad
        if not gradients:
            return 0
        weight = self.out_features * self.in1_features * self.in2_features
        return gradients * (self.rows() * weight)

    def keeps(self) -> tuple[bool, bool]:
        """Both inputs: each for the gradient of the other, and of the weight."""
        return self.is_trained(), False
