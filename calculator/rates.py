"""Fields for numbers that need not be whole: rates, shares, amounts, parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calculator.expression import Expression
from calculator.fields import LARGEST, Field
from calculator.units import parse, rounded, seconds, shares


class Rate(Field):
    """A number with a unit, from `minimum` up, such as a FLOP/s figure; None where not known.

    `units` are the spellings taken behind it, the first one printed; `also` maps an accepted
    ending to the one it stands for, `confused` one that means another unit to the sentence that
    says so.
    """

    kind = "rate"

    def __init__(
        self,
        symbol: str,
        *,
        units: tuple[str, ...],
        also: dict[str, str] | None = None,
        confused: dict[str, str] | None = None,
        minimum: float = 1,
        largest: float = LARGEST,
        whole: bool = False,
        optional: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(symbol, **more)
        self.units = units
        self.also = also or {}
        self.confused = confused or {}
        self.minimum = minimum
        self.largest = largest
        self.whole = whole
        self.optional = optional

    def read(self, text: str) -> int | float | None:
        text = text.strip()
        if not text:
            return self.check(None)
        for ending, reason in self.confused.items():
            if text.endswith(ending):
                raise self.refuse(reason, text)
        if _ONE_GROUP.match(text):
            either = f"{text.replace(',', '.')} with a point, or {text.replace(',', '')}"
            raise self.refuse(f"is ambiguous; write {either}", text)
        meant = (
            text.removesuffix(ending).rstrip() + other
            for ending, other in self.also.items()
            if text.endswith(ending)
        )
        try:
            number = parse(next(meant, text), self.units)
        except ValueError as error:
            raise self.refuse(str(error), text) from None
        return self.check(number)

    def check(self, value: Any) -> int | float | None:
        if value is None and self.optional:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse("must be a number", value)
        if not value >= self.minimum:
            least = f"{self.minimum:.12f}".rstrip("0").rstrip(".")
            raise self.refuse(f"must be at least {least} {self.units[0]}".rstrip(), value)
        if value > self.largest:
            raise self.refuse(f"must be at most {self.largest:g} {self.units[0]}".rstrip(), value)
        if value != int(value):
            if self.whole:
                raise self.refuse("must be a whole number", value)
            return value
        return int(value)

    def tell(self, value: Any) -> str:
        return seconds(value) if "s" in self.units else rounded(value, self.units[0])


class Share(Rate):
    """A fraction from one in a million up to 1, also as a percentage; None where `optional`."""

    kind = "share"

    def __init__(self, symbol: str, *, optional: bool = False, **more: Any) -> None:
        super().__init__(symbol, units=("",), minimum=1e-6, largest=1, optional=optional, **more)

    def read(self, text: str) -> int | float | None:
        text = text.strip()
        if not text and self.optional:
            return None
        number = self._number(text.removesuffix("%"))
        if text.endswith("%"):
            return self.check(number / 100)
        if 2 <= number <= 100:
            raise self.refuse(f"must be at most 1; for a percentage write {text} %", text)
        return self.check(number)


class Span(Field):
    """One share, or a low and a high one as "51 – 87 %"; None too.

    Its value is the pair, its symbol that of both.
    """

    kind = "share"

    def __init__(self, symbol: str, **more: Any) -> None:
        super().__init__(symbol, **more)
        self.end = Share(symbol, optional=True, **more)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.end.name = name

    def read(self, text: str) -> Any:
        low, *rest = _TO.split(text.strip())
        if not rest:
            return self.check(self.end.read(low))
        if len(rest) == 1 and rest[0].endswith("%") and not low.endswith("%"):
            low += "%"
        return self.check(tuple(self.end.read(each) for each in (low, *rest)))

    def check(self, value: Any) -> Any:
        if not isinstance(value, (tuple, list)):
            share = self.end.check(value)
            return None if share is None else (share, share)
        if len(value) != 2:
            raise self.refuse("must be one share, or a low and a high one", value)
        low, high = map(self.end.check, value)
        if low is None or high is None or low > high:
            raise self.refuse("must have the lower share first", value)
        return low, high

    def tell(self, value: Any) -> str:
        return shares(value)

    def write(self, value: Any) -> str:
        ends = self.python(value)
        return " – ".join(map(str, ends)) if isinstance(ends, tuple) else super().write(ends)

    def python(self, value: Any) -> Any:
        return value[0] if value is not None and value[0] == value[1] else value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        if value is None:
            return None
        if not named:
            return tuple(map(kind.number, value))
        return tuple(kind(rf"{self.symbol}_\text{{{end}}}") for end in ("low", "high"))


_ONE_GROUP = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}\s*[^0-9,.\s]")  # thousands, or a fraction?
_TO = re.compile(r"\s*(?:–|(?<=[\d%.\s])-|,\s|\.\.|\bto\b)\s*")


class Real(Field):
    """Any real number, such as an epsilon; None too where `optional`. No count depends on it.

    `refusal` is torch's reason to refuse what is no number.
    """

    kind = "real"

    def __init__(
        self, *, default: float | None, optional: bool = False, refusal: str = "", **more: Any
    ) -> None:
        super().__init__(default=default, **more)
        self.optional = optional
        self.refusal = refusal

    def read(self, text: str) -> int | float | None:
        text = text.strip()
        return self.check(None if text in ("", "None") else self._number(text))

    def check(self, value: Any) -> int | float | None:
        if value is None and self.optional:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not -1e300 < value < 1e300
        ):
            raise self.refuse("must be a number", value, self.refusal)
        return value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        return value


def check_probability(field: Field, dropout: float) -> None:
    """Raise InvalidField, in torch's words, where a dropout is not between 0 and 1."""
    if not 0 <= dropout <= 1:
        raise field.refuse(
            f"dropout probability has to be between 0 and 1, but got {dropout}. "
            "It is a probability",
            dropout,
        )


# As in fields.py: typed for the declarations.
real: Callable[..., Any] = Real
rate: Callable[..., Any] = Rate
share: Callable[..., Any] = Share
span: Callable[..., Any] = Span
