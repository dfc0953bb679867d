"""What pint says: how long work and training take, how fast a machine is, how large a model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import pint
import torch

from scripts.twins import DTYPES
from scripts.witnesses import Figures

HARDWARE = Path(__file__).parents[1] / "calculator" / "hardware.json"
SPELLINGS = {  # what may stand for a unit in an example's text, beside the unit itself
    "FLOP/s": "FLOPs?/s|FLOPS|FLOPs?",
    "B/s": "B/s",
    "B": "B",
    "FLOP": "MACs?|FLOPs?|FLOPS|mult-adds",
    "MAC": "MACs?|FLOPs?|FLOPS|mult-adds",
    "hour": "device-hours|GPU-hours|h",
    "param": "params|parameters",
    "token": "tokens",
    "FMA": "FMAs?",
    "Hz": "Hz",
}


@cache
def registry() -> Any:
    """Return units that count exactly: one MAC is two FLOPs, an FMA does one MAC."""
    units: Any = pint.UnitRegistry(non_int_type=Fraction)
    units.define("FLOP = [work]")
    units.define("MAC = 2 * FLOP")
    units.define("FMA = 1 * MAC")
    units.define("param = [params]")
    units.define("token = [tokens]")
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
        machine = json.loads(HARDWARE.read_text("utf-8"))[texts["device"]]
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
        "compute_seconds": as_float(compute, "s"),
        "floor_seconds": as_float(compute, "s"),
        "bound": "compute",
        "peak_flops_per_second": as_number(rate, "FLOP/s"),
        "utilization": as_number(share, ""),
    }
    if speed is not None:
        found["bandwidth_bytes_per_second"] = as_number(speed, "B/s")
        found["ridge_intensity"] = as_float(rate * share / speed, "FLOP/B")
    if memory is not None:
        found["memory_seconds"] = as_float(memory, "s")
        found["floor_seconds"] = as_float(max(compute, memory), "s")
        found["bound"] = "memory" if memory > compute else "compute"
    return found


def convert(texts: Mapping[str, str]) -> Figures:
    """Return a count in three conventions."""
    count = amount(texts["count"], {"macs": "MAC", "flops": "FLOP"}[texts["counts"]])
    units = {"macs": "MAC", "flops": "FLOP", "fmas": "FMA"}
    return {name: as_number(count, unit) for name, unit in units.items()}


def as_float(quantity: Any, unit: str) -> float:
    """Return a quantity in a unit, a measure."""
    return float(quantity.to(unit).magnitude)


def as_number(quantity: Any, unit: str) -> int | float:
    """Return a quantity in a unit as JSON can hold it."""
    exact = quantity.to(unit).magnitude
    return int(exact) if exact == int(exact) else float(exact)


def train(texts: Mapping[str, str]) -> Figures:
    """Return what a training run computes, and how long it takes or how well it uses its devices.

    A parameter meets a token in a product once forward, and backward once for the gradient of each
    of the product's two factors; where activations are recomputed, once more.
    """
    meetings = amount(texts["params"], "param") * amount(texts["tokens"], "token")
    product = meetings * registry().Quantity("1 MAC / (param * token)")
    backward = product + product
    model = product + backward
    done = {"none": model, "full": model + product}[texts["recompute"]]
    found: Figures = {
        "forward_flops": as_number(product, "FLOP"),
        "backward_flops": as_number(backward, "FLOP"),
        "flops": as_number(model, "FLOP"),
        "hardware_flops": as_number(done, "FLOP"),
    }
    if texts["peak_flops_per_second"]:
        rate = amount(texts["peak_flops_per_second"], "FLOP/s")
    elif texts["device"]:
        machine = json.loads(HARDWARE.read_text("utf-8"))[texts["device"]]
        rate = amount(str(machine["peak"][texts["dtype"]]), "FLOP/s")
    else:
        return found
    if texts["measured_device_hours"]:
        busy = amount(texts["measured_device_hours"], "hour")
        found["mfu"] = as_float(model / busy / rate, "")
    elif texts["utilization"]:
        busy = model / rate / registry().Quantity(texts["utilization"])
        found["device_hours"] = as_float(busy, "hour")
    else:
        return found
    found["hfu"] = as_float(done / busy / rate, "")
    found["training_seconds"] = as_float(busy / int(texts["devices"]), "s")
    return found


def store(texts: Mapping[str, str]) -> Figures:
    """Return the bytes of each part of a model on the fullest of its devices.

    The sizes of elements are torch's, and so is what its optimizers keep for a parameter.
    """
    params, devices = amount(texts["params"], "param"), int(texts["devices"])
    largest = ceil(params.to("param").magnitude / devices) * registry().Quantity("1 param")
    trained = texts["optimizer"] != "none"
    each = {
        name: DTYPES[texts[f"{name}_dtype"]].itemsize for name in ("weight", "gradient", "state")
    }
    kept = {  # bytes of a parameter, the stage from which they are sharded
        "weight_bytes": (each["weight"], 3),
        "gradient_bytes": (each["gradient"] * trained, 2),
        "master_bytes": (
            torch.float32.itemsize * (texts["master_weights"] == "true" and trained),
            1,
        ),
        "optimizer_bytes": (each["state"] * states(texts["optimizer"]), 1),
    }
    stage = int(texts["zero_stage"])
    found = {
        name: (largest if stage >= first else params) * registry().Quantity(size, "B / param")
        for name, (size, first) in kept.items()
    }
    held = sum(found.values())
    given = amount(texts["activation_bytes"] or "0", "B")
    figures: Figures = {name: as_number(part, "B") for name, part in found.items()}
    return figures | {
        "total_bytes": as_number(held + given, "B"),
        "bytes_per_param": as_float(held / params, "B / param"),
        **({"shard_params": as_number(largest, "param")} if stage else {}),
    }


def states(optimizer: str) -> int:
    """Return how many numbers one of torch's optimizers has for each parameter after a step."""
    if optimizer == "none":
        return 0
    weight = torch.nn.Parameter(torch.ones(7))
    weight.grad = torch.ones(7)
    adam, sgd = torch.optim.AdamW, torch.optim.SGD
    made: dict[str, tuple[Any, dict[str, float]]] = {
        "sgd": (sgd, {}),
        "sgd_momentum": (sgd, {"momentum": 0.9}),
        "adam": (adam, {}),
    }
    kind, options = made[optimizer]
    algorithm = kind([weight], **options)
    algorithm.step()
    kept = algorithm.state[weight].values()
    return sum(isinstance(each, torch.Tensor) and each.shape == weight.shape for each in kept)


