"""Random layers, ours against torch's: `make fuzz` runs this for as long as it is told.

python -m scripts.fuzz [--seconds 60] [--seed 0] [LAYER …]
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from random import Random
from typing import Any

import torch

from calculator.fields import InvalidField
from scripts.configurations import LAYERS, Configuration, draw
from scripts.twins import COMPUTED, Answer, torch_says

Grads = dict[str, Any]  # which gradients are asked for, and the dtype

GRADS = ("input_requires_grad", "weight_requires_grad")


def we_say(one: Configuration, grads: Grads) -> Answer | InvalidField:
    """Return what our layer answers, or why it is refused."""
    try:
        layer = one.ours(**grads)
        return Answer(**{name: getattr(layer, name) for name in Answer.__dataclass_fields__})
    except InvalidField as error:
        return error


def disagreement(one: Configuration, grads: Grads) -> str | None:
    """Return in what we differ from torch, None where in nothing or for a decided exception."""
    theirs, ours = torch_says(one, **grads), we_say(one, grads)
    if isinstance(theirs, Exception) and grads.get("dtype", "fp32") != "fp32":
        return disagreement(one, {**grads, "dtype": "fp32"})  # some kernels are for no other
    if excused(one, theirs, ours):
        return None
    if isinstance(theirs, Exception) and isinstance(ours, Exception):
        if ours.message.startswith(reason(theirs)) or _another_is_wrong(one, reason(theirs)):
            return None
        return f"torch says {reason(theirs)!r}, we say {ours.message!r}"
    if isinstance(theirs, Exception):
        return f"torch refuses: {type(theirs).__name__}: {reason(theirs)}"
    if isinstance(ours, Exception):
        return f"we refuse: {ours}"
    differing = {
        name: (said, getattr(ours, name))
        for name, said in asdict(theirs).items()
        if getattr(ours, name) != said
    }
    return f"(torch, ours): {differing}" if differing else None


def _another_is_wrong(one: Configuration, reason: str) -> bool:
    """Return whether torch's reason is ours too, once what was drawn to be wrong is mended."""
    mended = {name: value for name, value in one.arguments.items() if name not in one.wrong}
    if len(mended) == len(one.arguments):
        return False
    said = we_say(replace(one, arguments=mended), {})
    return isinstance(said, InvalidField) and said.message.startswith(reason)


def reason(error: Exception) -> str:
    """Return why torch refuses: its first line, without what only its own argument parser adds."""
    line = re.sub(" +", " ", str(error).strip().split("\n")[0])
    line = re.sub(r"\{.*", "", line)  # a set, printed in any order
    return re.sub(r"^Argument #\d+: ", "", line).rstrip(". ")


