"""The browser that tests and benchmarks open pages in."""

import os
import shutil
import sys

from scripts.site.steps import run


def chromium_path() -> str:
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
