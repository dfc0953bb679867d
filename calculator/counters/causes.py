"""What a published figure may count: every convention, tool, variant and slip known here.

A cause has a prior, which says how common it is compared with the others: 1 for the MACs
themselves. The priors are guesses that follow the issue threads of counting tools. A kind of cause
that is tried with several values, such as another resolution, shares its prior among them, so that
a long list of tries makes none of them likelier. A cause that supposes two things has the product
of two priors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

from calculator.blocks.chain import Chain
from calculator.core.operations import flops, worth
from calculator.core.units import SI_PREFIXES
from calculator.counters import readings, tools
from calculator.counters.figure import Figure
from calculator.counters.from_source import sourced_readings
from calculator.counters.variants import Variant, samples_of, variants_of
from calculator.layers.layer import Layer, Work

BATCHES = (2, 4, 8, 10, 16, 32, 64, 100, 128, 256, 512, 1024)
"""Batch sizes that people forget to divide by."""

_TOOL, _SOURCED_TOOL = 0.2, 0.1
_BATCH = 0.3 / len(BATCHES)
_BINARY, _BINARY_BY_A_PROGRAM = 0.02, 0.5
_BINARY_PREFIXES = {"k": "", "M": "²", "G": "³", "T": "⁴"}
"""The power of 1024 that stands for each prefix, as it is written."""
_PRINTED_DIGITS = 4
"""A figure of so many digits was printed by a program, which as often as not divides by 1024."""
_OTHER_THING, _OTHER_UNIT = 0.05, 0.5
"""What is left of a prior if the figure's unit contradicts it: MACs are often called FLOPs."""
_WORTH_A_TOOL = 0.04
"""Variants at least this common are read by the tools too: reading a network takes a while."""


@dataclass(frozen=True)
class Cause:
    """What a figure may be: in words, the exact count, and how common it is."""

    what: str
    count: int
    prior: float
    counts: str = ""
    """What it counts, as a figure's unit has it; nothing for what a tool prints."""
    steps: int = 0
    """How many things have to be supposed that the subject does not say."""
    per: Fraction = Fraction(1)
    """What the count is multiplied by before it is printed: 1000³ / 1024³ for wrong gigas."""
    is_of_macs: bool = False
    """Whether it counts only MACs, each as one MAC or as two FLOPs."""

    @property
    def printed(self) -> Fraction:
        """The count as the figure would have it."""
        return self.count * self.per


def causes(subject: Work) -> Iterator[Cause]:
    """Yield everything that may be counted of a layer or a network."""
    for variant in variants_of(subject):
        found = [*_conventions(variant.work)]
        if variant.prior >= _WORTH_A_TOOL:
            found += _printed(variant.work)
        yield from (_of(variant, cause) for cause in found)
        if variant.steps == 0 and samples_of(variant.work) == 1:
            yield from _batches(found)


def _of(variant: Variant, cause: Cause) -> Cause:
    """Return a cause as one of a variant."""
    return replace(
        cause, what=f"{cause.what}{variant.where}", prior=cause.prior * variant.prior,
        steps=variant.steps,
    )  # fmt: skip


def printed_as(figure: Figure, counted: Iterable[Cause]) -> Iterator[Cause]:
    """Yield the causes with the priors that the figure's text leaves them, and those in 1024s."""
    for known in counted:
        share = _share(figure.counts, known.counts)
        cause = replace(known, prior=share * known.prior)
        yield cause
        if figure.prefix in _BINARY_PREFIXES and cause.steps == 0:
            yield _divided(cause, figure)


def _share(unit: str, counts: str) -> float:
    """Return what a figure's unit leaves of the prior of what counts something else."""
    if not unit or unit == counts:
        return 1
    if "parameters" in (unit, counts):
        return _OTHER_THING
    return _OTHER_UNIT if counts else 1


def _divided(cause: Cause, figure: Figure) -> Cause:
    """Return a count that was divided by 1024 as often as the figure's prefix has thousands."""
    power = SI_PREFIXES[figure.prefix] // 3
    prior = _BINARY_BY_A_PROGRAM if figure.digits >= _PRINTED_DIGITS else _BINARY
    what = f"{cause.what}, divided by 1024{_BINARY_PREFIXES[figure.prefix]}"
    return replace(
        cause, what=what, prior=cause.prior * prior, per=Fraction(1000**power, 1024**power)
    )


def _batches(found: list[Cause]) -> Iterator[Cause]:
    """Yield the counts of a batch whose author named a single sample.

    What a tool prints for a batch is not a multiple in every tool, and is left out.
    """
    for cause in found:
        if cause.counts in ("", "parameters"):
            continue
        for size in BATCHES:
            yield replace(
                cause, what=f"{cause.what}, of a batch of {size}", count=size * cause.count,
                prior=cause.prior * _BATCH, steps=1,
            )  # fmt: skip


def _conventions(work: Any) -> Iterator[Cause]:
    """Yield what may be counted of a layer or a network as it is."""
    yield Cause("MACs", work.macs, 1, "MACs", is_of_macs=True)
    yield Cause("FLOPs, 2 × MACs", 2 * work.macs, 1, "FLOPs", is_of_macs=True)
    everything = flops(work.operations, worth("all", 1))
    yield Cause("FLOPs of all arithmetic, 1 per function", everything, 0.05, "FLOPs")
    yield Cause("MACs, forward and backward", work.training_macs, 0.1, "MACs", is_of_macs=True)
    yield Cause("FLOPs, forward and backward", work.training_flops, 0.1, "FLOPs", is_of_macs=True)
    yield from _parameters(work)
    leaves = [*work.leaves()] if isinstance(work, Chain) else [(1, work)]
    yield from _matrix_work(leaves)
    if any(_is_attention(layer) for _, layer in leaves):
        yield from _attention(leaves)
        yield from _rules_of_thumb(work)


def _parameters(work: Any) -> Iterator[Cause]:
    """Yield the parameters: all, those that a token meets, those outside of the embedding."""
    for what, params, prior in _parameter_counts(work):
        yield Cause(what, params, prior, "parameters")


def _parameter_counts(work: Any) -> Iterator[tuple[str, int, float]]:
    yield "parameters", work.params, 0.3
    active = getattr(work, "active_params", work.params)
    if active != work.params:
        yield "active parameters", active, 0.3
    if isinstance(work, Chain):
        table = sum(layer.params for _, layer in work.leaves() if layer.name == "embedding")
        if table:
            yield "parameters without the embedding", work.params - table, 0.1


def _matrix_work(leaves: list[tuple[int, Any]]) -> Iterator[Cause]:
    """Yield the counts of multiplications and additions that treat the bias in another way."""
    working = [(count, layer) for count, layer in leaves if layer.macs]
    if not all(hasattr(layer, "exact_flops") for _, layer in working):
        return
    exact = sum(count * layer.exact_flops for count, layer in working)
    yield Cause("exact count, 2K − 1 per output and 1 per bias", exact, 0.1, "FLOPs")
    macs = sum(count * layer.macs for count, layer in working)
    biases = sum(count * prod(layer.output_shape) for count, layer in working if layer.bias)
    if biases:
        yield Cause("MACs and biases", macs + biases, 0.1, "MACs")


def _is_attention(layer: Layer) -> bool:
    return layer.name == "scaled_dot_product_attention"


def _attention(leaves: list[tuple[int, Any]]) -> Iterator[Cause]:
    """Yield the counts without masked pairs, and those without the products of attention."""
    masked = sum(count * (layer.macs - layer.useful()) for count, layer in leaves)
    for where, prior, share in (
        (" of causal pairs only", 0.2 if masked else 0, _unmasked),
        (" without attention products", 0.1, _outside_attention),
    ):
        if not prior:
            continue
        macs = sum(count * share(layer, layer.macs) for count, layer in leaves)
        training = sum(count * share(layer, layer.training_macs) for count, layer in leaves)
        if macs:
            for what, count, counts in (
                (f"MACs{where}", macs, "MACs"),
                (f"FLOPs{where}", 2 * macs, "FLOPs"),
                (f"FLOPs{where}, forward and backward", 2 * training, "FLOPs"),
            ):
                yield Cause(what, count, prior, counts, is_of_macs=True)


def _unmasked(layer: Any, macs: int) -> int:
    """Return what is left of a count when masked pairs are skipped in every pass."""
    return macs * layer.useful() // layer.macs if layer.macs else 0


def _outside_attention(layer: Any, macs: int) -> int:
    return 0 if _is_attention(layer) else macs


def _rules_of_thumb(work: Any) -> Iterator[Cause]:
    """Yield 2ND and 6ND: operations from only parameters N and tokens D."""
    tokens = prod(work.output_shape[:-1])
    for what, params, prior in _parameter_counts(work):
        of = "" if what == "parameters" else f" of the {what}"
        yield Cause(f"2 × parameters × tokens (2ND){of}", 2 * params * tokens, prior, "FLOPs")
        yield Cause(f"6 × parameters × tokens (6ND){of}", 6 * params * tokens, prior, "FLOPs")


def _printed(work: Work) -> Iterator[Cause]:
    """Yield what the tools print, those together that print the same."""
    found = readings(work)
    by_value: dict[int, list[str]] = {}
    for tool in tools():
        reading = found[tool.name]
        if reading.value:
            by_value.setdefault(int(reading.value), []).append(tool.name)
        if reading.macs:
            by_value.setdefault(int(reading.macs), []).append(f"{tool.name} (MACs)")
    known = {*by_value}
    for name, value in sourced_readings(work):
        if value:
            by_value.setdefault(value, []).append(name)
    for value, names in by_value.items():
        prior = _TOOL if value in known else _SOURCED_TOOL
        what = f"what {_listed(names)} prints"
        yield Cause(what, value, prior)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