def excused(
    one: Configuration, theirs: Answer | Exception, ours: Answer | InvalidField
) -> str | None:
    """Return the decided exception that a disagreement falls under, by its name.

    - A size of 0, which torch takes in places, or refuses in the backward pass only: the count of
      nothing is no count.
    - A padding or dilation of one number in a tuple for several axes: torch broadcasts it where it
      pads by zeros; elsewhere it pads one axis and forgets the others.
    - A padding with more numbers than axes: torch lets it pad the channels where it does not pad
      by zeros.
    - A whole number written 1.0, where torch does no more than divide by it.
    - Attention on tensors that do not fit together: torch broadcasts a batch of 1, counts heads of
      keys and of values apart, takes other numbers of dimensions, and speaks of its mask first.
    - A negative dropout of attention, which some kernels take for none and others refuse.
    - A dropout of the wrong type where torch does not look at it: in inference.
    - The words for a value of the wrong type, which are those of torch's argument parser; for a
      size of a parameter below 1, which name the tensor and not the argument, or of a module that
      torch does not have; for a kernel_size of a wrong length, which name the stride; for a padding
      or dilation of a wrong length, for a dilation below 1 and for a crop that leaves nothing,
      which differ from kernel to kernel; for a tuple of a wrong length in a max_pool1d that
      returns indices, which takes another kernel.
    - An adaptive average with outputs of 1 on any number of dimensions: torch takes the mean and
      does not look at them.
    """
    if not isinstance(ours, InvalidField):
        return None
    if one.layer == "scaled_dot_product_attention" and ours.field == "input_shape":
        rank = any(len(shape) != 4 for shape in one.shapes)
        if isinstance(theirs, Answer) or rank or str(theirs).startswith("The expanded size"):
            return "attention on tensors that do not fit together"
    of_attention = one.layer in ("scaled_dot_product_attention", "multihead_attention")
    if of_attention and ours.field in ("dropout", "dropout_p") and ours.given.startswith("-"):
        return "a negative dropout"
    if isinstance(theirs, Answer):
        numbers = one.arguments.get(ours.field)
        if ours.message.endswith("Must be at least 1"):
            return "a size of 0"
        if isinstance(numbers, float) and numbers.is_integer():
            return "a whole number written 1.0"
        if ours.field == "dropout" and ours.message == "must be a number":
            return "a wrong type out of sight"
        if isinstance(numbers, (tuple, list)) and one.layer.startswith("conv"):
            if len(numbers) == 1 and ours.field in ("padding", "dilation"):
                return "one number in a tuple"
            if len(numbers) > len(one.owner.axes) and ours.field == "padding":
                return "a padding of the channels"
        if one.layer.startswith("adaptive_avg") and ours.field == "input_shape":
            axes = len(one.owner.axes)
            return "a mean over all" if set(theirs.output_shape[-axes:]) == {1} else None
        return None
    if "_backward()" in str(theirs) and ours.message.endswith("Must be at least 1"):
        return "a size of 0"
    if isinstance(theirs, TypeError) or re.search(
        "must be a (whole )?number|is empty", ours.message
    ):
        return "words for a wrong type"
    shapes_a_parameter = ours.field in ("num_parameters", "kdim", "vdim", "dim_feedforward") or (
        one.owner.fields[ours.field].required if ours.field in one.arguments else False
    )
    is_torchs = hasattr(torch.nn, one.owner.__name__)
    if (shapes_a_parameter or not is_torchs) and ours.message.endswith("Must be at least 1"):
        return "words for a size below 1"
    if ours.field in ("kernel_size", "padding", "dilation") and "a list of" in ours.message:
        return "words for a wrong length"
    if one.arguments.get("return_indices") and "of size 1 but got size" in ours.message:
        return "words for a wrong length"
    if ours.field == "dilation" or ours.message.endswith("Crop less"):
        return "words of the kernels"
    return None


def configurations(layer: str, seed: int) -> Iterator[tuple[Configuration, Grads]]:
    """Yield random configurations for ever, half of them with something odd."""
    rng = Random(f"{layer} {seed}")
    while True:
        odd = rng.random() < 0.5
        grads = {name: rng.random() < 0.7 for name in GRADS}
        yield draw(rng, layer, odd), {**grads, "dtype": rng.choice(COMPUTED)}


def smallest(one: Configuration, grads: Grads) -> tuple[Configuration, str]:
    """Return the simplest configuration that still differs, and in what."""
    found = disagreement(one, grads) or ""
    for simpler in one.simpler():
        if kind(disagreement(simpler, grads) or "") == kind(found):
            return smallest(simpler, grads)
    return one, found


def kind(found: str) -> str:
    """Return what disagreements of one kind have in common."""
    return re.sub(r"\d+", "#", found)[:60]


def report(one: Configuration, grads: Grads) -> str:
    """Return a disagreement as a person wants to read it."""
    least, found = smallest(one, grads)
    return f"{least}\n    {grads}\n    {found}"


def main(arguments: list[str] | None = None) -> int:
    """Look for disagreements; return 1 where there is one."""
    parser = argparse.ArgumentParser(description="Random layers, ours against torch's.")
    parser.add_argument("--seconds", type=float, default=60, help="how long, in all")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where to begin")
    parser.add_argument("--most", type=int, default=5, help="disagreements shown of a layer")
    parser.add_argument("layers", nargs="*", metavar="LAYER", help="default: every layer")
    options = parser.parse_args(arguments)
    layers = options.layers or list(LAYERS)
    print(f"seed {options.seed}", flush=True)
    found: Counter[str] = Counter()
    for place, layer in enumerate(layers, start=1):
        share = options.seconds * place / len(layers)
        tried = accepted = 0
        kinds: set[str] = set()
        for one, grads in configurations(layer, options.seed):
            if time.perf_counter() - _STARTED > share:
                break
            tried += 1
            said = disagreement(one, grads)
            accepted += isinstance(we_say(one, grads), Answer)
            if said and kind(said) not in kinds:
                kinds.add(kind(said))
                found[layer] += 1
                if found[layer] <= options.most:
                    print(report(one, grads), flush=True)
        print(f"{layer}: {tried} tried, {accepted} accepted, {found[layer]} kinds of disagreement")
    return 1 if found else 0


_STARTED = time.perf_counter()

if __name__ == "__main__":
    sys.exit(main())
