"""Measured beside predicted: what the page shows of the runs is what is in their records."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from calculator.web.charts.roofline import measured
from scripts.measure.run_record import achieved, best_share
from scripts.site import measured_page
from scripts.site.measured_page import FAMILIES, compared, page

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"
RECORDS = [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]
CPU = next(record for record in RECORDS if record["machine"]["kind"] == "cpu")
SIZES = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}


@pytest.fixture(scope="module")
def html():
    return unescape(page())


@pytest.fixture
def only(monkeypatch):
    """Show other runs than those that there are."""

    def show(*records):
        monkeypatch.setattr(measured_page, "runs", lambda: records)
        return unescape(page())

    return show


def rows(html):
    """Return the cells of every row of the tables of all cases, by the name of the case."""
    tables = re.findall(r'<table class="calculator-layers">(.*?)</table>', html)
    found = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', "".join(tables))
    return {case: re.findall(r"<td>(.*?)</td>", each) for case, each in found}


def on_a_card(record, device="h100_sxm"):
    machine = {**record["machine"], "kind": "cuda", "device": device, "sms": 132}
    del machine["cores"]
    source = f"calculator/machines/devices.json, {device}: a data sheet"
    sources = {"peak_source": source, "bandwidth_source": source}
    return {**record, "name": "card", "machine": machine, **sources}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_every_case_of_a_run_has_its_row(record, only):
    assert len(rows(only(record))) == len(record["cases"])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_every_case_belongs_to_one_family(record):
    told = [each.case for family in FAMILIES for each in compared(record, family)]
    assert sorted(map(json.dumps, told)) == sorted(map(json.dumps, record["cases"]))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_no_two_cases_are_called_the_same(record):
    names = [each.name for family in FAMILIES for each in compared(record, family)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_the_floor_of_a_linear_layer_is_work_over_peak_or_bytes_over_bandwidth(record):
    for each in compared(record, FAMILIES[0]):
        n, k, m = (
            each.case["fields"][name] for name in ("batch_size", "in_features", "out_features")
        )
        dtype = each.case["dtype"]
        moved = SIZES[dtype] * (n * k + k * m + n * m)
        floor = max(
            2 * n * k * m / record["peak"][dtype], moved / record["bandwidth_bytes_per_second"]
        )
        assert each.ratio == pytest.approx(each.case["median_seconds"] / floor)


def test_a_page_without_an_accelerator_says_so(only):
    assert "No accelerator has been measured yet" in only(CPU)


def test_a_page_with_an_accelerator_does_not(only):
    assert "No accelerator" not in only(on_a_card(CPU))


def test_clocks_that_nobody_tells_have_no_row(only):
    assert "Clocks seen" in only(CPU)
    assert "Clocks seen" not in only({**CPU, "machine": {**CPU["machine"], "clocks": {}}})


def test_a_run_on_a_known_device_is_predicted_from_its_data_sheet(only):
    machine = measured_page.machine(on_a_card(CPU), "bf16")
    assert machine == {"device": "h100_sxm"}


def test_a_rate_that_was_given_goes_before_that_of_the_data_sheet():
    given = {"peak": {"bf16": 10**12}, "peak_source": "given on the command line"}
    machine = measured_page.machine({**on_a_card(CPU), **given}, "bf16")
    assert machine == {"device": "h100_sxm", "peak_flops_per_second": 10**12}
    given = {"bandwidth_bytes_per_second": 10**9, "bandwidth_source": "given on the command line"}
    machine = measured_page.machine({**on_a_card(CPU), **given}, "bf16")
    assert machine == {"device": "h100_sxm", "bandwidth_bytes_per_second": 10**9}


def test_a_run_names_its_machine_software_and_command(html):
    for record in RECORDS:
        for told in (record["machine"]["name"], record["machine"]["torch"], record["command"]):
            assert told in html


def one_case(**seconds):
    """Return a run of one case on a machine of 1 TFLOP/s and 1 TB/s: its floor is 180 µs."""
    case = {
        "calculator": "linear", "dtype": "fp32", "median_seconds": 2.5e-3, "p10_seconds": 2e-3,
        "p90_seconds": 3e-3, "least_seconds": 1e-3, "repeats": 9,
        "fields": {"in_features": 4096, "out_features": 11008, "bias": False, "batch_size": 1},
    }  # fmt: skip
    return {**CPU, "cases": [{**case, **seconds}], "peak": {"fp32": 10**12},
            "bandwidth_bytes_per_second": 10**12, "sweep": {"copy": 10**12},
            "achieved": {"fp32": {"share": 0.5}}}  # fmt: skip


def test_the_best_product_is_the_one_of_the_highest_rate():
    (large,) = one_case(median_seconds=1)["cases"]
    small = {"in_features": 1000, "out_features": 1000, "bias": False, "batch_size": 10}
    # 2 · 10 · 1000 · 1000 FLOPs in 50 µs are 0.4 of 1 TFLOP/s; the large one has 90 MFLOP in 1 s.
    record = one_case(fields=small, median_seconds=5e-5)
    record["cases"].append(large)
    assert best_share(record, "fp32") == pytest.approx(0.4)
    assert achieved(record) == {
        "fp32": {"fields": small, "flops_per_second": 4e11, "share": 0.4},
    }


def test_the_best_product_lies_in_the_interval_that_it_bounds():
    cases = [each for each in compared(CPU, FAMILIES[0]) if each.case["dtype"] == "fp32"]
    best = max(cases, key=lambda each: each.layer.flops / each.case["median_seconds"])
    assert best.place == "inside"


def test_a_measured_time_stands_in_its_row(only):
    row = rows(only(one_case()))["4096 → 11008, 1 row, fp32"]
    floor = 4 * (4096 * 11008 + 4096 + 11008) / 1e12  # 0.18 ms
    assert row[0] == "180 µs"
    assert row[1] == "memory"
    assert row[3:6] == ["2.5 ms", "2 ms – 3 ms", f"{2.5e-3 / floor:.1f} ×"]


def test_the_chart_has_the_figures_of_the_record(only, monkeypatch):
    drawn = []

    def draw(cases, title):
        drawn.extend(cases)
        return measured(cases, title)

    monkeypatch.setattr(measured_page, "measured", draw)
    only(one_case())
    (case,) = drawn
    assert (case.p10, case.measured_seconds, case.p90) == (2e-3, 2.5e-3, 3e-3)
    assert measured(drawn, "").rows[0][-2:] == ("2.5 ms", "2 ms to 3 ms")


def test_a_case_that_undercut_its_floor_is_named_with_its_reason(only, monkeypatch):
    monkeypatch.setitem(measured_page.EXCEPTIONS, ("linear", "fp32"), "the cache still held it")
    said = "<li>4096 → 11008, 1 row, fp32: the cache still held it.</li>"
    assert said in only(one_case(least_seconds=1.7e-4))
    assert said not in only(one_case(least_seconds=1.9e-4))
