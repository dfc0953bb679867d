"""Drive all that a reader can reach, and print what comes back.

The build runs a sample of it inside Pyodide and keeps the modules that were needed; the tests run
all of it in both Pythons and compare.

python exercise.py [ask one of this many requests]
"""

import json
import sys
import traceback
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from calculator import CALCULATIONS
from calculator.answers.evaluate import form_fields
from calculator.core.calculation import Calculation
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


Request = tuple[str, dict[str, Any]]
"""The name of a function in `calculator.web.worker`, and what to ask it."""


def first_requests() -> Iterator[Request]:
    """Yield what a page asks of each calculator before a reader does anything."""
    for name, calculation in CALCULATIONS.items():
        request = {"calculator": name, "fields": default_texts(calculation)}
        yield "form", {"calculator": name, "prefix": "p-"}
        yield "answer", request
        yield "formulas", request


def default_texts(calculation: type[Calculation]) -> dict[str, str]:
    """Return what the form of a calculation opens with."""
    return {key: field.write(field.start) for key, field in form_fields(calculation).items()}


def further_requests() -> Iterator[Request]:
    """Yield what a reader may do: type into every field, open every panel, copy, paste, guess."""
    for name, calculation in CALCULATIONS.items():
        defaults = default_texts(calculation)
        request: dict[str, Any] = {"calculator": name, "fields": defaults}
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


def ask(requests: Iterable[Request]) -> None:
    """Print the answer to each request."""
    for function, request in requests:
        text = json.dumps(request)
        try:
            print(function, text, getattr(worker, function)(text))
        except Exception:
            print(function, text, traceback.format_exc().splitlines()[-1])


if __name__ == "__main__":
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    further = list(islice(further_requests(), 0, None, every))
    ask([*first_requests(), *(one for one in further if one[0] not in LATER)])
    FIRST = list(sys.modules.values())
    if Path(REST).exists():
        worker.extend(REST)
    ask(one for one in further if one[0] in LATER)
