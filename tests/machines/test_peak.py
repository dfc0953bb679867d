"""The peak builder: what data sheets multiply, and what it says where it cannot."""

import json
from math import isclose
from pathlib import Path

import pytest

from calculator import InvalidField, Peak
from calculator.__main__ import main
from calculator.answers.evaluate import evaluate
from calculator.core.expression import Latex, Text
from calculator.core.formula import write_formula
from scripts.witnesses import by_pint

TABLE = json.loads(Path("calculator", "machines", "devices.json").read_text())
DERIVED = [
    (name, each["dtype"]) for name, device in TABLE.items() for each in device.get("derivation", [])
]

# The first four as ml-engineering works them out, "How To Calculate Theoretical TFLOPS", August
# 2026; then the white papers of Ampere (GA102) and Ada, and the TPU v4 paper, arXiv:2304.01433.
WORKED = {
    "A100": ("a100_80gb_sxm", "bf16", 311.87e12),
    "H100": ("h100_sxm", "bf16", 989.430e12),
    "MI300X": ("mi300x", "bf16", 1307.4e12),
    "Gaudi 2": ("gaudi2", "bf16", 432.5e12),
    "MI250X": ("mi250x", "bf16", 383.0e12),
    "MI355X": ("mi355x", "bf16", 2516.6e12),
    "RTX 3090": ("rtx3090", "fp32", 35.58e12),
    "RTX 4090": ("rtx4090", "fp32", 82.58e12),
    "TPU v4": ("tpu_v4", "bf16", 275e12),
}


@pytest.mark.parametrize(("device", "dtype", "rate"), WORKED.values(), ids=WORKED.keys())
def test_a_device_comes_to_what_others_work_out(device, dtype, rate):
    assert Peak(device=device, dtype=dtype).peak_flops_per_second == pytest.approx(rate, rel=1e-3)


def test_units_engines_fmas_and_clock_are_multiplied_and_doubled():
    own = Peak(device=None, units=3, engines=5, fma=7, clock_hz=11)
    assert own.peak_flops_per_second == 3 * 5 * 7 * 11 * 2 == 2310


def test_a_peak_is_an_exact_integer():
    assert Peak(device="h100_sxm").peak_flops_per_second == 989_429_760_000_000


def test_sparsity_doubles_the_rate():
    assert Peak(sparsity="2").peak_flops_per_second == 2 * Peak().peak_flops_per_second


def test_a_sparse_rate_is_held_against_the_sparse_row():
    assert Peak(sparsity="2").printed_flops_per_second == 624_000_000_000_000


def test_a_clock_of_ones_own_is_held_against_what_is_printed():
    # an A100 held at 1.095 GHz, its base clock, against 1.41: 242.2 of 312 TFLOP/s
    assert Peak(clock_hz=1_095_000_000).ratio == pytest.approx(242.2 / 312, rel=1e-3)


@pytest.mark.parametrize(("device", "dtype"), DERIVED, ids=map(" in ".join, DERIVED))
def test_every_derivation_of_the_table_can_be_built(device, dtype):
    assert 0.99 < Peak(device=device, dtype=dtype).ratio < 1.01


def test_own_figures_without_a_device_are_held_against_nothing():
    own = Peak(device=None, units=108, engines=4, fma=256, clock_hz=1.41e9)
    assert (own.printed_flops_per_second, own.ratio) == (None, None)


def test_sparsity_that_a_device_has_not_is_refused():
    with pytest.raises(InvalidField, match=r"MI250X .*has no known sparse bf16 rate"):
        Peak(device="mi250x", dtype="bf16", sparsity="2")


def test_a_copy_with_another_device_has_the_units_of_that():
    assert Peak().replace(device="h100_sxm").units == 132  # white paper: SMs of an H100 SXM5


def test_own_figures_are_held_against_a_device_of_which_no_units_are_known():
    own = Peak(device="l4", dtype="fp16", units=60, engines=4, fma=128, clock_hz=2.04e9)
    assert own.ratio == pytest.approx(125.3 / 121, rel=1e-3)


def test_a_field_that_is_given_stays():
    assert Peak(units=100).units == 100


def test_fields_that_are_not_given_are_the_devices():
    found = Peak(units=100)
    assert (found.engines, found.fma, found.clock_hz) == (4, 256, 1_410_000_000)


