"""Several layers counted together: every sum over them stands here."""

from __future__ import annotations

from calculator.calculation import quantity
from calculator.layer import Layer, Measured
from calculator.operations import Operations, total


class Chain(Measured):
    """Layers on numbered tensors, in a sequence or in branches.

    Bytes are those of the layers run apart: each reads its input and writes its output.
    """

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers."""
        raise NotImplementedError

    @property
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """The tensor that each layer reads and the one that it writes, views counted as one."""
        raise NotImplementedError

    @property
    def labels(self) -> tuple[str, ...]:
        """What each layer is called in a table."""
        raise NotImplementedError

    @quantity()
    def macs(self) -> int:
        """The sum over the layers."""
        return sum(layer.macs for layer in self.layers)

    @quantity()
    def params(self) -> int:
        """The sum over the layers."""
        return sum(layer.params for layer in self.layers)

    @quantity()
    def buffers(self) -> int:
        """The sum over the layers."""
        return sum(layer.buffers for layer in self.layers)

    @quantity()
    def operations(self) -> Operations:
        """The sum over the layers, kind by kind."""
        return total([layer.operations for layer in self.layers])

    @quantity()
    def weight_bytes(self) -> int:
        """The sum over the layers."""
        return sum(layer.weight_bytes for layer in self.layers)

    @quantity()
    def input_bytes(self) -> int:
        """What each layer reads of its input, one after another, nothing fused."""
        return sum(layer.input_bytes for layer in self.layers)

    @quantity()
    def output_bytes(self) -> int:
        """What each layer writes, nothing fused."""
        return sum(layer.output_bytes for layer in self.layers)

    @quantity()
    def bytes_moved(self) -> int:
        """The sum over the layers: of a table only the rows that are looked up."""
        return sum(layer.bytes_moved for layer in self.layers)

    @quantity()
    def backward_macs(self) -> int:
        """The sum over the layers, none for a gradient that no layer before it needs."""
        return sum(layer.backward_macs for layer in self.layers)

    @quantity()
    def activation_bytes(self) -> int:
        """What autograd keeps of the layers; a tensor that two of them need is kept once."""
        kept: dict[int, int] = {}
        for layer, tensors in zip(self.layers, self.tensors, strict=True):
            sizes = layer.input_bytes, layer.output_bytes
            for tensor, is_kept, each in zip(tensors, layer.keeps(), sizes, strict=True):
                if is_kept:
                    kept.setdefault(tensor, each)
        return sum(kept.values()) + sum(layer.kept_bytes() for layer in self.layers)
