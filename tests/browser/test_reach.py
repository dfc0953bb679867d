"""What a keyboard reaches, and what stays where it is while a page loads."""

import pytest
from pages import PAGES, PHONE, field, ready
from playwright.sync_api import expect

SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
PAINTED = """
document.fonts.ready.then(() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))))
"""


@pytest.mark.parametrize("path", ["", "runtime/", "convolution/", "why/"])
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["on a desktop", "on a phone"])
def test_nothing_moves_when_the_font_comes_late(open_page, site, path, options):
    page = open_page("about:blank", **options)
    page.add_init_script(SHIFT)
    held = []
    page.route("**/inter-*.woff2", lambda route: held.append(route))
    with page.expect_request("**/inter-*.woff2"):
        page.goto(site + path, wait_until="domcontentloaded")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    page.evaluate(PAINTED)
    assert held
    assert page.evaluate("shift") <= 0.02


@pytest.mark.parametrize("path", ["", "runtime/", "attention/"])
def test_the_first_field_is_three_keys_away(open_page, site, path):
    page = open_page(site + path)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the calculator"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('flops-calculator :is(input, select)')")


def test_skipping_to_the_calculator_keeps_what_was_typed(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill("7")
    page.wait_for_url("**in_features=7**")
    page.get_by_role("link", name="Skip to the calculator").press("Enter")
    expect(page.locator("flops-calculator").first).to_be_focused()
    expect(field(page, "in_features")).to_have_value("7")


@pytest.mark.parametrize("path", PAGES)
def test_what_scrolls_sideways_on_a_phone_is_reached_by_keyboard(open_page, site, path):
    page = open_page(site + path, viewport=PHONE)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    unreached = page.evaluate(
        """() => [...document.querySelectorAll("article *")].filter((place) => {
          const style = getComputedStyle(place);
          return /auto|scroll/.test(style.overflowX) && place.scrollWidth > place.clientWidth + 1
            && place.checkVisibility() && place.tabIndex < 0
            && !place.querySelector("a[href], button, input, select, summary, [tabindex='0']");
        }).map((place) => place.outerHTML.slice(0, 120))"""
    )
    assert unreached == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_outdated_answer_is_as_easy_to_read(open_page, site, scheme):
    page = open_page(site, color_scheme=scheme, reduced_motion="reduce")
    field(page, "in_features").fill("none")
    expect(page.locator("flops-calculator >> nth=0 >> [data-mark]")).to_contain_text("Outdated")
    page.add_script_tag(path="node_modules/axe-core/axe.min.js")
    found = page.evaluate(
        "axe.run('flops-calculator', {runOnly: 'color-contrast'}).then((result) => "
        "result.violations.flatMap(({nodes}) => nodes.map(({html}) => html)))"
    )
    assert found == []
