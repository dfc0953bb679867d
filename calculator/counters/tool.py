"""What every counting tool has: a name, a call, rules by layer, and readings that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, NamedTuple

from calculator.blocks.chain import FUNCTION, MODULE
from calculator.core.fields import InvalidField
from calculator.core.units import grouped
from calculator.counters.steps import input_shapes, leaves
from calculator.layers.layer import Layer, Work

CELLS = ("rnn_cell", "gru_cell", "lstm_cell")
UPSAMPLES = ("upsample", "upsampling_nearest2d", "upsampling_bilinear2d")
OF_A_UNIT = {1: 1, 3: 7, 4: 10}
"""What ptflops, and what was made of it, count for joining the gates, by how many there are."""
DECODERS = ("grouped_query_attention", "llama_decoder_layer", "llama")
"""Blocks that are no module of torch's: a tool sees the layers inside."""

Number = int | float
Counted = Number | tuple[Number, str]


UNSEEN = "This is a function call, which the tool cannot see: 0."


class Raised(Exception):
    """What a tool raises instead of counting, as Python prints it: `TypeError: …`."""


@dataclass(frozen=True)
class Reading:
    """What a tool returns: its value, its parameters if it counts them, and why.

    `between` are the minimum and the maximum of the parameters if they depend on the data.
    `macs` is the second number of a tool that returns FLOPs and MACs, `warns` the operators that it
    says it does not know. If it raises, `raises` is what Python prints, and there is no value.
    """

    why: str
    value: Number | None = None
    params: Number | None = None
    between: tuple[Number, Number] | None = None
    macs: Number | None = None
    warns: tuple[str, ...] = ()
    raises: str = ""


class Rule(NamedTuple):
    """How a tool counts a layer, and in a sentence why."""

    counted: Callable[[Any], Counted]
    why: str

    def of(self, layer: Layer) -> tuple[Number, str]:
        """Return the count of a layer, and the sentence for it."""
        counted = self.counted(layer)
        return counted if isinstance(counted, tuple) else (counted, self.why)


@dataclass(frozen=True)
class Rules:
    """A tool's rules by the name of a layer; a layer that has none counts 0.

    A function that is counted otherwise than the module stands as `F.name`.
    """

    otherwise: str
    """Why it is 0, in a sentence."""
    known: dict[str, Rule] = field(default_factory=dict)

    def name(self, layer: Layer, how: str) -> str:
        """Return the name that a layer's rule has."""
        function = f"F.{layer.name}"
        return function if how == FUNCTION and function in self.known else layer.name

    def rule(self, *names: str) -> Callable[[Callable[[Any], Counted]], Callable[[Any], Counted]]:
        """Declare how layers of these names are counted; the sentence is the docstring.

        A count whose reason depends on the arguments returns the sentence with it.
        """

        def declare(count: Callable[[Any], Counted]) -> Callable[[Any], Counted]:
            rule = Rule(count, " ".join((count.__doc__ or "").split()))
            self.known.update(dict.fromkeys(names, rule))
            return count

        return declare

    def of(self, layer: Layer, how: str = MODULE) -> tuple[Number, str]:
        """Return the count of a layer and why."""
        name = self.name(layer, how)
        if name in self.known:
            return self.known[name].of(layer)
        return 0, self.otherwise

    def inside(self, block: Layer) -> Number:
        """Return the sum of the counts of all layers of a block."""
        return sum(count * self.of(leaf)[0] for count, leaf in leaves(block))


