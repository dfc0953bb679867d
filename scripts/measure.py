"""`make measure`: time layers with torch, and write one run with all that a prediction needs.

`scripts.run_record` says what is written. A call is torch's module on random numbers, in
evaluation, without gradients, its output allocated as torch does it. On a card it is timed between
two events while the card still works at the flush, so that the launch is hidden and the kernels are
measured.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import torch

from calculator import devices
from calculator.layer import Layer
from calculator.units import parse
from scripts import machine
from scripts.run_record import (
    CPU_PEAK,
    MEASURED_BANDWIDTH,
    Record,
    achieved,
    floor_seconds,
    load,
    rounded,
    text,
)
from scripts.stopwatch import Stopwatch, stopwatch
from scripts.timed_cases import Case, cases, ours, prepared

FOLDER = Path(__file__).parents[1] / "docs" / "measurements"
SECONDS_PER_CASE = {"cpu": 1.0, "cuda": 0.2}
LIMIT_SECONDS = 3.0
LEAST_REPEATS, MOST_REPEATS = 7, 100
SLOW_SECONDS = 0.1  # from which a call is not also averaged over many


@dataclass
class Run:
    """One run: where it is written, how it is timed, what it has found so far."""

    record: Record
    watch: Stopwatch
    file: Path
    seconds_per_case: float
    limit_seconds: float = LIMIT_SECONDS
    too_slow: dict[tuple[str, str], int] = field(default_factory=dict)  # FLOPs by layer and dtype

    @property
    def kind(self) -> str:
        """Which device is timed, in torch's word."""
        return str(self.record["machine"]["kind"])

    def measure(self, calculator: str, fields: dict[str, Any], dtype: str) -> None:
        """Time one case, or say why not, and write the record."""
        case = {"calculator": calculator, "fields": fields, "dtype": dtype}
        layer = ours(calculator, fields, dtype)
        reason = self.refusal(layer, dtype)
        if not reason:
            try:
                self.record["cases"].append({**case, **self.timed(layer, dtype)})
            except (RuntimeError, MemoryError) as error:  # torch: no memory, no kernel; too slow
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if reason:
            self.record["left_out"].append({**case, "reason": reason})
        self.read_clocks()
        self.write()

    def refusal(self, layer: Layer, dtype: str) -> str:
        """Return why a case need not be tried, or nothing."""
        if dtype not in self.record["peak"]:
            return f"nobody says how fast this device is in {dtype}"
        limit = f"the limit is {self.limit_seconds:g} s a call"
        if layer.flops >= self.too_slow.get((layer.name, dtype), layer.flops + 1):
            return f"a case of this layer with no more work took longer than allowed; {limit}"
        least = floor_seconds(layer, self.record)
        if least > self.limit_seconds:
            return f"at the peak it takes {least:.3g} s; {limit}"
        return ""

    def timed(self, layer: Layer, dtype: str) -> dict[str, Any]:
        """Return the figures of one case; raise RuntimeError where a call takes too long."""
        if self.kind == "cuda":
            torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
            torch.backends.cudnn.allow_tf32 = dtype == "tf32"
            torch.cuda.empty_cache()
        call = prepared(layer, dtype, self.kind)
        with torch.no_grad():
            if self.kind == "cuda":
                self.watch.warm(call, 1)  # libraries are loaded now
            each = self.watch.warm(call, 1)
            if each > self.limit_seconds:
                self.too_slow[layer.name, dtype] = layer.flops
                raise RuntimeError(
                    f"the first call took {each:.3g} s; the limit is {self.limit_seconds:g} s"
                )
            each = min(self.watch.warm(call, 1) for _ in range(1 if each > SLOW_SECONDS else 3))
            started = time.perf_counter()
            found = self.watch.cold(call, LEAST_REPEATS)
            spent = (time.perf_counter() - started) / LEAST_REPEATS
            more = int(self.seconds_per_case / spent) - LEAST_REPEATS
            found += self.watch.cold(call, max(0, min(more, MOST_REPEATS - LEAST_REPEATS)))
            warm = each if each > SLOW_SECONDS else back_to_back(self.watch, call, each)
        tenths = statistics.quantiles(found, n=10, method="inclusive")
        return {
            "median_seconds": rounded(statistics.median(found)),
            "least_seconds": rounded(min(found)),
            "p10_seconds": rounded(tenths[0]),
            "p90_seconds": rounded(tenths[-1]),
            "warm_seconds": rounded(warm),
            "repeats": len(found),
        }

    def read_clocks(self) -> None:
        """Look at the clocks, and raise a peak that follows from them."""
        clocks = self.record["machine"]["clocks"]
        if self.kind == "cuda":
            seen = machine.card_clock()
            now = [seen["now_hz"]] if seen else []
        else:
            now = [round(each) for each in machine.clock()] if machine.can_read_clock() else []
        if now:
            clocks["highest_hz"] = max(*now, clocks.get("highest_hz", 0))
            clocks["lowest_hz"] = min(*now, clocks.get("lowest_hz", now[0]))
        if self.record["peak_source"] == CPU_PEAK:
            facts = machine.cpu_facts()
            peak = machine.cpu_peak(facts["cores"], facts["flags"], clocks["highest_hz"])
            self.record["peak"] = peak

    def read_memory(self) -> None:
        """Look how fast memory is, and raise a bandwidth that was measured."""
        found = machine.sweep(
            self.kind, self.watch.flush_bytes * 2, lambda call: self.watch.warm(call, 1)
        )
        best = self.record["sweep"]
        best |= {name: max(rate, best.get(name, 0)) for name, rate in found.items()}
        if self.record["bandwidth_source"] == MEASURED_BANDWIDTH:
            self.record["bandwidth_bytes_per_second"] = max(best.values())

    def write(self) -> None:
        """Write what is known so far, at once or not at all."""
        self.record["achieved"] = achieved(self.record)
        self.record["load"]["after"] = load()
        self.file.parent.mkdir(exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(text(self.record), "utf-8")
        new.replace(self.file)


def back_to_back(watch: Stopwatch, call: Callable[[], Any], about: float) -> float:
    """Return the seconds of a call among many, the median of three rounds of them."""
    count = max(1, min(1000, int(0.02 / max(about, 1e-6))))
    return statistics.median(watch.warm(call, count) for _ in range(3))


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
        source = f"calculator/hardware.json, {described['device']}: {sheet['source_title']}"
        record |= {"peak": sheet["peak"], "peak_source": source}
        record["bandwidth_bytes_per_second"] = sheet["bandwidth_bytes_per_s"]
        record["bandwidth_source"] = source
    if arguments.peak:
        pairs = (each.partition("=") for each in arguments.peak.split(","))
        record["peak"] = {dtype: float(parse(rate, ("FLOP/s",))) for dtype, _, rate in pairs}
        record["peak_source"] = "given on the command line"
    if arguments.bandwidth:
        record["bandwidth_bytes_per_second"] = float(parse(arguments.bandwidth, ("B/s",)))
        record["bandwidth_source"] = "given on the command line"
    if record["peak_source"] == CPU_PEAK and (kind != "cpu" or not machine.can_read_clock()):
        raise SystemExit("measure: nobody knows the peak of this device; write --peak fp32=19.5T")
    seconds = arguments.seconds_per_case or SECONDS_PER_CASE[kind]
    run = Run(record, watch, folder / f"{name}.json", seconds, arguments.limit)
    run.read_clocks()
    run.read_memory()
    with torch.no_grad():
        one = prepared(ours("relu", {"size": [1]}, "fp32"), "fp32", kind)
        watch.warm(one, 100)
        record["launch_seconds"] = rounded(back_to_back(watch, one, 0))
        nothing = statistics.median(watch.cold(lambda: None, 2 * LEAST_REPEATS))
    record["method"] = {
        "flush_bytes": watch.flush_bytes,
        "flush_seconds": rounded(statistics.median(watch.warm(watch.flush, 1) for _ in range(7))),
        "limit_seconds": run.limit_seconds,
        "nothing_seconds": rounded(nothing),
    }
    return run


def parser() -> argparse.ArgumentParser:
    """Return what may be typed; nothing of it names a place on this machine."""
    made = argparse.ArgumentParser(
        prog="python -m scripts.measure", description="Time layers with torch."
    )
    found = "cuda" if torch.cuda.is_available() else "cpu"
    made.add_argument("--device", choices=("cpu", "cuda"), default=found)
    made.add_argument("--name", help="of the record, else made of the processor's")
    made.add_argument("--only", help="layers, with commas between, such as linear,conv2d")
    made.add_argument("--peak", help="FLOP/s by dtype, such as fp32=19.5T,bf16=312T")
    made.add_argument("--bandwidth", help="bytes a second, such as 1.555T")
    made.add_argument("--seconds-per-case", type=float, help="spent on repeats beyond seven")
    made.add_argument("--flush", type=int, help="bytes rewritten, else twice the largest cache")
    made.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds of a call")
    return made


def measure(run: Run, wanted: list[Case]) -> None:
    """Time cases until they are done or somebody stops it; what is left is recorded as left."""
    started = time.perf_counter()
    torch.manual_seed(0)
    todo = list(reversed(wanted))
    try:
        while todo:
            run.measure(*todo[-1])
            calculator, fields, dtype = todo.pop()
            done = f"{len(wanted) - len(todo)}/{len(wanted)}, {time.perf_counter() - started:.0f} s"
            shown = " ".join(f"{name}={value}" for name, value in fields.items())
            print(f"{done}: {calculator} {dtype} {shown}", file=sys.stderr)
        run.read_memory()
    finally:
        for calculator, fields, dtype in reversed(todo):
            case = {"calculator": calculator, "fields": fields, "dtype": dtype}
            run.record["left_out"].append({**case, "reason": "the run was stopped before"})
        run.write()


def main() -> int:
    """Measure what is asked for and write the record."""
    made = parser()
    arguments = made.parse_args()
    wanted = list(cases(arguments.device))
    if arguments.only:
        only = set(arguments.only.split(","))
        unknown = sorted(only - {calculator for calculator, *_ in wanted})
        if unknown:
            made.error(f"no case is of {', '.join(unknown)}")
        wanted = [each for each in wanted if each[0] in only]
    command = shlex.join(["python", "-m", "scripts.measure", *sys.argv[1:]])
    run = begin(arguments, command, FOLDER)
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
