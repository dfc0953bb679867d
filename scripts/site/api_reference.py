"""The Python interface: every public name, with its docstring, fields and quantities."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import calculator
from calculator.core.calculation import Calculation, Quantity
from calculator.core.fields import Field
from calculator.layers.layer import Layer
from calculator.web.markup import Markup, element, escape, joined, table

FIELDS = ("Field", "Default", "What it is")
QUANTITIES = ("Attribute", "Unit", "What it is")


def reference() -> str:
    """Return what stands on the page, in the order of the package's own list."""
    names = [name for name in calculator.__all__ if name != "CALCULATIONS"]
    return joined(_entry(name, getattr(calculator, name)) for name in names)


def _entry(name: str, public: Any) -> Markup:
    doc = inspect.getdoc(public) or ""
    first, *more = doc.split("\n\n")
    content = [element("p", _inline(paragraph)) for paragraph in more if ">>>" not in paragraph]
    examples = [element("pre", element("code", part)) for part in more if ">>>" in part]
    if isinstance(public, type) and issubclass(public, Calculation):
        content += _calculation(public)
    else:
        content.append(element("pre", element("code", f"{name}{_signature(public)}")))
    summary = element("summary", element("code", name), " ", _inline(first))
    return element("details", summary, *content, *examples, id=f"api-{name}", class_="api")


def _signature(public: Any) -> str:
    return str(inspect.signature(public)).replace("'", "")


def _calculation(owner: type[Calculation]) -> Iterator[Markup]:
    """Yield a table of the fields and one of the quantities that not every layer has alike."""
    common = Layer if issubclass(owner, Layer) and owner is not Layer else Calculation
    fields = [
        (element("code", name), _default(field), _inline(_said(field)))
        for name, field in owner.fields.items()
        if name not in common.fields
    ]
    quantities = [
        (element("code", name), declared.unit or "–", _inline(_meant(name, declared)))
        for name, declared in owner.quantities.items()
        if declared is not common.quantities.get(name)
    ]
    for head, rows in ((FIELDS, fields), (QUANTITIES, quantities)):
        if rows:
            yield table(head, rows, data_search_exclude="")


def _meant(name: str, declared: Quantity[Any]) -> str:
    first = (declared.__doc__ or "").partition("\n\n")[0]
    return f"{declared.label or name}. {first}"


def _default(field: Field) -> str | Markup:
    return "required" if field.required else element("code", repr(field.python(field.default)))


def _said(field: Field) -> str:
    return f"{field.label}. {field.help}".strip()


def _inline(text: str) -> Markup:
    """Return a sentence of a docstring with what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", " ".join(text.split()))
    return joined(
        element("code", part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )
