"""Where a published figure comes from: its causes, the most likely first.

1. A cause's weight is its prior, half of it if the count is cut off to the figure. A count that
   the figure gives to its last digit stands first, the others follow by weight.
2. A figure of d digits is hit by chance about once in 10^d counts. A cause that weighs less than
   that, the width of the figure, may be a coincidence, and is called one.
3. So may be a cause of another network, batch or image, if one of the subject itself weighs
   nearly as much.
4. What is only near the figure is named if nothing fits, and if it is common.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from calculator.core.units import rounded
from calculator.counters.causes import Cause, causes, printed_as
from calculator.counters.figure import CUT_OFF, NEAR, ROUNDED, Figure, figure
from calculator.layers.layer import Work

_COMMON = 0.03
"""The minimum prior of a cause that is named though it is only near."""
_FORGOTTEN = 1 / 20
"""A name of an equal count that is so much rarer than the first is left out."""
_CUT = 0.5
"""How common it is to truncate a number, compared with rounding it."""
_NEARLY = 1 / 4
"""The share of a weight that is nearly as much."""
_FARTHER = 3
"""How many times as far off as the nearest a count may be to be named next to it."""
_MOST = 8
"""The most explanations that are shown; with coincidences fewer."""
_MOST_DOUBTFUL = 3


@dataclass(frozen=True)
class Explanation:
    """A count that a figure may be: how well it fits, what it supposes, and what it is."""

    fit: int
    """0 if it rounds to the figure, 1 if it is cut off to it, 2 if it is near."""
    steps: int
    """How many things have to be supposed."""
    off: float
    """How far the figure is from it, as a share of it."""
    what: str
    value: int
    exact: bool
    """Whether the figure has all of its digits."""
    coincidence: bool
    """Whether a chance hit is likelier."""
    names: tuple[str, ...]
    """Everything that has this value, `what` first."""
    counts: str
    """MACs or FLOPs, if it counts only multiply-accumulates; else nothing."""

    @property
    def named(self) -> str:
        """Everything that has this value, in one line."""
        return "; ".join(self.names)

    @property
    def said(self) -> str:
        """How well it fits, in words."""
        fits = ("rounds to it", "is cut off to it", f"is {100 * self.off:.2g} % off")[self.fit]
        fits = "exactly" if self.exact else fits
        return f"may be a coincidence: {fits}" if self.coincidence else fits


class _Match(NamedTuple):
    """The causes of one value, the most common first, and how it fits the figure."""

    fit: int
    exact: bool
    off: float
    causes: list[Cause]

    @property
    def is_own(self) -> bool:
        """Whether it supposes nothing that the subject does not say."""
        return self.causes[0].steps == 0

    @property
    def is_common(self) -> bool:
        return self.causes[0].prior >= _COMMON and self.causes[0].per == 1

    @property
    def weight(self) -> float:
        """How likely it is among others; what is near loses nine tenths with each per cent."""
        shares = {ROUNDED: 1, CUT_OFF: _CUT, NEAR: 0.1 ** (100 * self.off)}
        return self.causes[0].prior * shares[self.fit]

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Where it stands."""
        return not self.exact, -self.weight, self.fit

    def explanation(self, *, coincidence: bool) -> Explanation:
        """Return it in words, without the names that are much rarer or suppose more."""
        best = self.causes[0]
        names = [
            cause.what
            for cause in self.causes
            if cause.prior >= best.prior * _FORGOTTEN and (cause.steps == 0 or best.steps)
        ]
        return Explanation(
            self.fit, best.steps, self.off, best.what, best.count, self.exact, coincidence,
            tuple(dict.fromkeys(names)), best.counts if best.is_of_macs else "",
        )  # fmt: skip


def explanations(subject: Work, text: str) -> list[Explanation]:
    """Return what may have given a figure for a layer or a network, the most likely first.

    Raises InvalidField if the text holds no figure.
    """
    return _explanations(_causes(subject), figure(text))


@lru_cache(maxsize=1)  # the same network is asked about at each key of a figure
def _causes(subject: Work) -> tuple[Cause, ...]:
    return tuple(causes(subject))


def _explanations(known: Iterable[Cause], wanted: Figure) -> list[Explanation]:
    found = sorted(_matches(known, wanted), key=lambda match: match.rank)
    fitting = [match for match in found if match.fit != NEAR]
    likely = [match for match in fitting if match.weight >= wanted.width]
    own = max((match.weight for match in likely if match.is_own), default=0)
    likely = [match for match in likely if match.is_own or own < match.weight * _NEARLY]
    near = [match for match in found if match.fit == NEAR and match.is_common]
    nearest = min((match.off for match in near), default=0)
    near = [match for match in near if match.off <= _FARTHER * nearest]
    named = likely[:_MOST] or near[:_MOST_DOUBTFUL]
    chance = [match for match in fitting if match not in likely]
    return [
        *(match.explanation(coincidence=False) for match in named),
        *(match.explanation(coincidence=True) for match in chance),
    ][: max(len(named), _MOST_DOUBTFUL)]


def _matches(known: Iterable[Cause], wanted: Figure) -> list[_Match]:
    """Return every value that fits a figure or is near it, with all its causes."""
    by_value: dict[Fraction, list[Cause]] = {}
    for cause in printed_as(wanted, known):
        by_value.setdefault(cause.printed, []).append(cause)
    found = []
    for printed, equal in by_value.items():
        fit = wanted.fit(printed)
        if fit is not None:
            equal.sort(key=lambda cause: -cause.prior)
            off = abs(float(wanted.value / printed - 1))
            found.append(_Match(fit, wanted.is_exactly(printed), off, equal))
    return found


def remark(text: str, found: list[Explanation]) -> str:
    """Return what the unit of a figure hides: a count of MACs under the name of FLOPs."""
    if not found or found[0].fit == NEAR or found[0].coincidence:
        return ""
    best, said = found[0], figure(text).counts
    if (said, best.counts) == ("FLOPs", "MACs"):
        double = rounded(2 * best.value, "FLOPs")
        return f"It says FLOPs but counts MACs: at two FLOPs per MAC it is {double}."
    if (said, best.counts) == ("MACs", "FLOPs"):
        return f"It says MACs but counts FLOPs: there are {rounded(best.value // 2, 'MACs')}."
    return ""


def explained(subject: Work, text: str) -> tuple[str, list[Explanation]]:
    """Return a figure as it is taken, and its explanations: 4.1 alone may be 4.1 G.

    Raises InvalidField if the text holds no figure.
    """
    plain = text.strip()
    is_bare = plain[-1:].isdigit()
    taken = [text] if figure(text).is_a_count or not is_bare else []
    taken += [f"{plain} {prefix}" for prefix in ("G", "M", "k", "T") if is_bare]
    known = _causes(subject)
    tried = [(way, _explanations(known, figure(way))) for way in taken]
    best = min(tried, key=lambda way: _doubt(way[1]))
    return best if best[1] else (text, [])


def read_as(text: str, taken: str) -> str:
    """Return a figure as it was given and, if that is something else, as it was taken."""
    given, taken = text.strip(), taken.strip()
    return taken if taken == given else f"{given}, read as {taken},"


def _doubt(found: list[Explanation]) -> int:
    """Return how little the best of some explanations explains."""
    if not found:
        return 3
    return 2 if found[0].coincidence else int(found[0].fit == NEAR)
