"""The only names the worker knows: JSON text in, JSON text out."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import import_module
from typing import Any

import calculator
from calculator import CALCULATIONS
from calculator.answers.evaluate import Evaluation, assumed, evaluate, form_fields
from calculator.answers.guess import find_quantity
from calculator.answers.guess import judge as verdict
from calculator.core.fields import Choice, InvalidField
from calculator.layers.layer import Work
from calculator.web import answer as html
from calculator.web.form import controls
from calculator.web.form import options as words

FORMATS = {
    "markdown": "answers.formats.markdown", "latex": "answers.formats.latex",
    "python": "answers.formats.python", "report": "answers.sentences.line",
    "counters": "counters.comparison.markdown", "csv": "counters.comparison.comma_separated",
}  # fmt: skip
"""The function that writes each, in a module that is loaded when it is first asked for."""

_UNKNOWN = "This page has no such calculator. Reload the page, or choose another one."


def extend(archive: str) -> None:
    """Find modules in another archive too: those that no first answer needs.

    Raises ValueError or BadZipFile if the archive is damaged: an import compares no checksums.
    """
    from pkgutil import walk_packages
    from zipfile import ZipFile

    with ZipFile(archive, metadata_encoding="utf-8") as files:  # a browser has no other encoding
        if damaged := files.testzip():
            raise ValueError(f"{archive} is damaged: {damaged}")
    folders = walk_packages(calculator.__path__, "calculator.")
    packages = [import_module(name) for _, name, is_package in folders if is_package]
    for package in (calculator, *packages):
        package.__path__.append(f"{archive}/{package.__name__.replace('.', '/')}")


@lru_cache(maxsize=1)  # the formulas are asked for right after the figures
def _ask(text: str) -> tuple[dict[str, Any], Evaluation]:
    question = json.loads(text)
    if question["calculator"] in CALCULATIONS:
        return question, evaluate(question["calculator"], question["fields"])
    error = InvalidField("calculator", _UNKNOWN, given=question["calculator"])
    return question, Evaluation(None, None, {error.field: error})


def answer(text: str) -> str:
    """Answer {"calculator", "fields"} with {"html", "errors", "assumed"}.

    The figures, or null and why; and what was taken for the fields that are empty.
    """
    question, outcome = _ask(text)
    errors = {name: error.message for name, error in outcome.errors.items()}
    if outcome.calculation is None:
        return json.dumps({"html": None, "errors": errors, "assumed": {}})
    result = outcome.calculation, outcome.time
    taken = assumed(question["fields"], *result)
    return json.dumps({"html": html.figures(*result), "errors": errors, "assumed": taken})


def formulas(text: str) -> str:
    """Answer {"calculator", "fields"} with {"html"}: the quantities and formulas, or null."""
    _, outcome = _ask(text)
    if outcome.calculation is None:
        return json.dumps({"html": None})
    return json.dumps({"html": html.formulas(outcome.calculation)})


def counters(text: str) -> str:
    """Answer {"calculator", "fields", "sort", "figure"} with {"html"}: what each tool prints."""
    question, outcome = _ask(text)
    if not isinstance(outcome.calculation, Work):
        return json.dumps({"html": None})
    render = import_module("calculator.web.counters_panel").render_counters
    asked = {name: question[name] for name in ("sort", "figure") if name in question}
    return json.dumps({"html": render(outcome.calculation, **asked)})


def expectation(text: str) -> str:
    """Answer {"calculator", "fields", "compare"} with {"html"}: what machines make of the work."""
    question, outcome = _ask(text)
    if outcome.calculation is None:
        return json.dumps({"html": None})
    render = import_module("calculator.web.machines_panel").render_machines
    named = {name: question[name] for name in ("calculator", "fields")}
    return json.dumps({"html": render(outcome, **named, compare=question.get("compare", ""))})


def form(text: str) -> str:
    """Answer {"calculator", "prefix"} with {"html"}: the controls at their defaults, or null."""
    question = json.loads(text)
    owner = CALCULATIONS.get(question["calculator"])
    html = None if owner is None else controls(owner, {}, question["prefix"])
    return json.dumps({"html": html})


def options(text: str) -> str:
    """Answer {"calculator", "field"} with {"html"}: the words of a field with options, or null."""
    question = json.loads(text)
    owner = CALCULATIONS.get(question["calculator"])
    field: Any = form_fields(owner).get(question["field"]) if owner else None
    return json.dumps({"html": words(field) if isinstance(field, Choice) else None})


def configuration(text: str) -> str:
    """Answer {"calculator", "text"} with {"fields", "message"}: what a pasted object fills in.

    `fields` holds the text of every field that it decides, null if it is rejected; then `message`
    says why, and else what was read.
    """
    question = json.loads(text)
    if question["calculator"] not in CALCULATIONS:
        return json.dumps({"fields": None, "message": _UNKNOWN})
    fill = import_module("calculator.web.pasted").fill_form
    try:
        fields, message = fill(CALCULATIONS[question["calculator"]], question["text"])
    except InvalidField as error:
        return json.dumps({"fields": None, "message": f"Nothing is filled in: {error.message}."})
    return json.dumps({"fields": fields, "message": message})


def judge(text: str) -> str:
    """Answer {"calculator", "fields", "quantity", "guess"} with {"verdict"} or {"error"}."""
    question, outcome = _ask(text)
    try:
        said = verdict(*find_quantity(outcome, question["quantity"]), question["guess"])
    except ValueError as error:
        return json.dumps({"error": getattr(error, "message", str(error))})
    return json.dumps({"verdict": said})


def to_copy(text: str) -> str:
    """Answer {"calculator", "fields", "format"} with {"text"}, null if a field is rejected."""
    question, outcome = _ask(text)
    if outcome.calculation is None or question["format"] not in FORMATS:
        return json.dumps({"text": None})
    module, _, function = FORMATS[question["format"]].rpartition(".")
    write = getattr(import_module(f"calculator.{module}"), function)
    return json.dumps({"text": write(outcome.calculation, outcome.time)})
