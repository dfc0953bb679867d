"""A reader's guess at a figure, judged by the answer."""

from __future__ import annotations

from typing import Any

from calculator.answers.evaluate import Evaluation
from calculator.answers.formats import printed
from calculator.core.calculation import Quantity
from calculator.core.measure_fields import Rate
from calculator.core.unit_families import FAMILIES

_CLOSE = 0.1
_RIGHT = 0.0005  # a guess has three digits


def find_quantity(outcome: Evaluation, name: str) -> tuple[Quantity[Any], int | float]:
    """Return the quantity of an answer that has the name, and its value.

    Raises ValueError if there is none, or if it is not a single number above 0.
    """
    for each in (outcome.calculation, outcome.time):
        value = getattr(each, name, None)
        if each and name in each.quantities and isinstance(value, (int, float)) and value > 0:
            return each.quantities[name], value
    raise ValueError(f"{name} is not a single number above 0, so it cannot be guessed")


def judge(declared: Quantity[Any], value: int | float, guess: str) -> str:
    """Return, in a sentence, how far off a guess is.

    Raises InvalidField if the guess is not a number of the quantity's unit.
    """
    field = Rate(
        "", units=FAMILIES[declared.unit], minimum=1e-30, optional=False, default=None,
        label="Guess",
    )  # fmt: skip
    field.name = "guess"
    given = field.read(guess)
    assert given is not None
    if declared.unit == "%" and given <= 1 and "%" not in guess:
        raise field.refuse(f"is ambiguous; write {given} % or {100 * given:g} %", guess)
    off = given / (100 * value if declared.unit == "%" else value)
    true = printed(declared, value)
    if off == 1:
        return f"{true}: exactly."
    if abs(off - 1) < _RIGHT:
        return f"Right: it is {true}."
    if abs(off - 1) < _CLOSE:
        return f"Close: {abs(off - 1):.1%} off. It is {true}."
    times = off if off > 1 else 1 / off
    way = "high" if off > 1 else "low"
    said = f"Too {way} by a factor of {times:.3g}. It is {true}."
    if declared.unit in ("MAC", "FLOP") and abs(times - 2) < 0.01:
        said += " A factor of two: one multiply-accumulate is two FLOPs."
    return said
