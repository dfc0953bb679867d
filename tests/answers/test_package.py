"""The package as people install it: a wheel in an environment that has nothing else."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path) -> str:
    """Run a program outside the repository and return what it prints."""
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Return the folder of the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (file,) = distributions.glob("*.whl")
    return file


def test_twine_accepts_the_distributions(distributions):
    files = sorted(distributions.iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"]
    said = run(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert said.count("PASSED") == 2


def test_the_source_distribution_holds_what_the_tests_need(distributions):
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "scripts/site/build.py", "tests/conftest.py", "docs/index.md"} <= names
    assert not [name for name in names if name.startswith(("site/", "build/", "node_modules/"))]


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Return the folder of programs of an environment that has the wheel and not even pip."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-qq", "--no-index", wheel)
    return folder / "bin"


def test_the_command_counts_without_any_other_package(programs):
    # 30 x 30 outputs of 16 channels, 3 x 3 x 3 products each: 388 800.
    fields = "--in-channels 3 --out-channels 16 --kernel-size 3 --height 32 --width 32"
    said = json.loads(run(programs / "flops", "conv2d", *fields.split(), "--json"))
    assert said["macs"] == 388_800


def test_the_command_knows_the_devices(programs):
    assert (
        json.loads(run(programs / "flops", "devices", "--json"))["h100_sxm"]["vendor"] == "NVIDIA"
    )


def test_the_command_calls_itself_by_its_name(programs):
    assert run(programs / "flops", "--help").startswith("usage: flops ")


def test_a_wheel_has_the_licence_and_the_types(wheel):
    names = ZipFile(wheel).namelist()
    assert {"calculator/py.typed", "calculator/__init__.pyi"} <= set(names)
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert {name.partition("/")[0] for name in names} == {"calculator", names[-1].partition("/")[0]}
