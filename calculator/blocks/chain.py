"""Several layers counted together: every sum over them stands here."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from calculator.core.calculation import fact, quantity
from calculator.core.operations import Operations, times, total
from calculator.layers.layer import Layer, Work

MODULE = "module"
"""A module that is called: its hooks run, and the function that it calls is looked up."""
FUNCTION = "function"
"""A function that is looked up when it is called: a tool that replaces it sees it."""
CAPTURED = "captured"
"""A function that was looked up when the model was made: a tool that replaces it comes late."""
OPERATOR = "operator"
"""A Python operator such as `x + y`: no function that a tool could replace."""


class Chain(Work):
    """Layers on numbered tensors, in a sequence or in branches.

    Bytes are those of the layers run apart: each reads its input and writes its output.
    """

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The layers."""
        raise NotImplementedError

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """The tensor that each layer reads and the one that it writes, views counted as one."""
        raise NotImplementedError

    @fact
    def labels(self) -> tuple[str, ...]:
        """What each layer is called in a table."""
        raise NotImplementedError

    def counts(self) -> tuple[int, ...]:
        """Return how many there are of each layer, one after the other."""
        return (1,) * len(self.layers)

    @fact
    def runs(self) -> tuple[tuple[str, int], ...]:
        """How each layer is run, and the place of the module that it is run as."""
        raise NotImplementedError

    @fact
    def owners(self) -> tuple[bool, ...]:
        """Whether the parameters of each layer are its own, not those of one before it."""
        return (True,) * len(self.layers)

    def summed(self, name: str) -> int:
        """Return the sum of a quantity over the layers."""
        counted = zip(self.counts(), self.layers, strict=True)
        return sum(count * getattr(layer, name) for count, layer in counted)

    def owned(self, name: str) -> int:
        """Return the sum of a quantity over the layers that share no parameters."""
        counted = zip(self.owners, self.counts(), self.layers, strict=True)
        return sum(count * getattr(layer, name) for own, count, layer in counted if own)

    def parts(self) -> Iterator[tuple[str, str, int, Layer]]:
        """Yield what a table shows of each layer: place, name, how many there are, the layer."""
        places = map(str, range(1, len(self.layers) + 1))
        yield from zip(places, self.labels, self.counts(), self.layers, strict=True)

    def leaves(self) -> Iterator[tuple[int, Layer]]:
        """Yield the layers that hold no others, and how many there are of each."""
        for count, layer in zip(self.counts(), self.layers, strict=True):
            if isinstance(layer, Chain):
                yield from ((count * each, inner) for each, inner in layer.leaves())
            else:
                yield count, layer

    @quantity()
    def macs(self) -> int:
        """The sum over the layers."""
        return self.summed("macs")

    @quantity()
    def params(self) -> int:
        """The sum over the layers, a shared module once."""
        return self.owned("params")

    @quantity()
    def buffers(self) -> int:
        """The sum over the layers, a shared module once."""
        return self.owned("buffers")

    @quantity()
    def operations(self) -> Operations:
        """The sum over the layers, kind by kind."""
        counted = zip(self.counts(), self.layers, strict=True)
        return total([times(count, layer.operations) for count, layer in counted])

    @quantity()
    def weight_bytes(self) -> int:
        """The sum over the layers, a shared module once."""
        return self.owned("weight_bytes")

    @quantity()
    def input_bytes(self) -> int:
        """What each layer reads of its input, one after another, nothing fused."""
        return self.summed("input_bytes")

    @quantity()
    def output_bytes(self) -> int:
        """What each layer writes, nothing fused."""
        return self.summed("output_bytes")

    @quantity()
    def bytes_moved(self) -> int:
        """The sum over the layers: of a table only the rows that are looked up."""
        return self.summed("bytes_moved")

    @quantity()
    def backward_macs(self) -> int:
        """The sum over the layers, none for a gradient that no layer before it needs."""
        return self.summed("backward_macs")

    def kept_tensors(self) -> dict[int, int]:
        """Return the bytes of each numbered tensor that autograd keeps, however many need it."""
        kept: dict[int, int] = {}
        counted = zip(self.counts(), self.layers, self.tensors, strict=True)
        for count, layer, tensors in counted:
            sizes = layer.held_bytes()
            for tensor, is_kept, each in zip(tensors, layer.keeps(), sizes, strict=True):
                if is_kept:
                    kept.setdefault(tensor, count * each)
        return kept

    def kept_beside(self) -> int:
        """Return the bytes that autograd keeps of the layers besides their inputs and outputs."""
        counted = zip(self.counts(), self.layers, strict=True)
        return sum(count * layer.kept_bytes() for count, layer in counted)

    @quantity()
    def activation_bytes(self) -> int:
        """What autograd keeps of the layers; a tensor that two of them need is kept once."""
        kept = self.kept_tensors().values()
        return sum(kept) + self.kept_beside()


class Block(Chain, Layer):
    """Layers that are one layer to whatever stands around them.

    Its tensor 0 is the input. No layer of a block keeps the block's output.
    """

    def shared(self, *, inner: bool = False) -> dict[str, Any]:
        """Return the fields that a part has of the whole; `inner` after a layer that learns."""
        fields = {name: getattr(self, name) for name in Work.fields}
        fields["input_requires_grad"] |= inner and self.weight_requires_grad
        return fields

    def parts(self) -> Iterator[tuple[str, str, int, Layer]]:
        for place, label, count, layer in super().parts():
            if isinstance(layer, Block) and count == 1:
                for within, inner, each, part in layer.parts():
                    yield f"{place}.{within}", f"{label}.{inner}", each, part
            else:
                yield place, label, count, layer

    @quantity(r"\text{MACs}_\text{useful}", unit="MAC", label="MACs of unmasked pairs")
    def useful_macs(self) -> int:
        """All but the products of masked pairs."""
        counted = zip(self.counts(), self.layers, strict=True)
        return sum(count * layer.useful() for count, layer in counted)

    def useful(self) -> int:
        return self.useful_macs

    def keeps(self) -> tuple[bool, bool]:
        """The input, if one of the layers keeps it."""
        return 0 in self.kept_tensors(), False

    def kept_bytes(self) -> int:
        """Return the bytes of everything else that is kept."""
        kept = (size for tensor, size in self.kept_tensors().items() if tensor)
        return sum(kept) + self.kept_beside()

    def held_bytes(self) -> tuple[int, int]:
        """The input and the output, however often its layers read and write them."""
        each = self.element_bytes
        return prod(self.input_shape) * each, prod(self.output_shape) * each
