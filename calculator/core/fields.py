"""What a reader gives: declared fields that read text, reject nonsense and know their symbol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import index
from typing import Any, ClassVar

from calculator.core.expression import Expression
from calculator.core.numerals import parse, parse_one

MOST_QUOTED = 40  # characters
MOST_READ = 1000  # characters; no field of one line means more
LARGEST = 10**30  # beyond any machine; keeps every count small enough to answer at once
LARGEST_PRODUCT = LARGEST**4  # of sizes that a block hands on as the size of a part


class InvalidField(ValueError):
    """A rejected input: which field, what was given, and what to give instead."""

    def __init__(self, field: str, message: str, *, given: object) -> None:
        self.field = field
        self.given = quoted(given)
        self.message = message
        super().__init__(f"{field}: {message} (given: {self.given})")


def quoted(given: object) -> str:
    """Return what was given on one line, cut if it is long."""
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

    def refuse(self, message: str, given: object, because: str = "") -> InvalidField:
        """Return the error that names this field; `because` is torch's reason, if it has one."""
        if because:
            message = f"{because}. {message[:1].upper()}{message[1:]}"
        return InvalidField(self.name, message, given=given)

    def accept(self, text: str) -> Any:
        """Return the value that `read` finds in a text, unless that is longer than any value."""
        if len(text) > self.longest:
            reason = f"is {len(text):,} characters long; write at most {self.longest:,}"
            raise self.refuse(reason, text)
        value = self.read(text)
        if any(size > LARGEST for size in _sizes(value)):
            raise self.refuse("is too large; write at most 10^30", text)
        return value

    def read(self, text: str) -> Any:
        """Return the value that a person wrote; raise InvalidField if it is none."""
        return self.check(text.strip())

    def check(self, value: Any) -> Any:
        """Return the value in its one form; raise InvalidField if it is rejected."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return the text that `read` turns into this value."""
        return "" if value is None else str(value)

    def tell(self, value: Any) -> str:
        """Return the value as a reader has it before them."""
        return self.write(value)

    def python(self, value: Any) -> Any:
        """Return the value as a caller of torch would pass it."""
        return value

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        """Return what a formula sees: the symbol if `named`, else the numeral."""
        if value is None or isinstance(value, (bool, str)):
            return value
        return kind(self.symbol) if named else kind.number(value)

    def branch(self, value: Any) -> object:
        """Return what of a value a formula may branch on: of numbers, only that they are there."""
        if isinstance(value, tuple):
            return tuple(map(self.branch, value))
        return value if value is None or isinstance(value, (bool, str)) else int

    def _parse(self, text: str, how: Callable[..., Any] = parse, **more: Any) -> Any:
        try:
            return how(text, **more)
        except ValueError as error:
            raise self.refuse(str(error), text) from None


class Size(Field):
    """A whole number from `minimum` up; None too if `optional`."""

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
        return self.check(self._parse(text, parse_one))

    def check(self, value: Any) -> int | None:
        if type(value) is int and self.minimum <= value <= LARGEST_PRODUCT:
            return value  # nearly always, and a network asks for thousands
        if value is None and self.optional:
            return None
        if value is None:
            least = f" of at least {self.minimum}" if self.minimum >= 0 else ""
            raise self.refuse(f"is empty; write a whole number{least}", "nothing")
        return self.whole(value, value)

    def whole(self, value: Any, given: object) -> int:
        """Return one number of this field, rejected with the whole of what was given."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise self.refuse("must be a whole number", given)
        value = index(value)
        if value < self.minimum:
            reason = self.refusal.format(given=value)
            raise self.refuse(f"must be at least {self.minimum}", given, reason)
        if value > LARGEST_PRODUCT:
            raise self.refuse("is too large; write at most 10^120", given)
        return value


_TRUTH = {
    "true": True, "on": True, "1": True, "yes": True,
    "false": False, "off": False, "0": False, "no": False,
}  # fmt: skip


class Flag(Field):
    """True or False. The only field that a formula may branch on."""

    kind = "flag"

    def read(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in _TRUTH:
            raise self.refuse("must be true or false", text)
        return _TRUTH[word]

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse("must be True or False", value)
        return value

    def write(self, value: Any) -> str:
        return str(value).lower()


class Choice(Field):
    """One of a few words: `options` maps each to its label, `also` an accepted synonym to its word.

    `options` may be a function, so that data behind it is read when it is first needed; `empty` is
    the label of no word, if the field is `optional`. Where the field is `open`, it takes any
    word and leaves it to the layer to reject it. A command line takes it without its name where it
    is `positional`. Of very many words, a form lets a reader search if `find` is given: it
    returns the word that a text means, and raises ValueError if there is none.
    """

    kind = "choice"

    def __init__(
        self,
        *args: Any,
        options: dict[str, str] | Callable[[], dict[str, str]],
        also: dict[str, str] | None = None,
        refusal: str = "must be one of {options}",
        optional: bool = False,
        empty: str = "none: your own figures",
        open: bool = False,
        positional: bool = False,
        find: Callable[[str], str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.open = open
        self.find = find
        self.positional = positional
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
        if self.optional and value in (None, "", "none"):
            return None
        word = self.also.get(value, value) if isinstance(value, str) else None
        if self.find is not None and word not in self.options:
            try:
                return self.find(word or "")
            except ValueError as error:
                raise self.refuse(str(error), value) from None
        if word not in self.options and not (self.open and word is not None):
            known = ", ".join(self.options)
            reason = self.refusal.format(options=known, given=quoted(value))
            if "{options}" not in self.refusal and len(self.options) > 1:
                reason = f"{reason.rstrip('.')}. Use one of {known}"
            raise self.refuse(reason, value)
        return str(word)

    def expression(self, value: Any, kind: type[Expression], named: bool) -> Any:
        return value


class Decision(Choice):
    """True, False or None, which leaves it to torch."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            options={"true": "True", "false": "False"}, optional=True, empty="None", **more
        )

    def read(self, text: str) -> bool | None:
        word = text.strip().lower()
        if word in ("", "none"):
            return None
        if word not in _TRUTH:
            raise self.refuse("must be True, False or None", text)
        return _TRUTH[word]

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


# The names that declarations use: typed so that `height: int = size(…)` passes the type checker.
size: Callable[..., Any] = Size
flag: Callable[..., Any] = Flag
choice: Callable[..., Any] = Choice
decision: Callable[..., Any] = Decision
