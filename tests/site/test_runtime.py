"""The runtime that the browser gets, in Node: the same WebAssembly, the same archive."""

import re
import subprocess
import sys

import pytest

from scripts.site.runtime import EXERCISE, in_pyodide, read_archive

pytestmark = pytest.mark.xdist_group("runtime")


@pytest.fixture(scope="module")
def first(runtime):
    return read_archive(runtime / "python_stdlib.zip")


@pytest.fixture(scope="module")
def archive(runtime, first):
    return first | read_archive(runtime / "rest.zip")


@pytest.fixture(scope="module")
def in_browser_python(runtime):
    return in_pyodide(EXERCISE.read_text(), runtime).splitlines()


@pytest.fixture(scope="module")
def in_cpython():
    return subprocess.check_output([sys.executable, EXERCISE], text=True).splitlines()


def test_every_module_is_bytecode_of_the_python_in_pyodide(runtime, archive):
    magic = in_pyodide(
        "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())", runtime
    ).strip()
    modules = [data for name, data in archive.items() if name.endswith(".pyc")]
    assert {data[:4].hex() for data in modules} == {magic}


def test_the_archive_holds_no_source(archive):
    assert [name for name in archive if name.endswith(".py")] == []


def test_the_archive_holds_the_whole_package(archive):
    from scripts.site.steps import ROOT

    sources = {
        file.relative_to(ROOT).with_suffix(".pyc").as_posix()
        for file in (ROOT / "calculator").rglob("*.py")
    }
    assert sources <= archive.keys()


def test_a_first_answer_waits_for_no_counting_tool_and_no_chart(first):
    assert not [name for name in first if re.search(r"counters|comparison|charts|expectat", name)]


def test_no_module_is_in_both_archives(runtime, first):
    assert not first.keys() & read_archive(runtime / "rest.zip").keys()


def test_all_that_a_reader_can_reach_runs_on_the_trimmed_library(in_browser_python):
    missing = [line for line in in_browser_python if "ImportError" in line or "No module" in line]
    assert missing == []


def test_nothing_that_a_reader_can_reach_raises(in_cpython):
    answers = ['{"fields"', '{"html"', '{"text"', '{"verdict"', '{"error"']
    raised = [line for line in in_cpython if not any(answer in line for answer in answers)]
    assert raised == []


def test_pyodide_answers_as_cpython_does(in_browser_python, in_cpython):
    assert in_browser_python == in_cpython
