"""Fields for numbers that need not be whole: rates, shares, amounts, parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calculator.core.expression import Expression
from calculator.core.fields import LARGEST, Field, InvalidField
from calculator.core.unit_families import SHARE, Units
from calculator.core.units import rounded, seconds, shares


class Rate(Field):
    """A number with a unit, from `minimum` up, such as a FLOP/s figure; None if not known.

    `units` is the family of units that may follow it.
    """

    kind = "rate"

    def __init__(
        self,
        symbol: str,
        *,
        units: Units,
        minimum: float = 1,
        largest: float = LARGEST,
        whole: bool = False,
        optional: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(symbol, **more)
        self.units = units
        self.minimum = minimum
        self.largest = largest
        self.whole = whole
        self.optional = optional

    def read(self, text: str) -> int | float | None:
        text = text.strip()
        if not text:
            return self.check(None)
        value = self._parse(text, units=self.units, whole=self.whole)
        try:
            return self.check(value)
        except InvalidField as error:
            raise self.refuse(error.message, text) from None

    def check(self, value: Any) -> int | float | None:
        if value is None and self.optional:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse("must be a number", value)
        if not value >= self.minimum:
            raise self.refuse(f"must be at least {self.limit(self.minimum)}", value)
        if value > self.largest:
            raise self.refuse(f"must be at most {self.limit(self.largest)}", value)
        if value != int(value):
            if self.whole:
                raise self.refuse("must be a whole number", value)
            return value
        return int(value)

    def limit(self, value: int | float) -> str:
        """Return the smallest or the largest value as a reader would write it."""
        if value < LARGEST:
            return self.tell(value)
        return f"10^{len(str(int(value))) - 1} {self.units.name}".rstrip()

    def tell(self, value: Any) -> str:
        return seconds(value) if self.units.name == "s" else rounded(value, self.units.name)


class Share(Rate):
    """A fraction from one in a million up to 1, also as a percentage; None if `optional`."""

    kind = "share"

    def __init__(self, symbol: str, *, optional: bool = False, **more: Any) -> None:
        super().__init__(symbol, units=SHARE, minimum=1e-6, largest=1, optional=optional, **more)

    def read(self, text: str) -> int | float | None:
        text = text.strip()
        if text and not text.endswith("%") and 2 <= self._parse(text, units=SHARE) <= 100:
            raise self.refuse(f"is above 1, which is 100 %; for a percentage, write {text} %", text)
        return super().read(text)

    def limit(self, value: int | float) -> str:
        return f"{100 * value:g} %"


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
            raise self.refuse(
                "must be one share, or a low and a high share, such as 50 – 80 %", value
            )
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


_TO = re.compile(r"\s*(?:–|(?<=[\d%.\s])-|,\s|\.\.|\bto\b)\s*")


class Real(Field):
    """Any real number, such as an epsilon; None too if `optional`. No count depends on it.

    `refusal` is torch's reason to reject what is not a number.
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
        return self.check(None if text in ("", "None") else self._parse(text))

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
    """Raise InvalidField, in torch's words, if a dropout is not between 0 and 1."""
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
