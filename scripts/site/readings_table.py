"""The battery as a table: what every counting tool said of each layer and network, read from them.

It needs the record, `docs/readings.json`, and no tool.
"""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from calculator import CALCULATIONS
from calculator.core.units import grouped, rounded
from calculator.counters.comparison import digits
from calculator.layers.layer import Work
from calculator.web.form import UNSEARCHED
from scripts.random_layers.draw import Configuration, network

RECORD = Path(__file__).parents[2] / "docs" / "readings.json"


def table(offers: str) -> str:
    """Return the table; a row links to the calculator whose address begins with `offers`."""
    record = json.loads(RECORD.read_text("utf-8"))
    readings: dict[str, dict[str, Any]] = record["readings"]
    names = list(next(iter(readings.values())))
    head = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    rows = "".join(_row(text, answers, names, offers) for text, answers in readings.items())
    return (
        f'<div class="rosetta"{UNSEARCHED} tabindex="0" role="group" '
        'aria-label="The battery">'
        '<table class="rosetta-table"><thead><tr>'
        f'<th scope="col">Layer or network</th><th scope="col">MACs</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(text: str, answers: Mapping[str, Any], names: list[str], offers: str) -> str:
    layer, lines, shape, frozen, bare = literal_eval(text)
    work = Configuration(*layer).ours() if layer else network(lines, shape)
    query = urlencode({"calculator": work.name, **_texts(work, frozen), "counters": ""})
    notes = (", frozen" if frozen else "") + (", inputs=x" if bare else "")
    label = f"<code>{escape(_called(layer) if layer else lines)}</code>"
    shapes = layer[3] if layer else (shape,)
    on = " and ".join("×".join(map(str, each)) for each in shapes)
    cells = "".join(_cell(answers.get(name), work.macs) for name in names)
    return (
        f'<tr><th scope="row"><a href="?{escape(query)}#{offers}{work.name}">{label}</a> '
        f"<span>on {on}{notes}</span></th><td>{grouped(work.macs)}</td>{cells}</tr>"
    )


def _texts(work: Work, frozen: bool) -> dict[str, str]:
    """Return the fields of the layer and its input, as a form has them, whatever it shows now."""
    texts = {
        name: field.write(getattr(work, name))
        for name, field in work.fields.items()
        if field.role in ("module", "input")
    }
    return texts | {"weight_requires_grad": str(not frozen).lower()}


def _called(layer: tuple[Any, ...]) -> str:
    """Return how a layer is called, with the arguments that are not torch's own."""
    name, arguments, call, _ = layer
    owner = CALCULATIONS[name]
    given = {
        key: value
        for key, value in {**arguments, **call}.items()
        if owner.fields[key].required
        or owner.fields[key].python(owner.fields[key].default) != value
    }
    return f"{owner.__name__}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _cell(answer: Any, macs: int) -> str:
    """Return a reading: its ratio to the MACs, or itself where there are none."""
    if answer is None:
        return "<td></td>"
    if isinstance(answer, str):
        return f'<td data-kind="raises" title="{escape(answer)}">raises</td>'
    value = answer["value"] if isinstance(answer, dict) else answer
    if not macs:
        return f'<td title="{value:,.0f}">{rounded(int(value))}</td>'
    ratio = value / macs
    kind = {0: "nothing", 1: "macs", 2: "flops"}.get(ratio, "other")
    return f'<td data-kind="{kind}" title="{value:,.0f}">{digits(ratio)}</td>'
