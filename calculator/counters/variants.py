"""What a subject may have been: one sample of it, another width, switch, mixture or image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from calculator.core.fields import Flag, InvalidField
from calculator.layers.layer import Layer

RESOLUTIONS = (160, 192, 224, 240, 256, 288, 299, 320, 336, 384, 448, 512)
"""Sizes of images that networks are published with."""
WIDTHS = (0.35, 0.5, 0.75, 1.3, 1.4)
"""Width multipliers that MobileNetV2 is published with, 1 apart: arXiv 1801.04381, section 6."""

_ONE_SAMPLE, _ALL_EXPERTS, _PUBLISHED, _SWITCH = 0.5, 0.2, 0.1, 0.04
"""A switch of a published network gives another published one; a layer's is an argument."""
_WIDTH, _RESOLUTION = 0.2 / len(WIDTHS), 0.2 / len(RESOLUTIONS)
_OF_ONE_SAMPLE = ", of one sample"


Change = tuple[str, float, dict[str, Any]]
"""What else may be supposed: in words, how common it is, and the fields that it changes."""


class Variant(NamedTuple):
    """The subject, or what it may have been: its name after a cause, and how common it is."""

    work: Any
    where: str = ""
    prior: float = 1
    steps: int = 0

    def changed(self, where: str, prior: float, **fields: Any) -> Variant:
        """Return it with one more thing supposed."""
        work = self.work.replace(**fields)
        steps = self.steps + (where != _OF_ONE_SAMPLE)  # a sample is of the same network
        return Variant(work, f"{self.where}{where}", self.prior * prior, steps)


def variants_of(work: Any) -> Iterator[Variant]:
    """Yield the subject itself, one sample of it, its variants, and each on other images."""
    itself = Variant(work)
    variants = [itself, *_fitting(itself, [*_one_sample(work), *_changes(work)])]
    yield from variants
    if "image_size" not in work.fields:
        return
    sizes = [(f", on {size}×{size}", _RESOLUTION, {"image_size": size}) for size in RESOLUTIONS]
    for variant in variants:
        if variant.prior >= _PUBLISHED:
            yield from _fitting(variant, sizes)


def _fitting(variant: Variant, changes: Iterable[Change]) -> Iterator[Variant]:
    """Yield a variant with each of the changes that make another one of it."""
    for where, prior, fields in changes:
        try:
            changed = variant.changed(where, prior, **fields)
        except InvalidField:
            continue
        if changed.work != variant.work:
            yield changed


def samples_of(work: Any) -> int | None:
    """Return the samples of the input, None if it has no batch."""
    axis = work.batch_axis
    return None if axis is None else work.input_shape[axis]


def _one_sample(work: Any) -> Iterator[Change]:
    if samples_of(work) is None:
        return
    if "batch_size" in work.fields:
        yield _OF_ONE_SAMPLE, _ONE_SAMPLE, {"batch_size": 1}
    elif "input_shape" in work.fields:
        size = [*work.input_shape]
        size[work.batch_axis] = 1
        yield _OF_ONE_SAMPLE, _ONE_SAMPLE, {"input_shape": tuple(size)}


def _within(label: str) -> str:
    """Return a label as it stands within a sentence."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _changes(work: Any) -> Iterator[Change]:
    """Yield the arguments that others have otherwise: switches, widths, experts of a token."""
    for name, field in work.fields.items():
        if field.role == "module" and isinstance(field, Flag):
            value = getattr(work, name)
            prior = _SWITCH if isinstance(work, Layer) else _PUBLISHED
            where = f", {'without' if value else 'with'} {_within(field.label)}"
            yield where, prior, {name: not value}
    if "width_mult" in work.fields:
        for width in WIDTHS:
            yield f", at width {width}", _WIDTH, {"width_mult": width}
    if getattr(work, "num_local_experts", None):
        experts = work.num_local_experts
        yield ", of all experts", _ALL_EXPERTS, {"num_experts_per_tok": experts}
