"""Each file that a page loads may be missing, cut short, of a wrong type, slow or not come at all.

The reader is told where something is lost, a retry works once the fault is lifted, and what was
typed is kept.
"""

import re
from mimetypes import guess_type
from urllib.parse import urlsplit

import pytest
from pages import field, figure, in_view, paste, ready
from playwright.sync_api import expect

from scripts.site.build import SITE

FIRST = "flops-calculator >> nth=0"
FAULTS = ["missing", "cut", "wrong", "empty", "aborted"]
OF_ARCHIVES = [*FAULTS, "flipped"]


class Fault:
    """Does one kind of harm to the requests of one file, until it is lifted."""

    def __init__(self, page, pattern, kind):
        self.page, self.pattern, self.kind, self.hits = page, pattern, kind, 0
        page.route(pattern, self)

    def __call__(self, route):
        self.hits += 1
        if self.kind == "aborted":
            return route.abort()
        if self.kind == "missing":
            return route.fulfill(status=404, content_type="text/html", body="Not found")
        if self.kind == "wrong":
            return route.fulfill(content_type="text/html", body="<h1>Log in</h1>")
        if self.kind == "empty":
            return route.fulfill(status=200, body="")
        file = SITE / urlsplit(route.request.url).path.lstrip("/")
        whole = file.read_bytes()
        body = whole[: len(whole) // 2]
        if self.kind == "flipped":
            third = len(whole) // 3
            middle = bytes(255 - byte for byte in whole[third:-third])
            body = whole[:third] + middle + whole[-third:]
        return route.fulfill(status=200, content_type=guess_type(file.name)[0], body=body)

    def lift(self):
        self.page.unroute(self.pattern)


def mark(page):
    return page.locator(f"{FIRST} >> [data-mark]")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(
    "name",
    ["worker.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"],
)
def test_python_says_why_it_does_not_start_and_starts_at_a_retry(open_page, site, name, kind):
    page = open_page("about:blank", quiet=False)
    fault = Fault(page, f"**/runtime/*/{name}", kind)
    page.goto(site)
    field(page, "in_features").fill("1")
    expect(page.locator(FIRST)).to_have_attribute("data-state", "failed")
    expect(mark(page)).to_have_text(
        re.compile(
            r"Python did not start: (its files could not be loaded|one of its files is damaged)\. "
            r"This is the result for the default values\."
        )
    )
    assert fault.hits
    fault.lift()
    page.get_by_role("button", name="Try again").click()
    expect(figure(page, "macs")).to_have_attribute("value", "11008")  # 1 * 11008
    expect(mark(page)).to_be_empty()
    expect(field(page, "in_features")).to_have_value("1")


@pytest.mark.parametrize("kind", OF_ARCHIVES)
def test_a_panel_without_its_modules_says_so_and_comes_at_a_retry(open_page, site, kind):
    page = open_page(site, quiet=False)
    ready(page)
    fault = Fault(page, "**/rest.zip", kind)
    panel = page.locator(f"{FIRST} >> [data-asks=expectation]")
    panel.locator("summary").first.click()
    expect(mark(page)).to_have_text(
        "“How long does it take, on which machine, and why?” is not up to date: "
        "a file could not be loaded."
    )
    panel.locator("summary").first.click()
    expect(mark(page)).to_be_empty()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    panel.locator("summary").first.click()
    fault.lift()
    page.get_by_role("button", name="Try again").click()
    expect(panel.locator("flops-chart").first).to_be_visible()
    expect(mark(page)).to_be_empty()


MISTRAL = '{"model_type": "mistral", "torch_dtype": "bfloat16"}'


@pytest.mark.parametrize("kind", OF_ARCHIVES)
def test_a_configuration_without_its_reader_says_so_and_is_read_at_a_retry(open_page, site, kind):
    page = open_page(site + "inference/", quiet=False)
    ready(page)
    fault = Fault(page, "**/rest.zip", kind)
    paste(page, MISTRAL, "hidden_size")
    expect(mark(page)).to_contain_text("No answer: a file could not be loaded.")
    said = page.locator(f"{FIRST} >> [data-message]")
    expect(said).to_have_text("The configuration that you pasted is not filled in.")
    fault.lift()
    page.get_by_role("button", name="Try again").click()
    expect(said).to_contain_text("Read as mistral")
    expect(mark(page)).to_be_empty()


def test_a_configuration_without_its_reader_is_given_up_when_another_field_is_typed(
    open_page, site
):
    page = open_page(site + "inference/", quiet=False)
    ready(page)
    fault = Fault(page, "**/rest.zip", "missing")
    paste(page, MISTRAL, "hidden_size")
    expect(mark(page)).to_contain_text("No answer: a file could not be loaded.")
    field(page, "num_hidden_layers").fill("1")
    expect(mark(page)).to_be_empty()
    expect(page.locator(f"{FIRST} >> [data-message]")).to_be_empty()
    fault.lift()
    paste(page, MISTRAL, "hidden_size")
    expect(page.locator(f"{FIRST} >> [data-message]")).to_contain_text("Read as mistral")


@pytest.mark.parametrize("kind", FAULTS)
def test_formulas_that_cannot_be_set_say_so_and_are_set_later(open_page, site, kind):
    page = open_page(site, quiet=False)
    ready(page)
    fault = Fault(page, "**/vendor/katex.js*", kind)
    choice = page.locator(f"{FIRST} >> [data-choice]")
    choice.select_option("conv1d")
    said = page.locator(f"{FIRST} >> [data-message]")
    expect(said).to_contain_text("The formulas are shown in LaTeX")
    expect(figure(page, "macs")).not_to_have_attribute("value", "45088768")
    fault.lift()
    choice.select_option("conv2d")
    expect(page.locator(f"{FIRST} >> .calculator-field .katex").first).to_be_visible()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_chart_that_cannot_be_drawn_stays_as_it_was_printed(open_page, site, kind):
    page = open_page("about:blank", quiet=False)
    fault = Fault(page, "**/vendor/vega.js*", kind)
    page.goto(site + "roofline/")
    chart = page.locator(".directive-chart > flops-chart").first
    with page.expect_console_message(lambda said: "The chart stays as it was printed" in said.text):
        chart.scroll_into_view_if_needed()
    assert fault.hits
    expect(chart.locator("svg:visible")).to_have_count(1)
    expect(chart).not_to_have_attribute("data-drawn", "")
    fault.lift()
    page.set_viewport_size({"width": 900, "height": 800})
    page.reload()
    in_view(page)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_page_without_its_script_says_so_and_reloads_with_what_was_typed(open_page, site, kind):
    page = open_page("about:blank", quiet=False)
    page.clock.install()
    fault = Fault(page, "**/assets/site.js", kind)
    page.goto(site)
    field(page, "in_features").fill("1")
    field(page, "bias").uncheck()
    reload = page.get_by_role("button", name="Reload with these values").first
    expect(page.get_by_text("This form does not work").first).to_be_visible()
    fault.lift()
    reload.click()
    expect(field(page, "in_features")).to_have_value("1")
    expect(field(page, "bias")).not_to_be_checked()
    expect(figure(page, "params")).to_have_attribute("value", "11008")  # 1 * 11008, no bias


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(
    "pattern",
    [
        "**/assets/site.css", "**/katex.min.css", "**/*.woff2", "**/sitemap.xml",
        "**/search_index.json", "**/assets/javascripts/bundle*.js", "**/stylesheets/*.css",
    ],
)  # fmt: skip
def test_what_only_adorns_a_page_takes_no_answer_from_it(open_page, site, pattern, kind):
    page = open_page("about:blank", quiet=False)
    Fault(page, pattern, kind)
    page.goto(site)
    field(page, "in_features").fill("1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")
    expect(mark(page)).to_be_empty()


# Python that is silent, slow or dies


def test_a_load_that_stands_still_is_told_and_can_be_retried(open_page, site):
    page = open_page("about:blank", quiet=False)
    page.clock.install()
    page.route("**/pyodide.asm.wasm", lambda route: None)
    page.goto(site)
    field(page, "in_features").fill("1")
    expect(page.locator(FIRST)).to_have_attribute("data-state", "loading")
    page.clock.fast_forward(46_000)
    expect(mark(page)).to_contain_text("nothing arrived for 45 seconds")
    page.unroute("**/pyodide.asm.wasm")
    page.get_by_role("button", name="Try again").click()
    expect(figure(page, "macs")).to_have_attribute("value", "11008")


def test_an_answer_that_takes_too_long_ends_the_worker(open_page, site):
    page = open_page("about:blank", quiet=False)
    page.clock.install()
    page.goto(site)
    ready(page)
    page.workers[-1].evaluate("self.close()")
    field(page, "in_features").fill("1")
    page.clock.fast_forward(21_000)
    expect(mark(page)).to_contain_text("it gave no answer for 20 seconds")
    page.get_by_role("button", name="Try again").click()
    expect(figure(page, "macs")).to_have_attribute("value", "11008")


def test_a_worker_that_dies_is_replaced_at_a_retry(open_page, site):
    page = open_page(site, quiet=False)
    ready(page)
    page.workers[-1].evaluate("setTimeout(() => { throw new Error('out of memory') })")
    expect(mark(page)).to_contain_text("Python stopped working.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(FIRST)).to_have_attribute("data-state", "ready")
    field(page, "in_features").fill("1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")


def test_a_retry_that_goes_on_is_not_given_up_and_one_that_was_leaves_no_worker(open_page, site):
    page = open_page("about:blank", quiet=False)
    page.clock.install()
    page.route("**/*.wasm", lambda route: route.abort())
    page.goto(site)
    calculator = page.locator(FIRST)
    expect(calculator).to_have_attribute("data-state", "failed")
    held = []
    for name in ("worker.js", "pyodide.asm.js"):
        page.route(f"**/{name}", lambda route: held.append(route))
    with page.expect_request("**/worker.js"):
        page.get_by_role("button", name="Try again").click()
    page.clock.fast_forward(30_000)
    with page.expect_request("**/pyodide.asm.js"):
        held.pop().continue_()
    page.clock.fast_forward(30_000)
    expect(calculator).to_have_attribute("data-state", "loading")
    page.clock.fast_forward(16_000)
    expect(mark(page)).to_contain_text("nothing arrived for 45 seconds")
    page.unroute("**/worker.js")
    with page.expect_response("**/pyodide.asm.js") as late:
        held.pop().continue_()
    late.value.finished()
    page.wait_for_timeout(300)
    assert [worker.url for worker in page.workers if "/runtime/" in worker.url] == []


def test_late_progress_does_not_overwrite_a_failure(open_page, site):
    page = open_page("about:blank", quiet=False)
    page.add_init_script(
        "Worker.prototype.terminate = () => {};"  # it goes on, and reports what else arrives
        "window.states = [];"
        "addEventListener('DOMContentLoaded', () => new MutationObserver("
        "() => states.push(document.querySelector('flops-calculator').dataset.state))"
        ".observe(document.body, {subtree: true, attributes: true}))"
    )
    library, wasm = [], []
    page.route("**/pyodide.asm.wasm", lambda route: wasm.append(route))
    page.route("**/python_stdlib.zip", lambda route: library.append(route))
    with page.expect_request("**/python_stdlib.zip"), page.expect_request("**/pyodide.asm.wasm"):
        page.goto(site)
        field(page, "in_features").focus()
    wasm[0].abort()
    expect(page.locator(FIRST)).to_have_attribute("data-state", "failed")
    with page.expect_response("**/python_stdlib.zip") as late:
        library[0].continue_()
    late.value.finished()
    page.wait_for_timeout(300)
    field(page, "in_features").blur()
    states = page.evaluate("states")
    assert set(states[states.index("failed") :]) == {"failed"}


# Browsers that lack something


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("delete window.Worker", "this browser starts no module workers"),
        ("Worker = class { constructor() { throw new Error('no') } }", "no module workers"),
        ("Worker = class { terminate() {} }", "no module workers"),
        ("delete window.WebAssembly", "this browser has no WebAssembly"),
    ],
    ids=["no workers", "workers that throw", "classic workers only", "no WebAssembly"],
)
def test_a_browser_that_cannot_run_python_is_told_so(open_page, site, script, words):
    page = open_page("about:blank", quiet=False)
    page.add_init_script(script)
    page.goto(site)
    field(page, "in_features").fill("1")
    expect(mark(page)).to_contain_text(words)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_browser_that_compiles_no_streams_answers(open_page, site):
    page = open_page("about:blank")
    page.add_init_script("delete WebAssembly.compileStreaming")
    page.goto(site)
    field(page, "in_features").fill("1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")
