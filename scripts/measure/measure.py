"""`make measure`: time layers with torch, and write one run with all that a prediction needs.

`scripts.measure.run_record` says what is written, `scripts.measure.timed_cases` what is timed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import sys
import time
from collections import Counter, deque
from datetime import date
from pathlib import Path

import torch

from calculator import devices
from calculator.core.numerals import parse
from calculator.core.unit_families import BYTE_RATE, FLOP_RATE
from scripts.measure import machine
from scripts.measure.run_record import (
    CPU_PEAK,
    MEASURED_BANDWIDTH,
    NAMED,
    TABLE,
    Record,
    load,
    ours,
    rounded,
)
from scripts.measure.stopwatch import stopwatch
from scripts.measure.timed_cases import Case, cases, prepared
from scripts.measure.timed_run import BUSY, LEAST_REPEATS, STOPPED, Run, back_to_back

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"
SECONDS_PER_CASE = {"cpu": 0.5, "cuda": 0.2}
LIMIT_SECONDS = 3.0
NO_CUDA = """\
measure: nvidia-smi is here, but this build of torch sees no CUDA, so it would time the processor.
Remove .venv and write `ALLOW_CUDA=1 make measure`, or ask for the processor by --device cpu."""
PATIENCE = "minutes to try again what other work disturbed; with 0 all repeats count"


def begin(arguments: argparse.Namespace, command: str, folder: Path) -> Run:
    """Return a run that has looked at its machine and timed nothing yet."""
    kind = arguments.device
    described = machine.describe(kind)
    watch = stopwatch(kind, max(machine.cache_sizes(described), default=0), arguments.flush)
    name = arguments.name or machine.neutral_name(described)
    record: Record = {
        "name": name,
        "date": date.today().isoformat(),
        "command": command,
        "machine": {**described, "clocks": {}},
        "load": {"before": load(), "after": None},
        "method": {},
        "peak": {},
        "peak_source": CPU_PEAK,
        "bandwidth_bytes_per_second": 0,
        "bandwidth_source": MEASURED_BANDWIDTH,
        "sweep": {},
        "achieved": {},
        "launch_seconds": None,
        "cases": [],
        "left_out": [],
    }
    if described["device"]:
        sheet = devices()[described["device"]]
        source = f"{TABLE}, {described['device']}: {sheet['source_title']}"
        record |= {"peak": sheet["peak"], "peak_source": source}
        record["bandwidth_bytes_per_second"] = sheet["bandwidth_bytes_per_s"]
        record["bandwidth_source"] = source
    if arguments.peak:
        pairs = (each.partition("=") for each in arguments.peak.split(","))
        record["peak"] = {dtype: float(parse(rate, FLOP_RATE)) for dtype, _, rate in pairs}
        record["peak_source"] = "given on the command line"
    if arguments.bandwidth:
        record["bandwidth_bytes_per_second"] = float(parse(arguments.bandwidth, BYTE_RATE))
        record["bandwidth_source"] = "given on the command line"
    if record["peak_source"] == CPU_PEAK and (kind != "cpu" or not machine.can_read_clock()):
        raise SystemExit("measure: nobody knows the peak of this device; write --peak fp32=19.5T")
    seconds = arguments.seconds_per_case or SECONDS_PER_CASE[kind]
    patience = 60 * arguments.patience
    run = Run(record, watch, folder / f"{name}.json", seconds, arguments.limit, patience)
    if kind == "cpu":  # whose peak follows from them; a card idles now
        run.read_clocks()
    run.read_memory()
    with torch.no_grad():
        one = prepared(ours("relu", {"size": [1]}, "fp32"), "fp32", kind)
        watch.warm(one, 100)
        record["launch_seconds"] = rounded(back_to_back(watch, one, 0).seconds)
        nothing = watch.cold(lambda: None, 2 * LEAST_REPEATS)
    record["method"] = {
        "flush_bytes": watch.flush_bytes,
        "flush_seconds": rounded(statistics.median(watch.warm(watch.flush, 1) for _ in range(7))),
        "limit_seconds": run.limit_seconds,
        "nothing_seconds": rounded(statistics.median(each.seconds for each in nothing)),
    }
    return run


def parser() -> argparse.ArgumentParser:
    """Return what may be typed; nothing of it names a place on this machine."""
    made = argparse.ArgumentParser(
        prog="python -m scripts.measure", description="Time layers with torch."
    )
    made.add_argument("--device", choices=("cpu", "cuda"), help="else the card where there is one")
    made.add_argument("--name", help="of the record, else made of the processor's")
    made.add_argument("--resume", action="store_true", help="keep what the record already has")
    made.add_argument("--only", help="layers, with commas between, such as linear,conv2d")
    made.add_argument("--peak", help="FLOP/s by dtype, such as fp32=19.5T,bf16=312T")
    made.add_argument("--bandwidth", help="bytes a second, such as 1.555T")
    made.add_argument("--seconds-per-case", type=float, help="spent on repeats beyond seven")
    made.add_argument("--patience", type=float, default=20, help=PATIENCE)
    made.add_argument("--flush", type=int, help="bytes rewritten, else twice the largest cache")
    made.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds of a call")
    return made


def found_device() -> str:
    """Return what is timed where nobody says it; refuse a card that torch cannot use."""
    if torch.cuda.is_available():
        return "cuda"
    if shutil.which("nvidia-smi"):
        raise SystemExit(NO_CUDA)
    return "cpu"


def resume(run: Run, old: Record, wanted: list[Case]) -> None:
    """Take over what an earlier run on the same machine found already."""
    new = run.record
    machines = [{**each["machine"], "clocks": None} for each in (old, new)]
    if machines[0] != machines[1] or old["method"]["flush_bytes"] != new["method"]["flush_bytes"]:
        raise SystemExit("measure: the record is of another machine or method; give another --name")
    places = {json.dumps(case): place for place, case in enumerate(wanted)}
    for case in (*old["cases"], *old["left_out"]):
        place = places.get(json.dumps([case[name] for name in NAMED]))
        if place is not None and "reason" not in case:
            run.found[place] = case
        elif place is not None and case["reason"] not in (BUSY, STOPPED):
            run.left[place] = case
    new["sweep"] = {name: max(rate, old["sweep"][name]) for name, rate in new["sweep"].items()}
    new["launch_seconds"] = min(new["launch_seconds"], old["launch_seconds"])
    clocks, before = new["machine"]["clocks"], old["machine"]["clocks"]
    for name, outer in (("highest_hz", max), ("lowest_hz", min)):
        seen = [each[name] for each in (clocks, before) if name in each]
        clocks |= {name: outer(seen)} if seen else {}


def in_turns(wanted: list[Case]) -> list[int]:
    """Return the places of the cases, a case of each layer in turn: what is done is of all."""
    seen: Counter[str] = Counter()
    turns = []
    for place, (calculator, *_) in enumerate(wanted):
        turns.append((seen[calculator], place))
        seen[calculator] += 1
    return [place for _, place in sorted(turns)]


def measure(run: Run, wanted: list[Case]) -> None:
    """Time cases until they are done or somebody stops it; what is left is recorded as left.

    A case that other work disturbed waits at the end of the line. Once patience has ended, the
    first that is disturbed ends the run.
    """
    started = time.perf_counter()
    torch.manual_seed(0)
    known = run.found.keys() | run.left.keys()
    line = deque(place for place in in_turns(wanted) if place not in known)
    try:
        while line:
            place = line[0]
            settled = run.measure(place, wanted[place])
            line.popleft()
            if not settled:
                line.append(place)
            calculator, fields, dtype = wanted[place]
            sizes = " ".join(f"{name}={value}" for name, value in fields.items())
            clock = f"{time.perf_counter() - started:.0f} s, {len(line)} to go"
            word = "" if place in run.found else f": {run.left[place]['reason']}"
            print(f"{clock}: {calculator} {dtype} {sizes}{word}", file=sys.stderr)
            if not settled and time.monotonic() > run.until:
                break
        run.read_memory()
    finally:
        for place in line:
            case = dict(zip(NAMED, wanted[place], strict=True))
            run.left[place] = {**case, "reason": STOPPED}
        run.write()


def main() -> int:
    """Measure what is asked for and write the record."""
    made = parser()
    arguments = made.parse_args()
    arguments.device = arguments.device or found_device()
    wanted = list(cases(arguments.device))
    if arguments.only:
        only = set(arguments.only.split(","))
        unknown = sorted(only - {calculator for calculator, *_ in wanted})
        if unknown:
            made.error(f"no case is of {', '.join(unknown)}")
        wanted = [each for each in wanted if each[0] in only]
    command = shlex.join(["python", "-m", "scripts.measure.measure", *sys.argv[1:]])
    run = begin(arguments, command, FOLDER)
    if arguments.resume:
        resume(run, json.loads(run.file.read_text("utf-8")), wanted)
    try:
        measure(run, wanted)
    except KeyboardInterrupt:
        return 130
    finally:
        found, left = (len(run.record[name]) for name in ("cases", "left_out"))
        print(f"{found} cases timed, {left} left out: {run.file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
