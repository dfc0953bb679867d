"""What a reader gives: declared fields that read text, refuse nonsense and know their symbol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import index
from typing import Any, ClassVar

from calculator.expression import Expression
from calculator.units import parse

MOST_QUOTED = 40  # characters
MOST_READ = 1000  # characters; no field of one line means more
MOST_DIMENSIONS = 8
MOST_TENSORS = 100
LARGEST = 10**30  # beyond any machine; keeps every count small enough to answer at once
LARGEST_PRODUCT = LARGEST**4  # of sizes that a block hands on as the size of a part


class InvalidField(ValueError):
    """A refused input: which field, what was given, and what to give instead."""

    def __init__(self, field: str, message: str, *, given: object) -> None:
        self.field = field
        self.given = quoted(given)
        self.message = message
        super().__init__(f"{field}: {message} (given: {self.given})")


def quoted(given: object) -> str:
    """Return what was given on one line, cut where it is long."""
    if isinstance(given, (str, list, tuple)):
        given = given[:MOST_READ]  # more of it takes long to write, and is cut in any case
    try:
        text = " ".join((given if isinstance(given, str) else repr(given)).split())
    except ValueError:  # what Python says of an int that is too long to be written
        text = "a number of thousands of digits"
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"


def _sizes(value: Any) -> Iterator[int]:
    """Yield the whole numbers of a value."""
    if isinstance(value, tuple):
        for each in value:
            yield from _sizes(each)
    elif isinstance(value, int):
        yield value


class Field:
    """One named input of a calculation.

    `symbol` is its LaTeX. `role` says where it belongs: "module" for an argument of the torch
    module, "input" for a dimension of its input, "hardware" for the machine it runs on. Where torch
    has no default the field is `required`: ours is then only what a form begins with. Where torch's
    default asks for something else, a form begins with `start`.
    A `keyword` is what torch takes by its name alone.

    """

    name: str
    kind: ClassVar[str] = "text"
    structural: ClassVar[bool] = False
    """Whether formulas take another form for another value."""
    longest: ClassVar[int] = MOST_READ
    """The characters of the longest text that is read."""

    def __init__(
        self,
        symbol: str = "",
        *,
        default: object,
        label: str,
        role: str = "module",
        required: bool = False,
        start: object = None,
        keyword: bool = False,
        help: str = "",
    ) -> None:
        self.symbol = symbol
        self.default = default
        self.start = default if start is None else start
        self.label = label
        self.role = role
        self.required = required
        self.keyword = keyword
        self.help = help

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def option(self) -> str:
        """The field's option on the command line, without the dashes."""
        return re.sub("(_bytes)?_per_second$", "", self.name).replace("_", "-")

    def refuse(self, message: str, given: object) -> InvalidField:
        """Return the error that names this field."""
        return InvalidField(self.name, message, given=given)

    def accept(self, text: str) -> Any:
        """Return the value that `read` finds in a text, unless that is longer than any value."""
        if len(text) > self.longest:
            reason = f"is {len(text):,} characters long; write at most {self.longest:,}"
            raise self.refuse(reason, text)
        value = self.read(text)
        if any(size > LARGEST for size in _sizes(value)):
            raise self.refuse("is above the largest size taken here, 10^30", text)
        return value

    def read(self, text: str) -> Any:
        """Return the value that a person wrote; raise InvalidField where it is none."""
        return self.check(text.strip())

    def check(self, value: Any) -> Any:
        """Return the value in its one form; raise InvalidField where it is refused."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return the text that `read` turns into this value."""
        return "" if value is None else str(value)

    def python(self, value: Any) -> Any:
        """Return the value as a caller of torch would pass it."""
        return value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        """Return what a formula sees: the symbol where `named`, else the numeral."""
        if value is None or isinstance(value, (bool, str)):
            return value
        return kind(self.symbol) if named else kind.number(value)

    def _number(self, text: str, units: tuple[str, ...] = ()) -> int | float:
        try:
            return parse(text, units)
        except ValueError as error:
            raise self.refuse(str(error), text) from None


