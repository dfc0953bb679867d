"""What a machine makes of some work: chosen, typed in, set beside another, and linked to."""

import json
import re
from pathlib import Path

import pytest
from pages import field, figure, ready
from playwright.sync_api import expect

DEVICES = json.loads(
    (Path(__file__).parents[2] / "calculator" / "machines" / "devices.json").read_text("utf-8")
)
PANEL = 'flops-calculator >> nth=0 >> [data-asks="expectation"]'
LAYER = "in_features=4096&out_features=11008&bias=false&sequence_length=&batch_size=64&dtype=bf16"
A100 = f"linear/?calculator=linear&{LAYER}&device=a100_80gb_sxm"


def test_a_machine_that_is_refused_is_marked_beside_its_field(open_page, site):
    page = open_page(site + A100)
    ready(page)
    page.locator(PANEL).locator("summary").first.click()
    beside = page.locator(PANEL).locator("input")
    beside.fill("abc")
    expect(beside).to_have_attribute("aria-invalid", "true")
    expect(beside).to_have_accessible_description(re.compile("abc: Unknown device"))
    beside.fill("h100_sxm")
    expect(beside).not_to_have_attribute("aria-invalid", "true")


def test_the_devices_are_offered_when_a_reader_comes_to_the_field(open_page, site):
    page = open_page(site + "linear/")
    ready(page)
    field(page, "device").focus()
    options = page.locator("flops-calculator >> nth=0 >> datalist option")
    parts = [device["parts"]["key"] for device in DEVICES.values() if "parts" in device]
    expect(options).to_have_count(len(DEVICES) + len(parts))
    offered = options.evaluate_all("all => all.map(({ value, label }) => [value, label])")
    whole = [[name, device["name"]] for name, device in DEVICES.items()]
    assert [each for each in offered if each[0] not in parts] == whole
    assert ["tpu_v3_core", "Google TPU v3 (1 of 2 TensorCores)"] in offered


@pytest.mark.parametrize("name", ["a100_80gb_sxm", "NVIDIA A100-SXM4-80GB"])
def test_a_device_is_chosen_and_its_time_shown(open_page, site, name):
    page = open_page(site + f"linear/?calculator=linear&{LAYER}")
    ready(page)
    field(page, "device").fill(name)
    bytes_moved = 2 * (4096 * 11008 + 64 * 4096 + 64 * 11008)
    expect(figure(page, "floor_seconds")).to_have_attribute("value", str(bytes_moved / 2.039e12))


def test_a_part_of_a_name_is_answered_with_the_names_that_hold_it(open_page, site):
    page = open_page(site + "linear/")
    ready(page)
    field(page, "device").fill("h100")
    error = page.locator(f"#{field(page, 'device').get_attribute('id')}-error")
    expect(error).to_contain_text("h100_sxm, h100_pcie or h100_nvl")


def test_a_device_of_ones_own_has_a_time_and_a_roofline(open_page, site):
    page = open_page(site + f"linear/?calculator=linear&{LAYER}")
    ready(page)
    field(page, "device").fill("")
    field(page, "peak_flops_per_second").fill("10T")
    field(page, "bandwidth_bytes_per_second").fill("1T")
    expect(figure(page, "floor_seconds")).to_have_attribute(
        "value", str(2 * 64 * 4096 * 11008 / 1e13)
    )
    page.locator(PANEL).locator("summary").first.click()
    expect(page.locator(PANEL)).to_contain_text("your machine")
    expect(page.locator(PANEL).locator("flops-chart svg").first).to_be_visible()


def test_what_no_first_answer_needs_is_fetched_when_it_is_asked_for(open_page, site):
    page = open_page(site + "linear/")
    ready(page)
    field(page, "batch_size").fill("3")
    expect(figure(page, "output_shape")).to_have_attribute("value", re.compile("^3,"))
    assert not [url for url in page.requests if url.endswith("/rest.zip")]
    for panel in page.locator("flops-calculator >> nth=0 >> [data-linked] > summary").all():
        panel.click()
    expect(page.locator(PANEL).locator("flops-chart").first).to_be_visible()
    assert len([url for url in page.requests if url.endswith("/rest.zip")]) == 1


def test_a_panel_that_cannot_be_fetched_says_so_and_comes_later(open_page, site):
    page = open_page(site + "linear/", quiet=False)
    ready(page)
    page.route("**/rest.zip", lambda route: route.fulfill(status=404))
    page.locator(PANEL).locator("summary").first.click()
    message = page.locator("flops-calculator >> nth=0 >> [data-mark]")
    expect(message).to_contain_text("is not up to date: a file could not be loaded.")
    page.unroute("**/rest.zip")
    field(page, "batch_size").fill("3")
    expect(page.locator(PANEL).locator("flops-chart").first).to_be_visible()


