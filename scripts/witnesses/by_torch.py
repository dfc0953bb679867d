"""Who testifies to the figures of an example: torch, loops that count, thop; beside them pint.

None of them holds a formula of ours: no line here, nor in `unit_witnesses`, shares code with a
formula of `calculator`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import sdpa_backward_flop_count

from scripts.random_layers.draw import Configuration
from scripts.tools.read import PINNED, environment, measured
from scripts.tools.subjects import Subject as Shown
from scripts.tools.subjects import torchvision
from scripts.torch_layers import models
from scripts.torch_layers.definitions import computed
from scripts.torch_layers.masks import Attention
from scripts.torch_layers.run import DTYPES, Tensors, first, inputs, module, run, work, zeros
from scripts.torch_layers.run import count as count_macs

Figures = dict[str, Any]
Construction = tuple[str, list[Any], Mapping[str, Any]]  # class, arguments, named arguments


@dataclass(frozen=True)
class Network:
    """Layers one after another, as somebody wrote them, the shape of their input, the mode."""

    layers: list[Construction]
    input_shape: tuple[int, ...]
    training: bool = False


@dataclass(frozen=True)
class Published:
    """A network of torchvision by its name, the shape of its input, the mode."""

    name: str
    input_shape: tuple[int, ...]
    training: bool = False


Subject = Configuration | Network | Published

TORCH, PINT = (f"{name} {version(name).partition('+')[0]}" for name in ("torch", "pint"))
THOP = PINNED["thop"][0].replace("==", " ")
LOOPS = "counting loops"
ORDER = (TORCH, LOOPS, PINT)  # in which they are named


def build(subject: Subject) -> torch.nn.Module:
    """Return the module that torch makes of a layer or of several."""
    if isinstance(subject, Configuration):
        return module(subject)
    if isinstance(subject, Published):
        environment("torchvision")
        model: torch.nn.Module = getattr(torchvision(), subject.name)()
        return model.train(subject.training)
    made = (getattr(torch.nn, name)(*given, **named) for name, given, named in subject.layers)
    return torch.nn.Sequential(*made).train(subject.training)


def tensors(subject: Subject) -> Tensors:
    """Return what the module is run on."""
    if isinstance(subject, Configuration):
        return inputs(subject)
    if isinstance(subject, Published):
        return (torch.zeros(subject.input_shape),)
    return (zeros(subject.layers[0][0], subject.input_shape),)


def written(text: str) -> list[Construction]:
    """Return the layers that lines such as `nn.Linear(128, 64)` construct."""
    found: list[Construction] = []
    for line in filter(str.strip, text.splitlines()):
        call = ast.parse(re.sub(r"^\s*\(\d+\): |,\s*$", "", line).strip(), mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError(f"no layer: {line}")
        given = [ast.literal_eval(each) for each in call.args]
        named = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        found.append((ast.unparse(call.func).rpartition(".")[2], given, named))
    return found


class _Reshapes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what changes the version of a tensor but not its numbers."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func._schema.name in ("aten::unsqueeze_", "aten::squeeze_")
        return func(*args, **(kwargs or {}))


def ask_torch(subject: Subject, dtype: str, grads: Mapping[str, bool]) -> Figures:
    """Return what torch says: shapes by a hook, work on meta, bytes of real element sizes."""
    each = torch.empty(0, dtype=DTYPES[dtype]).element_size()
    moved: Figures = {"input_bytes": 0, "output_bytes": 0}
    read, versions = [], []

    def look(_: torch.nn.Module, given: Tensors) -> None:
        versions.append(given[0]._version - reshapes.count)

    def watch(module: torch.nn.Module, given: Tensors, output: Any) -> None:
        y = first(output)
        read.append(read_of(module, given[0]))
        storages = {tensor.untyped_storage()._cdata for tensor in (given[0], y)}
        if len(storages) == 2 or given[0]._version - reshapes.count > versions[-1]:  # else a view
            written = output if getattr(module, "return_indices", False) else (y,)
            moved["input_bytes"] += sum(map(bytes_of, given))
            moved["output_bytes"] += sum(map(bytes_of, written))

    def bytes_of(tensor: torch.Tensor) -> int:
        size = each if tensor.is_floating_point() else tensor.element_size()
        return tensor.numel() * size

    # Channels are shuffled by a copy on the CPU, and by a view on meta where that is enough.
    is_shuffled = isinstance(subject, Configuration) and subject.layer == "channel_shuffle"
    reshapes = _Reshapes()  # type: ignore[no-untyped-call]
    with torch.device("cpu" if is_shuffled else "meta"), torch.no_grad(), reshapes:
        layer, given = build(subject), tensors(subject)
        for part in parts(layer):
            part.register_forward_pre_hook(look)
            part.register_forward_hook(watch)
        attended = watch_attention(layer)
        y = first(layer(*given))
    training = {}
    if isinstance(subject, Configuration):
        macs, training_macs = work(subject, **grads)
    else:
        with torch.device("meta"):
            macs, training_macs = count_macs(build(subject), tensors(subject), **grads)
    if isinstance(subject, Configuration) or not is_grouped(layer):
        training = {
            "backward_macs": training_macs - macs,
            "training_macs": training_macs,
            "training_flops": 2 * training_macs,
        }
    params = {name: parameter.numel() for name, parameter in layer.named_parameters()}
    bytes_moved = sum(read) * each + sum(moved.values())
    moved |= {"bytes_moved": bytes_moved}
    moved |= {"arithmetic_intensity": 2 * macs / bytes_moved} if bytes_moved else {}
    if any(list(part.children()) for part in parts(layer)):
        moved = {}  # what the layers of torch's own blocks read and write cannot be watched
    return {
        "input_shape": list(given[0].shape),
        "output_shape": list(y.shape),
        "output_size": list(y.shape[2:]),
        "rows": prod(given[0].shape[:-1]),
        "element_bytes": each,
        "macs": macs,
        "flops": 2 * macs,
        **training,
        **_decoder(layer, attended, macs, each),
        "params": sum(params.values()),
        "weights": sum(count for name, count in params.items() if "weight" in name),
        "buffers": sum(buffer.numel() for buffer in layer.buffers()),
        "weight_bytes": sum(params.values()) * each,
        **(_attention(layer, given, **grads) if isinstance(layer, Attention) else {}),
        **moved,
    }


def _attention(
    module: Attention, given: Tensors, *, input_requires_grad: bool, weight_requires_grad: bool
) -> Figures:
    """Return what the mask leaves to do, and what torch counts of a fused backward pass."""
    query, key, value = (tuple(each.shape) for each in given)
    batch, heads, queries, keys = *query[:3], key[2]
    pairs = int(module.mask(queries, keys).sum())
    shapes = {"key_shape": list(key), "value_shape": list(value)}
    scores = (given[0][:, :1] @ given[1][:, :1].mT).numel() * heads
    key, value = (batch, heads, *key[2:]), (batch, heads, *value[2:])
    output = (*query[:3], value[3])
    return {
        **shapes,
        "scores": scores,
        "unmasked_pairs": pairs,
        "useful_macs": batch * heads * pairs * (query[3] + value[3]),
        "fused_backward_macs": input_requires_grad
        * sdpa_backward_flop_count(output, query, key, value)  # type: ignore[no-untyped-call]
        // 2,
    }


def parts(module: torch.nn.Module) -> Iterable[torch.nn.Module]:
    """Return what works by itself: the layers of a sequence, what a decoder is made of."""
    if isinstance(module, torch.nn.Sequential):
        return module
    if type(module).__module__ == models.__name__:
        return [each for each in module.modules() if not any(each.children())]
    return [module]


Attended = tuple[models.GroupedQueryAttention, tuple[int, ...], tuple[int, ...]]


def watch_attention(module: torch.nn.Module) -> list[Attended]:
    """Return a list that fills with each attention of a decoder, its queries' and keys' shapes."""
    found: list[Attended] = []
    for each in module.modules():
        if isinstance(each, models.GroupedQueryAttention):

            def watch(_: Any, given: Tensors, __: Any, owner: Any = each) -> None:
                found.append((owner, tuple(given[0].shape), tuple(given[1].shape)))

            each.attend.register_forward_hook(watch)
    return found


def _decoder(module: torch.nn.Module, attended: list[Attended], macs: int, each: int) -> Figures:
    """Return what is in the caches of a decoder, in sight of its tokens, and met by one of them."""
    if not attended:
        return {}
    masked = kept = 0
    for owner, (batch, heads, queries, features), (_, shared, keys, _) in attended:
        unseen, last = sight(queries, keys, owner.sliding_window)
        masked += batch * heads * features * 2 * unseen
        kept += batch * shared * features * 2 * last
    idle = [
        (len(one.experts) - one.each) * sum(each.numel() for each in one.experts[0].parameters())
        for one in module.modules()
        if isinstance(one, models.MixtureOfExperts)
    ]
    cached = [owner.k_proj.out_features + owner.v_proj.out_features for owner, *_ in attended]
    return {
        "useful_macs": macs - masked,
        "active_params": sum(each.numel() for each in module.parameters()) - sum(idle),
        "kv_cache_bytes_per_token": sum(cached) * each,
        "kv_cache_bytes": kept * each,
    }


@cache
def sight(queries: int, keys: int, window: int | None) -> tuple[int, int]:
    """Return how many keys the last tokens do not see, all together, and how many the last sees."""
    if queries == 1:
        return 0, keys
    sees = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    if window is not None:
        sees = sees.triu(keys - queries - window + 1)
    return int((~sees).sum()), int(sees[-1].sum())


def read_of(module: torch.nn.Module, given: torch.Tensor) -> int:
    """Return how many numbers of its own a module reads, and writes anew.

    Of a table the rows of indices that differ; of running statistics those in use, twice where they
    are moved.
    """
    if isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag):
        rows = {index % module.num_embeddings for index in range(given.numel())}
        return len(rows) * module.embedding_dim
    running = [each for name, each in module.named_buffers() if name.startswith("running_")]
    passes = 2 if module.training else 1
    return sum(each.numel() for each in (*module.parameters(), *(running * passes)))


def is_grouped(module: torch.nn.Module) -> bool:
    """Return whether a network holds what FlopCounterMode counts wrongly in the backward pass."""
    return any(getattr(each, "groups", 1) > 1 for each in module.modules())


def ask_autograd(subject: Subject, dtype: str, grads: Mapping[str, bool]) -> Figures:
    """Return the bytes that torch keeps for the backward pass of a layer."""
    layer, given = build(subject), tensors(subject)
    with torch.backends.mkldnn.flags(enabled=False):
        answer = run(layer, given, dtype=DTYPES[dtype], **grads)
    return {"activation_bytes": answer.activation_bytes}


def count(subject: Subject, *, fused: bool) -> dict[str, int]:
    """Return what is tallied while the layers are computed output by output."""
    return computed(build(subject), *tensors(subject), fused=fused)[1]


def count_operations(subject: Subject) -> Figures:
    """Return the operations of each kind, a multiply-accumulate being one."""
    return {"operations": count(subject, fused=True)}


def count_exact_flops(subject: Subject) -> Figures:
    """Return the multiplications and additions where neither is fused."""
    tally = count(subject, fused=False)
    return {"exact_flops": tally["multiplications"] + tally.get("additions", 0)}


def count_all_arithmetic(subject: Subject, function_weight: int) -> Figures:
    """Return the FLOPs in the convention "all": a multiply-accumulate is two, the rest one each.

    A function counts for as many as it is said to, a look-up for none.
    """
    tally = count(subject, fused=True)
    functions = tally.pop("exponentials", 0) + tally.pop("transcendentals", 0)
    products = tally.pop("multiply_accumulates", 0)
    tally.pop("lookups", 0)
    return {"flops": 2 * products + sum(tally.values()) + function_weight * functions}


def ask_thop(subject: Subject) -> dict[str, int | str]:
    """Return what `thop.profile` says of the layers, in an environment and a process of its own."""
    if isinstance(subject, Configuration):
        shown = Shown(subject)
    elif isinstance(subject, Published):
        shown = Shown(network=subject.name, input_shape=subject.input_shape)
    else:
        lines = [
            f"{name}({', '.join([*map(repr, given), *(f'{key}={named[key]!r}' for key in named)])})"
            for name, given, named in subject.layers
        ]
        shown = Shown(network="\n".join(lines), input_shape=subject.input_shape)
    _, (answers,) = measured("thop", [shown])
    said = answers["thop"]
    return {"macs": int(said["value"]), "params": int(said["params"]), "version": THOP}
