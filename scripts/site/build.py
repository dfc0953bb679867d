"""Build the site into site/, or serve it.

python -m scripts.site.build site
python -m scripts.site.build serve [--port 8000] [--prefix /]
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli
import waitress
from whitenoise import WhiteNoise

from scripts.site.runtime import VERSION, build_runtime
from scripts.site.steps import BUILD, PACKAGES, ROOT, bundle, npm, path_with_node, run, step

SITE = ROOT / "site"
VENDOR = {
    "katex/dist/katex.min.css": "",
    "katex/dist/fonts/*.woff2": "fonts",
    "@fontsource-variable/inter/files/inter-latin-wght-*.woff2": "",
}
"""What pages load from the packages, and the folder of assets/vendor/ where they find it."""

VEGA = ROOT / "scripts" / "site" / "vega.mjs"
SCRIPT = ROOT / "docs" / "assets" / "site.js"

COMPRESSED = {".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm", ".xml", ".zip"}


def packages() -> None:
    """Install the packages of package-lock.json."""
    step(
        "Installing the browser's packages",
        lambda: run(
            *(*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"),
            PATH=path_with_node(),
        ),
        PACKAGES,
        ROOT / "package-lock.json",
    )


def packed(data: bytes, ending: str, quality: int) -> bytes:
    """Return data as it goes over the wire, from the cache where it was packed before."""
    file = BUILD / "packed" / f"{hashlib.sha256(data).hexdigest()}-{quality}{ending}"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        small = brotli.compress(data, quality=quality) if ending == ".br" else gzip.compress(data)
        file.write_bytes(small)
    return file.read_bytes()


def compress(folder: Path) -> None:
    """Put a Brotli and a gzip copy beside every file that gains by it."""

    def pack(file: Path) -> None:
        data = file.read_bytes()
        # Pages are many, small and often changed: the last percents are not worth the wait.
        quality = 6 if file.suffix in {".html", ".json"} else 11
        for ending in (".br", ".gz"):
            file.with_name(file.name + ending).write_bytes(packed(data, ending, quality))

    with ThreadPoolExecutor() as pool:
        list(pool.map(pack, [file for file in folder.rglob("*") if file.suffix in COMPRESSED]))


def licenses() -> str:
    """Return the licences of the packages that pages load, and of those that these are made of."""
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    texts = []
    for place, package in locked.items():
        if not place or package.get("dev"):
            continue
        name = place.rpartition("node_modules/")[2]
        files = [file for file in (ROOT / place).iterdir() if file.stem.lower()[:7] == "license"]
        said = [file.read_text("utf-8").strip() for file in files]
        texts.append("\n\n".join([f"{name} {package['version']}: {package['license']}", *said]))
    return "\n\n\n".join(texts) + "\n"


def make_site(runtime: Path) -> None:
    """Build the pages, put beside them what they load, and compress it all."""
    run(
        *(sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict"),
        PATH=path_with_node(),
        NO_MKDOCS_2_WARNING="1",
    )
    assets = SITE / "assets"
    shutil.copytree(runtime, assets / "runtime" / runtime.name)
    for pattern, name in VENDOR.items():
        folder = assets / "vendor" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in PACKAGES.glob(pattern):
            shutil.copy(file, folder)
    (assets / "vendor" / "licenses.txt").write_text(licenses(), "utf-8")
    bundle(PACKAGES / "katex" / "dist" / "katex.mjs", assets / "vendor" / "katex.js")
    bundle(VEGA, assets / "vendor" / "vega.js")
    bundle(SCRIPT, assets / "site.js", "./vendor/*")
    compress(SITE)


def build() -> None:
    """Build all that has changed."""
    packages()
    runtime = build_runtime()
    step(
        "Building the pages",
        lambda: make_site(runtime),
        SITE,
        VERSION,
        *(ROOT / name for name in ("calculator", "docs", "scripts")),
        ROOT / "mkdocs.yml",
        ROOT / "package-lock.json",
        os.environ.get("SITE_URL", ""),
    )


Answer = Callable[..., object]


def server(folder: Path, port: int, prefix: str = "/") -> Any:
    """Return a server of a folder's files, packed where they are."""

    def not_found(environ: dict[str, Any], start_response: Answer) -> list[bytes]:
        """Answer with the site's own page where there is no file."""
        start_response("404 Not Found", [("Content-Type", "text/html; charset=utf-8")])
        return [(folder / "404.html").read_bytes()]

    def sitemap(environ: dict[str, Any], start_response: Answer) -> list[bytes]:
        """Answer with the sitemap of this address: instant navigation follows what it lists."""
        here = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO'].removesuffix('sitemap.xml')}"
        text = (folder / "sitemap.xml").read_text("utf-8")
        home = text.partition("<loc>")[2].partition("</loc>")[0]
        start_response("200 OK", [("Content-Type", "application/xml")])
        return [text.replace(home, here).encode()]

    files = WhiteNoise(
        not_found,
        root=folder,
        prefix=prefix,
        index_file=True,
        max_age=0,
        immutable_file_test=lambda path, url: "/assets/runtime/" in url,
    )

    def site(environ: dict[str, Any], start_response: Answer) -> Any:
        asked = environ["PATH_INFO"]
        return (sitemap if asked == f"{prefix}sitemap.xml" else files)(environ, start_response)

    return waitress.create_server(site, host="127.0.0.1", port=port, threads=8)


def browser_path() -> str:
    """Return a Chromium: the one on PATH, else Debian's, else the one of Playwright."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium …", flush=True)
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-qq", "--yes", "chromium", DEBIAN_FRONTEND="noninteractive")
        found = shutil.which("chromium")
    if not found:
        from playwright.sync_api import sync_playwright

        run(sys.executable, "-m", "playwright", "install", "chromium")
        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    return found


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description="Build the site, or serve it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("site", help="build into site/")
    serve = commands.add_parser("serve", help="build, then serve")
    serve.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    serve.add_argument("--prefix", default="/", help="the path under which the site stands")
    options = parser.parse_args()

    build()
    if options.command == "serve":
        serving = server(SITE, options.port, options.prefix)
        print(f"http://127.0.0.1:{serving.effective_port}{options.prefix}", flush=True)
        serving.run()


if __name__ == "__main__":
    main()
