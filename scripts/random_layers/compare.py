"""Random layers, ours against torch's: `make fuzz` runs this for as long as it is told.

python -m scripts.random_layers.compare [--seconds 60] [--seed 0] [LAYER …]
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

from calculator.core.fields import InvalidField
from scripts.random_layers.draw import LAYERS, Configuration, draw
from scripts.torch_layers.run import COMPUTED, Answer, torch_says

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
        if reason(theirs) and ours.message.startswith(reason(theirs)):
            return None
        if _another_is_wrong(one, reason(theirs)):
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
    """Return whether torch's reason is ours too, once what was drawn to be wrong is mended.

    An argument that is drawn to be right may not fit the others, or the input.
    """
    mended = {name: value for name, value in one.arguments.items() if name not in one.wrong}
    if len(mended) == len(one.arguments):
        return False
    said = we_say(replace(one, arguments=mended), {})
    return isinstance(said, InvalidField) and said.message.startswith(reason)


def reason(error: Exception) -> str:
    """Return why torch refuses: its first line, without what only its own argument parser adds."""
    line = re.sub(" +", " ", str(error).strip().split("\n")[0])
    line = re.sub(r"one of \{'.*", "one of ", line)  # a set of words, printed in any order
    return re.sub(r"^Argument #\d+: ", "", line).rstrip(". ")


def excused(
    one: Configuration, theirs: Answer | Exception, ours: Answer | InvalidField
) -> str | None:
    """Return the decided exception that a disagreement falls under, by its name.

    What torch answers, or refuses in another place or layout:

    - A size of 0, which torch takes in places, or refuses in the backward pass only: the count of
      nothing is no count.
    - Channels that a `GroupNorm` without weights does not look at.
    - A padding or dilation of one number in a tuple for several axes, where torch pads otherwise
      than by zeros: it pads one axis and forgets the others.
    - A padding with more numbers than axes: torch lets it pad the channels where it does not pad
      by zeros.
    - Attention on tensors of other than four dimensions, or with a batch of 1 beside a larger one,
      which torch broadcasts, or with other heads of keys than of values, which it counts apart; and
      with other values than keys under a mask, of which it speaks first.
    - A negative dropout of attention, which some kernels take for none and others refuse.
    - A dropout of the wrong type where torch does not look at it, in inference, or that is True,
      which Python takes for 1.
    - An adaptive average with outputs of 1 on a wrong number of dimensions: torch takes the mean
      and does not look at them.

    - A circular padding that crops at one end and wraps by more than is left at the other: torch
      copies memory over itself, and notices that in some layouts only.

    What both refuse, in words that differ, of what was drawn to be wrong:

    - A value of the wrong type, for which the words are those of torch's argument parser.
    - A size of a parameter below 1, where torch names the tensor and not the argument, or where it
      has no such module.
    - A kernel_size, padding or dilation of a convolution of a wrong length, for which torch names
      the stride or what its kernel is given.
    - A tuple of a wrong length in a max_pool1d that returns indices, which takes another kernel.
    - A kernel_size or dilation of a convolution below 1, and a crop that leaves less than nothing,
      for which the words differ from kernel to kernel.
    """
    if not isinstance(ours, InvalidField):
        overlaps = one.layer.startswith("circular_pad") and "single memory location" in str(theirs)
        return "a circle around what is cropped" if overlaps else None
    given = one.arguments.get(ours.field)
    attends = one.layer in ("scaled_dot_product_attention", "multihead_attention")
    if one.layer == "scaled_dot_product_attention" and ours.field == "input_shape":
        if any(len(shape) != 4 for shape in one.shapes):
            return "attention in other dimensions"
        (_, key, value), batches = one.shapes, {shape[0] for shape in one.shapes}
        if (1 in batches and len(batches) > 1) or key[1] != value[1]:
            return "attention on tensors that torch broadcasts"
        if key[2] != value[2] and str(theirs).startswith("The expanded size"):
            return "attention of a mask that does not fit"
    if attends and ours.field in ("dropout", "dropout_p") and ours.given.startswith("-"):
        return "a negative dropout"
    below_one = ours.message.lower().endswith("must be at least 1")
    if isinstance(theirs, Answer):
        return _taken(one, theirs, ours, given, below_one)
    if below_one and "grad_output to have non-zero size" in reason(theirs):
        return "a size of 0"
    crops = ours.field == "padding" and "shape" in one.wrong  # what fits no other shape
    if ours.field in one.wrong or crops:
        return _in_other_words(one, theirs, ours, below_one)
    return None


def _taken(
    one: Configuration, theirs: Answer, ours: InvalidField, given: Any, below_one: bool
) -> str | None:
    """Return the exception that what torch takes and we refuse falls under."""
    axes = len(one.owner.axes)
    if below_one and (given == 0 or 0 in theirs.output_shape):
        return "a size of 0"
    if one.layer == "group_norm" and ours.field == "num_channels":
        return None if one.arguments.get("affine", True) else "channels that are not looked at"
    if ours.field == "dropout" and ours.message == "must be a number":
        looked_at = one.call.get("training") and given is not True
        return None if looked_at else "a wrong type out of sight"
    if isinstance(given, (tuple, list)) and one.layer.startswith("conv"):
        if one.arguments.get("padding_mode", "zeros") == "zeros":
            return None
        if len(given) == 1 and ours.field in ("padding", "dilation"):
            return "one number in a tuple"
        if len(given) > axes and ours.field == "padding":
            return "a padding of the channels"
    if one.layer.startswith("adaptive_avg") and ours.field == "input_shape":
        dimensions = len(one.shapes[0]) - axes
        is_mean = set(theirs.output_shape[-axes:]) == {1}
        return "a mean over all" if is_mean and dimensions not in (1, 2) else None
    return None


def _in_other_words(
    one: Configuration, theirs: Exception, ours: InvalidField, below_one: bool
) -> str | None:
    """Return the exception that two refusals of what was drawn to be wrong fall under."""
    convolves = one.layer.startswith("conv")
    if re.search("[Mm]ust be (a (whole )?number|the sizes of a tensor)|is empty", ours.message):
        return "words for a wrong type"
    if convolves and ours.field in ("kernel_size", "dilation") and below_one:
        return "words of the kernels"
    shapes_a_parameter = (
        one.owner.fields[ours.field].required
        or ours.field in ("num_parameters", "kdim", "vdim", "dim_feedforward")
        or not hasattr(torch.nn, one.owner.__name__)
    )
    is_named = re.search(rf"\b{ours.field}\b.* must be ", reason(theirs))
    if below_one and shapes_a_parameter and not is_named:
        return "words for a size below 1"
    if convolves and "a list of" in ours.message:
        return "words for a wrong length"
    if one.layer == "max_pool1d" and "of size 1 but got size" in ours.message:
        return "words for a wrong length" if one.arguments.get("return_indices") else None
    crops = (
        one.layer.startswith(("zero_pad", "constant_pad"))
        or "leaves a negative size" in ours.message
    )
    if crops and ours.message.endswith("Crop less"):
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
