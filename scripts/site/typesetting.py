"""Formulas and charts as markup, made in one Node by the KaTeX and Vega-Lite that pages load."""

import json
import subprocess
from functools import cache
from typing import Any, NamedTuple

from scripts.site.steps import ROOT, node

TYPESETTER = ROOT / "scripts" / "site" / "typeset.mjs"


class Formula(NamedTuple):
    """TeX, and whether it stands on a line of its own."""

    tex: str
    display: bool


_set: dict[Formula, str] = {}
"""The formulas that were set before: pages repeat most of theirs."""


@cache
def _typesetter() -> subprocess.Popen[str]:
    """Start the Node that answers until this program ends."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [node(), TYPESETTER], stdin=pipe, stdout=pipe, text=True, encoding="utf-8"
    )


def _ask(request: dict[str, Any]) -> Any:
    """Return the markup that Node answers with; raise ValueError with its reason otherwise."""
    typesetter = _typesetter()
    assert typesetter.stdin
    assert typesetter.stdout
    typesetter.stdin.write(json.dumps(request) + "\n")
    typesetter.stdin.flush()
    answer = json.loads(typesetter.stdout.readline())
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["markup"]


def set_formulas(formulas: list[Formula]) -> list[str]:
    """Return the HTML of formulas.

    Raises ValueError if KaTeX rejects one.
    """
    missing = [formula for formula in dict.fromkeys(formulas) if formula not in _set]
    if missing:
        asked = [{"tex": formula.tex, "displayMode": formula.display} for formula in missing]
        _set.update(zip(missing, _ask({"formulas": asked}), strict=True))
    return [_set[formula] for formula in formulas]


def draw_chart(specification: dict[str, Any]) -> str:
    """Return the drawing of a Vega-Lite specification as SVG.

    Raises ValueError if Vega-Lite rejects it.
    """
    return str(_ask({"chart": specification}))
