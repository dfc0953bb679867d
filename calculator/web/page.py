"""What a page holds when it is printed: whole calculators, worked examples, predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from calculator import CALCULATIONS
from calculator.answers.evaluate import Evaluation, assumed
from calculator.answers.sentences import machine, rates
from calculator.core.calculation import Calculation, Quantity, shown_quantities
from calculator.layers.layer import Work
from calculator.machines.runtime import Runtime
from calculator.networks.sequential import Sequential
from calculator.web.answer import figures, formulas, row, verdict
from calculator.web.counters_panel import render_counters
from calculator.web.form import UNSEARCHED, controls
from calculator.web.machines_panel import render_machines
from calculator.web.markup import escape

_SPOKEN = {
    "": "", "s": ", in seconds", "%": ", in per cent", "FLOP/B": ", in FLOP/B", "B": ", in bytes",
    "FLOP/s": ", in FLOP/s", "J": ", in joules",
}  # fmt: skip
_COPIES = """\
<p class="calculator-copies" role="group" aria-label="Copy what the tools print">
<button type="button" data-copy="report">Copy how to report it</button>
<button type="button" data-copy="counters">Markdown</button>
<button type="button" data-copy="csv">CSV</button>
</p>"""
_ACTIONS = """\
<div class="calculator-actions">
<span class="calculator-copies" role="group" aria-label="Copy">
<button type="button" data-copy="link">Copy link</button>
<button type="button" data-copy="markdown">Markdown</button>
<button type="button" data-copy="latex">LaTeX</button>
<button type="button" data-copy="python">Python</button>
</span>
<button type="reset">Reset</button>
</div>
<div class="calculator-state"><progress max="1" aria-label="Loading Python" hidden></progress>\
<span role="status" data-message></span></div>
<textarea class="calculator-manual" aria-label="Text to copy" readonly hidden></textarea>
<output class="calculator-summary"></output>"""
_DEAD = """\
<p class="calculator-dead" hidden>This form does not work, because the script of the page did not \
load. Reload the page; if you opened it as a file, serve its folder, for example with \
<code>python -m http.server</code>.
<button type="submit" name="sent" value="{name}">Reload with these values</button></p>"""
_MARK = """\
<div class="calculator-mark"><span role="status" data-mark></span>
<button type="button" data-retry hidden>Try again</button>
<button type="button" data-reload hidden>Reload</button></div>"""


def element(
    names: Sequence[str],
    texts: Mapping[str, str],
    result: tuple[Calculation, Runtime | None],
    runtime: str,
    folded: bool,
) -> str:
    """Return a whole calculator: the form of the first of the names, and its answer.

    `runtime` is the folder that the browser finds Python in; `folded` leaves the formulas to be
    unfolded.
    """
    prefix = names[0].replace("_", "-")
    options = "".join(
        f'<option value="{name}">{escape(CALCULATIONS[name].title)}</option>' for name in names
    )
    choice = (
        f'<p class="calculator-select"><label for="{prefix}-calculator">Layer</label>'
        f'<select id="{prefix}-calculator" data-choice>{options}</select></p>'
    )
    taken = assumed(texts, *result)
    return (
        f'<flops-calculator id="calculator-{names[0]}" data-state="printed" '
        f'data-offers="{" ".join(names)}" data-runtime="{escape(runtime)}"{UNSEARCHED}>'
        f"{choice if len(names) > 1 else ''}"
        '<div class="calculator-panes">'
        f'<form class="calculator" autocomplete="off" novalidate data-prefix="{prefix}">'
        f"{_DEAD.format(name=names[0])}"
        f'<div class="calculator-controls">{controls(CALCULATIONS[names[0]], texts, prefix, taken)}'
        "</div>"
        f"{_ACTIONS}</form>"
        f'<div class="calculator-answer">{_MARK}'
        f'<div class="calculator-figures">{figures(*result)}</div>'
        f'<details class="calculator-panel" data-asks="formulas"{"" if folded else " open"}>'
        "<summary>Every number and its formula</summary>"
        f"<div data-place>{formulas(result[0])}</div></details></div></div>"
        f"{_expectation(names[0], texts, result, prefix)}{_counters(result[0], prefix)}"
        "</flops-calculator>"
    )


def _expectation(
    name: str, texts: Mapping[str, str], result: tuple[Calculation, Runtime | None], prefix: str
) -> str:
    """Return what a machine makes of the work, folded, if a machine can be chosen."""
    if not isinstance(result[0], (Work, Runtime)):
        return ""
    machines = render_machines(Evaluation(*result, {}), name, texts, whole=False)
    return (
        '<details class="calculator-panel" data-asks="expectation" data-linked data-short>'
        "<summary>How long does it take, on which machine, and why?</summary>"
        f'<p class="calculator-figure"><label for="{prefix}-compare">Next to another device</label>'
        f'<input type="search" id="{prefix}-compare" name="compare" placeholder="a100_80gb_sxm" '
        f'list="{prefix}-device-options" spellcheck="false"></p>'
        f"<div data-place>{machines}</div></details>"
    )


def _counters(calculation: Calculation, prefix: str) -> str:
    """Return what each counting tool prints, folded, if there is work to count."""
    if not isinstance(calculation, Work):
        return ""
    return (
        '<details class="calculator-panel" data-asks="counters" data-linked>'
        "<summary>What would each counting tool print, and why?</summary>"
        f'<p class="calculator-figure"><label for="{prefix}-figure">Explain a figure that you have '
        f'read</label><input id="{prefix}-figure" name="figure" placeholder="4.11 G" '
        'spellcheck="false"></p>'
        f"<div data-place>{render_counters(calculation)}</div>{_COPIES}</details>"
    )


def example(
    calculation: Calculation, time: Runtime | None, given: Mapping[str, str], names: Sequence[str]
) -> str:
    """Return a worked example: what it is, then each named quantity with its formula.

    `given` are the fields as their author wrote them.
    """
    where = "" if time is None else f"<br>{escape(_machine(time))}"
    rows = "".join(
        row(each, declared, value, headline=())
        for each in (calculation, time)
        if each is not None
        for declared, value in shown_quantities(each)
        if declared.name in names
    )
    bound = time or calculation
    said = verdict(bound) if isinstance(bound, Runtime) and "bound" in names else ""
    return (
        f'<p class="example-fields"><code>{escape(_call(calculation, given))}</code>{where}</p>'
        f'<table class="calculator-table"{UNSEARCHED}><tbody>{rows}</tbody></table>{said}'
    )


def _call(calculation: Calculation, given: Mapping[str, str]) -> str:
    """Return a calculation as Python would have it: what was given, and the size of the input."""
    values = calculation.values()
    if isinstance(calculation, Sequential):
        return f"Sequential on {values['input_shape']}:\n{values['modules']}"
    words = [
        f"{name}={given[name] if field.kind in ('rate', 'share') else repr(values[name])}"
        for name, field in calculation.fields.items()
        if name in given or (field.role == "input" and values[name] is not None)
    ]
    return f"{type(calculation).__name__}({', '.join(words)})"


def _machine(time: Runtime) -> str:
    is_named = time.device or time.machine_name
    return f"{machine(time) if is_named else 'A machine'}: {rates(time)}"


def prediction(
    question: str, subject: Mapping[str, Any], declared: Quantity[Any], answer: str, runtime: str
) -> str:
    """Return a question with room for a guess, and its answer, unfolded by who has guessed.

    `subject` is what `browser.judge` is asked about; `answer` is ready HTML; `runtime` is the
    folder that the browser finds Python in.
    """
    unit = _SPOKEN.get(declared.unit, f", in {declared.unit}s")
    return (
        f'<flops-prediction data-runtime="{escape(runtime)}" '
        f'data-subject="{escape(json.dumps(subject))}">'
        f'<p class="prediction-question">{escape(question)}</p>'
        '<form autocomplete="off" novalidate>'
        f'<label>Your guess{escape(unit)} <input name="guess" spellcheck="false"></label>'
        '<button type="submit">Check my guess</button>'
        '</form><p class="prediction-verdict" role="status"></p>'
        '<details class="prediction-answer"><summary>The answer</summary>'
        f"{answer}</details></flops-prediction>"
    )
