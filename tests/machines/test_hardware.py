"""The table of devices: complete, sourced, and in agreement with itself."""

import json
import re
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from calculator import Runtime, devices
from calculator.core.dtypes import DTYPE_BYTES
from scripts.site import device_table

TABLE = json.loads(Path("calculator", "machines", "devices.json").read_text())
NEEDED = {
    "name", "vendor", "year", "kind", "bandwidth_bytes_per_s", "memory_bytes", "source_title",
    "source_url", "confidence", "checked", "peak",
}  # fmt: skip
OPTIONAL = {
    "also", "note", "parts", "sparse", "fp16_accumulate", "fallback", "derivation", "power",
    "achieved",
}  # fmt: skip
SOURCE = {"source_title", "source_url"}
DERIVATION = {"dtype", "units", "unit", "engines", "engine", "fma", "clock_hz", "clock"}
MEASURED = {
    "compute": {"share", "dtype", "flops_per_second"} | SOURCE,
    "bandwidth": {"share", "bytes_per_second"} | SOURCE,
    "launch": {"seconds"} | SOURCE,
}
KINDS = {"datacenter_gpu", "consumer_gpu", "soc_gpu", "edge", "tpu", "accelerator", "cpu"}
CLOCKS = {"boost", "base", "fixed", "maximum"}
# From wide to narrow: once for units that compute number by number, once for those of matrices.
NARROW = [{"tf32"}, {"bf16", "fp16"}, {"fp8", "int8"}, {"fp6"}, {"fp4", "int4"}]
ORDERS = [
    [{"fp64"}, {"fp32"}, *NARROW],
    [{"fp64_tensor", "fp64_matrix"}, {"fp32_matrix"}, *NARROW],
]
RATES = {row for order in ORDERS for rows in order for row in rows}

every_device = pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)


def groups(device: dict) -> dict[str, dict[str, float]]:
    return {key: device[key] for key in ("peak", "sparse", "fp16_accumulate") if key in device}


def those_with(key: str) -> pytest.MarkDecorator:
    """Return a mark that runs a test on what each device has under a key."""
    named = {name: device for name, device in TABLE.items() if key in device}
    return pytest.mark.parametrize("device", named.values(), ids=named)


def sources(device: dict) -> list[dict[str, str]]:
    """Every part of a device that rests on somebody's word."""
    parts = [device[key] for key in ("power", "parts") if key in device]
    return [device, *parts, *device.get("achieved", {}).values()]


def test_the_package_reads_the_whole_table():
    """As it stands, with a part of each device that has parts right after it."""
    read = devices()
    assert {name: read[name] for name in TABLE} == TABLE
    keys = [[name, *([device["parts"]["key"]] if "parts" in device else [])]
            for name, device in TABLE.items()]  # fmt: skip
    assert [*read] == [key for pair in keys for key in pair]


def test_the_table_is_large():
    assert len(TABLE) == 57


@every_device
def test_a_device_has_what_is_needed_and_nothing_unknown(device):
    assert NEEDED <= device.keys() <= NEEDED | OPTIONAL


@pytest.mark.parametrize("name", TABLE)
def test_a_device_can_be_named_on_a_command_line(name):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)


def test_no_two_devices_are_called_the_same():
    known = devices().values()
    called = [name for device in known for name in (device["name"], *device.get("also", ()))]
    assert len(set(called)) == len(called)


# As many as one process sees where software shows a device as several. JAX documentation,
# ChipVersion: two TensorCores without megacore (v2, v3, 7x); AWS Neuron documentation: two
# NeuronCore-v2, eight NeuronCore-v3; WarpX on LUMI: two GCDs; Intel: two stacks (tiles), FLAT.
PARTS = {
    "mi250x": (2, "mi250x_gcd", "fp16", 191.5e12, 64e9),  # 383 TFLOP/s and 128 GB
    "max1550": (2, "max1550_tile", "bf16", 419.5e12, 64e9),  # 839 and 128 GB
    "tpu_v2": (2, "tpu_v2_core", "bf16", 22.5e12, 8 * 2**30),  # 45 and 16 GiB
    "tpu_v3": (2, "tpu_v3_core", "bf16", 61.5e12, 16 * 2**30),  # 123 and 32 GiB
    "tpu_v7x": (2, "tpu_v7x_core", "fp8", 2307e12, 96 * 2**30),  # 4614 and 192 GiB
    "trainium1": (2, "trainium1_core", "bf16", 95e12, 16 * 2**30),  # 190 and 32 GiB
    "trainium2": (8, "trainium2_core", "bf16", 83.375e12, 12 * 2**30),  # 667 and 96 GiB
    "inferentia2": (2, "inferentia2_core", "bf16", 95e12, 16 * 2**30),  # 190 and 32 GiB
}