REFUSED = {
    "no device and no units": ({"device": ""}, "units", "choose a device"),
    "no device and no clock": (
        {"device": "", "units": "1", "engines": "1", "fma": "1"}, "clock_hz", "choose a device",
    ),
    "a device without units": ({"device": "l4"}, "device", "units, engines, fma, clock_hz"),
    "and with some": ({"device": "l4", "units": "60"}, "device", "fill in engines, fma, clock_hz"),
    "a type without units": ({"device": "v100_pcie_32gb"}, "dtype", "fp16, fp32, fp64"),
    "an unknown device": ({"device": "voodoo2"}, "device", "Unknown device"),
    "an unknown type": ({"dtype": "fp128"}, "dtype", "must be one of"),
    "half a unit": ({"units": "1.5"}, "units", "whole number"),
    "no unit": ({"units": "0"}, "units", "at least 1"),
    "a clock in bytes": ({"clock_hz": "1.41 GB"}, "clock_hz", "Hz"),
    "a clock of thousandths": ({"clock_hz": "1410 mHz"}, "clock_hz", "M for a million"),
    "an unknown sparsity": ({"sparsity": "3"}, "sparsity", "must be one of 1, 2"),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "field", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_names_its_field_and_says_what_to_do(texts, field, says):
    errors = evaluate("peak", texts).errors
    assert list(errors) == [field]
    assert says in errors[field].message


@pytest.mark.parametrize("part", ["units", "engines", "fma", "clock_hz"])
def test_a_part_beyond_any_machine_is_refused(part):
    with pytest.raises(InvalidField, match=f"^{part}: .* at most|^{part}: is above"):
        Peak(**{part: 10**31})


SPELLED = {"1.41 GHz": 1_410_000_000, "1410 MHz": 1_410_000_000, "1.41G": 1_410_000_000}


@pytest.mark.parametrize(("text", "hertz"), SPELLED.items(), ids=SPELLED)
def test_a_clock_is_read_as_people_write_it(text, hertz):
    assert evaluate("peak", {"clock_hz": text}).calculation.clock_hz == hertz


def test_the_formula_of_the_peak_is_shown():
    assert str(write_formula(Peak(), "peak_flops_per_second", Latex, named=True)) == (
        r"\text{FLOPs}_\text{clock} \cdot f"
    )


def test_what_is_printed_is_shown_as_a_numeral():
    formula = write_formula(Peak(), "printed_flops_per_second", Latex, named=True)
    assert str(formula) == r"312\,000\,000\,000\,000"


def test_the_line_with_numbers_shows_each_factor():
    line = str(write_formula(Peak(device="h100_sxm"), "fma_per_clock", Text, named=False))
    assert line == "132 · 4 · 512"


@pytest.mark.parametrize("row", ["fp64_tensor", "fp32_matrix"])
def test_a_row_of_matrix_engines_can_be_chosen(row):
    assert row in Peak.fields["dtype"].options


def test_the_types_are_offered_from_wide_to_narrow():
    assert [*Peak.fields["dtype"].options][::4] == ["fp64", "fp32_matrix", "fp8", "int4"]


def test_the_command_line_prints_what_comes_out(capsys):
    assert main(["peak", "--device", "mi300x", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["peak_flops_per_second"] == 1_307_443_200_000_000


WITNESSED = {
    "the default": {},
    "sparse": {"sparsity": "2", "dtype": "fp16"},
    "a clock": {"clock_hz": "1.2 GHz"},
    "own figures": {"device": "", "units": "12", "engines": "3", "fma": "5", "clock_hz": "900M"},
    "a matrix row": {"device": "mi100", "dtype": "fp32_matrix"},
    "a lane": {"device": "apple_m1_gpu8", "dtype": "fp32"},
}


@pytest.mark.parametrize("texts", WITNESSED.values(), ids=WITNESSED.keys())
def test_pint_works_out_the_same_from_the_texts_alone(texts):
    fields = {name: field.write(field.default) for name, field in Peak.fields.items()} | texts
    ours = evaluate("peak", texts).calculation
    said = by_pint.build(fields)
    assert said.keys() == {name for name in ours.quantities if getattr(ours, name) is not None}
    assert all(isclose(said[name], getattr(ours, name), rel_tol=1e-12) for name in said)
