"""Worked examples of the pages: read, evaluated, and held against the committed record.

An author writes the figures; the formulas and what the witnesses said have to agree on each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from calculator import CALCULATIONS
from calculator.answers.evaluate import Evaluation, evaluate, form_fields, report
from scripts.site.steps import ROOT

EVIDENCE = ROOT / "docs" / "evidence.json"


class DirectiveError(ValueError):
    """A directive that the page's author has to mend."""


@dataclass(frozen=True)
class Example:
    """A worked example as its author wrote it: texts by field, figures by quantity."""

    calculator: str
    fields: Mapping[str, str]
    expect: Mapping[str, Any]
    thop: Mapping[str, str] = field(default_factory=dict)
    question: str = ""
    because: str = ""

    def __str__(self) -> str:
        given = ", ".join(f"{name}: {text}" for name, text in self.fields.items())
        return f"example | {self.calculator} ({given})"

    def evaluate(self) -> Evaluation:
        """Return what the formulas say; raise DirectiveError where they refuse the fields."""
        outcome = evaluate(self.calculator, self.fields)
        for error in outcome.errors.values():
            raise DirectiveError(f"{self}: {error}")
        return outcome


def read(directive: str, argument: str, body: str, keys: set[str]) -> dict[str, Any]:
    """Return the mapping that a directive's body holds: every scalar a text.

    Raises DirectiveError for YAML that is none, an unknown key, calculator or field.
    """
    where = f"{directive} | {argument}"
    try:
        options = yaml.load(body, yaml.BaseLoader) or {}
    except yaml.YAMLError as error:
        raise DirectiveError(f"{where}: {error}") from error
    if not isinstance(options, dict) or any(
        not isinstance(options.get(key, {}), dict) for key in ("fields", "expect", "thop")
    ):
        raise DirectiveError(f"{where}: write `key: {{name: value}}` lines, not {body!r}")
    for key in options.keys() - keys:
        raise DirectiveError(f"{where}: unknown key {key!r}; there are {', '.join(sorted(keys))}")
    for name in argument.split() or [""]:
        if name not in CALCULATIONS:
            raise DirectiveError(f"{where}: no calculator {name!r}; see {', '.join(CALCULATIONS)}")
    known = form_fields(CALCULATIONS[argument.split()[0]])
    for name in options.get("fields", {}).keys() - known.keys():
        raise DirectiveError(f"{where}: unknown field {name!r}; there are {', '.join(known)}")
    return options


def texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what an author wrote into each field, a list as the text of a form."""
    return {
        name: ", ".join(value) if isinstance(value, list) else value
        for name, value in fields.items()
    }


KEYS = {"example": {"fields", "expect", "thop"}}
KEYS["prediction"] = {*KEYS["example"], "question", "because"}


def example(argument: str, body: str, directive: str = "example") -> Example:
    """Return the example that a directive holds, or that answers a prediction."""
    options = read(directive, argument, body, KEYS[directive])
    if not options.get("expect"):
        raise DirectiveError(f"{directive} | {argument}: expects no figure")
    return Example(argument, **{**options, "fields": texts(options.get("fields", {}))})


_DIRECTIVE = re.compile(r"^/// (example|prediction) \| (.+)\n((?:(?!///).*\n)*)///$", re.MULTILINE)


def examples(folder: Path = ROOT / "docs") -> Iterator[tuple[Path, Example]]:
    """Yield every example of every page under a folder, with its page."""
    for path in sorted(folder.rglob("*.md")):
        for directive, argument, body in _DIRECTIVE.findall(path.read_text("utf-8")):
            yield path, example(argument.strip(), body, directive)


def agrees(expected: Any, figure: Any) -> bool:
    """Return whether a figure is the one an author wrote.

    A float agrees where it rounds to the digits written; everything else has to be equal.
    """
    if isinstance(expected, dict):
        return (
            isinstance(figure, dict)
            and expected.keys() == figure.keys()
            and all(agrees(expected[key], figure[key]) for key in expected)
        )
    if isinstance(figure, (list, tuple)):
        return (
            isinstance(expected, list)
            and len(expected) == len(figure)
            and all(map(agrees, expected, figure))
        )
    try:
        if isinstance(figure, float):
            mantissa = str(expected).lower().partition("e")[0]
            digits = len(re.sub(r"[^0-9]", "", mantissa).lstrip("0")) or 1
            return f"{float(expected):.{digits - 1}e}" == f"{figure:.{digits - 1}e}"
        if isinstance(figure, int) and not isinstance(figure, bool):
            return int(expected) == figure
    except ValueError:
        return False
    return str(expected) == str(figure)


def figures(outcome: Evaluation) -> dict[str, Any]:
    """Return every figure of an evaluation by its name, those of the time among them."""
    assert outcome.calculation is not None
    record = report(outcome.calculation, outcome.time)
    return {**record, **record.pop("time", {})}


def subject(name: str, outcome: Evaluation) -> dict[str, Any]:
    """Return what an entry of the record is about: a calculation with every field in full."""
    record = figures(outcome)
    machine = {field: record[field] for field in form_fields(CALCULATIONS[name]) if field in record}
    return {"calculator": name, "fields": {**machine, **record["fields"]}}


def key(entry: Mapping[str, Any]) -> str:
    """Return one line that tells an entry, by its subject, from every other."""
    return json.dumps([entry["calculator"], entry["fields"]], sort_keys=True)


@cache
def evidence(path: Path = EVIDENCE) -> dict[str, Any]:
    """Return the committed record: what each witness said of each example."""
    if not path.exists():
        raise DirectiveError(f"{path} is missing: run `make verify`")
    return {key(entry): entry for entry in json.loads(path.read_text("utf-8"))}


def check(wanted: Example, path: Path = EVIDENCE) -> tuple[Evaluation, str]:
    """Return the evaluation and the witnesses of an example whose every figure is agreed on.

    Raises DirectiveError with the numbers that differ.
    """
    outcome = wanted.evaluate()
    computed = figures(outcome)
    entry = evidence(path).get(key(subject(wanted.calculator, outcome)))
    if entry is None:
        raise DirectiveError(f"{wanted}: is not in {path.name}: run `make verify`")
    for name, expected in wanted.expect.items():
        if name not in computed:
            raise DirectiveError(f"{wanted}: unknown figure {name!r}; see {', '.join(computed)}")
        if not agrees(expected, computed[name]):
            raise DirectiveError(
                f"{wanted}: the page says {name} = {expected}, the formula {computed[name]}"
            )
        if name not in entry["figures"] or not agrees(expected, entry["figures"][name]):
            raise DirectiveError(
                f"{wanted}: the page says {name} = {expected}, {path.name} "
                f"{entry['figures'].get(name)}: run `make verify`"
            )
    for name, expected in wanted.thop.items():
        said = entry.get("thop", {}).get(name)
        if not agrees(expected, said):
            raise DirectiveError(
                f"{wanted}: the page says thop prints {name} = {expected}, {path.name} "
                f"{said}: run `make verify`"
            )
    return outcome, ", ".join(entry["witnesses"])