def build(texts: Mapping[str, str]) -> Figures:
    """Return the rate of a machine whose engines all do their FMAs at every tick of its clock.

    What is left empty is what the device's data sheet multiplies.
    """
    machine: dict[str, Any] = {}
    if texts["device"]:
        machine = json.loads(HARDWARE.read_text("utf-8"))[texts["device"]]
    row = texts["dtype"]
    known = [each for each in machine.get("derivation", []) if each["dtype"] == row]
    units, engines, fma, clock = (
        texts[part] or str(known[0][part]) for part in ("units", "engines", "fma", "clock_hz")
    )
    busy = amount(fma, "FMA") * int(engines) * int(units)
    sparse = int(texts["sparsity"])
    rate = busy * amount(clock, "Hz") * sparse
    found = {
        "fma_per_clock": as_number(busy, "FMA"),
        "flops_per_clock": as_number(busy, "FLOP"),
        "peak_flops_per_second": as_number(rate, "FLOP/s"),
    }
    printed = machine.get("sparse" if sparse > 1 else "peak", {}).get(row)
    if printed is not None:
        found["printed_flops_per_second"] = as_number(amount(str(printed), "FLOP/s"), "FLOP/s")
        found["ratio"] = as_float(rate / amount(str(printed), "FLOP/s"), "")
    return found
