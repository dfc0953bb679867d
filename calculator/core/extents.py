"""Numbers for the axes of a tensor of any shape: whole numbers, or factors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from calculator.core.expression import Expression
from calculator.core.fields import LARGEST, Field, Size
from calculator.core.numerals import split
from calculator.core.tensor_fields import MOST_DIMENSIONS


class Extent(Field):
    """A whole number for all axes, or a tuple of any length; None too where `optional`.

    Unlike a PerAxis it knows no axes: how many there are depends on the input.
    """

    kind = "shape"
    decimal: ClassVar[bool] = False
    """Whether a number need not be whole."""

    def __init__(self, *args: Any, optional: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.optional = optional

    def read(self, text: str) -> Any:
        parts = self._parse(text, split, lead=1, decimal=self.decimal)
        if parts in ([], ["None"]):
            return self.check(None)
        numbers = tuple(self._parse(part, whole=not self.decimal) for part in parts)
        return self.check(numbers if len(numbers) > 1 or "," in text else numbers[0])

    def check(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)) and len(value) <= 2 * MOST_DIMENSIONS:
            return tuple(self.one(each, value) for each in value)
        return None if value is None and self.optional else self.one(value, value)

    def one(self, value: Any, given: object) -> Any:
        """Return one number, refused with the whole of what was given."""
        number = Size(self.symbol, default=None, label=self.label, minimum=-LARGEST)
        number.name = self.name
        return number.whole(value, given)

    def write(self, value: Any) -> str:
        return ", ".join(map(str, value)) if isinstance(value, tuple) else super().write(value)

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        if value is None:
            return None
        if not isinstance(value, tuple):
            return kind(self.symbol) if named else self.numeral(value, kind)
        if named:
            return tuple(kind(f"{self.symbol}_{{{place}}}") for place in range(len(value)))
        return tuple(self.numeral(each, kind) for each in value)

    def numeral(self, value: Any, kind: type[Expression]) -> Expression:
        """Return a number in full."""
        return kind.number(value)


class Factor(Extent):
    """A real number for all axes, or a tuple with one for each; torch takes 0 for None."""

    decimal = True

    def check(self, value: Any) -> Any:
        if isinstance(value, list):
            raise self.refuse("must be a number, or a tuple with one for each axis", value)
        return None if type(value) in (int, float) and value == 0 else super().check(value)

    def one(self, value: Any, given: object) -> float:
        if type(value) not in (int, float) or not -1e300 < value < 1e300:
            raise self.refuse("must be a number", given)
        return float(value)

    def numeral(self, value: Any, kind: type[Expression]) -> Expression:
        whole = int(value) == value
        return kind.number(int(value)) if whole else kind(format(Decimal(repr(value)), "f"))
