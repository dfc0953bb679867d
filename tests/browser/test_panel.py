"""The panel of the counting tools, in a real Chromium."""

import csv

from pages import PHONE, field, ready
from playwright.sync_api import expect

from calculator import Conv2d, Network
from calculator.answers.sentences import how_to_report
from calculator.counters.comparison import rows

CONV = {"in_channels": 3, "out_channels": 32, "kernel_size": 3, "height": 128, "width": 128}


def panel(page):
    return page.locator("flops-calculator >> nth=0 >> [data-asks=counters]")


def printed(page):
    """Return what each tool prints, in the order of the table."""
    cells = panel(page).locator(".calculator-counters tbody tr").all()
    texts = [cell.locator('[data-column="value"]').inner_text() for cell in cells]
    names = [cell.get_attribute("data-tool") for cell in cells]
    return {name: text.replace("\u202f", "") for name, text in zip(names, texts, strict=True)}


def expected(work):
    return {row.name: row.texts()["value"].replace("\u202f", "") for row in rows(work)}


def type_the_notebooks_convolution(page):
    for name, text in {**CONV, "padding": 0}.items():
        field(page, name).fill(str(text))
    field(page, "bias").check()
    expect(
        page.locator('flops-calculator >> nth=0 >> data[data-quantity="macs"]')
    ).to_have_attribute("value", "13716864")


def test_the_panel_is_printed_without_javascript(open_page, site):
    page = open_page(site + "counters/", java_script_enabled=False)
    panel(page).locator("summary").click()
    # ConvTranspose2d(64, 32, 2, stride=2) on 28 × 28: thop 0.1.1 returns 25690112.0
    assert printed(page)["thop"] == "25690112"
    assert printed(page)["the true count"] == "6422528"


def test_an_open_panel_follows_the_form(open_page, site):
    page = open_page(site + "convolution/")
    panel(page).locator("summary").click()
    type_the_notebooks_convolution(page)
    why = panel(page).locator('[data-tool="thop"] [data-column="why"]')
    # thop.profile(conv, inputs=x) unpacks the batch: 585252864.0 (docs/readings.json)
    expect(why).to_contain_text("585\u202f252\u202f864")
    assert printed(page) == expected(Conv2d(**CONV))


def test_a_head_sorts_the_table_and_turns_it_round(open_page, site):
    page = open_page(site + "counters/")
    panel(page).locator("summary").click()
    head = panel(page).get_by_role("columnheader", name="It prints")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    values = [int(text) for text in [*printed(page).values()][1:]]
    assert values == sorted(values, reverse=True)
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    values = [int(text) for text in [*printed(page).values()][1:]]
    assert values == sorted(values)
    expect(head.get_by_role("button")).to_be_focused()


def test_a_link_brings_the_panel_its_order_and_the_figure_back(open_page, site):
    page = open_page(site + "convolution/")
    panel(page).locator("summary").click()
    type_the_notebooks_convolution(page)
    panel(page).get_by_role("columnheader", name="It prints").get_by_role("button").click()
    panel(page).get_by_label("Explain a figure").fill("27.4 M")
    first = panel(page).locator(".calculator-provenance tbody tr >> nth=0")
    expect(first).to_contain_text("FLOPs, 2 × MACs")
    page.wait_for_url("**counters=-value**")
    again = open_page(page.url)
    expect(panel(again).get_by_label("Explain a figure")).to_have_value("27.4 M")
    expect(panel(again).locator(".calculator-provenance tbody tr >> nth=0")).to_contain_text(
        "FLOPs, 2 × MACs"
    )
    expect(panel(again).locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    assert printed(again) == printed(page)


def test_a_figure_that_is_none_is_refused_in_words(open_page, site):
    page = open_page(site + "convolution/")
    panel(page).locator("summary").click()
    panel(page).get_by_label("Explain a figure").fill("<b>many</b>")
    error = panel(page).locator(".calculator-error")
    expect(error).to_contain_text("must be a number")
    expect(error).to_contain_text("Write a figure such as 4.09 G")


def test_how_to_report_it_the_table_and_csv_are_copied(open_page, site):
    page = open_page(site + "convolution/")
    panel(page).locator("summary").click()
    type_the_notebooks_convolution(page)

    def copied(name):
        panel(page).get_by_role("button", name=name).click()
        expect(page.get_by_text("Copied.").first).to_be_visible()
        return page.evaluate("navigator.clipboard.readText()")

    assert copied("Copy how to report it") == how_to_report(Conv2d(**CONV))
    assert "| thop | 13\u202f716\u202f864 | MACs |" in copied("Markdown")
    table = list(csv.DictReader(copied("CSV").splitlines()))
    assert [row["value"] for row in table[:2]] == ["13716864", "13716864.0"]


def test_a_network_is_explained_with_its_variant(open_page, site):
    page = open_page(site + "counters/?calculator=network&counters&figure=3.8+G")
    second = page.locator("#calculator-network [data-asks=counters]")
    first = second.locator(".calculator-provenance tbody tr >> nth=0")
    # ResNet-50 of the paper: 3,857,973,248
    expect(first).to_contain_text("3\u202f857\u202f973\u202f248")
    expect(first).to_contain_text("is cut off to it")
    cells = second.locator(".calculator-counters tbody tr").count()
    assert cells == len(rows(Network()))


def test_the_table_fits_a_phone(open_page, site):
    page = open_page(site + "counters/", viewport=PHONE)
    panel(page).locator("summary").click()
    ready(page)
    scroll = panel(page).locator(".calculator-scroll")
    assert scroll.evaluate("(each) => each.scrollWidth <= each.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
