"""How each counting tool is called, each reading in a process of its own: some patch torch.

Run by the interpreter of a tool's environment: `python -m scripts.tools.call thop` reads
subjects, one line each, and answers each with a line.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from ast import literal_eval
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from importlib import import_module
from importlib.metadata import version
from io import StringIO
from typing import Any

import torch

from scripts.tools.subjects import Subject, subject

Answer = dict[str, Any]


def thop(one: Subject) -> Answer:
    """`thop.profile`, of either package of this name."""
    tool = import_module(MODULES["thop"])
    given = one.inputs()[0] if one.bare else one.inputs()
    value, params = tool.profile(one.module(), inputs=given, verbose=False)
    return {"value": value, "params": params}


def fvcore(one: Subject, *, training: bool = False, grad: bool = True) -> Answer:
    """`FlopCountAnalysis(model, inputs).total()`."""
    tool = import_module(MODULES["fvcore"])
    with nullcontext() if grad else torch.no_grad():
        analysis = tool.FlopCountAnalysis(one.module().train(training), one.inputs())
        value = analysis.total()
        return {"value": value, "warns": sorted(analysis.unsupported_ops())}


def ptflops(one: Subject, *, batch: bool = True, backend: str = "pytorch") -> Answer:
    """`get_model_complexity_info`, by default on a batch of one, else on the inputs themselves.

    Several inputs reach it by name only. It catches what is raised, prints it and returns None.
    """
    tool = import_module(MODULES["ptflops"])
    model, given = one.module(), one.inputs()
    more: dict[str, Any] = {}
    if batch:
        more["input_constructor"] = lambda _: given[0] if len(given) == 1 else one.named(given)
    said = StringIO()
    with redirect_stdout(said):
        value, params = tool.get_model_complexity_info(
            model, tuple(given[0].shape[1:]), as_strings=False, print_per_layer_stat=False,
            backend=backend, **more,
        )  # fmt: skip
    if value is None:
        kind, _, words = said.getvalue().strip().splitlines()[-1].partition("'>: ")
        name = re.split(r"\W", kind)[-1]
        return {"raises": f"{name}: {words}"}
    return {"value": value, "params": params}


def torchinfo(one: Subject) -> Answer:
    """`torchinfo.summary(model, input_data=inputs)`."""
    tool = import_module(MODULES["torchinfo"])
    found = tool.summary(one.module(), input_data=one.inputs(), verbose=0)
    return {"value": found.total_mult_adds, "params": found.total_params}


def calflops(one: Subject) -> Answer:
    """`calflops.calculate_flops(model, args=inputs)`."""
    tool = import_module(MODULES["calflops"])
    flops, macs, params = tool.calculate_flops(
        one.module(), args=list(one.inputs()), print_results=False, output_as_string=False
    )
    return {"value": flops, "macs": macs, "params": params}


def deepspeed(one: Subject) -> Answer:
    """`get_model_profile(model, args=inputs)` of DeepSpeed's profiler."""
    tool = import_module(MODULES["deepspeed"])
    flops, macs, params = tool.get_model_profile(
        one.module(), args=list(one.inputs()), print_profile=False, as_string=False, warm_up=0
    )
    return {"value": flops, "macs": macs, "params": params}


def torchprofile(one: Subject) -> Answer:
    """`torchprofile.profile_macs(model, inputs)`."""
    tool = import_module(MODULES["torchprofile"])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        value = tool.profile_macs(one.module(), one.inputs())
    missing = {
        str(each.message).split('"')[1] for each in said if "No handlers" in str(each.message)
    }
    return {"value": value, "warns": sorted(missing)}


def flop_counter(one: Subject, *, device: str = "cpu", grad: bool = True) -> Answer:
    """`FlopCounterMode().get_total_flops()` of torch."""
    tool = import_module(MODULES["torch"])
    with torch.device(device):
        model, given = one.module(), one.inputs()
    with nullcontext() if grad else torch.no_grad(), tool.FlopCounterMode(display=False) as counter:
        model(*given)
    return {"value": counter.get_total_flops()}


READINGS: dict[str, tuple[str, Callable[[Subject], Answer]]] = {
    "thop": ("thop", thop),
    "ultralytics-thop": ("ultralytics-thop", thop),
    "fvcore": ("fvcore", fvcore),
    "fvcore-train": ("fvcore", lambda one: fvcore(one, training=True)),
    "fvcore-no-grad": ("fvcore", lambda one: fvcore(one, grad=False)),
    "ptflops": ("ptflops", lambda one: ptflops(one, batch=False)),
    "ptflops-batch": ("ptflops", ptflops),
    "ptflops-aten": ("ptflops", lambda one: ptflops(one, backend="aten")),
    "torchinfo": ("torchinfo", torchinfo),
    "calflops": ("calflops", calflops),
    "deepspeed": ("deepspeed", deepspeed),
    "torchprofile": ("torchprofile", torchprofile),
    "torch-cpu": ("torch", flop_counter),
    "torch-cpu-no-grad": ("torch", lambda one: flop_counter(one, grad=False)),
    "torch-meta": ("torch", lambda one: flop_counter(one, device="meta")),
}
"""By the name of each reading, the package that gives it, and how it is taken."""

MODULES = {
    "thop": "thop",
    "ultralytics-thop": "thop",
    "fvcore": "fvcore.nn",
    "ptflops": "ptflops",
    "torchinfo": "torchinfo",
    "calflops": "calflops",
    "deepspeed": "deepspeed.profiling.flops_profiler",
    "torchprofile": "torchprofile",
    "torch": "torch.utils.flop_counter",
}
"""What is imported of each package."""


def take(name: str, one: Subject) -> Answer:
    """Return one reading, in this process: {"value", "params", …} or {"raises"}."""
    try:
        with redirect_stdout(StringIO()):
            answer = READINGS[name][1](one)
    except Exception as error:
        return {"raises": f"{type(error).__name__}: {error}".strip()}
    return {key: _plain(value) for key, value in answer.items()}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def apart(name: str, one: Subject) -> Answer:
    """Return one reading, taken in a process that ends with it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, repr(take(name, one)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    answer: Answer = literal_eval(said) if said else {"raises": "the process ended"}
    return answer


def main(package: str) -> None:
    """Answer each subject on standard input with every reading that a package gives."""
    names = [name for name, (owner, _) in READINGS.items() if owner == package]
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(True)  # torch_layers/masks.py turns it off
    warnings.simplefilter("ignore")
    logging.disable()
    out = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr
    import_module(MODULES[package])  # so that no reading has to
    print(version(package), file=out, flush=True)
    for line in sys.stdin:
        one = subject(line)
        print(repr({name: apart(name, one) for name in names}), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
