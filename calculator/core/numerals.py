"""Numbers as people write them: the one place that says what a comma or a space in one means.

A comma is a decimal point to some and stands between thousands to others, and it separates numbers.
So each kind of field takes the readings that cannot be confused in it, and rejects the rest.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from calculator.core.unit_families import THINGS, Units
from calculator.core.units import SMALL_PREFIXES

LONGEST = 80  # characters; no number that a person means is longer

_SPACES = " \u00a0\u2009\u202f"
_NUMBER = re.compile(
    r"(?P<sign>[-+−]?)"
    r"(?P<whole>[0-9]{1,3}(?P<gap>[_'\u00a0\u2009\u202f])[0-9]{3}(?:(?P=gap)[0-9]{3})*|[0-9]*)"
    r"(?:\.(?P<part>[0-9]*))?"
    rf"(?:[eE](?P<exponent>[-+]?[0-9]+)|[{_SPACES}]*[x×*·][{_SPACES}]*10(?:\^|\*\*)"
    r"(?P<power>[-+]?[0-9]+))?"
    rf"[{_SPACES}]*(?P<unit>[^\s0-9.,][^0-9]*)?"
)
_GROUPS = re.compile(r"[-+−]?([0-9]+(?:[, ][0-9]+)+)")
_SEVERAL = re.compile(r"[(\[]? *[0-9]+(?:(?: *[,;x×] *| +)[0-9]+)+ *[)\]]?")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:([, ])[0-9]{3})(?:\1[0-9]{3})*")
_HEXADECIMAL = re.compile(r"(?:^|[(\[,; ])0[xX]")
_DECIMAL_COMMA = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")  # 1.000,5


class Amount(NamedTuple):
    """A number as it is written: its digits without a point, and the power of ten of the last."""

    digits: int
    power: int
    prefix: str
    unit: str
    factor: int
    """How much the unit is, a binary prefix included."""

    @property
    def value(self) -> int | float:
        """The amount, exactly: an int if it is whole."""
        numerator = self.factor * self.digits
        if self.power >= 0:
            return numerator * 10**self.power
        quotient, rest = divmod(numerator, 10**-self.power)
        return numerator / 10**-self.power if rest else quotient


def parse(text: str, units: Units = THINGS, *, whole: bool = False) -> int | float:
    """Return the amount that a person wrote, exactly: an int if it is whole.

    Thousands may stand apart by spaces, by `_` and `'`, and by commas if these cannot be
    decimal: two of them, or one before a decimal point. Where a `whole` number is meant, a point
    before 000 may stand between thousands, and is rejected.

    Raises ValueError with a sentence that says what to change.

    >>> parse("19.5T"), parse("312e12"), parse("6,738,415,616"), parse("7 billion"), parse("0.5")
    (19500000000000, 312000000000000, 6738415616, 7000000000, 0.5)
    """
    return parse_amount(text, units, whole=whole).value


def parse_amount(text: str, units: Units, *, whole: bool = False) -> Amount:
    """Return what `parse` reads, digit by digit.

    >>> parse_amount("4.09 G", THINGS)[:3]
    (409, 7, 'G')
    """
    text = _short(text)
    found = _GROUPS.match(text)
    if not found:
        return _number(text, units, whole)
    groups = found[1]
    in_thousands = _THOUSANDS.fullmatch(groups) and not groups.startswith("0")
    if groups.count(",") == 1 and " " not in groups and text[found.end() :][:1] != ".":
        either = f"{text.replace(',', '.')} with a point"
        if in_thousands:
            either += f", or {text.replace(',', '')}"
        raise ValueError(f"is ambiguous; write {either}")
    if not in_thousands:
        raise ValueError("must be a number; if you separate thousands, use groups of three")
    return _number(text.replace(groups, re.sub("[, ]", "", groups), 1), units, whole)


def parse_one(text: str) -> int | float:
    """Return the number of a field that takes one size: neither comma nor space is a part of it.

    Raises ValueError with what was probably meant.

    >>> parse_one("4k"), parse_one("4_096")
    (4000, 4096)
    """
    text = _short(text)
    if _SEVERAL.fullmatch(text):
        raise ValueError(f"takes one number: {_meant(text.strip('()[] '))}")
    if "," in text:
        raise ValueError("must be one whole number, without a comma")
    return _number(text, THINGS, whole=True).value


def _meant(text: str) -> str:
    """Return what to write in place of several numbers."""
    numbers = re.findall("[0-9]+", text)
    only = " or ".join(dict.fromkeys(numbers)) if len(numbers) < 4 else f"one of the {len(numbers)}"
    if not _THOUSANDS.fullmatch(text) or text.startswith("0"):
        return f"write only {only}"
    mark = "comma" if "," in text else "space"
    whole = f"write {''.join(numbers)} without the {mark}{'s' if len(numbers) > 2 else ''}"
    if any(number.startswith("0") for number in numbers):
        return whole
    return f"{whole} if you mean one, or only {only}"


def split(text: str, lead: int, *, decimal: bool = False) -> list[str]:
    """Return the parts of a list of numbers, apart by commas, spaces, semicolons or ×.

    Rejected is what may be one number: with its thousands apart, if the first group has at most
    `lead` digits, or with a decimal comma, if the numbers are `decimal`. Brackets around a list,
    or spaces after its commas, make it one.

    Raises ValueError with what to write.

    >>> split("256,128", lead=1), split("3 × 3", lead=1), split("(1,280)", lead=1)
    (['256', '128'], ['3', '3'], ['1', '280'])
    """
    text = text.strip()
    inner = text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
    if not inner:
        return []
    _check_decimal(inner)
    parts = re.split(" *[,;x×] *| +", inner.removesuffix(","))
    if "" in parts:
        raise ValueError("has no number next to a separator; write a whole number there")
    late = next((part for part in parts[1:] if re.match("0[0-9]", part)), None)
    if late is not None:
        meant = late.lstrip("0") or "0"
        if _THOUSANDS.fullmatch(inner):
            meant = f"{''.join(parts)} for one number"
        elif len(late) == 3:
            meant = "thousands in one piece, such as 1000, without zeros before a number"
        raise ValueError(f"is ambiguous; write {meant}")
    if inner is text:
        _check_list(inner, parts, lead, decimal)
    return parts


def _check_list(text: str, parts: list[str], lead: int, decimal: bool) -> None:
    """Raise ValueError if a list may as well be one number."""
    if decimal and re.fullmatch("[0-9]+,[0-9]+", text):
        point, space = text.replace(",", "."), text.replace(",", ", ")
        raise ValueError(f"is ambiguous; write {point} with a point, or {space} with a space")
    if _DECIMAL_COMMA.fullmatch(text):
        raise ValueError("is ambiguous; write a decimal point, or a space after the comma")
    thousands = _THOUSANDS.match(text.lstrip("-+−"))
    if not thousands or parts[0] == "0":
        return
    behind = thousands.string[thousands.end() :]  # nothing, more numbers, or a prefix
    if behind and re.search("[0-9,;x× ]", behind):
        return
    if behind or len(parts[0].lstrip("-+−")) <= lead:
        raise ValueError(
            f"is ambiguous; write {''.join(parts)} for one number, or {', '.join(parts)} with "
            f"spaces for {len(parts)}"
        )


def _short(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError(f"is {len(text):,} characters long; write at most {LONGEST}")
    _check_decimal(text)
    return text


def _check_decimal(text: str) -> None:
    """Raise ValueError if a number is hexadecimal; in 1x0x1 each x is a separator."""
    if _HEXADECIMAL.search(text):
        raise ValueError("is hexadecimal; write a decimal number, without 0x")


def _number(text: str, units: Units, whole: bool) -> Amount:
    """Return a number without commas and ASCII spaces in its digits, times its unit."""
    match = _NUMBER.fullmatch(text)
    if not match or not (match["whole"] or match["part"]):
        raise ValueError(f"must be a number, such as {units.such}")
    digits = re.sub("[^0-9]", "", match["whole"])
    if match["gap"] and digits.startswith("0"):
        raise ValueError(f"must be a number, such as {units.such}")
    part = match["part"] or ""
    exponent = int(match["exponent"] or match["power"] or 0) - len(part)
    if abs(exponent) > 4 * LONGEST:
        raise ValueError(f"is too {'large' if exponent > 0 else 'small'}")
    unit, prefix = _unit((match["unit"] or "").strip(_SPACES), units)
    exponent += units.prefixes.get(prefix, 0)
    binary = units.binary.get(prefix, 0)
    if whole and part == "000" and len(digits) < 4 and exponent == -3 and not binary:
        raise ValueError(f"is ambiguous; write {digits} or {digits}000 without the point")
    sign = -1 if match["sign"] in ("-", "−") else 1
    return Amount(
        sign * int(digits + part), exponent, prefix, unit, units.spellings[unit] << binary
    )


def _unit(text: str, units: Units) -> tuple[str, str]:
    """Return the unit of a text as it is spelled, and its prefix."""
    for unit, factor in units.spellings.items():
        if not text.endswith(unit):
            continue
        prefix = text.removesuffix(unit).rstrip(_SPACES)
        if len(prefix) > 3:  # a word: Billion
            prefix = prefix.lower()
        if prefix and (factor > 1 or (prefix in SMALL_PREFIXES and not unit)):
            continue
        if not prefix or prefix in units.prefixes or prefix in units.binary:
            return unit, prefix
    for ending, sentence in units.confused.items():
        if text.endswith(ending):
            raise ValueError(sentence)
    if "m" not in units.prefixes and any(text == f"m{known}" for known in units.spellings):
        raise ValueError("ends in m, which means one thousandth; write M for a million")
    raise ValueError(f"ends in {text[:12]!r}; write a number such as {units.such}")