def test_the_devices_that_show_as_several_are_known():
    assert PARTS.keys() == {name for name, device in TABLE.items() if "parts" in device}


@pytest.mark.parametrize(
    ("name", "count", "key", "row", "rate", "memory"),
    [(name, *expected) for name, expected in PARTS.items()],
    ids=PARTS,
)
def test_a_part_has_its_share_of_the_whole(name, count, key, row, rate, memory):
    whole, part = TABLE[name], devices()[key]
    assert part["part_of"] == name
    assert part["peak"][row] == rate
    assert part["memory_bytes"] == memory
    assert part["bandwidth_bytes_per_s"] * count == whole["bandwidth_bytes_per_s"]
    assert part["peak"].keys() == whole["peak"].keys()
    assert part.get("sparse", {}).keys() == whole.get("sparse", {}).keys()


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_ridge_point_of_its_whole(name):
    key = PARTS[name][1]
    row = next(iter(TABLE[name]["peak"])).partition("_")[0]
    whole, part = (Runtime(flops=1, device=device, dtype=row) for device in (name, key))
    assert part.ridge_intensity == pytest.approx(whole.ridge_intensity)


@pytest.mark.parametrize("key", [expected[1] for expected in PARTS.values()])
def test_a_part_has_all_that_is_needed_and_no_power_of_its_own(key):
    part = devices()[key]
    kept = OPTIONAL - {"also", "parts", "power", "achieved"} | {"part_of"}
    assert NEEDED <= part.keys() <= NEEDED | kept


@pytest.mark.parametrize("key", ["mi250x_gcd", "max1550_tile", "tpu_v3_core"])
def test_a_part_is_built_of_its_share_of_the_units(key):
    # 220 CUs, 128 Xe-cores and 2 TensorCores, each in two.
    units = {"mi250x_gcd": 110, "max1550_tile": 64, "tpu_v3_core": 1}[key]
    assert {each["units"] for each in devices()[key]["derivation"]} == {units}


@those_with("parts")
def test_the_units_of_a_whole_are_shared_out_evenly(device):
    count = device["parts"]["count"]
    assert all(each["units"] % count == 0 for each in device.get("derivation", []))
    assert device["memory_bytes"] % count == 0


@every_device
def test_a_device_is_of_a_known_kind(device):
    assert device["kind"] in KINDS


@every_device
def test_the_rates_of_a_device_are_of_known_types(device):
    assert {name for group in groups(device).values() for name in group} <= RATES


@every_device
def test_a_rate_is_between_that_of_a_microcontroller_and_of_a_rack(device):
    rates = [rate for group in groups(device).values() for rate in group.values()]
    assert 1e9 < min(rates) <= max(rates) < 1e17


@every_device
def test_a_bandwidth_is_in_bytes_a_second(device):
    assert 1e9 < device["bandwidth_bytes_per_s"] < 1e14


@every_device
def test_a_memory_is_in_bytes(device):
    assert 1e9 < device["memory_bytes"] < 1e13


@every_device
def test_a_device_has_a_peak_that_a_calculation_can_use(device):
    assert device["peak"].keys() & DTYPE_BYTES.keys()


@every_device
def test_every_figure_names_its_source(device):
    assert all(each["source_title"].strip() for each in sources(device))


@every_device
def test_every_figure_names_the_page_of_its_source(device):
    urls = [each["source_url"] for each in sources(device)]
    assert all(re.fullmatch(r"https://[\w.-]+/\S*", url) for url in urls)


