"""The explanations of a published figure, as a table of a page."""

from __future__ import annotations

from calculator.fields import InvalidField
from calculator.form import escape
from calculator.layer import Measured
from calculator.provenance import Explanation, explained, read_as, remark
from calculator.units import grouped


def render_table(subject: Measured, text: str) -> str:
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
