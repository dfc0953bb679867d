"""The formula of a quantity: its method run on symbols, or on numerals."""

from __future__ import annotations

from typing import Any, ClassVar

from calculator.core.calculation import Calculation, Quantity, fact
from calculator.core.expression import Expression
from calculator.core.tensor_fields import on_axis

Path = tuple[Any, ...]
"""The way to an attribute: the names and places of the parts that it is in, then its name."""
Record = dict[Path, object]
"""What a formula asked that is not a symbol: what it may branch on."""


class View:
    """A calculation as its formulas see it: fields and quantities as symbols or as numerals.

    It is an instance of a subclass of the calculation's own class: methods, properties and
    `super()` find themselves on it. Flags, words, facts and what is left out are as they are, and
    recorded.
    """

    seen_facts: ClassVar[frozenset[str]]
    """The names of the facts that the class declares."""

    def __init_subclass__(cls) -> None:
        """Take over the fields and quantities as they are."""

    def __init__(
        self,
        calculation: Calculation,
        kind: type[Expression],
        record: Record | None,
        path: Path = (),
    ) -> None:
        """`record` is filled in for symbols; without one the view shows numerals."""
        self.__dict__[_STATE] = calculation, kind, record, path

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        calculation, kind, record, path = object.__getattribute__(self, "__dict__")[_STATE]
        if name in calculation.fields:
            value = getattr(calculation, name)
            seen = calculation.fields[name].expression(value, kind, record is not None)
        elif name in calculation.quantities:
            declared = calculation.quantities[name]
            if not declared.symbol:
                return declared.method(self)
            value = getattr(calculation, name)
            seen = _symbols(declared, value, calculation.axes, kind, record is not None)
        elif name in type(self).seen_facts:
            seen = getattr(calculation, name)
            if _are_parts(seen):
                seen = tuple(
                    view(part, kind, record, (*path, name, place))
                    for place, part in enumerate(seen)
                )
        else:
            return object.__getattribute__(self, name)
        if record is None:
            return seen
        record[(*path, name)] = _branch(calculation, name)
        return _marked(seen, path)


_STATE = "state of the view"  # no name that a calculation could have


def view(
    calculation: Calculation, kind: type[Expression], record: Record | None, path: Path = ()
) -> Any:
    """Return a view of a calculation: symbols and a record of what was asked, or numerals."""
    return _view_class(type(calculation))(calculation, kind, record, path)


_view_classes: dict[type[Calculation], Any] = {}


def _view_class(owner: type[Calculation]) -> Any:
    if owner not in _view_classes:
        declared = {
            name: value for base in reversed(owner.__mro__) for name, value in vars(base).items()
        }
        facts = frozenset(name for name, value in declared.items() if isinstance(value, fact))
        _view_classes[owner] = type(f"{owner.__name__}View", (View, owner), {"seen_facts": facts})
    return _view_classes[owner]


def _symbols(
    declared: Quantity[Any], value: Any, axes: str, kind: type[Expression], named: bool
) -> Any:
    """Return what a formula sees of another quantity."""
    if value is None:
        return None
    if isinstance(value, tuple):
        if named:
            return tuple(kind(on_axis(declared.symbol, axis)) for axis in axes)
        return tuple(map(kind.number, value))
    return kind(declared.symbol) if named else kind.number(value)


def _are_parts(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Calculation)


def _branch(calculation: Calculation, name: str) -> object:
    """Return what of a field, a quantity or a fact a formula in symbols can branch on."""
    value = getattr(calculation, name)
    if name in calculation.fields:
        return calculation.fields[name].branch(value)
    if name in calculation.quantities:
        return value is None
    return tuple(map(type, value)) if _are_parts(value) else value


def _marked(seen: Any, path: Path) -> Any:
    """Return the symbols of a part with its place, such as 1.2."""
    place = ".".join(str(step + 1) for step in path if isinstance(step, int))
    if not place:
        return seen
    if isinstance(seen, tuple):
        return tuple(_marked(each, path) for each in seen)
    return seen.marked(place) if isinstance(seen, Expression) else seen


_written: dict[tuple[type[Calculation], str, type[Expression]], list[tuple[Record, Any]]] = {}
"""Formulas in symbols, with what they asked: they are the same at nearly every keystroke."""
MOST_FORMS = 40  # of one formula


def write_formula(
    calculation: Calculation, name: str, kind: type[Expression], *, named: bool
) -> Any:
    """Return the right side of a quantity's formula, in symbols or in numerals.

    A tuple of expressions if the quantity has several values, a dict if it has kinds,
    None in place of numerals if it has no value.
    """
    method = calculation.quantities[name].method
    if not named:
        known = getattr(calculation, name) is not None
        return method(view(calculation, kind, None)) if known else None
    forms = _written.setdefault((type(calculation), name, kind), [])
    for record, written in forms:
        if _answers(calculation, record):
            return written
    asked: Record = {}
    written = method(view(calculation, kind, asked))
    if len(forms) >= MOST_FORMS:
        forms.clear()
    forms.append((asked, written))
    return written


def _answers(calculation: Calculation, record: Record) -> bool:
    """Return whether a calculation answers all that a formula asked as it was answered before."""
    known = calculation.answered
    for path, answer in record.items():
        if path not in known:
            owner = calculation
            for place in range(0, len(path) - 1, 2):
                owner = getattr(owner, path[place])[path[place + 1]]
            known[path] = _branch(owner, path[-1])
        if known[path] != answer:
            return False
    return True
