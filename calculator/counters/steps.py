"""What torch runs of a layer or a network, in order, and how a tool may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from calculator.blocks.chain import FUNCTION, MODULE, Block
from calculator.layers.layer import Layer


class Step(NamedTuple):
    """A layer that is run, and how; steps of one `module` share their parameters.

    A module is named by its place, a part of a block by that of the block and its own; what it
    learns it learns if it is `trained`.
    """

    layer: Layer
    how: str
    module: tuple[int, ...]
    trained: bool
    block: Layer
    """The layer of torch's that it is a part of, or itself."""


def steps(subject: Any) -> tuple[Step, ...]:
    """Return what is run of a layer or a network, torch's transformer layers opened."""
    if isinstance(subject, Layer):
        is_module = subject.in_torch or isinstance(subject, Block)
        run = [(subject, (MODULE if is_module else FUNCTION, 0))]
    else:
        run = [*zip(subject.layers, subject.runs, strict=True)]
    return tuple(step for layer, (how, module) in run for step in _of(layer, how, module))


def _of(layer: Layer, how: str, module: int) -> list[Step]:
    trained = layer.weight_requires_grad
    if layer.name in ("transformer_encoder_layer", "transformer_decoder_layer"):
        assert isinstance(layer, Block)
        return [
            Step(part, within, (module, place), trained, layer)
            for part, (within, place) in zip(layer.layers, layer.runs, strict=True)
        ]
    return [Step(layer, how, (module,), trained, layer)]


def input_shapes(subject: Any) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of the inputs, of a network the one that it has."""
    return subject.input_shapes() if isinstance(subject, Layer) else (subject.input_shape,)


def leaves(layer: Layer) -> Iterator[tuple[int, Layer]]:
    """Yield how many there are of a layer, and it: of a block, all layers that are no blocks."""
    if not isinstance(layer, Block):
        yield 1, layer
        return
    for count, part in zip(layer.counts(), layer.layers, strict=True):
        for each, leaf in leaves(part):
            yield count * each, leaf


def heads(attention: Any) -> Any:
    """Return what stands between the projections of a multi-head attention."""
    return next(part for part in attention.layers if part.name == "scaled_dot_product_attention")


def is_fused(step: Step) -> bool:
    """Return whether torch runs attention as one kernel, though gradients are enabled: frozen.

    An encoder layer makes its mask one of floats, which that kernel does not take.
    """
    one: Any = step.layer
    masks = step.block.name == "transformer_encoder_layer" and getattr(one, "is_causal", False)
    return not step.trained and takes_one_kernel(one) and not masks


def takes_one_kernel(attention: Any) -> bool:
    """Return whether torch has a kernel for all of an attention if nothing learns.

    That is of one batched sequence that stands first, heads in pairs, biases there.
    """
    one = attention
    if one.name != "multihead_attention":
        return False
    is_itself = one.batch_size is not None and one.key_length is None
    plain = one.batch_first and one.bias and one.packed and one.num_heads % 2 == 0
    return bool(is_itself and plain and not one.add_bias_kv and not one.add_zero_attn)


def params(subject: Any, *, trained: bool = False) -> int:
    """Return the parameters of a layer or a network, shared ones once; or those that learn."""
    if isinstance(subject, Layer):
        owned = [(True, subject)]
    else:
        owned = [*zip(subject.owners, subject.layers, strict=True)]
    return sum(
        layer.params for own, layer in owned if own and (layer.weight_requires_grad or not trained)
    )
