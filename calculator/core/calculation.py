"""A calculation: declared fields in, declared quantities out, each formula written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar, Generic, Self, TypeVar, dataclass_transform, overload

from calculator.core.fields import Field, Flag, InvalidField, choice, decision, flag, quoted, size
from calculator.core.measure_fields import rate, real, share, span
from calculator.core.tensor_fields import PerAxis, dimension, per_axis, shape, shapes

T = TypeVar("T")


class Quantity(Generic[T]):
    """A method read as an attribute, computed once, with its symbol, unit and label.

    `symbol` is LaTeX; `AXIS` in it stands for the axis of a quantity that has one value per axis.
    A quantity without a symbol is put together from others and shows no formula of its own.
    """

    name: str

    def __init__(self, method: Callable[[Any], T], symbol: str, unit: str, label: str) -> None:
        self.method = method
        self.symbol = symbol
        self.unit = unit
        self.label = label
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def described_by(self, inherited: Quantity[Any] | None) -> Self:
        """Take over the words of the quantity that this one gives a formula to."""
        if inherited is not None and not self.label:
            self.symbol, self.unit, self.label = inherited.symbol, inherited.unit, inherited.label
        return self

    @overload
    def __get__(self, instance: None, owner: type) -> Quantity[T]: ...
    @overload
    def __get__(self, instance: Calculation, owner: type) -> T: ...
    def __get__(self, instance: Calculation | None, owner: type) -> Quantity[T] | T:
        if instance is None:
            return self
        value = self.method(instance)
        if instance.quantities.get(self.name) is self:  # else it was asked for by super()
            instance.__dict__[self.name] = value
        return value


def quantity(
    symbol: str = "", *, unit: str = "", label: str = ""
) -> Callable[[Callable[[Any], T]], Quantity[T]]:
    """Declare a method to be a quantity; without a label, the words are the inherited ones."""
    return lambda method: Quantity(method, symbol, unit, label)


class fact(cached_property[T]):  # noqa: N801 (a decorator, like cached_property)
    """A property that is decided by numbers, and that formulas may branch on.

    A formula sees its value as it is; what a formula sees of any other property are symbols.
    """


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(
        size,
        dimension,
        per_axis,
        flag,
        choice,
        decision,
        rate,
        real,
        share,
        span,
        shape,
        shapes,
    ),
)
class Calculation:
    """A frozen, keyword-only record of fields; its quantities are computed when asked for.

    Raises InvalidField if a value is rejected. Every field has a default.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    axes: ClassVar[str] = ""
    fields: ClassVar[dict[str, Field]] = {}
    quantities: ClassVar[dict[str, Quantity[Any]]] = {}
    carries: ClassVar[tuple[str, ...]] = ()
    """What an instance is given besides its fields, and is not compared by."""
    assumed_fields: tuple[str, ...]
    """The fields that were left empty and filled in."""
    shares: ClassVar[tuple[str, ...]] = ()
    """Fields and quantities that are the parts of a whole, in the order they are drawn."""

    def __init_subclass__(cls, name: str = "", title: str = "", axes: str = "") -> None:
        if axes:
            cls.axes = axes
        own: dict[str, Field] = {
            key: value for key, value in vars(cls).items() if isinstance(value, Field)
        }
        for key in own:
            delattr(cls, key)  # as a dataclass does: the default is not an attribute
        inherited: dict[str, Field] = {}
        for base in cls.__bases__:
            inherited = {**inherited, **getattr(base, "fields", {}), **inherited}
        cls.fields = {
            key: field.over(cls.axes) if isinstance(field, PerAxis) else field
            for key, field in sorted((_without(inherited, own) | own).items(), key=_place)
        }
        cls.quantities = {
            key: each
            for base in reversed(cls.__mro__[1:])
            for key, each in vars(base).items()
            if isinstance(each, Quantity)
        }
        for key, value in vars(cls).items():
            if isinstance(value, Quantity):
                cls.quantities[key] = value.described_by(cls.quantities.get(key))
        for key in cls.fields.keys() & cls.quantities.keys():
            del cls.quantities[key]  # what is given need not be found
        cls.title = title or cls.__name__
        if name:
            cls.name = name

    def __init__(self, *given: Any, **values: Any) -> None:
        if given:
            first = next(iter(self.fields))
            raise TypeError(f"{self.title} takes its fields by name: {first}={given[0]!r}, …")
        self._fill(values)
        self.validate()

    def _fill(self, values: dict[str, Any]) -> None:
        """Take the values, checked and with the assumed ones; nothing is written after it."""
        carried = {name: values.pop(name, None) for name in self.carries}
        checked = self._checked(values)
        assumed = {
            name: value
            for name, value in self.assume(SimpleNamespace(**checked)).items()
            if checked[name] is None
        }
        self.__dict__.update(carried, **checked | assumed, assumed_fields=(*assumed,))

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in values if name not in cls.fields]
        if unknown:
            raise unknown_field(cls, unknown, values[unknown[0]])
        return {
            name: field.check(values.get(name, field.default)) for name, field in cls.fields.items()
        }

    @classmethod
    def assume(cls, given: Any) -> dict[str, Any]:
        """Return what is taken for fields that are left empty; `given` has all as attributes.

        Raises InvalidField if nothing can be.
        """
        return {}

    def validate(self) -> None:
        """Raise InvalidField if fields that are each right do not fit together."""

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, InvalidField]]:
        """Return the values that texts hold, and the errors, both by field."""
        values: dict[str, Any] = {}
        errors: dict[str, InvalidField] = {}
        unknown = [name for name in texts if name not in cls.fields]
        if unknown:
            error = unknown_field(cls, unknown, texts[unknown[0]])
            errors[error.field] = error
        for name, field in cls.fields.items():
            if name not in texts:
                continue
            try:
                values[name] = field.accept(texts[name])
            except InvalidField as error:
                errors[name] = error
        return values, errors

    def values(self) -> dict[str, Any]:
        """Return the value of every field, as a caller of torch would pass it."""
        return {name: field.python(getattr(self, name)) for name, field in self.fields.items()}

    @fact
    def answered(self) -> dict[tuple[Any, ...], object]:
        """What formulas have asked so far, and what was answered."""
        return {}

    def in_words(self, text: str) -> str:
        """Return words about FLOPs, as words about OPs if the data type is an integer."""
        if not str(getattr(self, "dtype", "")).startswith("int"):
            return text
        return text.replace("Floating-point", "Integer").replace("FLOP", "OP")

    def worded(self, declared: Quantity[T]) -> Quantity[T]:
        """Return a quantity with its symbol, unit and label in the words of this calculation."""
        words = declared.symbol, declared.unit, declared.label
        said = tuple(map(self.in_words, words))
        if said == words:
            return declared
        worded = Quantity(declared.method, *said)
        worded.name = declared.name
        return worded

    def replace(self, **values: Any) -> Self:
        """Return a copy with other values in some fields."""
        assumed = self.assumed_fields
        given = {name: value for name, value in self._record().items() if name not in assumed}
        return type(self)(**{**given, **values})

    def _record(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fields}

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use replace({name}=…)")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._record() == self._record()

    def __hash__(self) -> int:
        return hash((type(self), *self.values().values()))

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name, value in self.values().items())
        return f"{type(self).__name__}({', '.join(given)})"


