"""What each counting tool prints for a layer or a network, side by side with the true count."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from calculator.core.calculation import Calculation
from calculator.core.units import grouped
from calculator.counters import readings, tools
from calculator.counters.tool import Reading, Tool
from calculator.layers.layer import Work

COLUMNS = {
    "tool": "Tool", "value": "It prints", "unit": "Its unit", "ratio": "Of the true MACs",
    "params": "Parameters", "why": "Why",
}  # fmt: skip
_CALLED = ("Version", "Call")
SORTED = ("value", "ratio", "params")
"""The columns that have numbers."""
TRUE = "the true count"
_WHY_TRUE = "All multiply-accumulates of the matrix work, and nothing else."


class Row(NamedTuple):
    """A line of the table: a tool and its reading; the true count has no tool."""

    tool: Tool | None
    reading: Reading
    ratio: float | None

    @property
    def name(self) -> str:
        """The name of the tool, or what the true count is called."""
        return self.tool.name if self.tool else TRUE

    @property
    def unit(self) -> str:
        """What the tool calls its number."""
        return self.tool.unit if self.tool else "MACs"

    def number(self, column: str) -> Any:
        """Return the number in a column, None if there is none."""
        return {
            "value": self.reading.value, "ratio": self.ratio, "params": self.reading.params,
        }.get(column)  # fmt: skip

    def called(self) -> tuple[str, str]:
        """Return the version of the tool and how it is called."""
        return (self.tool.version, self.tool.call) if self.tool else ("", "")

    def texts(self) -> dict[str, str]:
        """Return the text of each cell, by its column."""
        reading = self.reading
        value = "" if reading.value is None else grouped(int(reading.value))
        return {
            "tool": self.name,
            "value": f"raises {reading.raises.partition(':')[0]}" if reading.raises else value,
            "unit": "" if reading.raises else self.unit,
            "ratio": "" if self.ratio is None else f"{digits(self.ratio)} ×",
            "params": "" if reading.params is None else grouped(int(reading.params)),
            "why": " ".join(sentences(reading)),
        }


def digits(ratio: float) -> str:
    """Return four digits, with zeros if it was rounded to them."""
    short = f"{ratio:.4g}"
    return short if float(short) == ratio or len(short) > 4 else f"{ratio:.3f}"


def sentences(reading: Reading) -> Iterator[str]:
    """Yield why a reading is what it is: its rule, its error, its warnings."""
    if reading.raises:
        said = reading.raises.partition(": ")[2] or reading.raises
        yield f"{said[:1].upper()}{said[1:].rstrip('.')}."
    else:
        yield reading.why
    if reading.warns:
        yield f"It warns that it has no formula for {', '.join(reading.warns)}."


def rows(subject: Work) -> list[Row]:
    """Return the true count, then what each tool returns."""
    found = readings(subject)
    true = Reading(value=subject.macs, params=subject.params, why=_WHY_TRUE)
    return [
        Row(None, true, _ratio(subject.macs, subject.macs)),
        *(
            Row(tool, found[tool.name], _ratio(found[tool.name].value, subject.macs))
            for tool in tools()
        ),
    ]


def _ratio(value: Any, macs: int) -> float | None:
    return None if value is None or not macs else value / macs


def record(subject: Work) -> dict[str, dict[str, Any]]:
    """Return every reading by the name of its tool, as JSON has it."""
    return {
        each.tool.name: {
            **(
                {"raises": each.reading.raises}
                if each.reading.raises
                else {"value": each.reading.value}
            ),
            "unit": each.tool.unit,
            "params": each.reading.params,
            **({} if each.reading.macs is None else {"macs": each.reading.macs}),
            **({"warns": list(each.reading.warns)} if each.reading.warns else {}),
            "why": each.reading.why,
            "means": each.tool.means,
            "version": each.tool.version,
            "call": each.tool.call,
        }
        for each in rows(subject)
        if each.tool
    }


def markdown(calculation: Calculation, time: object = None) -> str:
    """Return the table in Markdown, one line per tool."""
    titles = [*COLUMNS.values(), *_CALLED]
    lines = [titles, ["---"] * len(titles)]
    lines += [[*each.texts().values(), *each.called()] for each in _of(calculation)]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)


def comma_separated(calculation: Calculation, time: object = None) -> str:
    """Return the table as CSV: plain numbers, one line per tool."""
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append), lineterminator="\n")
    writer.writerow([*COLUMNS, *map(str.lower, _CALLED)])
    for each in _of(calculation):
        own = each.texts()
        plain = {name: each.number(name) for name in COLUMNS}
        cells = [own[name] if plain[name] is None else plain[name] for name in COLUMNS]
        writer.writerow([*cells, *each.called()])
    return "".join(lines)


def _of(calculation: Calculation) -> list[Row]:
    return rows(calculation) if isinstance(calculation, Work) else []
