"""Measure how soon a reader gets an answer, against the stock way to run Pyodide.

Both are served from this machine with Brotli, in real Chromium, in turns, and each figure
is the median over the rounds of ours divided by stock's. The stock recipe has a script tag,
`loadPyodide()`, `loadPackage()` of the same wheel, and asks the same question. It is compared
twice: alone on an empty page, ours reduced to the worker; and on a page of the site that a link
with figures leads to, where it stands in place of the site's own scripts.
"""

import argparse
import asyncio
import json
import re
import shutil
import statistics
import sys
import tempfile
import threading
import timeit
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from playwright.sync_api import BrowserType, sync_playwright

from calculator.web import worker
from scripts.site import build, runtime
from scripts.site.chromium import chromium_path
from scripts.site.packing import pack_folder
from scripts.site.server import server
from scripts.site.steps import BUILD, PACKAGES, ROOT, run
from scripts.site.vendor import PYODIDE

ROUNDS = 7
READING_MILLISECONDS = 2000  # a reader stays; the browser writes its caches meanwhile
RATE_BYTES_PER_SECOND = 9e6 / 8
ROUND_TRIP_SECONDS = 0.170
TARGETS = {"cold": 0.50, "warm": 0.55, "slow line": 0.62, "bytes": 0.70}

REQUEST = json.dumps(
    {"calculator": "linear", "fields": {"in_features": "128", "out_features": "64"}}
)
PAGE = "linear/"
LINK = f"{PAGE}?in_features=128&out_features=64"
SELECTOR = "flops-calculator input[name=in_features]"
STOCK = """<script src="/pyodide/pyodide.js"></script>
<script type="module">
const pyodide = await loadPyodide();
await pyodide.loadPackage(new URL("/WHEEL", location).href);
pyodide.pyimport("calculator.web.worker").answer(`REQUEST`);
performance.mark("calculator:answer");
</script>
"""
OURS = """<link rel="modulepreload" href="/comlink.min.js">
<script type="module">
import { wrap } from "/comlink.min.js";
const folder = new URL("/assets/runtime/VERSION/", location);
const python = wrap(new Worker(new URL("worker.js", folder), { type: "module" }));
WebAssembly.compileStreaming(fetch(new URL("pyodide.asm.wasm", folder))).then(python.compiled);
await python.call("answer", `REQUEST`);
performance.mark("calculator:answer");
</script>
"""
ANSWERED = """new Promise((resolve) => new PerformanceObserver((list) => {
  const [mark] = list.getEntriesByName("calculator:answer");
  if (mark) resolve(mark.startTime);
}).observe({ type: "mark", buffered: true }))"""
EDITS = """(async () => {
  const input = document.querySelector(`SELECTOR`);
  const taken = [];
  for (let edit = 0; edit < 220; edit++) {
    const answered = new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => {
        const [mark] = list.getEntriesByName("calculator:answer");
        if (!mark) return;
        observer.disconnect();
        resolve(mark.startTime);
      });
      observer.observe({ type: "mark" });
    });
    input.value = String(100 + edit);
    const started = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    taken.push((await answered) - started);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return taken.slice(20);
})()"""
START = """
import time
started = time.perf_counter()
import calculator.web.worker
calculator.web.worker.answer('''REQUEST''')
print((time.perf_counter() - started) * 1000)
"""


OWN_SCRIPT = re.compile(r'<script src="[^"]*assets/[a-z./]*\.js" type="module"></script>')
COMPARED = {
    "alone": {"ours": "alone/ours/", "stock": "alone/stock/"},
    "a link to figures": {"ours": LINK, "stock": f"stock/{LINK}"},
}


