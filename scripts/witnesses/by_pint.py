"""What pint says: how long work and training take, how fast a machine is, how large a model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import pint
import torch

from scripts.torch_layers.run import DTYPES
from scripts.witnesses.by_torch import Figures

HARDWARE = Path(__file__).parents[2] / "calculator" / "machines" / "devices.json"
SPELLINGS = {  # what may stand for a unit in an example's text, beside the unit itself
    "FLOP/s": "FLOPs?/s|FLOPS|FLOPs?",
    "B/s": "B/s",
    "B": "B",
    "s": "s",
    "W": "W",
    "Hz": "Hz",
    "FLOP": "MACs?|FLOPs?|FLOPS|mult-adds",
    "FMA": "FMAs?",
    "MAC": "MACs?|FLOPs?|FLOPS|mult-adds",
    "hour": "device-hours|GPU-hours|h",
    "param": "params|parameters",
    "token": "tokens",
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


Work = tuple[int, str, str]
"""How many there are of a layer, its FLOPs and its bytes, empty where nobody knows them."""


def time(
    texts: Mapping[str, str], dtype: str, works: Sequence[Work], step_flops: int | None = None
) -> Figures:
    """Return the seconds that a machine needs for layers, one after another, from texts by field.

    A rate that is not among them is the device's, a share what somebody measured. `step_flops` are
    those of a training step, if that was timed.
    """
    machines = json.loads(HARDWARE.read_text("utf-8"))
    machine = machines.get(texts["device"], {})
    devices = int(texts["devices"] or 1)
    rate = devices * _rate(texts, machine, dtype)
    speed = None
    if texts["bandwidth_bytes_per_second"] or machine:
        written = str(machine.get("bandwidth_bytes_per_s"))
        speed = devices * amount(texts["bandwidth_bytes_per_second"] or written, "B/s")
    shares, swift = (
        _shares(texts[field], "" if texts[own] else texts["device"], machines, what)
        for field, own, what in (
            ("utilization", "peak_flops_per_second", "compute"),
            ("bandwidth_utilization", "bandwidth_bytes_per_second", "bandwidth"),
        )
    )
    compute = sum(n * amount(flops, "FLOP") / rate for n, flops, _ in works)
    knows = speed is not None and all(moved for *_, moved in works)
    none = 0 * compute
    pairs = [
        (n, amount(flops, "FLOP") / rate, amount(moved, "B") / speed if knows else none)
        for n, flops, moved in works
    ]
    memory = sum(n * slow for n, _, slow in pairs)
    launched = sum(n for n, busy, slow in pairs if busy.magnitude or slow.magnitude)
    launches = int(texts["launches"]) if texts["launches"] else launched
    launch = launches * _launch(texts["launch_seconds"], machine, machines)
    bound = {
        name: sum(n * max(busy, slow) for n, busy, slow in pairs if (slow > busy) is is_memory)
        for name, is_memory in (("compute", False), ("memory", True))
    }
    found = {
        "compute_seconds": as_float(compute, "s"),
        "floor_seconds": as_float(sum(n * max(busy, slow) for n, busy, slow in pairs), "s"),
        "overhead_seconds": as_float(launch, "s"),
        "bound": "memory" if bound["memory"] > bound["compute"] + none else "compute",
        "peak_flops_per_second": as_number(rate / devices, "FLOP/s"),
    }
    if speed is not None:
        found["bandwidth_bytes_per_second"] = as_number(speed / devices, "B/s")
        found["ridge_intensity"] = as_float(rate / speed, "FLOP/B")
    if knows:
        found["memory_seconds"] = as_float(memory, "s")
        found["serial_seconds"] = as_float(compute + memory, "s")
    work = sum(n * amount(flops, "FLOP") for n, flops, _ in works)
    floor = sum(n * max(busy, slow) for n, busy, slow in pairs)
    if floor.magnitude:
        found["attainable_flops_per_second"] = as_float(work / floor, "FLOP/s")
    if texts["measured_seconds"]:
        took = duration(texts["measured_seconds"])
        backward = texts.get("backward_flops", "")
        step = work + amount(backward, "FLOP") if backward else work
        if step_flops is not None:
            step = amount(str(step_flops), "FLOP")
        again = amount(texts["recomputed_flops"] or "0", "FLOP")
        if texts.get("measured_pass") == "recomputed":
            again = work
        found["mfu"] = as_float(step / took / rate, "")
        found["hfu"] = as_float((step + again) / took / rate, "")
        if knows and step == work:
            found["mbu"] = as_float(memory / took, "")
    if shares and (swift or not knows):
        low, high = shares
        slowest, fastest = swift or (1, 1)
        reached = sum(n * max(busy / high, slow / fastest) for n, busy, slow in pairs)
        ends = max(reached, launch), compute / low + memory / slowest + launch
        found["reached_seconds"] = as_float(reached, "s")
        watts = texts["power_watts"] or machine.get("power", {}).get("watts")
        for name, end in zip(("best_case", "best_case_serial"), ends, strict=True):
            found[f"{name}_seconds"] = as_float(end, "s")
            if watts:
                found[f"{name}_joules"] = as_float(devices * amount(str(watts), "W") * end, "J")
    return found


def _rate(texts: Mapping[str, str], machine: Mapping[str, Any], dtype: str) -> Any:
    """Return the peak: one's own, else the device's, the faster of its vector and matrix units."""
    if texts["peak_flops_per_second"]:
        return amount(texts["peak_flops_per_second"], "FLOP/s")
    kind = texts["peak_kind"]
    rows = machine["peak" if kind == "dense" else kind]
    if not any(row.partition("_")[0] == dtype for row in rows):
        return amount(str(rows[machine["fallback"][dtype]["row"]]), "FLOP/s")
    fastest = max(rate for row, rate in rows.items() if row.partition("_")[0] == dtype)
    return amount(str(fastest), "FLOP/s")


def _shares(text: str, name: str, machines: Any, what: str) -> tuple[Any, Any] | None:
    """Return the lowest and the highest share of a rate: written, or measured; None if neither.

    Measured on the device, else on the GPUs of its vendor, if it is a GPU.
    """
    if text:
        ends = [float(end.strip().removesuffix("%")) for end in text.split("–")]
        if text.endswith("%"):
            ends = [end / 100 for end in ends]
    else:
        machine = machines.get(name, {})
        known = [other for other in machines.values() if what in other.get("achieved", {})]
        known = [
            other
            for other in ([machine] if machine in known else known)
            if other is machine
            or (other["vendor"] == machine.get("vendor") and _is_gpu(other) and _is_gpu(machine))
        ]
        ends = [other["achieved"][what]["share"] for other in known]
        if not ends:
            return None
    return registry().Quantity(Fraction(min(ends))), registry().Quantity(Fraction(max(ends)))


def _launch(text: str, machine: Any, machines: Any) -> Any:
    """Return the time of a launch: what is written, else what was measured on a GPU."""
    if text:
        return duration(text)
    if not _is_gpu(machine):
        return registry().Quantity("0 s")
    known = [machine] if "launch" in machine.get("achieved", {}) else machines.values()
    found = [each["achieved"]["launch"] for each in known if "launch" in each.get("achieved", {})]
    return amount(str(min(launch["seconds"] for launch in found)), "s")


def _is_gpu(machine: Any) -> bool:
    return machine.get("kind") in ("datacenter_gpu", "consumer_gpu", "edge")


def duration(text: str) -> Any:
    """Return a time that a person wrote, such as 48 µs."""
    return registry().Quantity(text if text[-1] == "s" else f"{text} s")


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
    if not texts["peak_flops_per_second"] and not texts["device"]:
        return found
    machines = json.loads(HARDWARE.read_text("utf-8"))
    rate = _rate(texts, machines.get(texts["device"], {}), texts["dtype"])
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
