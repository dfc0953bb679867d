"""What every layer has: a dtype, shapes, and the quantities that follow from its own."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from calculator.calculation import Calculation, quantity
from calculator.expression import ratio
from calculator.fields import InvalidField, choice
from calculator.units import DTYPE_BYTES, TORCH_DTYPES


class Measured(Calculation):
    """Work and bytes, of one layer or of several: what a runtime is computed from."""

    dtype: str = choice(
        default="fp32",
        label="Data type",
        role="storage",
        options={dtype: f"{dtype} · {size} B" for dtype, size in DTYPE_BYTES.items()},
        also=TORCH_DTYPES,
    )

    @quantity(label="Output shape")
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        raise NotImplementedError

    @quantity(r"\text{MACs}", unit="MAC", label="Multiply-accumulates")
    def macs(self) -> int:
        """The multiply-accumulates of the matrix work."""
        raise NotImplementedError

    @quantity(r"\text{FLOPs}", unit="FLOP", label="Floating-point operations")
    def flops(self) -> int:
        """Two for each multiply-accumulate: one multiplication and one addition."""
        return 2 * self.macs

    @quantity(r"\text{params}", label="Parameters")
    def params(self) -> int:
        """The learnable numbers, the bias included."""
        raise NotImplementedError

    @quantity(label="Operations")
    def operations(self) -> dict[str, int]:
        """Every operation by its kind; a multiply-accumulate is one, and starts from zero."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{weight}", unit="B", label="Weight bytes")
    def weight_bytes(self) -> int:
        """The bytes of the parameters."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{in}", unit="B", label="Input bytes")
    def input_bytes(self) -> int:
        """The bytes of the input, read once."""
        raise NotImplementedError

    @quantity(r"\text{bytes}_\text{out}", unit="B", label="Output bytes")
    def output_bytes(self) -> int:
        """The bytes of the output, written once."""
        raise NotImplementedError

    @quantity(r"\text{bytes}", unit="B", label="Bytes moved")
    def bytes_moved(self) -> int:
        """The least traffic with memory: weights and input read once, output written once."""
        return self.weight_bytes + self.input_bytes + self.output_bytes

    @quantity("I", unit="FLOP/B", label="Arithmetic intensity")
    def arithmetic_intensity(self) -> float | None:
        """FLOPs per byte moved.

        Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.
        """
        return ratio(self.flops, self.bytes_moved)


class Layer(Measured):
    """A layer named and parameterised as in `torch.nn`, with the shape of its input.

    A subclass gives its shapes, `params`, `macs` and the `operations` beside them. What is not
    multiply-accumulate work is never inside `flops`.
    """

    @classmethod
    def on(cls, input_shape: tuple[int, ...], **fields: Any) -> Self:
        """Return the layer on an input of this shape, as a sequence of layers chains them.

        Raises InvalidField, of "input_shape", where the shape does not fit.
        """
        raise NotImplementedError

    @classmethod
    def misfit(cls, reason: str, input_shape: tuple[int, ...]) -> InvalidField:
        """Return the error for a shape that the layer does not take."""
        return InvalidField("input_shape", reason, given=input_shape)

    @quantity("b", unit="B", label="Bytes per element")
    def element_bytes(self) -> int:
        """The bytes of one element of the data type."""
        return DTYPE_BYTES[self.dtype]

    @quantity(label="Input shape")
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the input."""
        raise NotImplementedError

    @quantity()
    def params(self) -> int:
        """A layer without parameters has none."""
        return 0

    @quantity()
    def macs(self) -> int:
        """A layer without matrix work has none."""
        return 0

    @quantity()
    def weight_bytes(self) -> int:
        """The bytes of the parameters, the bias included."""
        return self.params * self.element_bytes

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of the input, read once."""
        return prod(self.input_shape) * self.element_bytes

    @quantity()
    def output_bytes(self) -> int:
        """The bytes of the output, written once."""
        return prod(self.output_shape) * self.element_bytes

    def module_arguments(self) -> dict[str, Any]:
        """Return what torch's constructor is given: the module's arguments, in torch's order."""
        return {
            name: value
            for name, value in self.values().items()
            if self.fields[name].role == "module"
        }
