"""How long a call takes: of a CPU by its clock, of a card by events around it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

Call = Callable[[], Any]


@dataclass(frozen=True)
class Repeat:
    """One call: its seconds, and those that a thread of ours waited for a core meanwhile."""

    seconds: float
    waited_seconds: float = 0.0

    @property
    def is_undisturbed(self) -> bool:
        """Whether no other work held it up, but for the moment that waking a thread takes."""
        return self.waited_seconds <= max(1e-5, 0.02 * self.seconds)


def waited_seconds() -> float:
    """Return how long all threads of this process have waited for a core, where Linux tells."""
    found = 0
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(FileNotFoundError):  # the thread has ended
            found += int(file.read_text().split()[1])
    return found / 1e9


class Stopwatch:
    """Seconds of calls that are over when they return."""

    kind = "cpu"

    def __init__(self, flush_bytes: int) -> None:
        """Keep a buffer to drive everything else from the caches with."""
        self.flush_bytes = flush_bytes
        self.buffer = torch.zeros(flush_bytes // 4, device=self.kind)

    def flush(self) -> None:
        """Read and write the whole buffer, with ordinary stores, which go through the caches."""
        self.buffer.add_(1.0)

    def cold(self, call: Call, count: int) -> list[Repeat]:
        """Time some calls, none of which finds an operand in a cache."""
        found = []
        for _ in range(count):
            self.flush()
            before = waited_seconds()
            started = time.perf_counter_ns()
            call()
            seconds = (time.perf_counter_ns() - started) / 1e9
            found.append(Repeat(seconds, waited_seconds() - before))
        return found

    def warm(self, call: Call, count: int) -> float:
        """Return the mean seconds of calls that follow each other at once."""
        self.wait()
        started = time.perf_counter_ns()
        for _ in range(count):
            call()
        self.wait()
        return (time.perf_counter_ns() - started) / 1e9 / count

    def wait(self) -> None:
        """Wait until all that was asked for is done."""


class CardStopwatch(Stopwatch):
    """Seconds of calls that return at once, while a card is still at work.

    The card must be busy with the flush until the host has issued the call: a buffer of at least
    256 MiB takes a card of 4 TB/s an eighth of a millisecond to read and write, longer than torch
    takes to launch a few kernels.
    """

    kind = "cuda"

    def cold(self, call: Call, count: int) -> list[Repeat]:
        """Return the seconds that the card spent between the events around each call."""
        event: Any = torch.cuda.Event
        pairs = []
        for _ in range(count):
            events = event(enable_timing=True), event(enable_timing=True)
            self.flush()
            events[0].record()
            call()
            events[1].record()
            pairs.append(events)
        self.wait()
        return [Repeat(first.elapsed_time(last) / 1e3) for first, last in pairs]

    def wait(self) -> None:
        """Wait for the card."""
        torch.cuda.synchronize()


def stopwatch(kind: str, cache_bytes: int, flush_bytes: int | None = None) -> Stopwatch:
    """Return the stopwatch of a device, its buffer twice the largest cache or more."""
    watch = CardStopwatch if kind == "cuda" else Stopwatch
    return watch(flush_bytes or max(2 * cache_bytes, 256 << 20))
