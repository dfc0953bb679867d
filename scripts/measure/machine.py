"""What machine this is, and the most that it can do: its clock, its units, its memory."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from calculator.machines import device_names

# FLOPs of a core in a clock cycle where it has a unit of that name, the fastest unit first.
# Two FMA units, as a server's core has: units · lanes · 2. A tile unit: 16 · 16 · 32 products of
# two bytes in 16 cycles, Intel 64 and IA-32 Architectures Optimization Reference Manual, 20.
UNITS: dict[str, dict[str, int]] = {
    "fp32": {"avx512f": 2 * 16 * 2, "avx2": 2 * 8 * 2},
    "bf16": {"amx_bf16": 1024, "avx512_bf16": 2 * 32 * 2, "avx512f": 2 * 16 * 2, "avx2": 2 * 8 * 2},
    "fp16": {"amx_fp16": 1024, "avx512_fp16": 2 * 32 * 2, "avx512f": 2 * 16 * 2, "avx2": 2 * 8 * 2},
}
_ADD = b"\x48\x01\xc8"  # add rax, rcx: of two registers, for newer cores fold a constant away
_ADDITIONS, _ROUNDS = 100, 20_000


def cpu_facts() -> dict[str, Any]:
    """Return the name, the physical cores and the flags of the processor, as far as it tells."""
    file = Path("/proc/cpuinfo")
    text = file.read_text() if file.exists() else ""
    each = [dict(re.findall(r"^([\w ]+?)\s*: (.*)$", one, re.M)) for one in text.split("\n\n")]
    usable = {str(number) for number in _usable()}
    each = [one for one in each if one.get("processor") in usable]
    cores = {(one.get("physical id"), one.get("core id", one["processor"])) for one in each}
    first = each[0] if each else {}
    return {
        "name": first.get("model name") or platform.processor() or platform.machine(),
        "cores": len(cores) or os.cpu_count() or 1,
        "flags": set(first.get("flags", "").split()),
    }


def _usable() -> list[int]:
    """Return the numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def caches() -> dict[str, int]:
    """Return the bytes of the data caches that the first processor reaches, by level."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((folder / n).read_text().strip() for n in ("type", "level", "size"))
        if kind != "Instruction":
            unit = {"K": 1 << 10, "M": 1 << 20}
            found[f"l{level}_bytes"] = int(size[:-1]) * unit[size[-1]]
    return found


def can_read_clock() -> bool:
    """Return whether `clock` knows the processor's instructions and can pick a core."""
    return platform.machine() in ("x86_64", "AMD64") and hasattr(os, "sched_setaffinity")


def clock() -> list[float]:
    """Return the clock of each core in Hz, from additions of which each waits for the last.

    Such an addition takes one cycle. The quickest of some tries: an interruption only slows one.
    """
    loop = _ADD * _ADDITIONS + b"\x48\xff\xcf"  # dec rdi
    back = (-len(loop) - 6).to_bytes(4, "little", signed=True)
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(loop + b"\x0f\x85" + back + b"\xc3")  # jnz loop; ret
    start = ctypes.c_char.from_buffer(memory)
    run = ctypes.CFUNCTYPE(None, ctypes.c_long)(ctypes.addressof(start))
    usable = _usable()
    found = []
    try:
        for core in usable:
            os.sched_setaffinity(0, {core})
            found.append(max(_rate(lambda: run(_ROUNDS)) for _ in range(5)))
    finally:
        os.sched_setaffinity(0, usable)
        del start
        memory.close()
    return found


def _rate(run: Callable[[], None]) -> float:
    started = time.perf_counter_ns()
    run()
    return _ROUNDS * _ADDITIONS / (time.perf_counter_ns() - started) * 1e9


def cpu_units(flags: Iterable[str]) -> dict[str, str]:
    """Return the fastest unit for each dtype, by the flag that announces it."""
    known = set(flags)
    return {
        dtype: next(unit for unit in units if unit in known)
        for dtype, units in UNITS.items()
        if known & units.keys()
    }


def cpu_peak(cores: int, flags: Iterable[str], hertz: float) -> dict[str, int]:
    """Return the most FLOP/s by dtype: every unit of every core busy at the highest clock."""
    units = cpu_units(flags)
    return {dtype: round(cores * UNITS[dtype][unit] * hertz) for dtype, unit in units.items()}