@every_device
def test_a_device_says_how_sure_its_figures_are(device):
    assert device["confidence"] in {"high", "medium", "low"}


def test_the_processors_whose_peak_nobody_prints_are_of_low_confidence():
    """Their peaks are cores × lanes × 2 × clock, worked out and not printed."""
    low = {name for name, device in TABLE.items() if device["confidence"] == "low"}
    assert low == {"epyc_9654", "xeon_8480plus", "rpi4", "rpi5"}


@every_device
def test_a_device_was_checked_after_it_came_out(device):
    assert date.fromisoformat(device["checked"]).year >= device["year"] >= 2016


@every_device
def test_a_note_is_text(device):
    assert device.get("note", "some").strip()


@every_device
@pytest.mark.parametrize("order", ORDERS, ids=["vector", "matrix"])
def test_a_narrower_type_is_not_slower(device, order):
    peak = device["peak"]
    for wide, narrow in combinations(order, 2):
        for slow in wide & peak.keys():
            for fast in narrow & peak.keys():
                assert peak[slow] <= peak[fast], (slow, fast)


# Half the bits, twice the rate: what is not so, by how much and why.
_ACCUMULATE = "GeForce halves 16-bit products that are summed in FP32, and INT8 not"
NOT_TWICE = {
    ("rtx2080ti", "int8"): (4, _ACCUMULATE),
    ("rtx3060_12gb", "int8"): (4, _ACCUMULATE),
    ("rtx3090", "int8"): (4, _ACCUMULATE),
    ("rtx4070", "int8"): (4, _ACCUMULATE),
    ("rtx4080", "int8"): (4, _ACCUMULATE),
    ("rtx4090", "int8"): (4, _ACCUMULATE),
    ("rtx5080", "int8"): (4, _ACCUMULATE),
    ("rtx5090", "int8"): (4, _ACCUMULATE),
    ("mi100", "int8"): (1, "CDNA multiplies INT8 no faster than FP16"),
    ("mi210", "int8"): (1, "CDNA 2 multiplies INT8 no faster than FP16"),
    ("mi250x", "int8"): (1, "CDNA 2 multiplies INT8 no faster than FP16"),
    ("tpu_v4", "int8"): (1, "Google prints 275 for both"),
    ("tpu_v5p", "fp8"): (1, "FP8 is stored, and multiplied as BF16"),
    ("tpu_v6e", "fp8"): (1, "FP8 is stored, and multiplied as BF16"),
    ("gaudi3", "fp8"): (1, "the matrix engines take as many FP8 numbers as BF16"),
    ("trainium1", "fp8"): (1, "the cFP8 of AWS saves bytes, not time"),
    ("inferentia2", "fp8"): (1, "the cFP8 of AWS saves bytes, not time"),
    ("trainium2", "fp8"): (1299 / 667, "AWS prints 1299 and 667"),
    ("l40s", "fp8"): (733 / 362.05, "NVIDIA prints 733 and 362.05"),
    ("l40s", "int8"): (733 / 362.05, "NVIDIA prints 733 and 362.05"),
    ("jetson_orin_nano_super_8gb", "int8"): (33 / 17, "NVIDIA prints whole numbers, 33 and 17"),
}


def eights() -> list[tuple[str, str]]:
    return [
        (name, row)
        for name, device in TABLE.items()
        for row in ("fp8", "int8")
        if row in device["peak"] and {"fp16", "bf16"} & device["peak"].keys()
    ]


@pytest.mark.parametrize(("name", "row"), eights(), ids=map(" in ".join, eights()))
def test_eight_bits_are_twice_as_fast_as_sixteen_or_named(name, row):
    peak = TABLE[name]["peak"]
    sixteen = max(peak[each] for each in ("fp16", "bf16") if each in peak)
    factor, _ = NOT_TWICE.get((name, row), (2, ""))
    assert peak[row] == pytest.approx(factor * sixteen, rel=0.004)  # as printed


def test_what_is_named_as_not_twice_is_there():
    assert set(NOT_TWICE) <= set(eights())