def test_the_charts_come_when_the_panel_is_unfolded(open_page, site):
    page = open_page(site + "linear/")
    expect(page.locator(PANEL).locator("flops-chart")).to_have_count(0)
    page.locator(PANEL).locator("summary").first.click()
    expect(page.locator(PANEL).locator("flops-chart svg").first).to_be_visible()


def test_a_type_that_a_device_has_not_says_what_it_is_computed_as(open_page, site):
    page = open_page(site + f"linear/?calculator=linear&{LAYER}&device=t4")
    ready(page)
    verdict = page.locator("flops-calculator >> nth=0 >> .calculator-verdict")
    expect(verdict).to_contain_text("-bound on NVIDIA T4, at 8.1 TFLOP/s (dense fp32)")
    expect(verdict).to_contain_text("fp32, not of bf16, because Turing has no BF16 unit")


def test_a_link_brings_back_both_machines(open_page, site):
    page = open_page(site + A100)
    ready(page)
    page.locator(PANEL).locator("summary").first.click()
    page.locator(PANEL).locator("input").fill("h100_sxm")
    expect(page.locator(PANEL)).to_contain_text("NVIDIA H100 SXM5 80GB")
    page.locator('flops-calculator >> nth=0 >> [data-copy="link"]').click()
    again = open_page(page.evaluate("navigator.clipboard.readText()"))
    expect(again.locator(PANEL)).to_contain_text("NVIDIA H100 SXM5 80GB")
    expect(again.locator(PANEL).locator("input")).to_have_value("h100_sxm")
    expect(field(again, "device")).to_have_value("a100_80gb_sxm")


def test_what_is_assumed_can_be_changed(open_page, site):
    page = open_page(site + A100)
    ready(page)
    page.locator("flops-calculator >> nth=0").get_by_text("Assumptions and measurements").click()
    field(page, "utilization").fill("40 %")
    field(page, "bandwidth_utilization").fill("50 – 100 %")
    field(page, "launch_seconds").fill("0")
    floor = 2 * (4096 * 11008 + 64 * 4096 + 64 * 11008) / 2.039e12
    compute = 2 * 64 * 4096 * 11008 / 312e12 / 0.4
    expect(figure(page, "best_case_seconds").first).to_have_attribute(
        "value", str(max(floor, compute))
    )
    most = figure(page, "best_case_serial_seconds").first
    expect(most).to_have_attribute("value", str(compute + floor / 0.5))


def test_an_empty_field_shows_what_stands_for_it(open_page, site):
    page = open_page(site + f"linear/?calculator=linear&{LAYER}&dtype=fp16&device=t4")
    # 65 TFLOP/s, 320 GB/s and 70 W: NVIDIA's data sheet of the T4
    known = {"peak_flops_per_second": "65 TFLOP/s", "bandwidth_bytes_per_second": "320 GB/s",
             "power_watts": "70 W", "launches": "1"}  # fmt: skip
    for name, text in known.items():
        expect(field(page, name)).to_have_attribute("placeholder", text)
    field(page, "device").fill("")
    for name in known:
        expect(field(page, name)).to_have_attribute("placeholder", "")


def test_a_printed_form_shows_what_stands_for_an_empty_field(open_page, site):
    page = open_page(site + "peak/", java_script_enabled=False)
    # 108 SMs of 4 tensor cores of 256 FMAs at 1.41 GHz: NVIDIA, A100 white paper
    known = {"units": "108", "engines": "4", "fma": "256", "clock_hz": "1.41 GHz"}
    for name, text in known.items():
        expect(field(page, name)).to_have_attribute("placeholder", text)


def test_paper_leaves_out_what_was_not_brought_up_to_date(open_page, site):
    page = open_page(site + "linear/")
    place = page.locator(PANEL).locator("[data-place]")
    ready(page)
    page.emulate_media(media="print")
    expect(place).to_be_visible()
    page.emulate_media(media="screen")
    field(page, "batch_size").fill("64")
    expect(page.locator(PANEL)).to_have_attribute("data-old", "")
    page.emulate_media(media="print")
    expect(place).not_to_be_visible()


def test_an_error_in_a_folded_group_unfolds_it(open_page, site):
    page = open_page(site + "linear/?calculator=linear&device=&measured_seconds=48e-6")
    error = page.locator(f"#{field(page, 'measured_seconds').get_attribute('id')}-error")
    expect(error).to_contain_text("needs a machine; choose a device")
    expect(error).to_be_visible()
