"""The runtime: Pyodide, the part of Python's library that is used, and `calculator`.

All Python in it is bytecode, compiled by the Python inside Pyodide: the archive that comes with
Pyodide holds sources, and compiling those at every start takes half of the time to an answer.
"""

import json
import shutil
import sysconfig
import tempfile
import zipfile
from concurrent.futures import Executor
from pathlib import Path

from scripts.site.steps import BUILD, ROOT, bundle, fingerprint, node, run, sources, step
from scripts.site.vendor import LOCK, PYODIDE

RUNTIMES = BUILD / "runtime"
VERSION = RUNTIMES / "VERSION"
LIBRARY = BUILD / "bytecode" / "library.zip"
PACKAGE = BUILD / "bytecode" / "calculator.zip"
EXERCISE = ROOT / "scripts" / "site" / "exercise.py"
WORKER = ROOT / "docs" / "assets" / "worker.js"

COMPILE = """
import sys
from importlib.metadata import entry_points
from pathlib import Path
sys.path.append("/installed")
(compile,) = entry_points(group="pyodide.cli", name="py-compile")
compile.load()(Path("/archives"), silent=True, keep=False, compression_level=0)
"""
LIST_FILES = """
def files(modules):
    origins = [module.__spec__.origin or "" for module in modules if module.__spec__]
    return [origin.partition(".zip/")[2] for origin in origins if ".zip/" in origin]
print(json.dumps([files(FIRST), files(list(sys.modules.values()))]))
"""
SAMPLED = "13"  # a prime, so that each kind of request is met for some calculators
REST = "rest.zip"
"""The archive of the modules that no first answer needs: a page fetches it when it asks for one."""


def in_pyodide(code: str, runtime: Path, *arguments: str, **mounts: Path) -> str:
    """Run code in the Pyodide of a folder and return what it prints.

    Each mount is the name of a folder at the root there and its place here.
    """
    options = {
        "runtime": str(runtime),
        "args": arguments,
        "mounts": {f"/{name}": str(folder) for name, folder in mounts.items()},
    }
    return run(node(), ROOT / "scripts" / "site" / "pyodide.mjs", json.dumps(options), stdin=code)


def compile_archive(archive: Path, target: Path, *arguments: str) -> None:
    """Write a zip anew with bytecode in place of its sources."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(archive, folder)
        installed = Path(sysconfig.get_path("purelib"))
        in_pyodide(COMPILE, PYODIDE, *arguments, archives=folder, installed=installed)
        (compiled,) = folder.iterdir()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(compiled, target)


def read_archive(source: Path) -> dict[str, bytes]:
    """Return the files in a zip."""
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_archive(target: Path, files: dict[str, bytes]) -> None:
    """Write files into a zip, the same bytes each time.

    Stored, not deflated: Brotli packs the whole better than deflated parts, and Python starts
    sooner where it has nothing to inflate.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])


def compile_package() -> None:
    """Compile `calculator`."""
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / PACKAGE.name
        files = sources(ROOT / "calculator")
        write_archive(archive, {f.relative_to(ROOT).as_posix(): f.read_bytes() for f in files})
        compile_archive(archive, PACKAGE)


def make_runtime() -> None:
    """Lay out the folder that a page boots Python from.

    It is a Pyodide distribution of its own, so that `loadPyodide` needs only its address, and it
    is named by its contents, so that a browser may keep it for ever.
    """
    shutil.rmtree(RUNTIMES, ignore_errors=True)
    folder = RUNTIMES / "new"
    folder.mkdir(parents=True)
    for name in ["pyodide.asm.js", "pyodide.asm.wasm"]:
        shutil.copy(PYODIDE / name, folder)
    bundle(WORKER, folder / WORKER.name, "node:*", "ws")  # what Pyodide asks of Node alone
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text())
    (folder / "pyodide-lock.json").write_text(json.dumps({**lock, "packages": {}}))

    library = read_archive(LIBRARY)
    package = read_archive(PACKAGE)
    archive = folder / "python_stdlib.zip"
    write_archive(archive, library | package)
    write_archive(folder / REST, {})  # so that what takes it in is kept
    printed = in_pyodide(EXERCISE.read_text() + LIST_FILES, folder, "-", SAMPLED)
    first, used = json.loads(printed.splitlines()[-1])
    later = {name for name in package if name.endswith(".pyc") and name not in first}
    write_archive(folder / REST, {name: package.pop(name) for name in later})
    write_archive(archive, {name: library[name] for name in used if name in library} | package)

    pyodide = json.loads((PYODIDE / "package.json").read_text())["version"]
    version = f"{pyodide}-{fingerprint(folder)[:8]}"
    folder.rename(RUNTIMES / version)
    VERSION.write_text(version)


def build_runtime(pool: Executor) -> Path:
    """Build what has changed and return the folder, whose name is the version."""
    stdlib = PYODIDE / "python_stdlib.zip"
    # -OO leaves out the docstrings of the library; ours stay, the pages show them.
    library = pool.submit(
        step,
        "Compiling Python's library for the browser",
        lambda: compile_archive(stdlib, LIBRARY, "-OO"),
        LIBRARY,
        LOCK,
    )
    step(
        "Compiling the package for the browser",
        compile_package,
        PACKAGE,
        LOCK,
        ROOT / "calculator",
    )
    library.result()
    step(
        "Trimming the library to what is used",
        make_runtime,
        VERSION,
        Path(__file__),
        LIBRARY,
        PACKAGE,
        WORKER,
        LOCK,
        EXERCISE,
    )
    return RUNTIMES / VERSION.read_text()
