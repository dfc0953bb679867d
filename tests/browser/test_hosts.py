"""The site on hosts that are not its own server: stock types of files, another release, a file."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pages import field, figure, in_view
from playwright.sync_api import expect

from scripts.site.build import SITE

TYPES = {
    ".css": "text/css", ".html": "text/html", ".js": "application/javascript",
}  # fmt: skip


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


VERSION = re.compile(r"0\.\d+\.\d+-[0-9a-f]{8}")


def test_an_old_tab_says_that_it_is_to_be_reloaded_and_keeps_its_fields(open_page, site):
    page = open_page("about:blank", quiet=False)
    old = "0.1.2-00000000"

    def former(route):
        """Answer as the release before did."""
        route.fulfill(content_type="text/html", body=VERSION.sub(old, route.fetch().text()))

    page.route(site, former, times=1)
    page.goto(site)
    field(page, "in_features").fill("1")
    mark = page.locator("flops-calculator >> nth=0 >> [data-mark]")
    expect(mark).to_contain_text("This page is from an older version: reload it.")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("button", name="Reload").click()
    expect(field(page, "in_features")).to_have_value("1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")


def test_files_that_are_gone_while_the_page_is_not_are_no_older_version(open_page, site):
    page = open_page("about:blank", quiet=False)
    page.route("**/assets/runtime/**", lambda route: route.fulfill(status=404, body=""))
    page.goto(site)
    field(page, "in_features").fill("1")
    mark = page.locator("flops-calculator >> nth=0 >> [data-mark]")
    expect(mark).to_contain_text("its files could not be loaded")
    page.wait_for_timeout(500)
    expect(mark).to_contain_text("its files could not be loaded")


def test_a_page_that_is_opened_as_a_file_says_that_it_is_to_be_served(chromium, site):
    page = chromium.new_page()
    page.goto((SITE / "index.html").as_uri())
    expect(page.get_by_text("python -m http.server").first).to_be_visible()
    page.close()


class SlowHost(StockHost):
    """A host behind a slow line: the largest file comes in parts, each when it is asked to."""

    part = threading.Semaphore(0)

    def copyfile(self, source, outputfile):
        if not source.name.endswith(".wasm"):
            return super().copyfile(source, outputfile)
        whole = source.read()
        step = len(whole) // 4 + 1
        for start in range(0, len(whole), step):
            self.part.acquire()
            outputfile.write(whole[start : start + step])
            outputfile.flush()
        return None


@pytest.fixture
def slow_host(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SlowHost, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


SIGNS = """
window.signs = 0;  // of life, after each of which the page is patient for 45 seconds
const { setTimeout } = window;
window.setTimeout = (act, delay, ...rest) => {
  if (delay === 45_000) signs += 1;
  return setTimeout(act, delay, ...rest);
};
"""


@pytest.mark.parametrize(
    "line",
    ["{effectiveType: '2g'}", "{effectiveType: '4g', downlink: 1.5}"],
    ids=["a slow line", "a line that is called 4g"],
)
def test_a_load_that_goes_on_is_not_given_up_however_long_it_takes(open_page, slow_host, line):
    page = open_page("about:blank")
    page.clock.install()
    page.add_init_script(f"Object.defineProperty(navigator, 'connection', {{value: {line}}})")
    page.add_init_script(SIGNS)
    page.goto(slow_host)
    field(page, "in_features").fill("1")
    expect(page.locator("flops-calculator").first).to_have_attribute("data-state", "loading")
    for _ in range(4):  # 120 seconds in all
        page.clock.fast_forward(30_000)
        signs = page.evaluate("signs")
        SlowHost.part.release()
        page.wait_for_function(f"signs > {signs}")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")