def _without(inherited: dict[str, Field], own: dict[str, Field]) -> dict[str, Field]:
    """A field declared again stands where its subclass says, in torch's order."""
    return {name: field for name, field in inherited.items() if name not in own}


def _place(item: tuple[str, Field]) -> tuple[int, bool]:
    """Sizes of the input stand before what is switched on or off."""
    field = item[1]
    return _ROLES.index(field.role), field.role == "input" and isinstance(field, Flag)


_ROLES = ("module", "input", "training", "convention", "storage", "hardware", "assumption")


def unknown_field(owner: type[Calculation], names: list[str], given: object) -> InvalidField:
    """Return the error for fields that do not exist: the first, and the nearest that does."""
    name = quoted(names[0])
    others = f", one of {len(names):,} unknown fields" if len(names) > 1 else ""
    hint = meant(name, owner.fields) or f"its fields are {', '.join(owner.fields)}"
    return InvalidField(name, f"{owner.title} has no field {name}{others}; {hint}", given=given)


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question for the nearest of the known words, nothing if none is near."""
    from difflib import get_close_matches  # an import that only an error needs

    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def shown_quantities(calculation: Calculation) -> Iterator[tuple[Quantity[Any], Any]]:
    """Yield each quantity with its value, those without a value left out."""
    for name, declared in calculation.quantities.items():
        value = getattr(calculation, name)
        if value is not None:
            yield calculation.worded(declared), value
