"""Fields for the axes of a tensor: one of them, a number for each, whole shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from decimal import Decimal
from typing import Any, ClassVar

from calculator.core.expression import Expression
from calculator.core.fields import LARGEST, Field, Size, quoted
from calculator.core.numerals import split

MOST_DIMENSIONS = 8
MOST_TENSORS = 100


class Dimension(Size):
    """A dimension of a tensor, counted from the end if it is negative."""

    def __init__(self, *, default: int | None, **more: Any) -> None:
        super().__init__("", default=default, minimum=-LARGEST, **more)

    def branch(self, value: Any) -> object:
        return value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        return value


class PerAxis(Size):
    """One whole number per spatial axis: an int for all of them, or a tuple.

    In its symbol, `axis` stands for the axis: `K_axis` becomes K_h and K_w. `words` are strings
    that torch takes in place of numbers, with the number each stands for, or None if the word
    stays a word. `broadcast` says whether torch takes a tuple of one number for all axes, `lengths`
    what it says of a tuple with another number of them, as a function of the field's name, the
    number of axes and the tuple if it depends on more. With `holes` a tuple for several axes
    may hold None.
    """

    kind = "per-axis"
    axes: str = ""

    def __init__(
        self,
        *args: Any,
        words: dict[str, int | None] | None = None,
        broadcast: bool = False,
        lengths: str | Callable[[str, int, list[Any]], str] = "expected {name} to be a single "
        "integer value or a list of {axes} values to match the convolution dimensions, but got "
        "{name}={given}",
        holes: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.words = words or {}
        self.broadcast = broadcast
        self.lengths = lengths if callable(lengths) else _filled(lengths)
        self.holes = holes

    def over(self, axes: str) -> PerAxis:
        """Return this field for a class with these axes."""
        field = copy(self)
        field.axes = axes
        return field

    def read(self, text: str) -> Any:
        text = text.strip()
        bare = text.strip("'\"")
        if bare == "None":
            return self.check(None)
        if bare in self.words or bare.isalpha():
            return self.check(bare)
        parts = self._parse(text, split, lead=1)
        if not parts:
            return self.check(None)
        if len(parts) == 1 and "," not in text:
            return self.check(self._parse(parts[0], whole=True))
        return self.check(
            tuple(None if part == "None" else self._parse(part, whole=True) for part in parts)
        )

    def check(self, value: Any) -> Any:
        if self.optional and (value is None or value in ((), [])):
            return None
        if isinstance(value, str):
            if value not in self.words:
                known = ", ".join(repr(word) for word in sorted(self.words))
                raise self.refuse(
                    f"Invalid {self.name} string {quoted(value)!r}, should be one of {{{known}}}"
                    if known
                    else "must be whole numbers",
                    value,
                )
            number = self.words[value]
            return value if number is None else (number,) * len(self.axes)
        if type(value) is int or not isinstance(value, Sequence):
            return (super().check(value),) * len(self.axes)
        if len(value) != len(self.axes) and not (len(value) == 1 and self.broadcast):
            reason = self.lengths(self.name, len(self.axes), list(value))
            several = f"one number, or {len(self.axes)} separated by commas"
            wanted = several if len(self.axes) > 1 else "only one number"
            raise self.refuse(f"give {wanted}", value, reason)
        holes = self.holes and len(self.axes) > 1
        numbers = tuple(
            None if holes and each is None else self.whole(each, value) for each in value
        )
        return numbers if len(numbers) == len(self.axes) else numbers * len(self.axes)

    def python(self, value: Any) -> Any:
        if isinstance(value, tuple) and len(set(value)) == 1 and value[0] is not None:
            return value[0]
        return value

    def write(self, value: Any) -> str:
        short = self.python(value)
        return ", ".join(map(str, short)) if isinstance(short, tuple) else super().write(short)

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        if value is None or isinstance(value, str):
            return value
        if named:
            known = zip(self.axes, value, strict=True)
            return tuple(
                None if each is None else kind(on_axis(self.symbol, axis)) for axis, each in known
            )
        return tuple(None if each is None else kind.number(each) for each in value)


def _filled(lengths: str) -> Callable[[str, int, list[Any]], str]:
    return lambda name, axes, given: lengths.format(name=name, axes=axes, given=quoted(given))


def on_axis(symbol: str, axis: str) -> str:
    """Return the symbol of one axis, from one that says `axis` or `AXIS` in its place."""
    return symbol.replace("axis", axis.lower()).replace("AXIS", axis.upper())


class Shape(Field):
    """The shape of a tensor: one or more whole numbers; None too if `optional`.

    `scalar` is torch's reason to reject a shape of no numbers.
    """

    kind = "shape"

    def __init__(self, *args: Any, optional: bool = False, scalar: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.optional = optional
        self.scalar = scalar

    def read(self, text: str) -> tuple[int, ...] | None:
        parts = self._parse(text, split, lead=3)
        if parts in ([], ["None"]):
            return self.check(None if self.optional else ())
        return self.check(tuple(self._parse(part, whole=True) for part in parts))

    def check(self, value: Any) -> tuple[int, ...] | None:
        if value is None and self.optional:
            return None
        if type(value) is int:
            value = (value,)
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            reason = f"{self.scalar}. It " if value in ((), []) and self.scalar else ""
            raise self.refuse(f"{reason}must be the sizes of a tensor, such as 32, 128", value)
        if len(value) > MOST_DIMENSIONS:
            raise self.refuse(f"has more than {MOST_DIMENSIONS} dimensions; give fewer", value)
        size = Size(self.symbol, default=None, label=self.label)
        size.name = self.name
        return tuple(size.whole(each, value) for each in value)

    def write(self, value: Any) -> str:
        return "" if value is None else ", ".join(map(str, value))

    def python(self, value: Any) -> Any:
        return value[0] if self.optional and value is not None and len(value) == 1 else value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        if value is None:
            return None
        if named and len(value) == 1 and self.optional:
            return (kind(self.symbol),)
        if named:
            return tuple(kind(f"{self.symbol}_{place}") for place in range(len(value)))
        return tuple(kind.number(each) for each in value)


class Shapes(Field):
    """The shapes of several tensors, separated by semicolons: 32, 64; 32, 128."""

    kind = "shapes"

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.each = Shape("", default=None, label=self.label)
        self.each.name = name

    def read(self, text: str) -> tuple[tuple[int, ...], ...]:
        return self.check(tuple(map(self.each.read, text.strip().strip(";").split(";"))))

    def check(self, value: Any) -> tuple[tuple[int, ...], ...]:
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            raise self.refuse("must be shapes, such as 32, 64; 32, 128", value)
        if len(value) > MOST_TENSORS:
            reason = f"has more than {MOST_TENSORS} tensors; give fewer"
            raise self.refuse(reason, f"{len(value)} tensors")
        return tuple(self.each.check(shape) for shape in value)  # type: ignore[misc]

    def write(self, value: Any) -> str:
        return "; ".join(map(self.each.write, value))

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        if not named:
            return tuple(tuple(map(kind.number, shape)) for shape in value)
        return tuple(
            tuple(kind(f"{self.symbol}_{{{place},{axis}}}") for axis in range(len(shape)))
            for place, shape in enumerate(value, start=1)
        )


# As in fields.py: typed for the declarations.
dimension: Callable[..., Any] = Dimension
per_axis: Callable[..., Any] = PerAxis
shape: Callable[..., Any] = Shape
shapes: Callable[..., Any] = Shapes


class Extent(Field):
    """A whole number for all axes, or a tuple of any length; None too if `optional`.

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
        """Return one number, rejected with the whole of what was given."""
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
            raise self.refuse("must be a number, or a tuple with one per axis", value)
        return None if type(value) in (int, float) and value == 0 else super().check(value)

    def one(self, value: Any, given: object) -> float:
        if type(value) not in (int, float) or not -1e300 < value < 1e300:
            raise self.refuse("must be a number", given)
        return float(value)

    def numeral(self, value: Any, kind: type[Expression]) -> Expression:
        whole = int(value) == value
        return kind.number(int(value)) if whole else kind(format(Decimal(repr(value)), "f"))
