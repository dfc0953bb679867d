"""The charts in a browser: drawn when they come into view, pointed at, walked through, saved."""

import json
from base64 import b64encode
from itertools import combinations
from pathlib import Path

import pytest
from pages import CHART, CHARTS, PHONE, in_view
from playwright.sync_api import expect

from calculator.web.charts.roofline import Bar, Point, Roof, durations, element, roofline
from scripts.site.steps import ROOT

MARKUP = "<img src=x onerror=alert(1)>"
VEGA = "/vendor/vega.js"


def fetched(page):
    return [url for url in page.requests if url.endswith(VEGA)]


def test_nothing_is_fetched_before_a_chart_is_in_view(open_page, site):
    page = open_page(site + "roofline/")
    page.wait_for_load_state("networkidle")
    assert not fetched(page)
    in_view(page)
    assert len(fetched(page)) == 1


def test_a_page_without_a_chart_fetches_nothing(open_page, site):
    page = open_page(site + "why/")
    page.keyboard.press("End")
    page.wait_for_load_state("networkidle")
    assert not fetched(page)


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"viewport": PHONE}, "narrow"), ({}, "wide")],
    ids=["on a phone", "on a desktop"],
)
def test_a_chart_is_readable_without_javascript(open_page, site, options, kind):
    page = open_page(site + "roofline/", java_script_enabled=False, **options)
    svg = page.locator(f"{CHART} svg:visible")
    expect(svg).to_have_count(1)
    expect(svg).to_have_class(f"chart-{kind}")
    assert svg.locator("text", has_text="153 FLOP/B").bounding_box()["height"] >= 11


def test_the_drawing_that_can_be_walked_through_is_as_large_as_the_printed_one(open_page, site):
    page = open_page(site + "roofline/")
    before = page.locator(f"{CHART} .chart-wide").bounding_box()
    in_view(page)
    expect(page.locator(f"{CHART} .chart-wide")).to_have_count(0)
    after = page.locator(f"{CHART} svg").bounding_box()
    assert after["width"] == pytest.approx(before["width"], abs=2)
    assert after["height"] == pytest.approx(before["height"], abs=8)


