"""Who may import whom, and what the package must not touch: read from the syntax trees."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from calculator import CALCULATIONS, Layer
from calculator.core.calculation import Calculation

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT / "calculator").with_suffix("").parts): path
    for path in sorted((ROOT / "calculator").rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}

OUTSIDE = {  # of the standard library: files, network, clocks, chance, other processes
    "asyncio", "datetime", "ftplib", "glob", "http", "io", "multiprocessing", "os", "pathlib",
    "random", "secrets", "select", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
    "threading", "time", "urllib", "uuid", "webbrowser",
}  # fmt: skip
FOLDERS = (
    "core", "layers", "blocks", "networks", "machines", "budgets", "counters", "answers", "web",
)  # fmt: skip
"""From the ground up: a module imports from its own folder and from those before it."""
ENDS = {"__main__", "web.worker"}  # nothing imports them


@cache
def imported(name: str) -> set[str]:
    """Return what a module imports, wherever in it: full names, relative ones resolved."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(["calculator", *name.split(".")[:-1]]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return found


def siblings(name: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    within = {module.removeprefix("calculator.") for module in imported(name)}
    return {*within, *(f"{module}.__init__" for module in within)} & MODULES.keys()


def calls(name: str) -> set[str]:
    """Return the bare names that a module calls."""
    nodes = (node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


@cache
def reached(name: str) -> set[str]:
    """Return every module of the package that importing a module brings in."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for each in siblings(ahead.pop()) - found:
            found.add(each)
            ahead.append(each)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_the_standard_library_and_the_package_only(name):
    packages = {each.partition(".")[0] for each in imported(name)}
    assert packages <= {*sys.stdlib_module_names, "calculator"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_needs_no_file_network_clock_or_chance(name):
    assert not {each.partition(".")[0] for each in imported(name)} & OUTSIDE


@pytest.mark.parametrize("name", MODULES)
def test_a_module_runs_no_text(name):
    assert not calls(name) & {"input", "eval", "exec", "__import__"}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"__main__"}))
def test_only_the_command_line_opens_a_file(name):
    assert "open" not in calls(name)


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"__main__"}))
def test_a_module_prints_nothing(name):
    assert "print" not in calls(name)


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"machines.devices", "web.worker"}))
def test_only_the_devices_are_read_from_a_file(name):
    assert not imported(name) & {"pkgutil", "importlib.resources", "tomllib"}


def test_the_door_leads_to_every_calculation():
    named = set()
    for module in MODULES.keys() - {"__init__"}:
        for each in vars(import_module(f"calculator.{module}")).values():
            if isinstance(each, type) and issubclass(each, Calculation) and "name" in vars(each):
                named.add(each)
    named.discard(Calculation)
    assert {CALCULATIONS[each.name] for each in named} == named == set(CALCULATIONS.values())


def folder(name: str) -> str:
    """Return the folder that a module is in, or its own name."""
    return name.partition(".")[0]


def test_every_module_has_a_place():
    assert {folder(name) for name in MODULES} == {"__init__", "__main__", *FOLDERS}


@pytest.mark.parametrize("name", [name for name in MODULES if folder(name) in FOLDERS])
def test_a_module_imports_from_its_folder_and_from_those_below(name):
    below = FOLDERS[: FOLDERS.index(folder(name)) + 1]
    assert {folder(module) for module in siblings(name)} <= {"__init__", *below}


@pytest.mark.parametrize("name", [name for name in MODULES if name.endswith("__init__")])
def test_no_folder_loads_its_modules(name):
    assert name in {"__init__", "counters.__init__"} or not imported(name)


@pytest.mark.parametrize("name", MODULES)
def test_nothing_imports_the_ends(name):
    assert not siblings(name) & ENDS


def test_a_browser_waits_for_no_layer_before_it_is_asked():
    layers = {owner.__module__ for owner in CALCULATIONS.values() if issubclass(owner, Layer)}
    code = "import sys, calculator.web.worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "calculator.layers.layer" in loaded.split()
    assert not layers & set(loaded.split())


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"__init__"}))
def test_no_module_imports_itself_through_others(name):
    assert name not in reached(name)


SCRIPTS = sorted((ROOT / "docs" / "assets").glob("*.js"))
NAMES = {
    *CALCULATIONS,
    *(owner.__name__ for owner in CALCULATIONS.values()),
    *(field for owner in CALCULATIONS.values() for field in owner.fields),
    *(quantity for owner in CALCULATIONS.values() for quantity in owner.quantities),
}


def test_there_are_scripts_to_read():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_names_no_layer_field_or_quantity(script):
    literals = re.findall(r"""["'`]([A-Za-z_0-9]+)["'`]""", script.read_text("utf-8"))
    assert not NAMES & set(literals)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_builds_no_markup(script):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text()
    )