def sweep(kind: str, least_bytes: int, now: Callable[[Callable[[], Any]], float]) -> dict[str, int]:
    """Return the bytes a second of reading, writing and both, over buffers of so many bytes.

    Each byte of an operand counts once as it is read and once as it is written; what the caches
    move beside that does not count. The quickest of five, `now` being how a call is timed.
    """
    count = least_bytes // 4
    one, other, target = (torch.rand(count, device=kind) for _ in range(3))
    row = torch.rand(count // 4096, device=kind)
    passes: dict[str, tuple[int, Callable[[], Any]]] = {
        "sum": (1, lambda: one.sum()),
        "matrix_vector": (1, lambda: torch.mv(one[: 4096 * len(row)].view(4096, -1), row)),
        "fill": (1, lambda: target.fill_(1.0)),
        "copy": (2, lambda: target.copy_(one)),
        "triad": (3, lambda: torch.add(one, other, alpha=3.0, out=target)),
        "update": (2, lambda: target.add_(1.0)),
    }
    found = {}
    for name, (moved, call) in passes.items():
        call()
        best = min(now(call) for _ in range(5))
        found[name] = round(moved * count * 4 / best)
    return found


def describe(kind: str) -> dict[str, Any]:
    """Return what names this machine and its software, without a word about where it stands."""
    facts = cpu_facts()
    release = ".".join(platform.release().split(".")[:2])
    software = {
        "threads": torch.get_num_threads(),
        "os": f"{platform.system()} {release}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if kind == "cuda":
        return {**_card(), **software}
    onednn: Any = torch.backends.mkldnn
    found = re.search(r"MKL-DNN v([\d.]+)", torch.__config__.show())
    return {
        "kind": kind,
        "device": None,
        "name": facts["name"],
        "cores": facts["cores"],
        "is_virtual": "hypervisor" in facts["flags"],
        "units": cpu_units(facts["flags"]),
        **software,
        "mkldnn": found[1] if found and onednn.is_available() else None,
        "capability": torch.backends.cpu.get_cpu_capability(),
        **caches(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }


def _card() -> dict[str, Any]:
    card = torch.cuda.get_device_properties(0)
    return {
        "kind": "cuda",
        "device": known_card(card.name),
        "name": card.name,
        "sms": card.multi_processor_count,
        "driver": "".join(ask_driver("driver_version") or []) or None,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "capability": f"{card.major}.{card.minor}",
        "l2_bytes": card.L2_cache_size,
        "memory_bytes": card.total_memory,
    }


def known_card(name: str) -> str | None:
    """Return the key of a card that torch names in the table of devices, None if it has none."""
    try:
        return device_names.find(name, own="rates")
    except ValueError:
        return None


def ask_driver(*names: str) -> list[str] | None:
    """Return what nvidia-smi says of the card that torch uses, None where there is no such tool."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return None
    card = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
    command = [tool, "-i", card, f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return [each.strip() for each in said.stdout.split(",")] if said.returncode == 0 else None


def card_clock() -> dict[str, int] | None:
    """Return the clock of the multiprocessors now and at most, in Hz, where the driver tells."""
    said = ask_driver("clocks.sm", "clocks.max.sm")
    if not said or not all(each.isdecimal() for each in said):
        return None
    return dict(zip(("now_hz", "most_hz"), (int(each) * 10**6 for each in said), strict=True))


def is_quiet_before(until: float) -> bool:
    """Wait, doing nothing, until others do nothing either; return whether that came in time.

    `until` is a time of `time.monotonic`. Where Linux does not tell, it is always quiet.
    """
    file = Path("/proc/stat")
    while file.exists():
        before = _busy_seconds(file)
        time.sleep(0.2)
        if _busy_seconds(file) - before <= 0.02 * (os.cpu_count() or 1):
            return True
        if time.monotonic() > until:
            return False
    return True


def _busy_seconds(file: Path) -> float:
    """Return the seconds that the processors have worked, or were taken away."""
    first = file.read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _, _, *interrupts_and_stolen = map(int, first)
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")


def cache_sizes(described: dict[str, Any]) -> list[int]:
    """Return the bytes of each cache of a machine that `describe` told of."""
    return [each for name, each in described.items() if re.fullmatch(r"l\d_bytes", name)]


def neutral_name(described: dict[str, Any]) -> str:
    """Return a name for a record, from the processor and what computes in it."""
    if described["device"]:
        return str(described["device"])
    if described["kind"] == "cuda":
        return re.sub(r"\W+", "_", described["name"].lower())
    known = re.search(r"xeon|epyc|ryzen|threadripper|core", described["name"].lower())
    units = sorted(unit.partition("_")[0] for unit in described["units"].values())
    words = [known[0] if known else "cpu", *units[:1], str(described["cores"]), "cores"]
    return "_".join(words)