class SlowLine:
    """A proxy with the bandwidth and the round trip of a slow line, and a byte counter."""

    def __init__(self, target: int) -> None:
        """Carry to the port `target`, from `port`, in a thread of its own."""
        self.target = target
        self.bytes_carried = 0
        self.line_free_at = 0.0
        self.started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        self.started.wait()

    async def serve(self) -> None:
        """Accept connections for ever."""
        serving = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.port = serving.sockets[0].getsockname()[1]
        self.started.set()
        await serving.serve_forever()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, which costs a round trip to open."""
        await asyncio.sleep(ROUND_TRIP_SECONDS)
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(
            self.carry(reader, onward_writer, down=False),
            self.carry(onward_reader, writer, down=True),
        )

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        """Carry one direction: half a round trip late and, down, at the shared rate."""
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(8192):
                now = loop.time()
                sent_at = now
                if down:
                    self.bytes_carried += len(data)
                    sent_at = max(now, self.line_free_at) + len(data) / RATE_BYTES_PER_SECOND
                    self.line_free_at = sent_at
                    await asyncio.sleep(sent_at - now)
                loop.call_later(sent_at + ROUND_TRIP_SECONDS / 2 - loop.time(), writer.write, data)
        finally:
            loop.call_later(ROUND_TRIP_SECONDS / 2, writer.close)


@dataclass
class Browser:
    """Chromium, and a reader in it."""

    chromium: BrowserType

    def visit(self, address: str, profile: str) -> float:
        """Return the milliseconds from the navigation to the first computed answer."""
        context = self.chromium.launch_persistent_context(
            profile, executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = context.pages[0]
        page.goto(address, wait_until="commit")
        milliseconds: float = page.evaluate(ANSWERED)
        page.wait_for_timeout(READING_MILLISECONDS)
        context.close()
        return milliseconds

    def edits(self, address: str) -> list[float]:
        """Return the milliseconds from each of many edits to its answer in the page."""
        browser = self.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(address)
        page.locator(SELECTOR).first.focus()
        page.wait_for_function("performance.getEntriesByName('calculator:ready').length")
        milliseconds: list[float] = page.evaluate(EDITS.replace("SELECTOR", SELECTOR))
        browser.close()
        return milliseconds


def lay_out(folder: Path) -> None:
    """Put the stock recipe, Pyodide as it comes and the wheel, beside a copy of the site."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(build.SITE, folder)
    shutil.copytree(PYODIDE, folder / "pyodide")
    run(sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "-w", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    comlink = PACKAGES / "comlink" / "dist" / "esm" / "comlink.min.mjs"
    shutil.copy(comlink, folder / "comlink.min.js")
    words = {"WHEEL": wheel.name, "VERSION": runtime.VERSION.read_text(), "REQUEST": REQUEST}
    page = (folder / PAGE / "index.html").read_text("utf-8")
    pages = {
        "alone/ours": f"<!doctype html>{OURS}",
        "alone/stock": f"<!doctype html>{STOCK}",
        f"stock/{PAGE}": OWN_SCRIPT.sub("", page).replace("</head>", f"{STOCK}</head>"),
    }
    for name, text in pages.items():
        for word, value in words.items():
            text = text.replace(word, value)
        file = folder / name / "index.html"
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8")
    pack_folder(folder)


def python_figures() -> Iterator[tuple[str, float, float]]:
    """Yield name, milliseconds and target of what Python alone takes."""
    folder = runtime.RUNTIMES / runtime.VERSION.read_text()
    code = START.replace("REQUEST", REQUEST)
    starts = [float(runtime.in_pyodide(code, folder)) for _ in range(ROUNDS)]
    yield "import and first answer in Pyodide", statistics.median(starts), 40
    # Another number each time, as at a keyboard: the last question is remembered.
    asked = (REQUEST.replace("128", str(number)) for number in count(1))
    answers = timeit.repeat(lambda: worker.answer(next(asked)), number=200, repeat=ROUNDS)
    yield "an answer in CPython", statistics.median(answers) / 200 * 1000, 1


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description="Measure the time to an answer.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds

    build.build()
    folder = BUILD / "bench"
    lay_out(folder)
    serving = server(folder, 0)
    threading.Thread(target=serving.run, daemon=True).start()
    line = SlowLine(serving.effective_port)
    near, far = (f"http://127.0.0.1:{port}/" for port in (serving.effective_port, line.port))
    with sync_playwright() as playwright:
        reader = Browser(playwright.chromium)
        for title, pages in COMPARED.items():
            compare(title, pages, reader, near, far, line, rounds)
        edits = sorted(reader.edits(near + PAGE))

    print(f"\n{'':24}   ms  target")
    for name, milliseconds, target in python_figures():
        print(f"{name:24}{milliseconds:5.2f}{target:8.2f}")
    print(f"{'edit to answer, p50':24}{edits[len(edits) // 2]:5.2f}{2:8.2f}")
    print(f"{'edit to answer, p95':24}{edits[len(edits) * 95 // 100]:5.2f}{5:8.2f}")


def compare(
    title: str,
    pages: dict[str, str],
    reader: Browser,
    near: str,
    far: str,
    line: SlowLine,
    rounds: int,
) -> None:
    """Visit both pages in turns and print the ratios."""
    figures: dict[str, dict[str, list[float]]] = {
        kind: {which: [] for which in pages} for kind in TARGETS
    }
    for turn in range(rounds):
        for which in sorted(pages, reverse=bool(turn % 2)):
            with tempfile.TemporaryDirectory() as profile:
                figures["cold"][which].append(reader.visit(near + pages[which], profile))
                figures["warm"][which].append(reader.visit(near + pages[which], profile))
            with tempfile.TemporaryDirectory() as profile:
                before = line.bytes_carried
                figures["slow line"][which].append(reader.visit(far + pages[which], profile))
                figures["bytes"][which].append(line.bytes_carried - before)
        print(".", end="", flush=True)
    print(f"\n{title:24}ratio  target       ours      stock")
    for kind, target in TARGETS.items():
        ours, stock = figures[kind]["ours"], figures[kind]["stock"]
        ratio = statistics.median(a / b for a, b in zip(ours, stock, strict=True))
        medians = f"{statistics.median(ours):11,.0f}{statistics.median(stock):11,.0f}"
        print(f"{kind:24}{ratio:5.3f}{target:8.2f}{medians}", flush=True)


if __name__ == "__main__":
    main()
