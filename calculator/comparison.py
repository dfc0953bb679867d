"""What each counting tool prints for a layer or a network, side by side with the true count."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from calculator.calculation import Calculation
from calculator.counters import readings, tools
from calculator.counters.tool import Reading, Tool
from calculator.form import UNSEARCHED, escape
from calculator.layer import Measured
from calculator.provenance_table import render_table
from calculator.roofline import Runtime
from calculator.statement import how_to_report
from calculator.units import grouped

COLUMNS = {
    "tool": "Tool", "value": "It prints", "unit": "Its unit", "ratio": "Of the true MACs",
    "params": "Parameters", "why": "Why",
}  # fmt: skip
_CALLED = ("Version", "Call")
_SORTED = ("value", "ratio", "params")
TRUE = "the true count"
_WHY_TRUE = "Multiply-accumulates of the matrix work, every one, and nothing else."


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
        """Return the number in a column, None where there is none."""
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
    """Return four digits, zeros among them where they were rounded to."""
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
        yield f"It warns that it does not know {', '.join(reading.warns)}."


def rows(subject: Measured) -> list[Row]:
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


def record(subject: Measured) -> dict[str, dict[str, Any]]:
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


def panel(subject: Measured, sort: str = "", figure: str = "") -> str:
    """Return how to report the count, what a figure may be, and the tools' table, as HTML.

    `sort` is a column that has numbers, with a dash in front for the largest first; the order of
    the tools stays where it is none.
    """
    head = "".join(_head(column, title, sort) for column, title in COLUMNS.items())
    said = escape(how_to_report(subject))
    body = "".join(map(_html, _sorted(rows(subject), sort)))
    return (
        f'<p class="calculator-report"><b>How to report it:</b> {said}</p>'
        f"{render_table(subject, figure) if figure.strip() else ''}"
        '<div class="calculator-scroll" tabindex="0" role="group" aria-label="Tool by tool">'
        f'<table class="calculator-counters"{UNSEARCHED}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _sorted(found: list[Row], sort: str) -> list[Row]:
    """Return the true count, then the tools in an order; those without a number come last."""
    column = sort.removeprefix("-")
    if column not in _SORTED:
        return found
    true, *others = found
    known = [each for each in others if each.number(column) is not None]
    unknown = [each for each in others if each.number(column) is None]
    known.sort(key=lambda each: each.number(column), reverse=sort.startswith("-"))
    return [true, *known, *unknown]


def _head(column: str, title: str, sort: str) -> str:
    """Return a head of the table; by a click a column of numbers is sorted, or turned round."""
    if column not in _SORTED:
        return f'<th scope="col" data-column="{column}">{title}</th>'
    order = {column: "ascending", f"-{column}": "descending"}.get(sort, "")
    following = {f"-{column}": column, column: ""}.get(sort, f"-{column}")
    said = f' aria-sort="{order}"' if order else ""
    return (
        f'<th scope="col" data-column="{column}"{said}>'
        f'<button type="button" data-sort="{following}">{title}</button></th>'
    )


def _html(row: Row) -> str:
    texts = {name: escape(text) for name, text in row.texts().items()}
    if row.tool:
        called = escape(f"{row.tool.package} {row.tool.version}: {row.tool.call}")
        texts["tool"] = f'<abbr title="{called}">{texts["tool"]}</abbr>'
        texts["unit"] = f'<abbr title="{escape(row.tool.means)}">{texts["unit"]}</abbr>'
    cells = "".join(f'<td data-column="{name}">{texts[name]}</td>' for name in list(COLUMNS)[1:])
    return f'<tr data-tool="{row.name}"><th scope="row">{texts["tool"]}</th>{cells}</tr>'


def markdown(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return the table in Markdown, a line for each tool."""
    titles = [*COLUMNS.values(), *_CALLED]
    lines = [titles, ["---"] * len(titles)]
    lines += [[*each.texts().values(), *each.called()] for each in _of(calculation)]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)


def comma_separated(calculation: Calculation, time: Runtime | None = None) -> str:
    """Return the table as CSV: plain numbers, one line a tool."""
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
    return rows(calculation) if isinstance(calculation, Measured) else []
