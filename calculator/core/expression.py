"""Symbols that write their own formula when they are calculated with.

A formula of this package is an ordinary method: run with integers it counts, run with `Latex` it
writes mathematics, run with `Text` it writes the same line in plain characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import ClassVar, NoReturn, Self, TypeVar

Number = TypeVar("Number", int, float)

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly an operator binds
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Expression:
    """A written expression and how tightly its outermost operator binds."""

    __slots__ = ("binding", "written")

    times: ClassVar[str]
    minus: ClassVar[str]
    group: ClassVar[str]
    fraction: ClassVar[str]
    floor: ClassVar[str]
    power: ClassVar[str]
    maximum: ClassVar[str]
    minimum: ClassVar[str]
    divisor: ClassVar[str]
    separator: ClassVar[str]
    fraction_binding: ClassVar[int]

    def __init__(self, written: str, binding: int = ATOM) -> None:
        self.written = written
        self.binding = binding

    def __str__(self) -> str:
        return self.written

    def _decide(self, *_: object) -> NoReturn:
        """Raise: whether a symbol is zero, equal or larger depends on the number it stands for."""
        raise TypeError(
            f"a formula branches on the value of {self.written!r}; use maximum() or minimum(), "
            "or a flag or a fact, which the view of a formula records"
        )

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _decide
    __index__ = __int__ = __float__ = __iter__ = __hash__ = _decide

    @classmethod
    def scientific(cls, digits: str, exponent: int) -> str:
        """Return digits times a power of ten."""
        raise NotImplementedError

    @classmethod
    def number(cls, value: int | float) -> Self:
        """Return the numeral of a value: a count whole, a measure to four digits."""
        if isinstance(value, float):
            digits, _, exponent = f"{value:.4g}".partition("e")
            if exponent:
                return cls(cls.scientific(digits, int(exponent)), PRODUCT)
            return cls(digits)
        return cls(f"{value:,}".replace(",", cls.separator), ATOM if value >= 0 else SUM)

    def marked(self, place: str) -> Self:
        """Return the symbol of the same quantity of the layer at a place in a sequence."""
        base, _, subscript = self.written.partition("_")
        inner = f"{subscript.removeprefix('{').removesuffix('}')},{place}"
        if subscript.startswith(r"\text{"):
            inner = f"{subscript},{place}"
        return type(self)(f"{base}_{{{inner if subscript else place}}}")

    def _operand(self, other: object, binding: int) -> str:
        expression = other if isinstance(other, Expression) else self.number(other)  # type: ignore[arg-type]
        if expression.binding < binding:
            return self.group.format(expression.written)
        return expression.written

    def _binary(self, left: object, sign: str, right: object, binding: int, strict: int) -> Self:
        written = self._operand(left, binding) + sign + self._operand(right, binding + strict)
        return type(self)(written, binding)

    def __add__(self, other: object) -> Self:
        return self if _is(other, 0) else self._binary(self, " + ", other, SUM, 0)

    def __radd__(self, other: object) -> Self:
        return self if _is(other, 0) else self._binary(other, " + ", self, SUM, 0)

    def __sub__(self, other: object) -> Self:
        return self._binary(self, self.minus, other, SUM, 1)

    def __rsub__(self, other: object) -> Self:
        return self._binary(other, self.minus, self, SUM, 1)

    def __mul__(self, other: object) -> Self:
        return self if _is(other, 1) else self._binary(self, self.times, other, PRODUCT, 0)

    def __rmul__(self, other: object) -> Self:
        return self if _is(other, 1) else self._binary(other, self.times, self, PRODUCT, 0)

    def __pow__(self, other: object) -> Self:
        return type(self)(
            self.power.format(self._operand(self, ATOM), self._operand(other, SUM)), POWER
        )

    def _divide(self, left: object, right: object) -> Self:
        binding = SUM if self.fraction_binding == ATOM else PRODUCT
        strict = 0 if self.fraction_binding == ATOM else 1
        written = self.fraction.format(
            self._operand(left, binding), self._operand(right, binding + strict)
        )
        return type(self)(written, self.fraction_binding)

    def __truediv__(self, other: object) -> Self:
        return self._divide(self, other)

    def __rtruediv__(self, other: object) -> Self:
        return self._divide(other, self)

    def __floordiv__(self, other: object) -> Self:
        inner = self if _is(other, 1) else self._divide(self, other)
        return type(self)(self.floor.format(inner.written))


def _is(other: object, number: int) -> bool:
    """Return whether something is a number, and this one."""
    return not isinstance(other, Expression) and other == number


class Latex(Expression):
    r"""An expression in LaTeX.

    >>> n, d = Latex("N"), Latex(r"d_\text{in}")
    >>> print((n + 1) * d // 2)
    \left\lfloor \frac{(N + 1) \cdot d_\text{in}}{2}\right\rfloor
    """

    __slots__ = ()

    times = r" \cdot "
    minus = " - "
    group = "({})"
    fraction = r"\frac{{{}}}{{{}}}"
    floor = r"\left\lfloor {}\right\rfloor"
    power = "{{{}}}^{{{}}}"
    maximum = r"\max({}, {})"
    minimum = r"\min({}, {})"
    divisor = r"\gcd({}, {})"
    separator = r"\,"
    fraction_binding = ATOM

    @classmethod
    def scientific(cls, digits: str, exponent: int) -> str:
        return rf"{digits} \cdot 10^{{{exponent}}}"


class Text(Expression):
    """An expression in plain characters.

    >>> print((Text.number(4096) - 1) * 2)
    (4\u202f096 − 1) · 2
    """

    __slots__ = ()

    times = " · "
    minus = " − "
    group = "({})"
    fraction = "{}/{}"
    floor = "⌊{}⌋"
    power = "{}^{}"
    maximum = "max({}, {})"
    minimum = "min({}, {})"
    divisor = "gcd({}, {})"
    separator = "\u202f"
    fraction_binding = PRODUCT

    @classmethod
    def scientific(cls, digits: str, exponent: int) -> str:
        return f"{digits} · 10{str(exponent).translate(_SUPERSCRIPTS)}"


def numeral(value: Number, beside: object) -> Number:
    """Return a number that no formula gives: its numeral if `beside` is an expression."""
    return beside.number(value) if isinstance(beside, Expression) else value  # type: ignore[return-value]


def quotient(dividend: int, divisor: int) -> int:
    """Return the exact quotient of two counts.

    Raises ArithmeticError if a remainder is left: a count is never rounded.

    >>> quotient(64, 4)
    16
    """
    if isinstance(dividend, Expression):
        return dividend / divisor
    whole, rest = divmod(dividend, divisor)
    if rest:
        raise ArithmeticError(f"{dividend} is not a multiple of {divisor}")
    return whole


def ratio(dividend: float, divisor: float) -> float | None:
    """Return a quotient of measures, or None if there is nothing to divide by."""
    return dividend / divisor if isinstance(dividend, Expression) or divisor else None


def added(terms: Iterable[Number]) -> Number | int:
    """Return a sum, added up one by one: from Python 3.12 on `sum` rounds a sum of floats once."""
    return reduce(add, terms, 0)


def maximum(left: Number, right: Number) -> Number:
    """Return the larger of two numbers, or write that it is taken."""
    for one in (left, right):
        if isinstance(one, Expression):
            return type(one)(one.maximum.format(left, right))
    return max(left, right)


def minimum(left: Number, right: Number) -> Number:
    """Return the smaller of two numbers, or write that it is taken."""
    for one in (left, right):
        if isinstance(one, Expression):
            return type(one)(one.minimum.format(left, right))
    return min(left, right)


def gcd(left: int, right: int) -> int:
    """Return the greatest common divisor of two counts, or write that it is taken."""
    for one in (left, right):
        if isinstance(one, Expression):
            return type(one)(one.divisor.format(left, right))
    return math.gcd(left, right)
