"""What torch runs of attention, and of transformers and decoders that are built on it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from calculator.counters.operators import Mode, Operator, Traced, Traces, named
from calculator.layers.layer import Layer

TRACES = Traces()
_MASK = "zeros_like masked_fill_"
"""What makes numbers of a mask."""


@TRACES.of("scaled_dot_product_attention")
def _attention(layer: Any, mode: Mode) -> Iterator[Operator]:
    if layer.needs_a_mask:
        yield from named("ones tril")
        windowed = layer.window_size is not None
        if windowed:
            yield Operator("triu")
        if layer.causal_variant == "lower_right":  # how far the diagonal lies from the corner
            yield from named("sub add" if windowed else "sub")
    yield Operator(layer.name, layer.output_shape, layer.input_shapes())


@TRACES.of("multihead_attention")
def _multihead(layer: Any, mode: Mode) -> Traced:
    return _projected(layer, shared=1)  # each input is a tensor of its own to the tracer


def _projected(layer: Any, shared: int) -> Iterator[Operator | Layer]:
    """Yield what attention holds when so many of query, key and value are one tensor."""
    parts: dict[str, Any] = dict(zip(layer.labels, layer.layers, strict=True))
    yield from (parts[name] for name in ("q_proj", "k_proj", "v_proj", "out_proj"))
    heads = parts["attention"]
    query, key, value = heads.input_shapes()
    # How large a head is, and products of sizes: four views, then zeros, then split weights.
    yield Operator("div")
    split = 1 + layer.bias if shared == 2 else 0
    yield Operator("mul", times=4 + layer.add_zero_attn + split)
    if shared > 1:
        yield Operator("unflatten")
    if layer.add_bias_kv:
        yield Operator("repeat")
    if not layer.need_weights:
        yield Operator(heads.name, heads.output_shape, (query, key, value))
        return
    if layer.is_causal:
        yield from named(_MASK + " pad" * (heads.appended > 0))
    each, (length, size), keys = prod(query[:-2]), query[-2:], key[-2]
    scores = each, length, keys
    yield Operator("mul", query)
    first = "baddbmm" if layer.is_causal else "bmm"
    yield Operator(first, scores, ((each, length, size), (each, size, keys)))
    yield Operator("softmax")
    yield Operator("bmm", query, (scores, (each, keys, size)))
    yield Operator("mean", parts["mean of heads"].output_shape)


@TRACES.of("transformer_encoder_layer", "transformer_decoder_layer")
def _transformer(layer: Any, mode: Mode) -> Iterator[Operator | Layer]:
    encodes = layer.name == "transformer_encoder_layer"
    batched = layer.batch_size is not None
    fused = (
        batched and layer.batch_first and layer.bias and layer.nhead % 2 == 0
        and not mode.training and not mode.learns(layer)
    )  # fmt: skip
    if encodes and fused and not mode.hooked:
        if layer.is_causal:
            yield from named(_MASK)
        yield Operator("_transformer_encoder_layer_fwd")
        return
    shared = {"self_attn": 3, "multihead_attn": 2}
    for label, part in zip(layer.labels, layer.layers, strict=True):
        if label == "self_attn" and fused and not (encodes and part.is_causal):
            if part.is_causal:
                yield from named(_MASK)
            yield Operator("_native_multi_head_attention")
        elif label in shared:
            yield from _projected(part, shared[label] if batched else 1)
        else:
            yield part


@TRACES.of("rotary_embedding")
def _rotary(layer: Any, mode: Mode) -> Iterator[Operator]:
    *leading, size = layer.input_shape
    yield Operator("mul", (*leading, size // 2), times=4)
    yield from named("div add neg pow outer cos sin unflatten unbind sub")


@TRACES.of("grouped_query_attention")
def _grouped(layer: Any, mode: Mode) -> Iterator[Operator | Layer]:
    for part in layer.layers:
        yield part
        if layer.sliding_window is not None and getattr(part, "needs_a_mask", False):
            yield Operator("triu")


@TRACES.of("_Routing")
def _routing(layer: Any, mode: Mode) -> Traced:
    return named("softmax topk sum div argsort floor_divide remainder")


@TRACES.of("_Combination")
def _combination(layer: Any, mode: Mode) -> Iterator[Operator]:
    yield Operator("mul", layer.input_shape)
    yield from named("index_add view_as")
