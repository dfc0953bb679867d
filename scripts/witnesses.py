"""Who testifies to the figures of an example: torch, loops that count, pint, thop.

None of them holds a formula of ours: no line here shares code with a formula of `calculator`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from io import StringIO
from math import prod
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pint
import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts import brute_force

Figures = dict[str, Any]
Construction = tuple[str, list[Any], Mapping[str, Any]]  # class, arguments, named arguments
Layers = Construction | list[Construction]  # a bare layer, or a Sequential of layers

TORCH, PINT, THOP = (
    f"{name} {version(name).partition('+')[0]}" for name in ("torch", "pint", "thop")
)
LOOPS = "counting loops"
ORDER = (TORCH, LOOPS, PINT)  # in which they are named
HARDWARE = Path(__file__).parents[1] / "calculator" / "hardware.toml"
DTYPES = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "tf32": torch.float32,  # a way to multiply: it is stored as fp32
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8": torch.float8_e4m3fn,
    "int8": torch.int8,
}
SPELLINGS = {  # what may stand for a unit in an example's text, beside the unit itself
    "FLOP/s": "FLOPs?/s|FLOPS|FLOPs?",
    "B/s": "B/s",
    "B": "B",
    "FLOP": "MACs?|FLOPs?|FLOPS|mult-adds",
    "MAC": "MACs?|FLOPs?|FLOPS|mult-adds",
}
AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def build(layers: Layers) -> torch.nn.Module:
    """Return the module that torch makes of a layer or of several."""
    if isinstance(layers, list):
        return torch.nn.Sequential(*map(build, layers))
    name, given, named = layers
    module: torch.nn.Module = getattr(torch.nn, name)(*given, **named)
    return module


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


def shape(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the shape of a layer's input, as torch documents it."""
    if "size" in fields:
        return tuple(fields["size"])
    if "in_features" in fields:
        leading = fields["batch_size"], fields["sequence_length"], fields["in_features"]
        return tuple(each for each in leading if each is not None)
    axes = next(axes for axes in reversed(AXES.values()) if fields.keys() >= set(axes))
    return (fields["batch_size"], fields["in_channels"], *(fields[axis] for axis in axes))