@every_device
def test_bf16_is_as_fast_as_fp16_but_on_the_mi100(device):
    peak = device["peak"]
    if {"bf16", "fp16"} <= peak.keys():
        # CDNA 1 multiplies half as many BF16 numbers in a clock: AMD prints 184.6 and 92.3.
        factor = 2 if device["name"] == "AMD Instinct MI100" else 1
        assert peak["fp16"] == pytest.approx(factor * peak["bf16"], rel=0.001)


# Sparse over dense, where it is not 2 to the digits that are printed.
_TRAINIUM = "4 of 16 numbers are kept, and AWS prints 2563 for every type"
NOT_DOUBLE = {
    ("trainium2", "fp16"): (2563 / 667, _TRAINIUM),
    ("trainium2", "bf16"): (2563 / 667, _TRAINIUM),
    ("trainium2", "tf32"): (2563 / 667, _TRAINIUM),
    ("trainium2", "fp8"): (2563 / 1299, _TRAINIUM),
    ("a30", "tf32"): (165 / 82, "NVIDIA prints whole numbers, 165 and 82"),
    ("l40s", "fp16"): (733 / 362.05, "NVIDIA prints 733 and 362.05"),
    ("l40s", "bf16"): (733 / 362.05, "NVIDIA prints 733 and 362.05"),
    ("jetson_orin_nano_super_8gb", "int8"): (67 / 33, "NVIDIA prints whole numbers, 67 and 33"),
}
SPARSE = [(name, row) for name, device in TABLE.items() for row in device.get("sparse", {})]


@pytest.mark.parametrize(("name", "row"), SPARSE, ids=map(" in ".join, SPARSE))
def test_a_sparse_rate_is_twice_the_dense_one_or_named(name, row):
    factor, _ = NOT_DOUBLE.get((name, row), (2, ""))
    dense = TABLE[name]["peak"][row]
    assert TABLE[name]["sparse"][row] == pytest.approx(factor * dense, rel=0.004)


def test_what_is_named_as_not_double_is_there():
    assert set(NOT_DOUBLE) <= set(SPARSE)


@those_with("fp16_accumulate")
def test_summing_in_fp16_is_twice_as_fast_where_it_differs(device):
    for row, rate in device["fp16_accumulate"].items():
        assert rate == pytest.approx(2 * device["peak"][row], rel=0.001)


@those_with("derivation")
def test_a_derivation_has_each_of_its_parts(device):
    assert all(each.keys() == DERIVATION for each in device["derivation"])


@those_with("derivation")
def test_a_derivation_counts_whole_units(device):
    for each in device["derivation"]:
        counts = [each[part] for part in ("units", "engines", "fma")]
        assert all(type(count) is int and count > 0 for count in counts)


@those_with("derivation")
def test_a_derivation_says_which_clock_it_takes(device):
    assert {each["clock"] for each in device["derivation"]} <= CLOCKS


@those_with("derivation")
def test_a_derivation_names_its_units_and_engines(device):
    words = [each[key] for each in device["derivation"] for key in ("unit", "engine")]
    assert all(re.fullmatch(r"[A-Za-z0-9][\w -]*[A-Za-z]", word) for word in words)


@those_with("derivation")
def test_a_type_is_derived_once(device):
    rows = [each["dtype"] for each in device["derivation"]]
    assert len(rows) == len(set(rows))


@those_with("derivation")
def test_a_derivation_comes_to_the_peak_of_its_type(device):
    for each in device["derivation"]:
        clock = each["clock_hz"]
        built = each["units"] * each["engines"] * each["fma"] * 2 * clock
        assert built == pytest.approx(device["peak"][each["dtype"]], rel=0.01), each["dtype"]


@those_with("fallback")
def test_what_falls_back_is_a_type_that_the_device_lacks(device):
    assert device["fallback"].keys() <= DTYPE_BYTES.keys() - device["peak"].keys()


@those_with("fallback")
def test_a_fallback_leads_to_a_row_of_the_device(device):
    assert {each["row"] for each in device["fallback"].values()} <= device["peak"].keys()


