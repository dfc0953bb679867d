"""Build the site into site/, serve it, or show pages while they are written.

python -m scripts.site.build site
python -m scripts.site.build serve [--port 8000] [--prefix /]
python -m scripts.site.build write [--port 8000]
"""

import argparse
import os
import shutil
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from scripts.site.packing import pack_ahead, pack_folder
from scripts.site.runtime import VERSION, build_runtime
from scripts.site.server import server
from scripts.site.steps import ROOT, SCRIPT, bundle, imported_files, path_with_node, run, step
from scripts.site.typesetting import TYPESETTER
from scripts.site.vendor import LOCK, install_packages, make_vendor

SITE = ROOT / "site"
DIRECTIVES = ROOT / "scripts" / "site" / "directives.py"


def make_site(runtime: Path, vendor: Future[Path], packed: Future[None]) -> None:
    """Build the pages, put beside them what they load, and compress it all."""
    run(
        *(sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict"),
        PATH=path_with_node(),
        NO_MKDOCS_2_WARNING="1",
    )
    assets = SITE / "assets"
    bundle(SCRIPT, assets / SCRIPT.name, "./vendor/*")
    shutil.copytree(runtime, assets / "runtime" / runtime.name)
    shutil.copytree(vendor.result(), assets / "vendor")
    packed.result()  # what is still being packed is not packed a second time
    pack_folder(SITE)


def build() -> None:
    """Build all that has changed."""
    with ThreadPoolExecutor() as pool:
        install_packages()
        vendor = pool.submit(make_vendor)
        runtime = build_runtime(pool)
        packed = pool.submit(pack_ahead, runtime.glob("*.zip"))
        step(
            "Building the pages",
            lambda: make_site(runtime, vendor, packed),
            SITE,
            VERSION,
            LOCK,
            ROOT / "mkdocs.yml",
            ROOT / "docs",
            ROOT / "calculator",
            *imported_files(DIRECTIVES),
            TYPESETTER,
            os.environ.get("SITE_URL", ""),
        )


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description="Build the site, or serve it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("site", help="build into site/")
    serve = commands.add_parser("serve", help="build, then serve")
    serve.add_argument("--prefix", default="/", help="the path under which the site stands")
    write = commands.add_parser("write", help="serve, and rebuild a page as soon as it is saved")
    for command in (serve, write):
        command.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    options = parser.parse_args()

    build()
    if options.command == "serve":
        serving = server(SITE, options.port, options.prefix)
        print(f"http://127.0.0.1:{serving.effective_port}{options.prefix}", flush=True)
        serving.run()
    if options.command == "write":
        from scripts.site.live import write_pages  # MkDocs, which the others do without here

        write_pages(SITE, options.port)


if __name__ == "__main__":
    main()
