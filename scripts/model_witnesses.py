"""What pint says of whole models: what a training run takes, what a model takes up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from math import ceil
from typing import Any

import torch

from scripts.witnesses import DTYPES, HARDWARE, Figures, amount, as_float, as_number, registry


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
        machine = tomllib.loads(HARDWARE.read_text("utf-8"))[texts["device"]]
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