@those_with("fallback")
def test_a_fallback_says_why_in_one_short_sentence(device):
    for each in device["fallback"].values():
        assert each.keys() == {"row", "because"}
        assert 20 < len(each["because"]) < 110
        assert "." not in each["because"]


@pytest.mark.parametrize(
    "name",
    ["p100_sxm2", "v100_sxm2_32gb", "v100_pcie_32gb", "t4", "rtx2080ti", "jetson_nano"],
)
@pytest.mark.parametrize("dtype", ["bf16", "tf32"])
def test_nvidia_before_ampere_multiplies_bf16_and_tf32_as_fp32(name, dtype):
    assert TABLE[name]["fallback"][dtype]["row"] == "fp32"


def test_the_mi355x_does_not_fall_back_from_tf32():
    """It has no such unit, and software makes it of BF16 products, faster than the FP32 row."""
    assert "fallback" not in TABLE["mi355x"]


@those_with("power")
def test_a_power_is_in_watts(device):
    power = device["power"]
    assert power.keys() == {"watts"} | SOURCE
    assert type(power["watts"]) is int
    assert 5 <= power["watts"] <= 2000


@those_with("achieved")
def test_what_is_achieved_is_compute_bandwidth_or_a_launch(device):
    achieved = device["achieved"]
    assert achieved
    assert all(each.keys() == MEASURED[kind] for kind, each in achieved.items())


@those_with("achieved")
def test_what_is_achieved_is_a_share_of_what_is_possible(device):
    shares = [each for each in device["achieved"].values() if "share" in each]
    for each in shares:
        row = each.get("dtype")
        measured = each["flops_per_second"] if row else each["bytes_per_second"]
        possible = device["peak"][row] if row else device["bandwidth_bytes_per_s"]
        assert each["share"] == pytest.approx(measured / possible, abs=0.0006)
        assert 0.4 < each["share"] < 1


def test_a_launch_takes_microseconds():
    measured = [
        device["achieved"]["launch"]["seconds"]
        for device in TABLE.values()
        if "launch" in device.get("achieved", {})
    ]
    assert measured
    assert all(1e-6 < seconds < 1e-5 for seconds in measured)


# As printed in the table of ml-engineering, "Maximum Achievable Matmul FLOPS", August 2026, and by
# BabelStream's Triad in Azure's results of 2024.
ACHIEVED = {
    "A100 SXM": ("a100_80gb_sxm", "compute", "flops_per_second", 271.2e12),
    "H100 SXM": ("h100_sxm", "compute", "flops_per_second", 794.5e12),
    "MI300X": ("mi300x", "compute", "flops_per_second", 668.4e12),
    "Gaudi 2": ("gaudi2", "compute", "flops_per_second", 418.7e12),
    "the memory of the H100": ("h100_sxm", "bandwidth", "bytes_per_second", 2.97e12),
    "a launch on the H100": ("h100_sxm", "launch", "seconds", 2.1e-6),  # Hazy Research, May 2025
    "the memory of the A100": ("a100_80gb_sxm", "bandwidth", "bytes_per_second", 1.70e12),
}


@pytest.mark.parametrize(("name", "kind", "key", "rate"), ACHIEVED.values(), ids=ACHIEVED.keys())
def test_what_is_achieved_is_what_its_source_prints(name, kind, key, rate):
    assert TABLE[name]["achieved"][kind][key] == rate