def test_a_chart_becomes_as_narrow_as_its_column(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    page.set_viewport_size(PHONE)
    expect(chart.locator("svg")).to_have_attribute("width", "358")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("options", [{"viewport": PHONE}, {}], ids=["on a phone", "on a desktop"])
@pytest.mark.parametrize(
    ("path", "place"),
    [("roofline/", 1), ("roofline/", 2), ("runtime/", 1), ("runtime/", 2), ("runtime/", 3)],
    ids=["rows", "layers", "time of rows", "time of batches", "time of kinds"],
)
def test_no_text_of_a_chart_covers_another_or_is_cut(open_page, site, path, place, options):
    page = open_page(site + path, **options)
    chart = in_view(page, f":nth-match({CHARTS}, {place})")
    frame = chart.bounding_box()
    boxes = [text.bounding_box() for text in chart.locator("svg text").all()]
    assert len(boxes) > 15
    for box in boxes:
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    for one, other in combinations(boxes, 2):
        across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
        down = (
            one["y"] + 3 < other["y"] + other["height"]
            and other["y"] + 3 < one["y"] + one["height"]
        )
        assert not (across and down), (one, other)


def test_the_keyboard_walks_through_the_points_and_each_is_announced(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    said = chart.get_by_role("status")
    page.evaluate(
        "[...document.querySelectorAll('a')].filter(link => link.compareDocumentPosition("
        "document.querySelector('.directive-chart > flops-chart')) & 4).at(-1).focus()"
    )
    page.keyboard.press("Tab")
    expect(said).to_contain_text("Ridge point, NVIDIA A100")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(said).to_have_text(
        "64 rows, NVIDIA A100 80GB SXM4, bf16: 62.7 FLOP/B, 128 TFLOP/s; "
        "at least 45.2 µs, memory-bound"
    )
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    expect(said).to_contain_text("512 rows, NVIDIA H100")
    page.keyboard.press("Tab")
    expect(chart.get_by_role("button", name="Save as SVG")).to_be_focused()
    expect(said).to_be_empty()
    page.keyboard.press("Shift+Tab")
    expect(said).to_contain_text("512 rows, NVIDIA H100")


def test_the_keyboard_saves_the_drawing(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    chart.get_by_role("button", name="Save as SVG").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "<svg" in open(download.value.path(), encoding="utf-8").read()  # noqa: SIM115


CORNER = """async (data) => {
    const image = await createImageBitmap(await (await fetch(data)).blob());
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.drawImage(image, 0, 0);
    return [...context.getImageData(0, 0, 1, 1).data];
}"""


def test_a_picture_that_is_saved_has_a_white_ground_and_the_page_keeps_its_own(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    with page.expect_download() as download:
        chart.get_by_role("button", name="Save as PNG").click()
    picture = b64encode(Path(download.value.path()).read_bytes()).decode()
    assert page.evaluate(CORNER, f"data:image/png;base64,{picture}") == [255, 255, 255, 255]
    expect(chart.locator("svg.marks")).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_a_chart_works_where_no_text_may_be_run(open_page, site):
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'"
    )

    def answer(route):
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(response=response, headers=headers)

    page = open_page(site + "why/")
    page.route("**/roofline/", answer)
    page.goto(site + "roofline/")
    in_view(page)
    refused = open_page(site + "why/", quiet=False)
    refused.route("**/roofline/", answer)
    refused.goto(site + "roofline/")
    assert refused.evaluate(
        "new Promise(done => setTimeout(() => { try { Function('')(); done(false) }"
        " catch { done(true) } }))"
    )


def test_the_printed_drawing_stays_where_the_script_fails(open_page, site):
    page = open_page(site + "why/", quiet=False)
    page.route(f"**{VEGA}", lambda route: route.abort())
    page.goto(site + "roofline/")
    with page.expect_console_message(lambda message: "as it was printed" in message.text):
        page.locator(CHART).scroll_into_view_if_needed()
    expect(page.locator(f"{CHART} .chart-wide")).to_be_visible()
    # What was printed is no picture of other figures.
    page.locator(CHART).evaluate("chart => chart.dataset.spec = '{}'")
    expect(page.locator(f"{CHART} .chart-wide")).to_have_count(0)
    assert page.locator(f"{CHART} .chart-table").count() == 1


def spec_of(rates):
    points = [Point(MARKUP, 10.0, rate, "A100", MARKUP) for rate in rates]
    return json.dumps(roofline([Roof("A100", 312e12, 2.039e12)], points, "Typed").spec)


def test_a_chart_follows_its_figures_and_only_the_last_of_them(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    for count in (3, 5, 2):
        chart.evaluate("(chart, spec) => chart.dataset.spec = spec", spec_of([1e12] * count))
    marks = chart.locator("svg [role=graphics-symbol][aria-label]")
    expect(marks).to_have_count(1 + 2)
    marks.last.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text(MARKUP)
    assert page.locator("#vg-tooltip-element img").count() == 0


BARS = [Bar("1 row", "compute", 1e-6), Bar("1 row", "memory", 2e-6), Bar("9 rows", "compute", 9e-6)]
ANSWER = """
async (chart, [html, module]) => {
  const { become } = await import(module);
  const svg = chart.querySelector("svg");
  const range = document.createRange();
  range.selectNodeContents(chart.parentElement);
  const next = document.createElement("div");
  next.append(range.createContextualFragment(html));
  if (!chart.parentElement.matches("[data-test]")) {
    const place = Object.assign(document.createElement("div"), { id: "test" });
    place.dataset.test = "";
    place.className = chart.parentElement.className;
    chart.replaceWith(place);
    place.append(chart);
  }
  become(chart.parentElement, next);
  return chart.isConnected && chart.contains(svg);
}
"""


def test_an_answer_leaves_the_drawing_until_there_is_another(open_page, site):
    page = open_page(site + "runtime/")
    chart = in_view(page)
    module = site + "assets/page.js"
    page.route(module, lambda route: route.fulfill(path=ROOT / "docs" / "assets" / "page.js"))
    marks = chart.locator("svg [role=graphics-symbol][aria-label]")
    assert chart.evaluate(ANSWER, [element(durations(BARS, "Bars")), module])
    expect(marks).to_have_count(3)


def test_a_chart_is_drawn_again_after_instant_navigation(open_page, site):
    page = open_page(site + "roofline/")
    in_view(page)
    page.get_by_role("link", name="Convolution").first.click()
    expect(page.locator("h1")).to_contain_text("Convolution")  # the page has been exchanged
    page.go_back()
    expect(page.locator("h1")).to_contain_text("roofline")
    in_view(page)
    expect(page.locator(f"{CHART} svg")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_a_drawn_chart(open_page, site, scheme):
    page = open_page(site + "roofline/", color_scheme=scheme)
    chart = in_view(page)
    chart.locator("summary").click()
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run('.directive-chart').then((result) => result.violations)")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


def test_a_chart_is_ink_on_the_page_whatever_its_colour(open_page, site):
    page = open_page(site + "roofline/", color_scheme="dark")
    chart = in_view(page)
    ink = "text => getComputedStyle(text).fill"
    dark = chart.locator("svg text").first.evaluate(ink)
    page.get_by_title("Switch to light mode").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    assert chart.locator("svg text").first.evaluate(ink) != dark