@dataclass(frozen=True)
class Tool:
    """A way to call a counting tool, and what it would return for a layer or a network."""

    name: str
    package: str
    version: str
    call: str
    """The expression that a reader would run on `model` and its `inputs`."""
    unit: str
    """What the tool calls its number."""
    means: str
    """What the number is."""
    read: Callable[[Work], Reading]
    unpacks: bool = False
    """Whether it calls `model(*inputs)`, and so takes a tensor in their place apart."""

    def reading(self, subject: Work) -> Reading:
        """Return what the tool returns for a layer or a network, set to inference."""
        if getattr(subject, "training", False):
            subject = subject.replace(training=False)
        try:
            reading = self.read(subject)
        except Raised as error:
            return Reading(why="It ends with an error.", raises=str(error))
        takes_samples = self.unpacks and len(input_shapes(subject)[0]) > 1
        bare = self.reading_of_bare(subject) if takes_samples else reading
        if bare.value is None or bare.value == reading.value:
            return reading
        value = grouped(int(bare.value))
        more = (
            f"Given inputs=x in place of (x,), it returns {value}, because the model sees no batch."
        )
        return replace(reading, why=f"{reading.why} {more}")

    def reading_of_bare(self, subject: Any) -> Reading:
        """Return what the tool returns if it is given a tensor instead of a tuple of one.

        It takes the samples of a batch for inputs: of one sample the model sees no batch.
        """
        try:
            return self.read(_unpacked(subject))
        except Raised as error:
            return Reading(why="It ends with an error.", raises=str(error))


def _unpacked(subject: Any) -> Work:
    """Return a layer or a network on the one sample of its batch."""
    shapes = input_shapes(subject)
    samples = shapes[0][0]
    if len(shapes) > 1 or samples != 1:
        raise Raised(
            f"TypeError: forward() takes 2 positional arguments but {samples + 1} were given"
        )
    try:
        if not isinstance(subject, Layer):
            if "input_shape" not in subject.fields:
                raise Raised("RuntimeError: an image without a batch")
            network: Work = subject.replace(input_shape=shapes[0][1:])
            return network
        own = {name: getattr(subject, name) for name in Work.fields}
        return type(subject).on(shapes[0][1:], **own, **subject.module_arguments())
    except InvalidField as error:
        raise refused(error) from None


_BY_NORMS = ("Expected more than 1", "to match num_features", "D input (got ")
"""What norms reject in Python, with another error than torch's operators do."""


def refused(error: InvalidField, where: str = "") -> Raised:
    """Return what a tool raises where torch rejects an input; ours is the hint at the end."""
    said = error.message.partition(". Set ")[0]
    kind = "ValueError" if any(each in error.message for each in _BY_NORMS) else "RuntimeError"
    return Raised(f"{kind}: {where}{said}.")


def called(layer: Layer) -> str:
    """Return what torch calls a layer, be it a part of a block and of a kind of its own."""
    return next(kind.__name__ for kind in type(layer).__mro__ if not kind.__name__.startswith("_"))


def on_axes(*names: str) -> tuple[str, ...]:
    """Return the names for one, two and three axes.

    >>> on_axes("conv")
    ('conv1d', 'conv2d', 'conv3d')
    """
    return tuple(f"{name}{axes}d" for name in names for axes in (1, 2, 3))


def explained(
    parts: Iterable[tuple[Layer, Number, str]], scale: int, counts: Iterable[int] | None = None
) -> str:
    """Return why the counts of layers come to their sum, what differs most from the MACs first.

    `scale` is what a multiply-accumulate counts for, `counts` how many there are of each layer.
    Where nothing differs, it is the sentence of the layers with most of the work, if any have some.
    """
    off: dict[tuple[str, str], Number] = {}
    work: dict[str, int] = {}
    for (layer, value, why), count in zip(parts, counts or repeat(1), strict=False):
        key = called(layer), why
        off[key] = off.get(key, 0) + count * (value - scale * layer.macs)
        work[why] = work.get(why, 0) + count * layer.macs
    most = max(work, key=lambda why: work[why], default="")
    differing = sorted(filter(off.get, off), key=lambda key: -abs(off[key]))
    if len(off) == 1 or (not differing and (len(work) == 1 or work[most])):
        return most
    said: dict[str, list[str]] = {}
    for name, why in (differing or [*off])[:_MOST]:
        said.setdefault(why, []).append(name)
    sentences = [f"{', '.join(names)}: {why}" for why, names in said.items()]
    rest = dict.fromkeys(name for name, _ in differing[_MOST:])
    return " ".join(
        [
            *sentences,
            *([f"A smaller part of the difference is due to {', '.join(rest)}."] if rest else []),
        ]
    )


_MOST = 4
"""So many kinds of layers are explained in a network."""
