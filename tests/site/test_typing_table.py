"""The table of the page on typing, cell by cell."""

from fractions import Fraction
from pathlib import Path

import pytest

from calculator import CALCULATIONS, InvalidField, Runtime

PAGE = Path(__file__).parents[2] / "docs" / "typing.md"
FIELDS = {
    "Size": CALCULATIONS["linear"].fields["in_features"],
    "Height, width": CALCULATIONS["network"].fields["image_size"],
    "Shape": CALCULATIONS["sequential"].fields["input_shape"],
    "Tokens": CALCULATIONS["training_cost"].fields["tokens"],
    "FLOPs": Runtime.fields["flops"],
    "FLOP/s": Runtime.fields["peak_flops_per_second"],
    "Bytes": Runtime.fields["bytes_moved"],
    "Seconds": Runtime.fields["measured_seconds"],
    "Share": CALCULATIONS["training_cost"].fields["utilization"],
}


def cells():
    """Yield (text, column, cell) of the table."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    _, *columns = [cell.strip() for cell in lines[0].strip("|").split("|")]
    for line in lines[2:]:
        typed, *values = [cell.strip() for cell in line.strip("|").split("|")]
        for column, cell in zip(columns, values, strict=True):
            yield typed.strip("`"), column, cell


def number(text):
    """Return the number that a cell says."""
    exact = Fraction(text.replace("\u202f", ""))
    return int(exact) if exact.denominator == 1 else float(exact)


def test_the_table_has_a_column_for_each_kind_and_rows_that_are_read_and_rejected():
    assert {column for _, column, _ in cells()} == FIELDS.keys()
    assert len({text for text, _, _ in cells()}) > 30


@pytest.mark.parametrize(("text", "column", "cell"), list(cells()))
def test_a_cell_says_what_the_field_reads(text, column, cell):
    try:
        found = FIELDS[column].accept(text)
    except InvalidField:
        found = "–"
    several = column in ("Height, width", "Shape") and cell != "–"
    wanted = tuple(map(number, cell.split(", "))) if several else cell
    assert found == (wanted if several or cell == "–" else number(cell))
