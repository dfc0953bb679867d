"""A published figure as somebody printed it: its value, its digits, and what it says it counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from calculator.core.fields import InvalidField, quoted
from calculator.core.numerals import parse_amount
from calculator.core.unit_families import PARAMS, PUBLISHED_COUNT, counted
from calculator.core.units import SI_PREFIXES

_PUBLISHED = PUBLISHED_COUNT._replace(spellings={**PUBLISHED_COUNT.spellings, **PARAMS.spellings})
ROUNDED, CUT_OFF, NEAR = range(3)
_NEAREST = Fraction(5, 100)
"""How far a count may be from a figure to be near it."""
_ABOUT = re.compile(r"^(?:~|≈|about\b|around\b|roughly\b|approx(?:imately)?\b\.?|ca\.)\s*", re.I)
_LETTERS = {power: letter for letter, power in SI_PREFIXES.items()}


@dataclass(frozen=True)
class Figure:
    """A figure: its value, what its last digit is worth, and what else its text says."""

    value: Fraction
    last_digit: Fraction
    digits: int
    """How many digits are given, from the first that is not 0."""
    prefix: str
    """The SI prefix, also if it is written as a word."""
    counts: str
    """What its unit counts: MACs, FLOPs, parameters, or nothing."""

    @property
    def width(self) -> float:
        """The share of its value within which it is known: 0.1 of 4.1 is about 0.024."""
        return float(self.last_digit / self.value)

    @property
    def is_a_count(self) -> bool:
        """Whether it can be a count as it stands: a whole number."""
        return self.value.denominator == 1

    def is_exactly(self, printed: Fraction) -> bool:
        """Return whether a count has all of its digits, down to the ones."""
        return self.last_digit <= 1 and printed == self.value

    def fit(self, printed: Fraction) -> int | None:
        """Return how well a count fits: rounded, cut off or near, None if it does not at all."""
        if abs(printed - self.value) * 2 <= self.last_digit - (self.last_digit == 1):
            return ROUNDED
        if self.value <= printed < self.value + self.last_digit:
            return CUT_OFF
        return NEAR if printed and abs(self.value / printed - 1) <= _NEAREST else None


def figure(text: str) -> Figure:
    """Return the figure that a text holds, such as `4.09 G` or `8.2 GFLOPs`.

    Raises InvalidField if it holds none.
    """
    try:
        amount = parse_amount(_ABOUT.sub("", text.strip()), _PUBLISHED)
        if amount.digits <= 0:
            raise ValueError("must be more than 0")
    except ValueError as error:
        reason = f"{error}. Write a figure such as 4.09 G or 8.2 GFLOPs"
        raise InvalidField("figure", reason, given=quoted(text)) from None
    last_digit = Fraction(10) ** amount.power
    prefix = _LETTERS.get(_PUBLISHED.prefixes.get(amount.prefix, 0), "")
    value, digits = amount.digits * last_digit, len(str(amount.digits))
    return Figure(value, last_digit, digits, prefix, counted(amount.unit))
