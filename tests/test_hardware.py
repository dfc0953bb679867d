"""The table of devices: complete, sourced, and in agreement with itself."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from calculator import Runtime, devices
from calculator.units import DTYPE_BYTES

TABLE = json.loads((Path(__file__).parents[1] / "calculator" / "hardware.json").read_text())
NEEDED = {
    "name", "vendor", "year", "kind", "bandwidth_bytes_per_s", "memory_bytes", "source_title",
    "source_url", "confidence", "checked", "peak",
}  # fmt: skip
OPTIONAL = {"derivation", "note", "sparse", "fp16_accumulate"}
RATES = {*DTYPE_BYTES, "fp64_tensor", "fp64_matrix", "fp32_matrix", "int4"}
DERIVED = [name for name, device in TABLE.items() if "derivation" in device]


def groups(device: dict) -> dict[str, dict[str, float]]:
    return {key: device[key] for key in ("peak", "sparse", "fp16_accumulate") if key in device}


def product(derivation: str) -> tuple[float, float]:
    """Return what "108 SM x 4 TC x 256 FMA x 2 x 1.410 GHz = 311.9e12" multiplies, and claims."""
    factors, _, claim = derivation.partition(" = ")
    result = 1.0
    for factor in factors.split(" x "):
        result *= float(factor.split()[0]) * (1e9 if factor.endswith("GHz") else 1)
    return result, float(claim.split()[0])


def test_the_package_reads_the_whole_table():
    assert devices() == TABLE


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_has_what_is_needed_and_nothing_unknown(device):
    assert NEEDED <= device.keys() <= NEEDED | OPTIONAL


@pytest.mark.parametrize("name", TABLE)
def test_a_device_can_be_named_on_a_command_line(name):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)


def test_no_two_devices_are_called_the_same():
    assert len({device["name"] for device in TABLE.values()}) == len(TABLE)


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_has_positive_rates_bandwidth_and_memory(device):
    rates = [rate for group in groups(device).values() for rate in group.values()]
    assert min([*rates, device["bandwidth_bytes_per_s"], device["memory_bytes"]]) > 0


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_has_a_peak_that_a_calculation_can_use(device):
    assert device["peak"].keys() & DTYPE_BYTES.keys()


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_the_rates_of_a_device_are_of_known_types(device):
    assert {name for group in groups(device).values() for name in group} <= RATES


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_names_a_source(device):
    assert device["source_title"].strip()


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_names_the_page_of_its_source(device):
    assert re.fullmatch(r"https://[\w.-]+/\S*", device["source_url"])


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_says_how_sure_its_figures_are(device):
    assert device["confidence"] in {"high", "medium", "low"}


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_a_device_was_checked_after_it_came_out(device):
    assert date.fromisoformat(device["checked"]).year >= device["year"]


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_sparse_rates_are_not_below_dense_ones(device):
    sparse, dense = device.get("sparse", {}), device["peak"]
    assert all(rate >= dense[name] for name, rate in sparse.items())


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_sparse_rates_are_at_most_twice_the_dense_ones(device):
    sparse, dense = device.get("sparse", {}), device["peak"]
    assert all(rate <= 2.01 * dense[name] for name, rate in sparse.items())


@pytest.mark.parametrize("device", TABLE.values(), ids=TABLE)
def test_narrower_floating_point_is_not_slower(device):
    peak = device["peak"]
    order = [peak[name] for name in ("fp64", "fp32", "tf32", "bf16", "fp8") if name in peak]
    assert order == sorted(order)


@pytest.mark.parametrize("name", DERIVED)
def test_a_derivation_comes_to_what_it_claims(name):
    result, claim = product(TABLE[name]["derivation"])
    assert result == pytest.approx(claim, rel=0.01)


@pytest.mark.parametrize("name", DERIVED)
def test_a_derivation_comes_to_a_peak_of_the_device(name):
    result, _ = product(TABLE[name]["derivation"])
    assert any(rate == pytest.approx(result, rel=0.01) for rate in TABLE[name]["peak"].values())


# Printed by the vendors: A100 data sheet, page 2; H100 product page, with sparsity, so halved;
# Google Cloud, "TPU v5e"; Ada white paper, appendix A.
PRINTED = {
    "A100 in bf16": ("a100_80gb_sxm", "bf16", 312e12),
    "H100 in fp8": ("h100_sxm", "fp8", 3958e12 / 2),
    "TPU v5e in bf16": ("tpu_v5e", "bf16", 197e12),
    "RTX 4090 in fp32": ("rtx4090", "fp32", 82.58e12),
}


@pytest.mark.parametrize(("name", "dtype", "rate"), PRINTED.values(), ids=PRINTED.keys())
def test_a_peak_is_the_one_that_its_vendor_prints(name, dtype, rate):
    assert TABLE[name]["peak"][dtype] == rate


@pytest.mark.parametrize("name", TABLE)
def test_a_device_gives_a_time_for_every_type_that_it_has(name):
    for dtype in TABLE[name]["peak"].keys() & DTYPE_BYTES.keys():
        assert Runtime(flops=10, device=name, dtype=dtype).compute_seconds > 0