PRINTED = {
    # A100 data sheet r4, page 2
    "A100 in bf16": ("a100_80gb_sxm", "bf16", 312e12),
    "A100 in fp64": ("a100_80gb_sxm", "fp64", 9.7e12),
    # H100 product page, with sparsity, so halved
    "H100 in fp8": ("h100_sxm", "fp8", 3958e12 / 2),
    # V100 data sheet r5
    "V100 in fp16": ("v100_sxm2_32gb", "fp16", 125e12),
    # T4 data sheet
    "T4 in int8": ("t4", "int8", 130e12),
    # L40S data sheet
    "L40S in fp16": ("l40s", "fp16", 362.05e12),
    # HGX B200, eight of them, with sparsity: 72 PFLOP/s
    "B200 in fp8": ("b200_sxm", "fp8", 72e15 / 8 / 2),
    # Ada white paper, appendix A
    "RTX 4090 in fp32": ("rtx4090", "fp32", 82.58e12),
    # NVIDIA's announcement of the Orin Nano Super: 33 dense
    "Orin Nano Super in int8": ("jetson_orin_nano_super_8gb", "int8", 33e12),
    # MI300X data sheet
    "MI300X in bf16": ("mi300x", "bf16", 1307.4e12),
    # MI250X product page
    "MI250X in fp16": ("mi250x", "fp16", 383e12),
    # Gaudi 2 white paper
    "Gaudi 2 in bf16": ("gaudi2", "bf16", 432e12),
    # Google Cloud, "TPU v5e" and "TPU v5p"
    "TPU v5e in bf16": ("tpu_v5e", "bf16", 197e12),
    "TPU v5p in bf16": ("tpu_v5p", "bf16", 459e12),
    # AWS Neuron, "Trainium2 architecture"
    "Trainium2 in bf16": ("trainium2", "bf16", 667e12),
}


@pytest.mark.parametrize(("name", "dtype", "rate"), PRINTED.values(), ids=PRINTED.keys())
def test_a_peak_is_the_one_that_its_vendor_prints(name, dtype, rate):
    assert TABLE[name]["peak"][dtype] == rate


PRINTED_BANDWIDTH = {
    "A100 of 40 GB": ("a100_40gb_sxm", 1555e9),  # Ampere white paper, table 2
    "H100": ("h100_sxm", 3.35e12),  # product page
    "H200": ("h200_sxm", 4.8e12),  # product page
    "MI300X": ("mi300x", 5.3e12),  # data sheet
    "TPU v5e": ("tpu_v5e", 819e9),  # Google Cloud, "TPU v5e"
    "RTX 4090": ("rtx4090", 1008e9),  # Ada white paper, appendix A
}


@pytest.mark.parametrize(("name", "rate"), PRINTED_BANDWIDTH.values(), ids=PRINTED_BANDWIDTH.keys())
def test_a_bandwidth_is_the_one_that_its_vendor_prints(name, rate):
    assert TABLE[name]["bandwidth_bytes_per_s"] == rate


PRINTED_POWER = {
    "A100 SXM": ("a100_80gb_sxm", 400),  # data sheet r4, page 2
    "H100 SXM": ("h100_sxm", 700),  # product page, "up to"
    "T4": ("t4", 70),  # data sheet
    "V100 SXM2": ("v100_sxm2_32gb", 300),  # data sheet r5
    "MI300X": ("mi300x", 750),  # data sheet, the peak of the board
}


@pytest.mark.parametrize(("name", "watts"), PRINTED_POWER.values(), ids=PRINTED_POWER.keys())
def test_a_power_is_the_one_that_its_vendor_prints(name, watts):
    assert TABLE[name]["power"]["watts"] == watts


# A100 data sheet r4, page 2: 2039 GB/s, 80 GB, 400 W. 312e12 / 2039e9 is 153.0 FLOP/B.
A100_CELLS = {1: "19.5", 5: "624", 6: "2.04 TB/s", 7: "153", 8: "80 GB", 9: "400 W"}


@pytest.mark.parametrize(
    ("column", "text"),
    A100_CELLS.items(),
    ids=["fp32", "int8", "bandwidth", "ridge", "memory", "power"],
)
def test_the_row_of_the_a100_shows_what_its_data_sheet_says(column, text):
    row = device_table.table("").split('<tr data-device="a100_80gb_sxm">')[1].split("</tr>")[0]
    cell = row.split("<td>")[column].split("<br>")[0]
    assert re.sub("<[^>]*>", "", cell) == text


@pytest.mark.parametrize("name", TABLE)
def test_a_device_gives_a_time_for_every_type_that_it_has(name):
    for dtype in TABLE[name]["peak"].keys() & DTYPE_BYTES.keys():
        assert Runtime(flops=10, device=name, dtype=dtype).compute_seconds > 0
