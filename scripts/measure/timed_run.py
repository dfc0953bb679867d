"""How layers are timed, one after another, and what becomes of those that cannot be.

A call is torch's module on random numbers, in
evaluation, without gradients, its output allocated as torch does it. On a card it is timed between
two events while the card still works at the flush, so that the launch is hidden and the kernels are
measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from calculator.layers.layer import Layer
from scripts.measure import machine
from scripts.measure.run_record import (
    CPU_PEAK,
    MEASURED_BANDWIDTH,
    NAMED,
    Record,
    achieved,
    floor_seconds,
    load,
    ours,
    rounded,
    text,
)
from scripts.measure.stopwatch import Repeat, Stopwatch, waited_seconds
from scripts.measure.timed_cases import Case, prepared

LEAST_REPEATS, MOST_REPEATS = 7, 100
SLOW_SECONDS = 0.1  # from which a call is not also averaged over many
SLOW = "the first call took"
BUSY = "the machine was busy with other work"
STOPPED = "the run was stopped before"


@dataclass
class Run:
    """One run: where it is written, how it is timed, what it has found so far."""

    record: Record
    watch: Stopwatch
    file: Path
    seconds_per_case: float
    limit_seconds: float
    patience_seconds: float  # in all, for other work to end; with 0 nothing is waited for
    found: dict[int, Record] = field(default_factory=dict)  # by the place in the list of cases
    left: dict[int, Record] = field(default_factory=dict)
    too_slow: dict[tuple[str, str], int] = field(default_factory=dict)  # FLOPs by layer and dtype

    def __post_init__(self) -> None:
        """Begin to lose patience."""
        self.until = time.monotonic() + self.patience_seconds

    @property
    def discards(self) -> bool:
        """Whether a repeat that other work held up does not count."""
        return self.kind == "cpu" and self.patience_seconds > 0

    @property
    def kind(self) -> str:
        """Which device is timed, in torch's word."""
        return str(self.record["machine"]["kind"])

    def measure(self, place: int, case: Case) -> bool:
        """Time one case, or say why not, and write the record; return whether it is settled."""
        calculator, fields, dtype = case
        named = dict(zip(NAMED, case, strict=True))
        layer = ours(calculator, fields, dtype)
        reason = self.refusal(layer, dtype)
        if not reason:
            try:
                self.found[place] = {**named, **self.timed(layer, dtype)}
                self.left.pop(place, None)
            except (RuntimeError, MemoryError) as error:  # no memory, no kernel, too slow, too busy
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if reason:
            self.left[place] = {**named, "reason": reason}
        else:
            self.read_clocks()
        if reason.startswith(SLOW):
            self.too_slow[layer.name, dtype] = layer.flops
        self.write()
        return reason != BUSY

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
        """Return the figures of one case; raise RuntimeError where there are none."""
        if self.kind == "cuda":
            torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
            torch.backends.cudnn.allow_tf32 = dtype == "tf32"
            torch.cuda.empty_cache()
        call = prepared(layer, dtype, self.kind)
        with torch.no_grad():
            if self.kind == "cuda":
                self.watch.warm(call, 1)  # libraries are loaded now
            if self.discards and not machine.is_quiet_before(self.until):
                raise RuntimeError(BUSY)
            each = self.first(call)
            found, discarded = self.repeats(call, each)
            warm = back_to_back(self.watch, call, each)
            if self.discards and not warm.is_undisturbed:
                raise RuntimeError(BUSY)
        tenths = statistics.quantiles(found, n=10, method="inclusive")
        return {
            "median_seconds": rounded(statistics.median(found)),
            "least_seconds": rounded(min(found)),
            "p10_seconds": rounded(tenths[0]),
            "p90_seconds": rounded(tenths[-1]),
            "warm_seconds": rounded(warm.seconds),
            "repeats": len(found),
            "discarded": discarded,
        }

    def first(self, call: Callable[[], Any]) -> float:
        """Return about how long a call takes; raise RuntimeError where that is too long."""
        before = waited_seconds()
        each = self.watch.warm(call, 1)
        waited = waited_seconds() - before
        if each > self.limit_seconds:
            if self.discards and not Repeat(each, waited).is_undisturbed:
                raise RuntimeError(BUSY)
            raise RuntimeError(f"{SLOW} {each:.3g} s; the limit is {self.limit_seconds:g} s")
        return min(self.watch.warm(call, 1) for _ in range(1 if each > SLOW_SECONDS else 3))

    def repeats(self, call: Callable[[], Any], each: float) -> tuple[list[float], int]:
        """Return the seconds of calls that were not held up, and how many were.

        Raises RuntimeError where too few were not.
        """
        kept: list[float] = []
        discarded = 0
        batch = LEAST_REPEATS if each <= SLOW_SECONDS else 1
        started = time.perf_counter()
        while len(kept) < MOST_REPEATS:
            for repeat in self.watch.cold(call, batch):
                if repeat.is_undisturbed or not self.discards:
                    kept.append(repeat.seconds)
                else:
                    discarded += 1
            enough = len(kept) >= LEAST_REPEATS
            if enough and time.perf_counter() - started > self.seconds_per_case:
                break
            if not enough and discarded > (1 if batch == 1 else 7) + 2 * len(kept):
                raise RuntimeError(BUSY)
        return kept, discarded

    def read_clocks(self) -> None:
        """Look at the clocks of a machine that has just worked, and raise a peak of theirs."""
        clocks = self.record["machine"]["clocks"]
        if self.kind == "cuda":
            seen = machine.card_clock()
            now = [seen["now_hz"]] if seen else []
            clocks |= {"most_hz": seen["most_hz"]} if seen else {}
        else:
            now = [round(each) for each in machine.clock()] if machine.can_read_clock() else []
        if now:
            clocks["highest_hz"] = max(*now, clocks.get("highest_hz", 0))
            clocks["lowest_hz"] = min(*now, clocks.get("lowest_hz", now[0]))
        self.take_ceilings()

    def read_memory(self) -> None:
        """Look how fast memory is, and raise a bandwidth that was measured."""
        if self.discards:
            machine.is_quiet_before(min(self.until, time.monotonic() + 30))
        size = self.watch.flush_bytes * (2 if self.kind == "cpu" else 16)
        size = min(size, self.record["machine"]["memory_bytes"] // 8)
        found = machine.sweep(self.kind, size, lambda call: self.watch.warm(call, 1))
        best = self.record["sweep"]
        best |= {name: max(rate, best.get(name, 0)) for name, rate in found.items()}
        self.take_ceilings()

    def take_ceilings(self) -> None:
        """Let peak and bandwidth follow from clocks and sweeps, where nobody else says them."""
        if self.record["peak_source"] == CPU_PEAK:
            facts, highest = machine.cpu_facts(), self.record["machine"]["clocks"]["highest_hz"]
            self.record["peak"] = machine.cpu_peak(facts["cores"], facts["flags"], highest)
        if self.record["bandwidth_source"] == MEASURED_BANDWIDTH and self.record["sweep"]:
            self.record["bandwidth_bytes_per_second"] = max(self.record["sweep"].values())

    def write(self) -> None:
        """Write what is known so far, at once or not at all."""
        self.take_ceilings()
        for name, entries in (("cases", self.found), ("left_out", self.left)):
            self.record[name] = [entries[place] for place in sorted(entries)]
        self.record["achieved"] = achieved(self.record)
        self.record["load"]["after"] = load()
        self.file.parent.mkdir(exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(text(self.record), "utf-8")
        new.replace(self.file)


def back_to_back(watch: Stopwatch, call: Callable[[], Any], about: float) -> Repeat:
    """Return the mean of calls that follow each other, the quickest of some rounds of them."""
    count = max(1, min(1000, int(0.02 / max(about, 1e-6))))
    rounds = []
    for _ in range(1 if about > SLOW_SECONDS else 6):
        before = waited_seconds()
        seconds = watch.warm(call, count)
        rounds.append(Repeat(seconds, (waited_seconds() - before) / count))
        if sum(each.is_undisturbed for each in rounds) == 3:
            break
    return min(rounds, key=lambda each: each.seconds)
