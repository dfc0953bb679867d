"""Where a published figure comes from: which convention, tool, variant or resolution gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from calculator.counters import readings, tools
from calculator.fields import Flag, InvalidField, quoted
from calculator.form import escape
from calculator.layer import Measured
from calculator.numerals import parse
from calculator.operations import flops, worth
from calculator.unit_families import PUBLISHED_COUNT
from calculator.units import SI_PREFIXES, THIN_SPACE, grouped, rounded

RESOLUTIONS = (160, 192, 224, 240, 256, 288, 299, 320, 336, 384, 448, 512)
"""Sizes of images that networks are published with."""
_MOST = 8
"""So many explanations are enough."""
_NEAR = 0.05
"""How far a count may be from a figure to be named beside it."""


@dataclass(frozen=True, order=True)
class Explanation:
    """A count that a figure may be: how well it fits, how far-fetched it is, and what it is."""

    fit: int
    """0 where it rounds to the figure, 1 where it is cut off to it, 2 where it is near."""
    steps: int
    """How many things have to be supposed."""
    off: float
    """How far the figure is from it, as a share of it."""
    what: str
    value: int

    @property
    def said(self) -> str:
        """How well it fits, in words."""
        return ("rounds to it", "is cut off to it", f"is {100 * self.off:.2g} % off")[self.fit]


@dataclass(frozen=True)
class Figure:
    """A figure as somebody printed it: its value, and what its last digit is worth."""

    value: Fraction
    last_digit: Fraction

    def fit(self, count: int) -> int | None:
        """Return how well a count fits: 0 rounded, 1 cut off, 2 near, None not at all."""
        if abs(count - self.value) * 2 <= self.last_digit - (self.last_digit == 1):
            return 0
        if self.value <= count < self.value + self.last_digit:
            return 1
        return 2 if count and abs(self.value / count - 1) <= _NEAR else None


def figure(text: str) -> Figure:
    """Return the figure that a text holds, such as `4.09 G` or `8.2 GFLOPs`.

    Raises InvalidField where it is none.
    """
    plain = _plain(text)
    try:
        value = parse(plain, PUBLISHED_COUNT)
        if value <= 0:
            raise ValueError("must be more than 0")
    except ValueError as error:
        reason = f"{error}. Write a figure such as 4.09 G or 8.2 GFLOPs"
        raise InvalidField("figure", reason, given=quoted(text)) from None
    return Figure(_exact(value), _last_digit(plain))


def _plain(text: str) -> str:
    """Return a figure without what people write around it: about 3.8 billion, 8.2 B."""
    plain = text.strip().lstrip("~≈ ")
    for word, prefix in {"billion": "G", "million": "M", "trillion": "T", "B": "G"}.items():
        number = re.fullmatch(rf"([0-9., ]*[0-9])\s*{word}(?:\b|(?=FLOP|MAC))(.*)", plain)
        if number:
            return f"{number[1]} {prefix}{number[2].strip()}"
    return plain


def _exact(value: int | float) -> Fraction:
    return Fraction(Decimal(repr(value)))


def _last_digit(text: str) -> Fraction:
    """Return what the last digit of a number is worth: of 4.09 G ten million."""
    plain = "".join(each for each in text if each not in f" ,_'{THIN_SPACE}")
    digits = plain.rstrip("".join({*plain} - {*"0123456789."}))
    try:
        exponent = Decimal(digits).as_tuple().exponent
    except InvalidOperation:
        exponent = 0
    letter = plain[len(digits) : len(digits) + 1]
    return Fraction(10) ** (int(exponent) + SI_PREFIXES.get(letter.replace("K", "k"), 0))


def explanations(subject: Measured, text: str) -> list[Explanation]:
    """Return what may have given a figure for a layer or a network, the best first.

    Raises InvalidField where the text holds no figure.
    """
    wanted = figure(text)
    found: dict[int, Explanation] = {}
    for steps, what, count in _counts(subject):
        fit = wanted.fit(count)
        if fit is None:
            continue
        off = abs(float(wanted.value / count - 1))
        one = Explanation(fit, steps, off, what, count)
        if count not in found or one < found[count]:
            found[count] = one
    ordered = sorted(found.values())
    fitting = [each for each in ordered if each.fit < 2]
    near = [each for each in ordered[len(fitting) :] if each.steps <= _FAR]
    return [*fitting[:_MOST], *near[: 3 if fitting else _MOST]]


def remark(text: str, found: list[Explanation]) -> str:
    """Return what the unit of a figure hides: a count of MACs under the name of FLOPs."""
    if not found or found[0].fit == 2:
        return ""
    best = found[0]
    if "flop" in text.lower() and best.what.startswith("MACs"):
        double = rounded(2 * best.value, "FLOPs")
        return f"It says FLOPs and counts MACs: at two FLOPs a MAC it is {double}."
    if "mac" in text.lower() and best.what.startswith("FLOPs, 2 × MACs"):
        return f"It says MACs and counts FLOPs: there are {rounded(best.value // 2, 'MACs')}."
    return ""


def explained(subject: Measured, text: str) -> tuple[str, list[Explanation]]:
    """Return a figure as it is taken, and its explanations: 4.1 alone may be 4.1 G.

    Raises InvalidField where the text holds no figure.
    """
    found = explanations(subject, text)
    if found or not text.strip()[-1:].isdigit():
        return text, found
    for prefix in ("G", "M", "k", "T"):
        taken = f"{text.strip()} {prefix}"
        found = explanations(subject, taken)
        if found:
            return taken, found
    return text, []


def _counts(subject: Measured) -> Iterator[tuple[int, str, int]]:
    """Yield what may be counted: how many things are supposed, what it is, and the count."""
    for steps, where, one in _variants(subject):
        for more, what, count in _conventions(one):
            yield steps + more, f"{what}{where}", count
        if steps < _FAR:
            for what, count in _printed(one):
                yield steps + 1, f"{what}{where}", count


_FAR = 3
"""Variants of so many suppositions are asked for no tool."""


def _conventions(work: Any) -> Iterator[tuple[int, str, int]]:
    yield 0, "MACs", work.macs
    yield 0, "FLOPs, 2 × MACs", 2 * work.macs
    yield 2, "FLOPs of all arithmetic, a function as one", flops(work.operations, worth("all", 1))
    yield 2, "MACs, forward and backward", work.training_macs
    yield 2, "FLOPs, forward and backward", work.training_flops
    yield 3, "parameters, no operations", work.params


def _printed(work: Measured) -> Iterator[tuple[str, int]]:
    by_value: dict[int, list[str]] = {}
    found = readings(work)
    for tool in tools():
        value = found[tool.name].value
        if value is not None:
            by_value.setdefault(int(value), []).append(tool.name)
    for value, names in by_value.items():
        yield f"what {_listed(names)} prints", value


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _variants(work: Any) -> Iterator[tuple[int, str, Any]]:
    """Yield the layer or network itself, one sample of it, its variants, other resolutions."""
    yield 0, "", work
    own = [(0, "", work)]
    if getattr(work, "batch_size", None) not in (1, None):
        own.append((1, ", of one sample", work.replace(batch_size=1)))
        yield own[-1]
    for name, field in work.fields.items():
        if field.role == "module" and isinstance(field, Flag):
            value = not getattr(work, name)
            try:
                where = f", {'with' if value else 'without'} {field.label.lower()}"
                own.append((1, where, work.replace(**{name: value})))
            except InvalidField:
                continue
            yield own[-1]
    for steps, where, one in own:
        for size in RESOLUTIONS:
            if "image_size" in work.fields and (size, size) != work.image_size:
                resized = one.replace(image_size=size)
                yield steps + 3, f"{where}, on {size}×{size}", resized


def table(subject: Measured, text: str) -> str:
    """Return the explanations of a figure as HTML, or why it is none."""
    try:
        taken, found = explained(subject, text)
    except InvalidField as error:
        return f'<p class="calculator-error">{escape(error.message)}</p>'
    if not found:
        return (
            f"<p>Nothing that is known here comes near {escape(text.strip())}: it is of another "
            "network, another input, or another count.</p>"
        )
    rows = "".join(
        f'<tr><th scope="row">{escape(each.what[0].upper() + each.what[1:])}</th>'
        f"<td>{grouped(each.value)}</td><td>{each.said}</td></tr>"
        for each in found
    )
    return (
        '<table class="calculator-provenance"><thead><tr>'
        f'<th scope="col">{escape(taken.strip())} may be</th>'
        '<th scope="col">Exactly</th><th scope="col">Which</th></tr></thead>'
        f"<tbody>{rows}</tbody></table><p>{escape(remark(taken, found))}</p>"
    )
