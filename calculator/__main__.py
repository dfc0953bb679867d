"""The command line, built from the declarations: `python -m calculator linear --help`."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import starmap
from typing import Any, NoReturn

from calculator import CALCULATIONS
from calculator.answers.evaluate import evaluate, form_fields, report
from calculator.answers.formats import printed
from calculator.answers.plain import write_plainly
from calculator.answers.sentences import (
    best_case,
    how_to_report,
    machine,
    memory,
    rates,
    remarks,
    timed,
)
from calculator.core.calculation import Calculation, meant, shown_quantities
from calculator.core.fields import Choice, Field, Flag, InvalidField, quoted
from calculator.core.json_object import LONGEST, read_object
from calculator.core.units import grouped, rounded
from calculator.counters.comparison import record, rows
from calculator.counters.explain import Explanation, explained, read_as, remark
from calculator.layers.layer import Work
from calculator.machines.crossover import flip, flip_batch_size
from calculator.machines.devices import devices, peak
from calculator.machines.runtime import Runtime


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and that takes no shortened option."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        command = self.prog.removeprefix(f"{_PROGRAM} ")
        if message.endswith("expected one argument"):
            message += "; write a value that begins with a dash after ="
        self.exit(2, f"{command}: {message.removeprefix('argument ')}\n")


class _Once(argparse.Action):
    """Store a value, and reject a second one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        _refuse_second(self, parser, namespace)
        setattr(namespace, self.dest, values)


class _Switch(argparse.BooleanOptionalAction):
    """Store whether an option begins with `--no-`, and reject a second one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        _refuse_second(self, parser, namespace)
        super().__call__(parser, namespace, values, option)


def _refuse_second(action: argparse.Action, parser: Any, namespace: Any) -> None:
    if getattr(namespace, action.dest, None) is not None:
        parser.error(f"{action.dest}: is given twice; write it once")


_PROGRAM = "flops" if sys.argv[0].removesuffix(".exe").endswith("flops") else "python -m calculator"
_COMMANDS = (*CALCULATIONS, "devices")


def parser() -> argparse.ArgumentParser:
    """Return the command line: one subcommand per calculation."""
    root = _Parser(
        prog=_PROGRAM,
        description="Exact FLOPs, MACs, bytes and runtimes of neural network layers.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, owner in CALCULATIONS.items():
        about = (owner.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--json", action="store_true", help="print one JSON object")
        if issubclass(owner, Work):
            command.add_argument(
                "--counters", action="store_true", help="add what each counting tool prints"
            )
            command.add_argument(
                "--figure", metavar="X", action=_Once,
                help="explain a published figure, such as 4.1G",
            )  # fmt: skip
        if hasattr(owner, "read_config"):
            command.add_argument(
                "--config", metavar="FILE", action=_Once,
                help="read a model's config.json, or - for standard input; other options go first",
            )  # fmt: skip
        for field in form_fields(owner).values():
            _add(command, field)
    listing = commands.add_parser("devices", help="List the devices that --device accepts.")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    return root


def _add(command: argparse.ArgumentParser, field: Field) -> None:
    default = "none" if field.default is None else field.write(field.default)
    if field.start != field.default:
        default = f"{default}, or {field.write(field.start)} if no field is given"
    words = [field.label, field.help.rstrip("."), f"default: {default}".replace("\n", "; ")]
    if isinstance(field, Choice) and field.find is None:
        words.insert(2, f"one of {', '.join(starmap(_described, field.options.items()))}")
    text = ". ".join(filter(None, words)).replace("%", "%%")
    if isinstance(field, Choice) and field.positional:
        command.add_argument(
            field.name, nargs="?", default=argparse.SUPPRESS, metavar=field.name.upper(),
            action=_Once, help=text,
        )  # fmt: skip
    names = _options(field)
    if isinstance(field, Flag):
        command.add_argument(*names, dest=field.name, action=_Switch, help=text)
    else:
        command.add_argument(*names, dest=field.name, action=_Once, metavar="X", help=text)


def _options(field: Field) -> list[str]:
    return list(dict.fromkeys((f"--{field.option}", f"--{field.name.replace('_', '-')}")))


def _described(word: str, label: str) -> str:
    """Return a word and what it stands for, if its label says more than the word."""
    said = re.escape(word).replace("_", "[_ ]")
    more = re.sub(f"^{said}(?: ·|:) ", "", label)
    return word if more.lower() == word else f"{word} ({more})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 with one line on standard error if input is rejected."""
    write_plainly(sys.stdout, sys.stderr)
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and not arguments[0].startswith("-") and arguments[0] not in _COMMANDS:
        return _refuse(_unknown_command(arguments[0]))
    known, unknown = parser().parse_known_args(arguments)
    given = vars(known)
    command, as_json = given.pop("command"), given.pop("json")
    with_counters, figure = given.pop("counters", False), given.pop("figure", None)
    path, config = given.pop("config", None), None
    if unknown:
        return _refuse(_unknown_option(command, unknown))
    if command == "devices":
        table = devices()
        print(json.dumps(table, indent=2) if as_json else _listing(table))
        return 0
    texts = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value is not None
    }
    if path is not None:
        owner: Any = CALCULATIONS[command]
        try:
            config = owner.read_config(read_object(_contents(path)))
        except InvalidField as rejected:
            return _refuse(f"{command}: {rejected}")
        texts = config.texts(owner.fields) | texts
    outcome = evaluate(command, texts or _beginnings(command))
    for error in outcome.errors.values():
        return _refuse(f"{command}: {error}")
    assert outcome.calculation is not None
    counted = outcome.calculation if with_counters else None
    found: list[Explanation] = []
    if figure is not None and isinstance(outcome.calculation, Work):
        try:
            given_figure, (figure, found) = figure, explained(outcome.calculation, figure)
        except InvalidField as error:
            return _refuse(f"{command}: {error}")
    if as_json:
        said = report(outcome.calculation, outcome.time) | _counters(counted)
        if config is not None:
            said["config"] = config.record()
        if outcome.time is not None:
            size = flip_batch_size(outcome.calculation, outcome.time)
            said["time"]["flip_batch_size"] = size if isinstance(size, int) else None
        if figure is not None:
            said["explanations"] = [asdict(each) | {"said": each.said} for each in found]
        print(json.dumps(said))
        return 0
    if config is not None:
        print(config)
    print(outcome.calculation)
    lines = [
        (declared.label, printed(declared, value))
        for calculation in filter(None, (outcome.calculation, outcome.time))
        for declared, value in shown_quantities(calculation)
    ]
    if isinstance(outcome.calculation, Work):
        lines += (("", note) for note in outcome.calculation.notes())
    time = outcome.calculation if isinstance(outcome.calculation, Runtime) else outcome.time
    if time is not None:
        lines.append(("Bound by", time.bound))
    if outcome.time is not None:
        lines.append(("Compute-bound from batch size", flip(outcome.calculation, outcome.time)))
    if time is not None:
        lines.append(("Machine", f"{machine(time)}, {rates(time)}"))
        sentences = best_case(time), timed(time), memory(time), *remarks(time)
        lines += (("", sentence) for sentence in filter(None, sentences))
    elif fit := memory(outcome.calculation):
        lines.append(("", fit))
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        print(f"  {label:<{width}} {text}")
    if figure is not None:
        heading = f"{read_as(given_figure, figure)} may be"
        print(f"\n{heading}" if found else f"\nNo known count matches {figure}.")
        for each in found:
            print(f"  {grouped(each.value):>20}  {each.named}: {each.said}")
        print(f"  {remark(figure, found)}".rstrip())
    if isinstance(counted, Work):
        print(f"\n{how_to_report(counted)}\n")
        for row in rows(counted):
            cells = row.texts()
            number = f"{cells['value']:>20} {cells['unit']:<9} {cells['ratio']:>8}"
            print(f"  {cells['tool']:<17} {number}  {cells['why']}")
    return 0


