"""What pages load from the packages of package-lock.json."""

import json
import shutil
from pathlib import Path

from scripts.site.packing import files_to_pack, pack_ahead
from scripts.site.steps import BUILD, PACKAGES, ROOT, bundle, npm, path_with_node, run, step

LOCK = ROOT / "package-lock.json"
VENDOR = BUILD / "vendor"
VEGA = ROOT / "scripts" / "site" / "vega.mjs"
FILES = {
    "katex/dist/katex.min.css": "",
    "katex/dist/fonts/*.woff2": "fonts",
    "@fontsource-variable/inter/files/inter-latin-wght-*.woff2": "",
}
"""Files that pages load, and the folder of assets/vendor/ where they find them."""
PYODIDE = PACKAGES / "pyodide"


def install_packages() -> None:
    """Install the packages of package-lock.json."""
    step(
        "Installing the browser's packages",
        lambda: run(
            *(*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"),
            PATH=path_with_node(),
        ),
        PACKAGES,
        LOCK,
    )


def licenses() -> str:
    """Return the licences of the packages that pages load, and of those that these are made of."""
    locked = json.loads(LOCK.read_text("utf-8"))["packages"]
    texts = []
    for place, package in locked.items():
        if not place or package.get("dev"):
            continue
        name = place.rpartition("node_modules/")[2]
        files = [file for file in (ROOT / place).iterdir() if file.stem.lower()[:7] == "license"]
        said = [file.read_text("utf-8").strip() for file in files]
        texts.append("\n\n".join([f"{name} {package['version']}: {package['license']}", *said]))
    return "\n\n\n".join(texts) + "\n"


def _make_vendor() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for pattern, name in FILES.items():
        folder = VENDOR / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in PACKAGES.glob(pattern):
            shutil.copy(file, folder)
    (VENDOR / "licenses.txt").write_text(licenses(), "utf-8")
    bundle(PACKAGES / "katex" / "dist" / "katex.mjs", VENDOR / "katex.js")
    bundle(VEGA, VENDOR / "vega.js")
    pack_ahead([*PYODIDE.glob("pyodide.asm.*"), *files_to_pack(VENDOR)])


def make_vendor() -> Path:
    """Gather and pack what changes with package-lock.json alone, and return its folder.

    Packing WebAssembly takes longer than all the rest of the build.
    """
    step("Packing what pages load from packages", _make_vendor, VENDOR, LOCK, VEGA, Path(__file__))
    return VENDOR
