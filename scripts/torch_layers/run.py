"""Torch's twin of each layer, and what torch says of it.

A layer that is called in `torch.nn` as it is here needs no line in `TWINS`.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.autograd.profiler import profile
from torch.fx.experimental import _config as meta
from torch.utils.flop_counter import FlopCounterMode

from scripts.random_layers.arguments import Arguments
from scripts.random_layers.draw import Configuration
from scripts.random_layers.shapes import Sizes
from scripts.torch_layers import models
from scripts.torch_layers.masks import (
    Attention,
    MultiheadAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

Tensors = tuple[torch.Tensor, ...]

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler reports its every start


@dataclass(frozen=True)
class Twin:
    """How torch constructs a layer and what it is given."""

    module: Callable[..., torch.nn.Module]
    inputs: Callable[[tuple[Sizes, ...]], Tensors] = lambda shapes: tuple(map(torch.zeros, shapes))


def concatenated(*tensors: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Return what `torch.cat` makes of tensors, which takes them in one sequence."""
    return torch.cat(tensors, dim)


def indices(shapes: tuple[Sizes, ...]) -> Tensors:
    """Return zeros that something can be looked up with."""
    return tuple(torch.zeros(shape, dtype=torch.long) for shape in shapes)


def zeros(title: str, shape: Sizes) -> torch.Tensor:
    """Return zeros as a module of torch takes them, by the name of its class."""
    return indices((shape,))[0] if title in ("Embedding", "EmbeddingBag") else torch.zeros(shape)


DTYPES = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "tf32": torch.float32,  # a way to multiply: it is stored as fp32
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8": torch.float8_e4m3fn,
    "int8": torch.int8,
}
COMPUTED = ("fp64", "fp32", "bf16")
"""Those that the CPU computes nearly every layer in."""

TWINS: dict[str, Twin] = {
    "add": Twin(partial(models.Function, torch.add, torch)),
    "cat": Twin(partial(models.Function, concatenated)),
    "embedding": Twin(torch.nn.Embedding, indices),
    "embedding_bag": Twin(torch.nn.EmbeddingBag, indices),
    "grouped_query_attention": Twin(models.GroupedQueryAttention),
    "llama": Twin(
        models.Llama, lambda shapes: (*indices(shapes[:1]), *map(torch.zeros, shapes[1:]))
    ),
    "llama_decoder_layer": Twin(models.LlamaDecoderLayer),
    "multihead_attention": Twin(MultiheadAttention),
    "multiply": Twin(partial(models.Function, torch.mul, torch)),
    "rotary_embedding": Twin(models.RotaryEmbedding),
    "scaled_dot_product_attention": Twin(Attention),
    "transformer_decoder_layer": Twin(TransformerDecoderLayer),
    "transformer_encoder_layer": Twin(TransformerEncoderLayer),
}


def twin(one: Configuration) -> Twin:
    """Return the twin of a layer."""
    return TWINS.get(one.layer) or Twin(getattr(torch.nn, one.owner.__name__))


@dataclass(frozen=True)
class Answer:
    """What there is to say of a layer that is accepted."""

    output_shape: Sizes
    params: int
    buffers: int
    macs: int
    training_macs: int
    activation_bytes: int


def torch_says(
    one: Configuration,
    *,
    input_requires_grad: bool,
    weight_requires_grad: bool,
    dtype: str = "fp32",
) -> Answer | Exception:
    """Return what torch answers, or the exception that it raises.

    The CPU decides what is refused, by torch's own kernels: oneDNN, which is there on some
    processors only, lets two things through, an output of size 0 and a dilation of 0 under a kernel
    of 1. Work is counted on the meta device, which refuses values that are fewer than the keys: a
    fused kernel of the CPU reads past their end.
    """
    grads = input_requires_grad, weight_requires_grad
    try:
        with torch.backends.mkldnn.flags(enabled=False):
            answer = run(module(one), inputs(one), *grads, DTYPES[dtype])
        macs, training_macs = work(one, *grads)
    except Exception as error:
        if _is_ours(error):
            raise
        return error
    return replace(answer, macs=macs, training_macs=training_macs)


def _is_ours(error: BaseException) -> bool:
    """Return whether a name or a key is missing in this folder: torch is not to be blamed for it.

    A TypeError of a call is raised in the frame of the caller, and is torch's.
    """
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    is_here = Path(frame.f_code.co_filename).is_relative_to(Path(__file__).parent)
    return is_here and isinstance(error, (AttributeError, KeyError, NameError))


def work(
    one: Configuration, input_requires_grad: bool, weight_requires_grad: bool
) -> tuple[int, int]:
    """Return the multiply-accumulates forward, and forward and backward together, of a layer.

    FlopCounterMode counts nothing of a bilinear layer, which is one operation to it. The meta
    device has to be told how many indices are not the padding index: it takes them all.
    """
    if one.layer == "bilinear":
        return profiled(module(one), inputs(one), input_requires_grad, weight_requires_grad)
    whole = one.arguments
    if "momentum" in whole:  # None, a cumulative average, counts batches: no number on meta
        whole = {**whole, "momentum": 0.1}
    grads = input_requires_grad, weight_requires_grad
    with torch.device("meta"):
        macs, training_macs = count(module(one, whole), inputs(one), *grads)
        if one.arguments.get("groups", 1) > 1 and "in_channels" in one.arguments:
            arguments, shapes, times = _ungrouped(one)
            training_macs = times * count(module(one, arguments), inputs(one, shapes), *grads)[1]
    return macs, training_macs


