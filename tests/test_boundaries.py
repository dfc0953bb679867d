"""Who may import whom, and what the package must not touch: read from the syntax trees."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from calculator import CALCULATIONS
from calculator.calculation import Calculation

ROOT = Path(__file__).parents[1]
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
FOUNDATION = {
    "axes", "batched", "calculation", "chain", "expression", "extents", "fields", "gates",
    "kernels", "layer", "normalized", "numerals", "operations", "rates", "shaped", "spatial",
    "unit_families", "units", "windows",
}  # fmt: skip
FAMILIES = {
    "activation", "adaptive", "attention", "batch_normalization", "bilinear", "cells",
    "convolution", "elementwise", "embedding", "linear", "normalization", "padding", "pooling",
    "recurrent", "resampling", "reshape", "rotary", "softmax", "transposed",
}  # fmt: skip
BLOCKS = {"decoder", "llama", "multihead", "transformer"}  # layers made of layers
COUNTERS = {name for name in MODULES if name.startswith("counters.")}
CONFIGURATIONS = {"json_object", "model_config", "model_types"}
PARTS = {"experts", "heads"}  # of blocks, without a name of their own
TOP = {
    "__main__", "batching", "browser", "charts", "comparison", "drawing", "evaluate",
    "expectation", "export", "form", "html", "page", "pasted", "placing", "prediction",
    "provenance", "provenance_table", "statement", "timings",
}  # fmt: skip


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
    within = {each.removeprefix("calculator.") for each in imported(name)}
    found = {each for each in within if each in MODULES}
    return found | ({"counters.__init__"} if "counters" in within else set())


def calls(name: str) -> set[str]:
    """Return the bare names that a module calls."""
    nodes = (node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


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


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"hardware"}))
def test_only_the_devices_are_read_from_a_file(name):
    assert not imported(name) & {"pkgutil", "importlib.resources", "tomllib"}


def declares(name: str) -> bool:
    """Return whether a module gives a name to a calculation."""
    classes = (node for node in ast.walk(TREES[name]) if isinstance(node, ast.ClassDef))
    return any(word.arg == "name" for each in classes for word in each.keywords)


def test_calculations_are_declared_in_the_families_and_in_modules_without_layers():
    others = {"conversion", "memory", "network", "networks", "peak", "roofline", "training"}
    assert set(filter(declares, TREES)) == FAMILIES | BLOCKS | others


def test_the_door_leads_to_every_calculation():
    named = set()
    for module in MODULES:
        for each in vars(import_module(f"calculator.{module}")).values():
            if isinstance(each, type) and issubclass(each, Calculation) and "name" in vars(each):
                named.add(each)
    named.discard(Calculation)
    assert {CALCULATIONS[each.name] for each in named} == named == set(CALCULATIONS.values())


def test_a_browser_waits_for_no_layer_before_it_is_asked():
    assert not reached("browser") & (FAMILIES | BLOCKS | PARTS)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_of_layers_stands_on_the_foundation_only(name):
    assert siblings(name) <= FOUNDATION


@pytest.mark.parametrize("name", sorted(BLOCKS | PARTS))
def test_a_block_stands_on_the_foundation_and_the_families(name):
    assert siblings(name) <= FOUNDATION | FAMILIES | BLOCKS | PARTS | {"model_config"}


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_a_configuration_is_read_without_a_layer(name):
    assert siblings(name) <= CONFIGURATIONS | {"fields"}


@pytest.mark.parametrize("name", sorted(FOUNDATION))
def test_the_foundation_knows_no_layer_and_no_machine(name):
    assert siblings(name) <= FOUNDATION


def test_a_network_knows_layers_and_neither_machines_nor_pages():
    assert siblings("network") | siblings("lines") <= FOUNDATION | {"__init__", "lines"}


@pytest.mark.parametrize("name", sorted(COUNTERS))
def test_a_counting_tool_is_predicted_from_what_every_layer_has(name):
    assert siblings(name) <= FOUNDATION | COUNTERS | {"__init__"}


def test_the_roofline_knows_hardware_and_no_family_of_layers():
    machine = {"device_names", "hardware", "machine"}
    assert siblings("roofline") | siblings("machine") <= FOUNDATION | machine


def test_the_peak_builder_knows_hardware_and_no_layer():
    assert siblings("peak") <= FOUNDATION | {"hardware", "machine"}


def test_the_memory_of_a_model_knows_neither_layers_nor_machines():
    assert siblings("memory") <= FOUNDATION


def test_training_knows_machines_and_no_family_of_layers():
    assert siblings("training") <= FOUNDATION | {"machine", "memory_fit"}


def test_the_hardware_knows_nothing():
    assert not siblings("hardware")


def test_the_names_of_devices_are_those_of_the_hardware():
    assert siblings("device_names") == {"hardware"}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - TOP))
def test_what_is_below_does_not_import_what_is_on_top(name):
    assert not siblings(name) & TOP


@pytest.mark.parametrize("name", sorted(TOP - {"__main__", "browser"}))
def test_neither_command_line_nor_browser_is_imported(name):
    assert not siblings(name) & {"__main__", "browser"}


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
