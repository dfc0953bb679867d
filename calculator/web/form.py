"""Forms as HTML fragments, read from the declared fields."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.answers.evaluate import form_fields
from calculator.core.calculation import Calculation
from calculator.core.fields import Choice, Field, Flag
from calculator.core.tensor_fields import on_axis
from calculator.web.markup import escape

_WIDE = 16  # characters of an option that a narrow column would cut
_MACHINE = "Machine"
_LEGENDS = {
    "input": "Input",
    "training": "Backward pass",
    "convention": "Convention",
    "storage": _MACHINE,
    "hardware": _MACHINE,
    "assumption": "Assumptions and measurements",
}
_FOLDED = ("Backward pass", "Assumptions and measurements")  # few change them

UNSEARCHED = ' data-search-exclude=""'
"""Stands in the tag of forms and figures, which would be most of what a reader's search loads."""


def controls(
    owner: type[Calculation],
    texts: Mapping[str, str],
    prefix: str,
    assumed: Mapping[str, str] | None = None,
) -> str:
    """Return the labelled form controls of a calculation, with texts in place of defaults.

    `prefix` keeps ids apart if a page holds several forms; `assumed` is what stands for a field
    that is empty.
    """
    groups: dict[str, list[str]] = {}
    for field in form_fields(owner).values():
        legend = _LEGENDS.get(field.role, owner.title)
        text = texts.get(field.name, field.write(field.start))
        control = _control(field, text, f"{prefix}-{field.name}", (assumed or {}).get(field.name))
        groups.setdefault(legend, []).append(control)
    for legend in _FOLDED:
        groups[legend] = groups.pop(legend, [])  # last
    return "".join(_group(legend, fields) for legend, fields in groups.items() if fields)


def _group(legend: str, fields: list[str]) -> str:
    if legend in _FOLDED:
        return (
            f'<details class="calculator-more"><summary>{escape(legend)}</summary>'
            f'<div class="calculator-group">{"".join(fields)}</div></details>'
        )
    shared = ' data-machine=""' if legend == _MACHINE else ""
    return (
        f'<fieldset class="calculator-group"{shared}><legend>{escape(legend)}</legend>'
        f"{''.join(fields)}</fieldset>"
    )


def _control(field: Field, text: str, identity: str, assumed: str | None) -> str:
    described = f'aria-describedby="{identity}-error"'
    if field.help:
        described = f'aria-describedby="{identity}-help {identity}-error"'
    common = f'id="{identity}" name="{field.name}" {described}'
    if isinstance(field, Flag):
        checked = " checked" if text == "true" else ""
        control = f'<input type="checkbox" value="true" {common}{checked}>'
    elif isinstance(field, Choice) and field.find:
        control = (
            f'<input type="search" {common} value="{escape(text)}" list="{identity}-options" '
            f'spellcheck="false"><datalist id="{identity}-options" data-options="{field.name}">'
            "</datalist>"
        )
    elif isinstance(field, Choice):
        empty = f'<option value="">{escape(field.empty)}</option>' if field.optional else ""
        control = f"<select {common}>{empty}{options(field, text)}</select>"
    elif field.kind == "lines":
        rows = max(4, text.count("\n") + 1)
        control = f'<textarea {common} rows="{rows}" spellcheck="false">{escape(text)}</textarea>'
    else:
        mode = ' inputmode="numeric"' if field.kind == "integer" else ""
        common += f' placeholder="{escape(assumed)}"' if assumed else ""
        control = f'<input {common} value="{escape(text)}"{mode} spellcheck="false">'
    symbols = [on_axis(field.symbol, axis) for axis in getattr(field, "axes", "")] or [field.symbol]
    symbol = katex(", ".join(symbols)) if field.symbol else ""
    help_ = (
        f'<p class="calculator-help" id="{identity}-help">{escape(field.help)}</p>'
        if field.help
        else ""
    )
    kind = "wide" if isinstance(field, Choice) and _is_wide(field) else field.kind
    return (
        f'<div class="calculator-field" data-kind="{kind}"><label for="{identity}">'
        f"{escape(field.label)} {symbol}<code>{field.name.replace('_', '_<wbr>')}</code></label>"
        f"{control}{help_}"
        f'<p class="calculator-error" id="{identity}-error"></p></div>'
    )


def _is_wide(field: Choice) -> bool:
    return bool(field.find) or max(map(len, field.options.values())) > _WIDE


def options(field: Choice, chosen: str = "") -> str:
    """Return the words that a field takes, each with its label."""
    return "".join(
        f'<option value="{escape(word)}"{" selected" if word == chosen else ""}>'
        f"{escape(label)}</option>"
        for word, label in field.options.items()
    )


def katex(source: str) -> str:
    """Return a formula in LaTeX as the place where KaTeX sets it."""
    safe = escape(source)
    return f'<span class="arithmatex" data-tex="{safe}">\\({safe}\\)</span>'