def ask_torch(layers: Layers, size: tuple[int, ...], dtype: str) -> Figures:
    """Return what torch says: shapes by a hook, work on meta, bytes of real element sizes."""
    each = torch.empty(0, dtype=DTYPES[dtype]).element_size()
    moved = {"input_bytes": 0, "output_bytes": 0}

    def watch(module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        storages = {tensor.untyped_storage()._cdata for tensor in (inputs[0], output)}
        if len(storages) == 2 or getattr(module, "inplace", False):  # else it is a view
            moved["input_bytes"] += inputs[0].numel() * each
            moved["output_bytes"] += output.numel() * each

    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module, x = build(layers), torch.empty(size)
        for part in module if isinstance(module, torch.nn.Sequential) else [module]:
            part.register_forward_hook(watch)
        y = module(x)
    flops = counter.get_total_flops()
    params = sum(parameter.numel() for parameter in module.parameters())
    bytes_moved = params * each + sum(moved.values())
    return {
        "input_shape": list(x.shape),
        "output_shape": list(y.shape),
        "output_size": list(y.shape[2:]),
        "rows": prod(x.shape[:-1]),
        "element_bytes": each,
        "macs": flops // 2,
        "flops": flops,
        "params": params,
        "weight_bytes": params * each,
        **moved,
        "bytes_moved": bytes_moved,
        **({"arithmetic_intensity": flops / bytes_moved} if bytes_moved else {}),
    }


def count(layers: Layers, size: tuple[int, ...], *, fused: bool) -> Counter[str]:
    """Return what is tallied while the layers are computed output by output."""
    numbers = brute_force.Numbers(fused=fused)
    with torch.device("meta"):
        module, x = build(layers), torch.empty(size)
    brute_force.forward(numbers, module, numbers.tensor(x), size)
    return numbers.tally


def count_operations(layers: Layers, size: tuple[int, ...]) -> Figures:
    """Return the operations of each kind, a multiply-accumulate being one."""
    return {"operations": dict(count(layers, size, fused=True))}


def count_exact_flops(layers: Layers, size: tuple[int, ...]) -> Figures:
    """Return the multiplications and additions where neither is fused."""
    tally = count(layers, size, fused=False)
    return {"exact_flops": tally["multiplications"] + tally["additions"]}


@cache
def registry() -> Any:
    """Return units that count exactly: one MAC is two FLOPs, an FMA does one MAC."""
    units: Any = pint.UnitRegistry(non_int_type=Fraction)
    units.define("FLOP = [work]")
    units.define("MAC = 2 * FLOP")
    units.define("FMA = 1 * MAC")
    return units


def amount(text: str, unit: str) -> Any:
    """Return what a person wrote, such as 19.5T or 312 TFLOPS, as a quantity of a unit."""
    bare = re.sub(rf"(?:{SPELLINGS[unit]})$", "", text.strip())
    bare = re.sub(r"(?<=\d)[ ,_](?=\d)", "", bare).strip()
    gap = " " if bare[-1].isdigit() else ""
    return registry().Quantity(f"{bare}{gap}{unit}")


def time(texts: Mapping[str, str], dtype: str) -> Figures:
    """Return the seconds that a machine needs at least for some work, from texts by field.

    A rate that is not among them is the device's.
    """
    flops = amount(texts["flops"], "FLOP")
    bytes_moved = amount(texts["bytes_moved"], "B") if texts["bytes_moved"] else None
    rate = speed = None
    if texts["device"]:
        machine = tomllib.loads(HARDWARE.read_text("utf-8"))[texts["device"]]
        rate = amount(str(machine["peak"][dtype]), "FLOP/s")
        speed = amount(str(machine["bandwidth_bytes_per_s"]), "B/s")
    if texts["peak_flops_per_second"]:
        rate = amount(texts["peak_flops_per_second"], "FLOP/s")
    if texts["bandwidth_bytes_per_second"]:
        speed = amount(texts["bandwidth_bytes_per_second"], "B/s")
    share = registry().Quantity(texts["utilization"])
    compute = flops / (rate * share)
    memory = bytes_moved / speed if speed is not None and bytes_moved is not None else None
    found = {
        "compute_seconds": _float(compute, "s"),
        "floor_seconds": _float(compute, "s"),
        "bound": "compute",
        "peak_flops_per_second": _plain(rate, "FLOP/s"),
        "utilization": _plain(share, ""),
    }
    if speed is not None:
        found["bandwidth_bytes_per_second"] = _plain(speed, "B/s")
        found["ridge_intensity"] = _float(rate * share / speed, "FLOP/B")
    if memory is not None:
        found["memory_seconds"] = _float(memory, "s")
        found["floor_seconds"] = _float(max(compute, memory), "s")
        found["bound"] = "memory" if memory > compute else "compute"
    return found


def convert(texts: Mapping[str, str]) -> Figures:
    """Return a count in three conventions."""
    count = amount(texts["count"], {"macs": "MAC", "flops": "FLOP"}[texts["counts"]])
    units = {"macs": "MAC", "flops": "FLOP", "fmas": "FMA"}
    return {name: _plain(count, unit) for name, unit in units.items()}


def _float(quantity: Any, unit: str) -> float:
    return float(quantity.to(unit).magnitude)


def _plain(quantity: Any, unit: str) -> int | float:
    """Return a quantity in a unit as JSON can hold it."""
    exact = quantity.to(unit).magnitude
    return int(exact) if exact == int(exact) else float(exact)


@cache
def _another_process() -> ProcessPoolExecutor:
    """Return the process in which thop may patch what it likes."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def ask_thop(layers: Layers, size: tuple[int, ...]) -> dict[str, int | str]:
    """Return what `thop.profile` says of the layers on a tensor of a size."""
    return _another_process().submit(_profile, layers, size).result()


def _profile(layers: Layers, size: tuple[int, ...]) -> dict[str, int | str]:
    import thop

    with redirect_stdout(StringIO()):
        macs, params = thop.profile(build(layers), inputs=(torch.zeros(size),), verbose=False)
    return {"macs": int(macs), "params": int(params), "version": THOP}