def _contents(path: str) -> bytes:
    """Return the beginning of a file, as much of it as is read."""
    if path == "-" and sys.stdin is None:
        raise InvalidField("config", "it can't be read: standard input is closed", given=path)
    try:
        if path == "-":
            return sys.stdin.buffer.read(LONGEST + 1)
        with open(path, "rb") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such file"
        raise InvalidField("config", f"it can't be read: {reason}", given=path) from None


def _counters(calculation: Calculation | None) -> dict[str, Any]:
    """Return what --counters adds to the JSON."""
    if not isinstance(calculation, Work):
        return {}
    return {"counters": record(calculation), "how_to_report": how_to_report(calculation)}


def _beginnings(command: str) -> dict[str, str]:
    """Return the values a form begins with, if torch's defaults need another one."""
    fields = form_fields(CALCULATIONS[command]).values()
    return {each.name: each.write(each.start) for each in fields if each.start != each.default}


def _refuse(reason: str) -> int:
    print(" ".join(reason.split()), file=sys.stderr)
    return 2


def _unknown_command(word: str) -> str:
    known: Any = CALCULATIONS["network"].fields["architecture"]
    named = known.also.get(word, word)
    hint = f"did you mean network {named}?" if named in known.options else ""
    hint = hint or meant(word.lower(), _COMMANDS) or f"{_PROGRAM} --help lists all"
    return f"{_PROGRAM}: {quoted(word)}: unknown command; {hint}"


def _unknown_option(command: str, unknown: Sequence[str]) -> str:
    word = unknown[0].partition("=")[0]
    fields = form_fields(CALCULATIONS[command]).values() if command in CALCULATIONS else ()
    more = ("--counters", "--figure") if _has_counts(command) else ()
    if hasattr(CALCULATIONS.get(command), "read_config"):
        more = (*more, "--config")
    known = [*more, *(option for field in fields for option in _options(field))]
    hint = meant(word, known) or f"use one of {', '.join(['--json', *known])}"
    return f"{command}: {quoted(word)}: unknown option; {hint}"


def _has_counts(command: str) -> bool:
    return command in CALCULATIONS and issubclass(CALCULATIONS[command], Work)


def _listing(table: dict[str, dict[str, Any]]) -> str:
    """Return a line per device: its key, two of its dense peaks, its bandwidth, its name."""
    lines = [f"{'':<26} {'fp32':>12} {'16-bit':>12} {'memory':>9}"]
    for name, device in table.items():
        wide, narrow = (_fastest(name, dtypes) for dtypes in (("fp32",), ("bf16", "fp16")))
        bandwidth = rounded(int(device["bandwidth_bytes_per_s"]), "B/s")
        lines.append(f"{name:<26} {wide:>12} {narrow:>12} {bandwidth:>9}  {device['name']}")
    return "\n".join(lines)


def _fastest(name: str, dtypes: Sequence[str]) -> str:
    found = (peak(name, dtype) for dtype in dtypes)
    rates = [each.flops_per_second for each in found if each and not each.because]
    return rounded(max(rates), "FLOP/s") if rates else ""


if __name__ == "__main__":
    if sys.platform != "win32":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head -1` ends us as it ends cat
    sys.exit(main())
