"""The command line, built from the declarations: `python -m calculator linear --help`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any

from calculator import CALCULATIONS
from calculator.calculation import shown
from calculator.evaluate import evaluate, form_fields, report
from calculator.export import printed
from calculator.fields import Choice, Field, Flag
from calculator.hardware import devices


def parser() -> argparse.ArgumentParser:
    """Return the command line: one subcommand a calculation."""
    root = argparse.ArgumentParser(
        prog="python -m calculator",
        description="Exact FLOPs, MACs, bytes and runtimes of neural network layers.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, owner in CALCULATIONS.items():
        about = (owner.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--json", action="store_true", help="print one JSON object")
        for field in form_fields(owner).values():
            _add(command, field)
    listing = commands.add_parser("devices", help="The devices that --device knows.")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    return root


def _add(command: argparse.ArgumentParser, field: Field) -> None:
    default = "none" if field.default is None else field.write(field.default)
    words = [field.label, f"default: {default}".replace("\n", "; ")]
    if isinstance(field, Choice) and field.name != "device":
        words.insert(1, f"one of {', '.join(field.options)}")
    text = ". ".join(words).replace("%", "%%")
    names = list(dict.fromkeys((f"--{field.option}", f"--{field.name.replace('_', '-')}")))
    if isinstance(field, Flag):
        command.add_argument(
            *names, dest=field.name, action=argparse.BooleanOptionalAction, help=text
        )
    else:
        command.add_argument(*names, dest=field.name, metavar="X", help=text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 with one line on standard error where input is refused."""
    given = vars(parser().parse_args(arguments))
    command, as_json = given.pop("command"), given.pop("json")
    if command == "devices":
        table = devices()
        print(json.dumps(table, indent=2) if as_json else _listing(table))
        return 0
    texts = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value is not None
    }
    outcome = evaluate(command, texts)
    for error in outcome.errors.values():
        print(f"{command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    assert outcome.calculation is not None
    if as_json:
        print(json.dumps(report(outcome.calculation, outcome.time)))
        return 0
    print(outcome.calculation)
    for calculation in filter(None, (outcome.calculation, outcome.time)):
        for declared, value in shown(calculation):
            print(f"  {declared.label:<28} {printed(declared, value)}")
    if outcome.time is not None:
        print(f"  {'What binds':<28} {outcome.time.bound}")
    return 0


def _listing(table: dict[str, dict[str, Any]]) -> str:
    return "\n".join(f"{name:<18} {device['name']}" for name, device in table.items())


if __name__ == "__main__":
    if sys.platform != "win32":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head -1` ends us as it ends cat
    sys.exit(main())