def module(one: Configuration, arguments: Arguments | None = None) -> torch.nn.Module:
    """Return torch's module, in the mode it is called in, with other arguments where given."""
    call = dict(one.call)
    training = call.pop("training", True)
    given = one.arguments if arguments is None else arguments
    return twin(one).module(**given, **call).train(training)


def inputs(
    one: Configuration,
    shapes: tuple[Sizes, ...] | None = None,
    *,
    random: bool = False,
    dtype: torch.dtype = torch.float64,
) -> Tensors:
    """Return the inputs: zeros, or random numbers of a dtype that has fractions, or indices."""
    make, shapes = twin(one).inputs, one.shapes if shapes is None else shapes
    if not random:
        return make(shapes)
    names = [name for name in ("num_embeddings", "vocab_size") if name in one.arguments]
    rows = one.arguments[names[0]] if names else 0
    with torch.device("meta"):  # which takes no memory
        given = make(shapes)
    return tuple(
        torch.randn(each.shape, dtype=dtype)
        if each.is_floating_point()
        else torch.randint(rows, each.shape)
        for each in given
    )


def _tracked(tensors: Tensors, requires_grad: bool) -> Tensors:
    # A clone is no leaf, so that a layer may work in place on it.
    return tuple(
        each.requires_grad_(requires_grad).clone() if each.is_floating_point() else each
        for each in tensors
    )


def first(output: Any) -> torch.Tensor:
    """Return the first tensor of what a module gives: an RNN gives its states beside it."""
    while not isinstance(output, torch.Tensor):
        output = output[0]
    return output


def run(
    module: torch.nn.Module,
    given: Tensors,
    input_requires_grad: bool,
    weight_requires_grad: bool,
    dtype: torch.dtype = torch.float32,
) -> Answer:
    """Return what a module says for itself, and the bytes that autograd saves, parameters apart."""
    module.to(dtype).requires_grad_(weight_requires_grad)
    given = tuple(each.to(dtype) if each.is_floating_point() else each for each in given)
    given = _tracked(given, input_requires_grad)
    own = {each.untyped_storage()._cdata for each in (*module.parameters(), *module.buffers())}
    saved: dict[int, list[torch.Tensor]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage()._cdata
        if place not in own:  # held, so that its memory is not given to another
            saved.setdefault(place, []).append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = first(module(*given))
    return Answer(
        output_shape=tuple(y.shape),
        params=sum(each.numel() for each in module.parameters()),
        buffers=sum(each.numel() for each in module.buffers()),
        macs=0,
        training_macs=0,
        activation_bytes=sum(map(_held, saved.values())),
    )


def _held(views: list[torch.Tensor]) -> int:
    """Return the bytes that views of one memory hold."""
    return views[0].untyped_storage().nbytes()


def count(
    module: torch.nn.Module, given: Tensors, input_requires_grad: bool, weight_requires_grad: bool
) -> tuple[int, int]:
    """Return the multiply-accumulates forward, and forward and backward together."""
    module.requires_grad_(weight_requires_grad)
    given = _tracked(given, input_requires_grad)
    counted: Any = meta.patch(meta_nonzero_assume_all_nonzero=True)  # type: ignore[attr-defined]
    with counted, FlopCounterMode(display=False) as counter:
        y = first(module(*given))
        forward = counter.get_total_flops()
        if y.requires_grad:
            torch.autograd.backward(y.sum())
    return forward // 2, counter.get_total_flops() // 2


def profiled(
    module: torch.nn.Module, given: Tensors, input_requires_grad: bool, weight_requires_grad: bool
) -> tuple[int, int]:
    """Return what `count` does, of the matrix products that the profiler sees done."""
    module.requires_grad_(weight_requires_grad)
    given = _tracked(given, input_requires_grad)
    with profile(record_shapes=True, with_flops=True) as forward:
        y = first(module(*given))
    with profile(record_shapes=True, with_flops=True) as backward:
        if y.requires_grad:
            torch.autograd.backward(y.sum())
    products = [
        sum(event.flops for event in seen.function_events if event.name == "aten::bmm")
        for seen in (forward, backward)
    ]
    return products[0] // 2, sum(products) // 2


def _ungrouped(one: Configuration) -> tuple[Arguments, tuple[Sizes, ...], int]:
    """Return one group of a grouped convolution, and how many there are.

    FlopCounterMode forgets the groups in the gradient of the weight.
    """
    groups = one.arguments["groups"]
    channels = {name: one.arguments[name] // groups for name in ("in_channels", "out_channels")}
    (shape,) = one.shapes
    place = len(shape) - len(one.owner.axes) - 1
    part = (*shape[:place], channels["in_channels"], *shape[place + 1 :])
    return {**one.arguments, **channels, "groups": 1}, (part,), groups
