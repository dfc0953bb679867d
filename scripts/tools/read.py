"""Run the counting tools, each in an environment of its own, and hold our predictions to them.

`python -m scripts.tools.read` reads the battery with every tool and writes the record,
`docs/readings.json`. `python -m scripts.tools.read thop --layer conv2d --count 100` compares a
package's readings of random layers with what `calculator.counters` says of them, and prints where
they differ.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from ast import literal_eval
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from calculator.counters.tool import Reading, Tool
from calculator.networks.architectures import ARCHITECTURES
from scripts.random_layers.draw import LAYERS, accepted
from scripts.site.readings_table import RECORD
from scripts.site.steps import BUILD, ROOT, run, step
from scripts.tools.battery import bare, battery
from scripts.tools.subjects import Subject

PINNED = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
"""What each tool's environment holds beside torch and what the tests need."""
PACKAGES = [*(name for name in PINNED if name != "torchvision"), "torch"]

Answer = dict[str, Any]


def environment(package: str) -> Path:
    """Return the interpreter of a package's environment, made where it is missing.

    It sees the packages of this one, torch among them, behind its own.
    """
    if package == "torch":
        return Path(sys.executable)
    folder = BUILD / "counters" / package
    python = folder / "bin" / "python"
    site = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

    def make() -> None:
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", folder)
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        (site / "behind.pth").write_text(ours)
        kept = folder / "constraints.txt"
        kept.write_text(f"torch=={version('torch')}")
        wanted = PINNED[package]
        alone = ["--no-deps"] if package == "torchvision" else []  # else it brings its own torch
        run(python, "-m", "pip", "install", "-qqq", "--no-build-isolation", *alone,
            "--constraint", kept, *wanted, DS_BUILD_OPS="0")  # fmt: skip

    step(f"Installing {package}", make, folder, *PINNED[package])
    return python


def measured(package: str, subjects: Sequence[Subject]) -> tuple[str, list[dict[str, Answer]]]:
    """Return a package's version, and its readings of each subject by name."""
    if any(one.network in ARCHITECTURES for one in subjects):
        environment("torchvision")
    finished = subprocess.run(
        [environment(package), "-m", "scripts.tools.call", package],
        input="".join(f"{one.text()}\n" for one in subjects),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    version, *answers = finished.stdout.splitlines()
    return version, [literal_eval(each) for each in answers]


def predicted(tool: Tool, one: Subject) -> Answer:
    """Return our reading of a subject, as the tools' are written."""
    ours = one.ours()
    return as_answer(tool.reading_of_bare(ours) if one.bare else tool.reading(ours))


def as_answer(reading: Reading) -> Answer:
    """Return what a reading holds that a tool also says."""
    if reading.raises:
        return {"raises": reading.raises}
    names = ("value", "params", "between", "macs")
    said = {name: getattr(reading, name) for name in names}
    return {name: value for name, value in said.items() if value is not None} | {
        "warns": list(reading.warns)
    }


def differs(ours: Answer, theirs: Answer) -> bool:
    """Return whether a prediction differs from a reading.

    Of an error its kind is compared; parameters that the data decide lie between two numbers.
    """
    theirs = {"warns": [], **theirs}
    if "between" in ours and "params" in theirs:
        least, most = ours["between"]
        theirs["between"] = ours["between"] if least <= theirs.pop("params") <= most else ()
    if "raises" in ours or "raises" in theirs:
        kinds = [each.get("raises", "").partition(":")[0] for each in (ours, theirs)]
        return kinds[0] != kinds[1]
    return ours != theirs


def disagreements(
    package: str, subjects: Sequence[Subject]
) -> Iterator[tuple[Subject, str, Answer, Answer]]:
    """Yield each reading that is not as predicted: subject, name, ours, the tool's."""
    return compared(package, subjects, measured(package, subjects)[1])


def compared(
    package: str, subjects: Sequence[Subject], readings: Iterable[dict[str, Answer]]
) -> Iterator[tuple[Subject, str, Answer, Answer]]:
    """Yield each of these readings that is not as predicted."""
    for one, answers in zip(subjects, readings, strict=True):
        for tool in own(package):
            ours, theirs = predicted(tool, one), answers[tool.name]
            if differs(ours, theirs):
                yield one, tool.name, ours, theirs


def own(package: str) -> tuple[Tool, ...]:
    """Return the readings that a package gives."""
    module = {"torch": "flop_counter"}.get(package, package.replace("-", "_"))
    tools: tuple[Tool, ...] = import_module(f"calculator.counters.{module}").TOOLS
    return tools


def drawn(names: Iterable[str], count: int) -> list[Subject]:
    """Return so many random layers of each name, every fifth of them frozen."""
    return [
        Subject(one, frozen=place % 5 == 4)
        for name in names
        for place, (one, _) in enumerate(islice(accepted(name), count))
    ]


def subjects(package: str) -> list[Subject]:
    """Return the battery, with bare tensors for the packages that take them apart."""
    return battery() + (bare() if any(tool.unpacks for tool in own(package)) else [])


def record() -> dict[str, Any]:
    """Return what every tool says of the battery today: versions, and readings by subject."""
    versions: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    for package in PACKAGES:
        asked = subjects(package)
        versions[package], readings = measured(package, asked)
        for one, answers in zip(asked, readings, strict=True):
            found.setdefault(one.text(), {}).update(shorter(answers))
    return {"versions": versions, "readings": found}


def shorter(answers: dict[str, Answer]) -> dict[str, Any]:
    """Return readings as the record has them."""
    return {name: _short(answer) for name, answer in answers.items()}


def _short(answer: Answer) -> Any:
    """Return the kind of an error, a value that stands alone, or all that is not empty."""
    if "raises" in answer:
        return answer["raises"].partition(":")[0]
    kept = {name: value for name, value in answer.items() if value != []}
    return kept["value"] if kept.keys() == {"value"} else kept


def text(found: dict[str, Any]) -> str:
    """Return the record as it is written, a line for each subject."""
    readings = found["readings"].items()
    lines = ",\n".join(f"{json.dumps(one)}: {json.dumps(answers)}" for one, answers in readings)
    return f'{{"versions": {json.dumps(found["versions"])},\n"readings": {{\n{lines}\n}}}}\n'


def main() -> int:
    """Write the record, or print where a package differs from the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", choices=PACKAGES, help="default: write the record")
    parser.add_argument("--layer", action="append", choices=[*LAYERS], help="default: every one")
    parser.add_argument("--count", type=int, default=10, help="of each layer, default 10")
    given = parser.parse_args()
    if given.package is None:
        RECORD.write_text(text(record()), "utf-8")
        return 0
    asked = drawn(given.layer or LAYERS, given.count)
    found = list(disagreements(given.package, asked))
    for one, name, ours, theirs in found:
        print(f"{name}: {one.text()}\n    predicted {ours}\n    read      {theirs}")
    print(f"{len(asked)} subjects, {len(found)} disagreements")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
