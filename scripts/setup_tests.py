"""Install what the tests need: torch without CUDA, the other packages, a browser."""

import json
import os
import sys
import tempfile
import tomllib
from pathlib import Path

from scripts.site.steps import ROOT, run

CUDA = ("nvidia", "cuda", "triton")
REFUSAL = """\
Installing {torch} here would bring in {packages}, some gigabytes that no test uses.
Point pip at a CPU build and try again, by PIP_EXTRA_INDEX_URL (the address of an index that has
one) or PIP_FIND_LINKS (a folder of wheels); or set ALLOW_CUDA=1 to take them."""


def install_torch(torch: str) -> None:
    """Install torch, or end where that would install CUDA unasked."""
    pip = (sys.executable, "-m", "pip", "install", "-qq")
    report = json.loads(run(*pip, "--dry-run", "--report", "-", torch))
    names = sorted(package["metadata"]["name"].lower() for package in report["install"])
    packages = [name for name in names if name.startswith(CUDA)]
    if packages and not os.environ.get("ALLOW_CUDA"):
        raise SystemExit(REFUSAL.format(torch=torch, packages=", ".join(packages)))
    if names:
        print(f"Installing {torch} …", flush=True)
        run(*pip, torch)


def main() -> None:
    """Install everything, torch first, so that nothing else can bring another build of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"]["test"]
    (torch,) = (each for each in requirements if each.startswith("torch=="))
    install_torch(torch)
    frozen = run(sys.executable, "-m", "pip", "list", "--format=freeze").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "constraints.txt")
        kept.write_text("\n".join(line for line in frozen if line.startswith("torch==")))
        print("Installing the packages of the tests …", flush=True)
        pip = (sys.executable, "-m", "pip", "install", "-qq")
        run(*pip, "--constraint", kept, "--editable", ".[test]")
    run(sys.executable, "-c", "from scripts.site.chromium import chromium_path; chromium_path()")


if __name__ == "__main__":
    main()
