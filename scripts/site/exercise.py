"""Drive all that a reader can reach, and print what comes back.

The build runs this inside Pyodide and keeps the modules that it needed; the tests run it in
both Pythons and compare.
"""

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calculator import CALCULATIONS
from calculator.answers.evaluate import form_fields
from calculator.web import worker

GOOD = ["1", "2", "16", "1, 2", "1.5T", "same"]
LATER = {"configuration", "counters", "expectation", "to_copy"}
REST = "/rest.zip"  # where Pyodide has the modules that are needed later
CONFIG = '{"model_type": "mistral", "hidden_size": 2048, "torch_dtype": "bfloat16", "more": 1}'
BAD = ["", " ", "x", "-1", "0", "1.5", "1e400", "9" * 5000, "(1,", "1, 2, 3, 4", "<b>", "½"]

DEEP = [
    f"a{'.a' * 500}()", "(" * 500, f"Linear({'[' * 10_000}", "-" * 500 + "1", "x" * 90_000,
    # as deep as the parser is still given
    f"a{'.a' * 49}()", f"Linear({'(' * 49}1,{')' * 49}, 2)", f"Linear({'-' * 49}1, 2)",
    f"Linear({'[' * 49}", f"Linear({'1+' * 49}1, 2)", f"Linear(1, 2{',' * 900})",
]  # fmt: skip


def requests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names of functions in `calculator.web.worker`, and what to ask them."""
    for name, calculation in CALCULATIONS.items():
        fields = form_fields(calculation)
        defaults = {key: field.write(field.start) for key, field in fields.items()}
        request: dict[str, Any] = {"calculator": name, "fields": defaults}
        yield "form", {"calculator": name, "prefix": "p-"}
        yield "answer", request
        yield "formulas", request
        machine = {**request, "fields": {**defaults, "device": "t4", "measured_seconds": "1 ms"}}
        yield "formulas", machine
        for compare in ["", "h100_sxm", "no such device"]:
            yield "expectation", {**machine, "compare": compare}
        yield "expectation", request
        for sort in ["", "value", "-ratio", "params", "no such column"]:
            yield "counters", {**request, "sort": sort}
        for layout in worker.FORMATS:
            yield "to_copy", {**request, "format": layout}
        for pasted in [CONFIG, json.dumps(defaults), *BAD]:
            yield "configuration", {"calculator": name, "text": pasted}
        for key in defaults:
            for text in GOOD + BAD:
                yield "answer", {"calculator": name, "fields": {**defaults, key: text}}
        yield "answer", {"calculator": name, "fields": {"no such field": "1"}}
    for text in DEEP:
        yield "answer", {"calculator": "sequential", "fields": {"modules": text}}
        yield "counters", {"calculator": "linear", "fields": {}, "figure": text}
    yield "answer", {"calculator": "no such calculator", "fields": {}}
    yield "options", {"calculator": "linear", "field": "device"}
    for quantity in ["macs", "flops", "bytes_moved", "arithmetic_intensity", "floor_seconds"]:
        subject = {"calculator": "linear", "fields": {"device": "t4"}, "quantity": quantity}
        for guess in [*GOOD, *BAD, "90177536", "45 M", "2 ms", "1 µs"]:
            yield "judge", {**subject, "guess": guess}


def ask(*, later: bool) -> None:
    """Print the answers that a page begins with, or those that are asked for later."""
    for function, request in requests():
        if (function in LATER) is not later:
            continue
        text = json.dumps(request)
        try:
            print(function, text, getattr(worker, function)(text))
        except Exception:
            print(function, text, traceback.format_exc().splitlines()[-1])


if __name__ == "__main__":
    ask(later=False)
    FIRST = list(sys.modules.values())
    if Path(REST).exists():
        worker.extend(REST)
    ask(later=True)
