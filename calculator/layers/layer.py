"""What every layer has: a dtype, shapes, and the quantities that follow from its own."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, Self

from calculator.core.calculation import Calculation, fact, quantity
from calculator.core.dtypes import DTYPE_BYTES, DTYPE_LABELS, TORCH_DTYPES
from calculator.core.expression import maximum, ratio
from calculator.core.fields import InvalidField, choice, flag, size
from calculator.core.operations import Operations, flops, worth


class Work(Calculation):
    """Work and bytes, of one layer or of several: what a runtime is computed from."""

    input_requires_grad: bool = flag(
        default=True, label="Gradient of the input", role="training",
        help="Off for the first layer of a network.",
    )  # fmt: skip
    weight_requires_grad: bool = flag(
        default=True, label="Gradient of the weights", role="training",
        help="Off for frozen weights.",
    )  # fmt: skip
    convention: str = choice(
        default="matrix", label="Counting convention", role="convention",
        options={"matrix": "2 × MACs of the matrix work", "all": "all arithmetic"},
    )  # fmt: skip
    function_weight: int = size(
        "w", default=8, minimum=0, label="Cost of exp, tanh, … (FLOPs)", role="convention",
        help="Used when all arithmetic is counted.",
    )  # fmt: skip
    dtype: str = choice(
        default="fp32", label="Data type", role="storage",
        options=DTYPE_LABELS, also=TORCH_DTYPES,
    )  # fmt: skip

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
        """Two for each multiply-accumulate: one multiplication and one addition.

        In the convention "all" every operation counts once, a multiply-accumulate as two, a
        function such as exp as `function_weight`, a table look-up not at all.
        """
        if self.convention == "matrix":
            return 2 * self.macs
        counted: int = flops(self.operations, self.flops_each())
        return counted

    @fact
    def batch_axis(self) -> int | None:
        """The axis of the input that is its batch, None for an input without one."""
        shape = getattr(self, "input_shape", ())
        if len(shape) < 2 or getattr(self, "batch_size", 1) is None:
            return None
        return 1 if len(shape) == 3 and getattr(self, "batch_first", True) is False else 0

    def notes(self) -> tuple[str, ...]:
        """Return what a reader has to know of the figures, in sentences."""
        return ()

    def flops_each(self) -> dict[str, Any]:
        """Return the FLOPs that one operation of each kind counts for."""
        return worth(self.convention, self.function_weight)

    @quantity(r"\text{params}", label="Parameters")
    def params(self) -> int:
        """The learnable numbers, the bias included."""
        raise NotImplementedError

    @quantity(r"\text{buffers}", label="Buffers")
    def buffers(self) -> int:
        """The numbers that are kept with the parameters and not learned, as running means."""
        return 0

    @quantity(label="Operations")
    def operations(self) -> Operations:
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
        """The minimum of memory traffic: weights and input read once, output written once."""
        return self.weight_bytes + self.input_bytes + self.output_bytes

    @quantity("I", unit="FLOP/B", label="Arithmetic intensity")
    def arithmetic_intensity(self) -> float | None:
        """FLOPs per byte moved.

        Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.
        """
        return ratio(self.flops, self.bytes_moved)

    @quantity(r"\text{MACs}_\text{backward}", unit="MAC", label="MACs of the backward pass")
    def backward_macs(self) -> int:
        """The multiply-accumulates of the gradients that are asked for."""
        raise NotImplementedError

    @quantity(r"\text{MACs}_\text{training}", unit="MAC", label="MACs, forward and backward")
    def training_macs(self) -> int:
        """Both passes together, nothing computed twice."""
        return self.macs + self.backward_macs

    @quantity(
        r"\text{FLOPs}_\text{training}", unit="FLOP", label="Matrix FLOPs, forward and backward"
    )
    def training_flops(self) -> int:
        """Two for each multiply-accumulate of both passes, in either convention."""
        return 2 * self.training_macs

    @quantity(r"\text{bytes}_\text{saved}", unit="B", label="Saved for the backward pass")
    def activation_bytes(self) -> int:
        """What autograd keeps until the backward pass, parameters and buffers apart."""
        raise NotImplementedError


def widened(element_bytes: int) -> int:
    """Return the bytes per element, if torch computes a shorter type as FP32."""
    return maximum(element_bytes, 4)


class Layer(Work):
    """A layer named and parameterised as in `torch.nn`, with the shape of its input.

    A subclass gives its shapes, `params`, `macs` and the other `operations`. What is not
    multiply-accumulate work is never inside `macs`.
    """

    in_torch: ClassVar[bool] = True
    """Whether `torch.nn` has a module of this name."""
    takes_indices: ClassVar[bool] = False
    """Whether the input is whole numbers, which have no gradient."""
    more_inputs: ClassVar[tuple[str, ...]] = ()
    """The inputs that torch's module requires besides the first: it is in no `Sequential`."""

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        """Return the layer on inputs of these shapes, as a sequence of layers chains them.

        Raises InvalidField, of "input_shape", if a shape does not fit.
        """
        raise NotImplementedError

    @classmethod
    def fitted(
        cls, misfit: Callable[[Self], str], shape: tuple[int, ...], /, **fields: Any
    ) -> Self:
        """Return the layer if `misfit` accepts an input of this shape.

        In torch's order: first the arguments are looked at, then whether the input fits them, and
        at last its sizes.
        """
        layer = cls.__new__(cls)
        layer._fill(fields)
        layer.validate_module()
        reason = misfit(layer)
        if reason:
            raise InvalidField("input_shape", reason, given=shape)
        layer.validate_input()
        return layer

    def validate(self) -> None:
        self.validate_module()
        self.validate_input()

    def validate_module(self) -> None:
        """Raise InvalidField if torch's constructor would reject the arguments together."""

    def validate_input(self) -> None:
        """Raise InvalidField if torch's module would reject an input of these sizes."""

    @classmethod
    def misfit(cls, reason: str, input_shape: tuple[int, ...]) -> InvalidField:
        """Return the error for a shape that the layer does not take."""
        return InvalidField("input_shape", reason, given=input_shape)

    @quantity("b", unit="B", label="Bytes per element")
    def element_bytes(self) -> int:
        """The bytes of one element of the data type."""
        return DTYPE_BYTES[self.dtype]

    @fact
    def is_widened(self) -> bool:
        """Whether FP32 is wider than the data type."""
        return DTYPE_BYTES[self.dtype] < DTYPE_BYTES["fp32"]

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
    def operations(self) -> Operations:
        """None: no element is computed."""
        return {}

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

    @quantity()
    def backward_macs(self) -> int:
        """The same number again for the gradient of the input, and for that of the weights."""
        gradients = self.input_requires_grad + self.weight_requires_grad
        return gradients * self.macs if gradients else 0

    def is_trained(self) -> bool:
        """Return whether there is a gradient to compute."""
        return self.input_requires_grad or self.weight_requires_grad

    def keeps(self) -> tuple[bool, bool]:
        """Return whether autograd saves the input and whether it saves the output."""
        return False, False

    def kept_bytes(self) -> int:
        """Return the bytes that autograd saves besides input and output, such as indices."""
        return 0

    @quantity()
    def activation_bytes(self) -> int:
        """What autograd keeps: the input, the output or neither, and what is listed with it."""
        kept = zip(self.keeps(), (self.input_bytes, self.output_bytes), strict=True)
        return sum(each for is_kept, each in kept if is_kept) + self.kept_bytes()

    def held_bytes(self) -> tuple[int, int]:
        """Return the bytes of the input and of the output while autograd holds them."""
        return self.input_bytes, self.output_bytes

    def useful(self) -> int:
        """Return the multiply-accumulates that reach the output, masked ones left out."""
        return self.macs

    def gives_beside(self) -> str:
        """Return what torch returns besides the output, in a tuple that no other layer takes."""
        return ""

    def gives_a_view(self) -> bool:
        """Return whether the output shares the memory of the input."""
        return False

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes that `on` takes, for a layer of several inputs one each."""
        return (self.input_shape,)

    def module_arguments(self) -> dict[str, Any]:
        """Return what torch's constructor is given: the module's arguments, in torch's order."""
        return {
            name: value
            for name, value in self.values().items()
            if self.fields[name].role == "module"
        }
