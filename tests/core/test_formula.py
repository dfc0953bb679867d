"""What a formula sees of its calculation: symbols, and what it may branch on."""

import pytest

from calculator.core.calculation import Calculation, fact, quantity
from calculator.core.expression import Text
from calculator.core.fields import flag, size
from calculator.core.formula import write_formula


class Whole(Calculation):
    """A calculation of the tests."""

    first: int = size("a", default=2, label="First")
    second: int | None = size("b", default=3, label="Second", optional=True)
    doubled: bool = flag(default=False, label="Doubled")

    @quantity("s", label="Sum")
    def total(self):
        return (2 if self.doubled else 1) * (self.first + self.known())

    def known(self):
        return 0 if self.second is None else self.second

    @property
    def as_property(self):
        return self.first * self.known()

    @fact
    def is_large(self):
        return self.first > 10

    @quantity("p", label="Product")
    def product(self):
        return self.as_property

    @quantity("c", label="Compared")
    def compared(self):
        return self.first if self.first > 10 else self.known()

    @quantity("d", label="Decided")
    def decided(self):
        return self.first if self.is_large else self.known()


class Part(Whole):
    """One that adds to what its base counts."""

    @quantity("s", label="Sum")
    def total(self):
        return super().total + self.first


def written(calculation, name):
    return str(write_formula(calculation, name, Text, named=True))


def test_a_formula_sees_symbols_in_methods_and_in_properties():
    assert written(Whole(), "total") == "a + b"
    assert written(Whole(), "product") == "a · b"


def test_a_formula_adds_to_that_of_its_base():
    assert written(Part(), "total") == "a + b + a"
    assert Part().total == 7


def test_what_super_found_is_not_taken_for_the_whole():
    class Other(Part):
        @quantity("h", label="Half")
        def half(self):
            return super().total // 2

    other = Other(first=4)
    assert (other.half, other.total) == (5, 11)


@pytest.mark.parametrize("named", [True, False], ids=["symbols", "numerals"])
def test_a_formula_that_compares_a_size_raises_and_says_what_to_do(named):
    with pytest.raises(TypeError, match=r"maximum\(\) or minimum\(\), or a flag or a fact"):
        write_formula(Whole(), "compared", Text, named=named)


@pytest.mark.parametrize(
    "asked", [bool, int, float, hash, list, lambda symbol: symbol == 0, lambda symbol: symbol < 1]
)
def test_a_symbol_tells_nothing_of_its_number(asked):
    with pytest.raises(TypeError, match="a formula branches on the value"):
        asked(Text("n"))


def test_a_formula_is_written_anew_where_a_flag_or_a_fact_or_an_empty_field_differs():
    assert written(Whole(), "total") == written(Whole(first=7), "total") == "a + b"
    assert written(Whole(doubled=True), "total") == "2 · (a + b)"
    assert written(Whole(second=None), "total") == "a"
    assert [written(Whole(first=size), "decided") for size in (2, 20, 3)] == ["b", "a", "b"]
