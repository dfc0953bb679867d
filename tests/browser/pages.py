"""The site as a reader has it: its server, and what stands on a page."""

import re
import subprocess
import sys

from playwright.sync_api import expect

from scripts.site.steps import ROOT

NAV = re.findall(r"^ +- [^:]+: (\S+)\.md$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
PAGES = ["" if name == "index" else f"{name}/" for name in NAV]
PHONE = {"width": 390, "height": 844}
CHARTS = ".directive-chart > flops-chart"  # those in panels wait until they are opened
CHART = f":nth-match({CHARTS}, 1)"


def serve(*options):
    """Start the site's own server on a free port; return the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.site.build", "serve", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return process, found[0].rstrip("/") + "/"
    raise AssertionError("the server printed no address")


def figure(page, quantity, inside="flops-calculator >> nth=0"):
    return page.locator(inside).locator(f'data[data-quantity="{quantity}"]')


def field(page, name):
    return page.locator(f'flops-calculator >> nth=0 >> [name="{name}"]')


def paste(page, text, name):
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    field(page, name).press("Control+v")


def ready(page):
    page.locator("flops-calculator >> nth=0").locator("input >> nth=0").focus()
    expect(page.locator("flops-calculator").first).to_have_attribute("data-state", "ready")


def in_view(page, chart=CHART):
    """Scroll to a chart of a page and wait for the script to have drawn it."""
    page.locator(chart).scroll_into_view_if_needed()
    expect(page.locator(chart)).to_have_attribute("data-drawn", "")
    return page.locator(chart)
