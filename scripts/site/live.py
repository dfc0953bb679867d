"""Pages while they are written: each is built again as soon as it is saved, and shown."""

import logging
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer

from scripts.site.steps import BUILD, ROOT, SCRIPT, bundle, fingerprint

DRAFT = BUILD / "draft"
STARTED_WITH = (ROOT / "calculator", ROOT / "scripts", *(ROOT / "docs").glob("*.json"))


def rebuild_pages(config: Path, folder: Path) -> None:
    """Build what was saved since the last time into a folder that has the rest of the site.

    A page with a fault is named in the terminal, and stays as it was.
    """
    try:
        build(load_config(str(config), site_dir=str(folder), strict=False), dirty=True)
        bundle(SCRIPT, folder / "assets" / SCRIPT.name, "./vendor/*")
    except (Exception, SystemExit) as error:  # a program that fails ends by SystemExit
        print(f"Not built: {error}", file=sys.stderr, flush=True)


def _is_news(record: logging.LogRecord) -> bool:
    return "'dirty' build" not in record.getMessage()  # that is what this is for


def write_pages(site: Path, port: int) -> None:
    """Serve a copy of the site, and build again what is saved, until interrupted."""
    import_module("scripts.site.directives")  # takes a second, which the first save need not
    shutil.rmtree(DRAFT, ignore_errors=True)
    shutil.copytree(site, DRAFT, ignore=shutil.ignore_patterns("*.br", "*.gz"))
    handler = logging.StreamHandler()
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    known = fingerprint(*STARTED_WITH)

    def rebuild() -> None:
        if fingerprint(*STARTED_WITH) != known:
            print("The code or a record has changed: starting anew", flush=True)
            serving.server_close()
            os.execv(sys.executable, sys.orig_argv)
        rebuild_pages(ROOT / "mkdocs.yml", DRAFT)

    serving = LiveReloadServer(rebuild, "127.0.0.1", port, str(DRAFT))
    for place in ("docs", "calculator", "scripts", "mkdocs.yml"):
        serving.watch(str(ROOT / place))
    print(f"{serving.url}: save a page of docs/, and see it here", flush=True)
    serving.serve()  # type: ignore[no-untyped-call]