class Size(Field):
    """A whole number from `minimum` up; None too where `optional`."""

    kind = "integer"

    def __init__(
        self,
        symbol: str,
        *,
        default: int | None,
        minimum: int = 1,
        refusal: str = "",
        optional: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(symbol, default=default, **more)
        self.minimum = minimum
        self.refusal = refusal
        self.optional = optional

    def read(self, text: str) -> int | None:
        text = text.strip()
        if not text or text == "None":
            return self.check(None)
        try:
            number = parse(text)
        except ValueError as error:
            reason = "must be one whole number" if "," in text else str(error)
            raise self.refuse(reason, text) from None
        return self.check(number)

    def check(self, value: Any) -> int | None:
        if type(value) is int and self.minimum <= value <= LARGEST_PRODUCT:
            return value  # nearly always, and a network asks for thousands
        if value is None and self.optional:
            return None
        if value is None:
            least = f", {self.minimum} or more" if self.minimum >= 0 else ""
            raise self.refuse(f"is empty; write a whole number{least}", "nothing")
        return self.whole(value, value)

    def whole(self, value: Any, given: object) -> int:
        """Return one number of this field, refused with the whole of what was given."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise self.refuse("must be a whole number", given)
        value = index(value)
        if value < self.minimum:
            reason = self.refusal and f"{self.refusal.format(given=value)}. "
            raise self.refuse(f"{reason}Must be at least {self.minimum}", given)
        if value > LARGEST_PRODUCT:
            raise self.refuse("is above any product of sizes taken here, 10^120", given)
        return value


class Dimension(Size):
    """A dimension of a tensor, counted from the end where it is negative."""

    structural = True

    def __init__(self, *, default: int | None, **more: Any) -> None:
        super().__init__("", default=default, minimum=-LARGEST, **more)


class PerAxis(Size):
    """One whole number per spatial axis: an int for all of them, or a tuple.

    In its symbol, `axis` stands for the axis: `K_axis` becomes K_h and K_w. `words` are strings
    that torch takes in place of numbers, with the number each stands for, or None where the word
    stays a word. `broadcast` says whether torch takes a tuple of one number for all axes, `lengths`
    what it says of a tuple with another number of them, as a function of the field's name, the
    number of axes and the tuple where it depends on more. With `holes` a tuple for several axes
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
        field = PerAxis.__new__(PerAxis)
        field.__dict__.update(self.__dict__, axes=axes)
        return field

    def read(self, text: str) -> Any:
        text = text.strip()
        bare = text.strip("'\"")
        if bare == "None":
            return self.check(None)
        if bare in self.words or bare.isalpha():
            return self.check(bare)
        inner = text.strip("()[]")
        parts = [part for part in re.split(r"[,\s;×x]+", inner) if part]
        if len(parts) <= 1 or self.axes == "":
            return self.check(self._number(inner) if inner else None)
        return self.check(tuple(None if part == "None" else self._number(part) for part in parts))

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
            wanted = f"{len(self.axes)} separated by commas" if len(self.axes) > 1 else "no more"
            raise self.refuse(f"{reason}. Give one number, or {wanted}", value)
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


class Flag(Field):
    """True or False. The only field that a formula may branch on."""

    kind = "flag"

    def read(self, text: str) -> bool:
        word = text.strip().lower()
        if word in ("true", "on", "1", "yes"):
            return True
        if word in ("false", "off", "0", "no", ""):
            return False
        raise self.refuse("must be true or false", text)

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse("must be True or False", value)
        return value

    def write(self, value: Any) -> str:
        return str(value).lower()


class Choice(Field):
    """One of a few words: `options` maps each to its label, `also` an accepted synonym to its word.

    `options` may be a function, so that data behind it is read when it is first needed; `empty` is
    the label of no word, where the field is `optional`. Where the field is `open`, it takes any
    word and leaves it to the layer to refuse it.
    """

    kind = "choice"

    def __init__(
        self,
        *args: Any,
        options: dict[str, str] | Callable[[], dict[str, str]],
        also: dict[str, str] | None = None,
        refusal: str = "must be one of {options}",
        optional: bool = False,
        empty: str = "none: own figures",
        open: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.open = open
        self.empty = empty
        self._options = options
        self.also = also or {}
        self.refusal = refusal
        self.optional = optional

    @property
    def options(self) -> dict[str, str]:
        """The words and their labels."""
        return self._options() if callable(self._options) else self._options

    def check(self, value: Any) -> str | None:
        if self.optional and value in (None, ""):
            return None
        word = self.also.get(value, value) if isinstance(value, str) else None
        if word not in self.options and not (self.open and word is not None):
            known = ", ".join(self.options)
            raise self.refuse(self.refusal.format(options=known, given=quoted(value)), value)
        return str(word)

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        return value


class Decision(Choice):
    """True, False or None, which leaves it to torch."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            options={"true": "True", "false": "False"}, optional=True, empty="None", **more
        )

    def check(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if value == "":
            return None
        if not isinstance(value, str) or value not in self.options:
            raise self.refuse("must be True, False or None", value)
        return value == "true"

    def write(self, value: Any) -> str:
        return "" if value is None else str(value).lower()


class Shape(Field):
    """The shape of a tensor: one or more whole numbers; None too where `optional`.

    `scalar` is torch's reason to refuse a shape of no numbers.
    """

    kind = "shape"

    def __init__(self, *args: Any, optional: bool = False, scalar: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.optional = optional
        self.scalar = scalar

    def read(self, text: str) -> tuple[int, ...] | None:
        parts = re.split(r"[,\s;×x]+", text.strip().strip("()[]"))
        if parts in ([""], ["None"]):
            return self.check(None if self.optional else ())
        return self.check(tuple(self._number(part) for part in parts if part))

    def check(self, value: Any) -> tuple[int, ...] | None:
        if value is None and self.optional:
            return None
        if type(value) is int:
            value = (value,)
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            reason = f"{self.scalar}. It " if value in ((), []) and self.scalar else ""
            raise self.refuse(f"{reason}must be the sizes of a tensor, such as 32, 128", value)
        if len(value) > MOST_DIMENSIONS:
            raise self.refuse(f"has more than {MOST_DIMENSIONS} dimensions", value)
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
            raise self.refuse(f"has more than {MOST_TENSORS} tensors", f"{len(value)} tensors")
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


# The names that declarations use: typed so that `height: int = size(…)` passes the type checker.
size: Callable[..., Any] = Size
dimension: Callable[..., Any] = Dimension
per_axis: Callable[..., Any] = PerAxis
flag: Callable[..., Any] = Flag
choice: Callable[..., Any] = Choice
decision: Callable[..., Any] = Decision
shape: Callable[..., Any] = Shape
shapes: Callable[..., Any] = Shapes
