"""The panel of the counting tools: how to report a count, their table, what explains a figure."""

from __future__ import annotations

from calculator.answers.sentences import how_to_report
from calculator.core.fields import InvalidField
from calculator.core.units import grouped
from calculator.counters.comparison import COLUMNS, SORTED, Row, rows
from calculator.counters.explain import Explanation, explained, read_as, remark
from calculator.layers.layer import Work
from calculator.web.form import UNSEARCHED
from calculator.web.markup import element, escape


def render_counters(subject: Work, sort: str = "", figure: str = "") -> str:
    """Return how to report the count, what a figure may be, and the tools' table, as HTML.

    `sort` is a column that has numbers, with a dash in front for the largest first; the order of
    the tools stays if it is none.
    """
    head = "".join(_head(column, title, sort) for column, title in COLUMNS.items())
    said = escape(how_to_report(subject))
    body = "".join(map(_html, _sorted(rows(subject), sort)))
    return (
        f'<p class="calculator-report"><b>How to report it:</b> {said}</p>'
        f"{render_explanations(subject, figure) if figure.strip() else ''}"
        '<div class="calculator-scroll" tabindex="0" role="group" aria-label="Tool by tool">'
        f'<table class="calculator-counters"{UNSEARCHED}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _sorted(found: list[Row], sort: str) -> list[Row]:
    """Return the true count, then the tools in an order; those without a number come last."""
    column = sort.removeprefix("-")
    if column not in SORTED:
        return found
    true, *others = found
    known = [each for each in others if each.number(column) is not None]
    unknown = [each for each in others if each.number(column) is None]
    known.sort(key=lambda each: each.number(column), reverse=sort.startswith("-"))
    return [true, *known, *unknown]


def _head(column: str, title: str, sort: str) -> str:
    """Return a column header; a click on one of numbers sorts by it, or reverses the order."""
    if column not in SORTED:
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
        called = f"{row.tool.package} {row.tool.version}: {row.tool.call}"
        texts["tool"] = element("abbr", texts["tool"], title=called)
        texts["unit"] = element("abbr", texts["unit"], title=row.tool.means)
    cells = "".join(f'<td data-column="{name}">{texts[name]}</td>' for name in list(COLUMNS)[1:])
    return f'<tr data-tool="{row.name}"><th scope="row">{texts["tool"]}</th>{cells}</tr>'


def render_explanations(subject: Work, text: str) -> str:
    """Return the explanations of a figure as HTML, or what is wrong with it."""
    try:
        taken, found = explained(subject, text)
    except InvalidField as error:
        return f'<p class="calculator-error">The figure {escape(error.message)}.</p>'
    if not found:
        return (
            f"<p>No known count matches {escape(text.strip())}: it may belong to another network, "
            "another input or another way to count.</p>"
        )
    return (
        '<table class="calculator-provenance"><thead><tr>'
        f'<th scope="col">{escape(read_as(text, taken))} may be</th>'
        '<th scope="col">Exact count</th><th scope="col">How it fits</th></tr></thead>'
        f"<tbody>{''.join(map(_row, found))}</tbody></table><p>{escape(remark(taken, found))}</p>"
    )


def _row(explanation: Explanation) -> str:
    what = explanation.named
    return (
        f'<tr><th scope="row">{escape(what[0].upper() + what[1:])}</th>'
        f"<td>{grouped(explanation.value)}</td><td>{escape(explanation.said)}</td></tr>"
    )
