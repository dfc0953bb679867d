"""What is done between layers: sums and products of two tensors, dropout, nothing at all."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self

from calculator.core.calculation import fact, quantity
from calculator.core.operations import Operations, times
from calculator.core.tensor_fields import dimension, shape, shapes
from calculator.layers.inputs import from_start
from calculator.layers.layer import Layer


class _Pairwise(Layer):
    """A function of two tensors, element by element.

    A tensor with fewer dimensions is read as if sizes of 1 stood in front, and a size of 1 is
    repeated to the size of the other tensor.
    """

    size: tuple[int, ...] = shape("n", default=(32, 64), label="Shape", role="input")
    other_size: tuple[int, ...] = shape("m", default=(32, 64), label="Other shape", role="input")

    in_torch = False
    more_inputs = ("other",)

    each: ClassVar[Operations]
    """What one element of the output takes."""

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        one, other = input_shapes
        return cls(size=one, other_size=other, **fields)

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.size, self.other_size

    @fact
    def offsets(self) -> tuple[int, int]:
        """How many dimensions each tensor has less than the output."""
        one, other = len(self.size), len(self.other_size)
        return max(other - one, 0), max(one - other, 0)

    def validate_input(self) -> None:
        pairs = list(zip(reversed(self.size), reversed(self.other_size), strict=False))
        for place, (one, other) in enumerate(pairs, start=1):
            if one != other and 1 not in (one, other):
                dimension = max(len(self.size), len(self.other_size)) - place
                raise self.fields["other_size"].refuse(
                    f"The size of tensor a ({one}) must match the size of tensor b ({other}) at "
                    f"non-singleton dimension {dimension}. Give {one}, or 1 to repeat it",
                    self.fields["other_size"].write(self.other_size),
                )

    @fact
    def from_first(self) -> tuple[bool, ...]:
        """Of each dimension of the output, whether it has the size of the first tensor."""
        lacks, other_lacks = self.offsets
        return tuple(
            place < other_lacks or (place >= lacks and self.size[place - lacks] != 1)
            for place in range(len(self.size) + lacks)
        )

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """That of the first tensor."""
        return self.size

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """Of each dimension, the size of the tensor that is not repeated along it."""
        lacks, other_lacks = self.offsets
        return tuple(
            self.size[place - lacks] if first else self.other_size[place - other_lacks]
            for place, first in enumerate(self.from_first)
        )

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of both tensors, each read once."""
        return (prod(self.size) + prod(self.other_size)) * self.element_bytes

    @quantity()
    def operations(self) -> Operations:
        """What one element takes, for every element of the output."""
        return times(prod(self.output_shape), self.each)


class Add(_Pairwise, name="add"):
    """The sum of two tensors, as `torch.add` or `+`: one addition per element, as in a residual."""

    each: ClassVar = {"additions": 1}


class Multiply(_Pairwise, name="multiply"):
    """The product element by element, as `torch.mul` or `*`: one multiplication, as in a gate."""

    each: ClassVar = {"multiplications": 1}

    def keeps(self) -> tuple[bool, bool]:
        """Both tensors, each for the gradient of the other."""
        return self.input_requires_grad, False


class Cat(Layer, name="cat"):
    """Tensors joined one after the other along a dimension, as `torch.cat`: copies, no arithmetic.

    All have the same sizes along the other dimensions.
    """

    in_torch = False
    more_inputs = ("the other tensors",)

    dim: int = dimension(default=0, label="Dimension")
    sizes: tuple[tuple[int, ...], ...] = shapes(
        "n", default=((32, 64), (32, 64)), label="Shapes", role="input",
        help="One per tensor, separated by semicolons.",
    )  # fmt: skip

    @classmethod
    def on(cls, *input_shapes: tuple[int, ...], **fields: Any) -> Self:
        return cls(sizes=input_shapes, **fields)

    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.sizes

    @fact
    def along(self) -> int:
        """The dimension along which sizes add up, counted from the start."""
        return from_start(self.fields["dim"], self.dim, len(self.sizes[0]))

    def validate_input(self) -> None:
        along, first = self.along, self.sizes[0]
        for number, each in enumerate(self.sizes):
            if len(each) != len(first):
                raise self.fields["sizes"].refuse(
                    f"Tensors must have same number of dimensions: got {len(first)} and "
                    f"{len(each)}. Give each tensor {len(first)} sizes",
                    self.fields["sizes"].write(self.sizes),
                )
            for axis, (wanted, given) in enumerate(zip(first, each, strict=True)):
                if wanted != given and axis != along:
                    raise self.fields["sizes"].refuse(
                        f"Sizes of tensors must match except in dimension {along}. Expected size "
                        f"{wanted} but got size {given} for tensor number {number} in the list. "
                        f"Make it {wanted}",
                        self.fields["sizes"].write(self.sizes),
                    )

    @quantity()
    def input_shape(self) -> tuple[int, ...]:
        """That of the first tensor."""
        return self.sizes[0]

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The sizes of the first, but their sum along the dimension."""
        before, after = self.sizes[0][: self.along], self.sizes[0][self.along + 1 :]
        return (*before, sum(each[self.along] for each in self.sizes), *after)

    @quantity()
    def input_bytes(self) -> int:
        """The bytes of all tensors, each read once."""
        return sum(map(prod, self.sizes)) * self.element_bytes
