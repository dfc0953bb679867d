"""The site on hosts that are not its own server: stock types of files, another release, a file."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pages import figure, in_view
from playwright.sync_api import expect

from scripts.build import SITE

TYPES = {
    ".css": "text/css", ".html": "text/html", ".js": "application/javascript",
    ".wasm": "application/wasm",
}  # fmt: skip
pytestmark = pytest.mark.xdist_group("site")


class StockHost(SimpleHTTPRequestHandler):
    """A host that packs nothing, and has no type for what is younger than its configuration.

    Debian's nginx 1.22 sends `.mjs` as application/octet-stream, older ones `.wasm` too.
    """

    def guess_type(self, path):
        return TYPES.get(Path(path).suffix, "application/octet-stream")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stock_host(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(StockHost, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_no_file_has_an_ending_that_stock_hosts_have_no_type_for(site):
    assert list(SITE.rglob("*.mjs")) == []


def test_a_chart_is_drawn_on_a_stock_host(open_page, stock_host):
    page = open_page(stock_host + "roofline/")
    in_view(page)


def test_a_formula_is_set_on_a_stock_host(open_page, stock_host):
    page = open_page(stock_host + "convolution/?calculator=conv1d")
    label = page.locator("flops-calculator").first.locator(".calculator-field .katex").first
    expect(label).to_be_visible()


def test_python_answers_on_a_stock_host(open_page, stock_host):
    page = open_page(stock_host + "?in_features=1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")  # times 11008 outputs
