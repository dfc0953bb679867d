"""What a guess at a figure is told."""

import pytest

from calculator import InvalidField
from calculator.answers.evaluate import evaluate
from calculator.answers.guess import find_quantity, judge

# 4096 * 11008 = 45,088,768 MACs on one row; at 2 bytes a number 90,207,744 B, at 320 GB/s 282 µs.
ONE_ROW = {"in_features": "4096", "out_features": "11008", "bias": "false", "dtype": "fp16"}
OUTCOME = evaluate("linear", {**ONE_ROW, "device": "t4"})


@pytest.mark.parametrize(
    ("quantity", "guess", "said"),
    [
        ("macs", "45088768", "45\u202f088\u202f768 = 45.1 MMAC: exactly."),
        ("macs", "45M", "Close: 0.2% off."),
        ("macs", "90 MMACs", "Too high by a factor of 2. It is 45"),
        ("macs", "90 M", "one multiply-accumulate is two FLOPs"),
        ("macs", "1", "Too low by a factor of 4.51e+07."),
        ("bytes_moved", "45 MB", "Too low by a factor of 2. It is 90\u202f207\u202f744 B"),
        ("floor_seconds", "282 µs", "Right: it is 282 µs."),
        ("floor_seconds", "28.2ms", "Too high by a factor of 100. It is 282 µs."),
        ("floor_seconds", "0.000282", "Right: "),
        ("floor_seconds", "290 µs", "Close: 2.9% off. It is 282 µs."),
        ("arithmetic_intensity", "1", "Right: it is 1.00 FLOP/B."),
    ],
)
def test_a_guess_is_told_how_far_off_it_is(quantity, guess, said):
    assert said in judge(*find_quantity(OUTCOME, quantity), guess)


def test_twice_the_bytes_are_no_matter_of_macs():
    assert "FLOPs" not in judge(*find_quantity(OUTCOME, "bytes_moved"), "45 MB")


def test_a_share_is_guessed_in_per_cent():
    run = {"params": "1e9", "tokens": "1e9", "peak_flops_per_second": "1T"}
    outcome = evaluate("training_cost", {**run, "measured_device_hours": "3333.3333"})
    # 6e18 FLOPs in 3333.3333 h = 1.2e7 s: 5e11 FLOP/s, half of the peak
    for guess in ("50", "50 %"):
        assert judge(*find_quantity(outcome, "mfu"), guess).startswith("Right: ")
    with pytest.raises(InvalidField, match=r"write 0\.5 % or 50 %"):
        judge(*find_quantity(outcome, "mfu"), "0.5")


@pytest.mark.parametrize("guess", ["", "many", "-1", "0", "45 FLOP", "nan", "1,5", "45,088"])
def test_a_guess_that_is_no_number_of_the_unit_is_refused(guess):
    with pytest.raises(InvalidField, match="guess"):
        judge(*find_quantity(OUTCOME, "macs"), guess)


@pytest.mark.parametrize("quantity", ["output_shape", "operations", "buffers", "nothing"])
def test_what_is_not_one_number_above_zero_cannot_be_asked_for(quantity):
    with pytest.raises(ValueError, match="cannot be guessed"):
        find_quantity(OUTCOME, quantity)


@pytest.mark.parametrize(
    ("quantity", "guess", "said"),
    [
        ("flops", "90 GFLOPS", "write FLOPs for a count"),
        ("flops", "45 MMACs", "write twice the figure"),
        ("macs", "90 MFLOPs", "write half the figure"),
        ("bytes_moved", "90 Mb", "number of bits"),
    ],
)
def test_a_guess_in_the_unit_of_another_quantity_is_told_what_to_write(quantity, guess, said):
    with pytest.raises(InvalidField, match=said):
        judge(*find_quantity(OUTCOME, quantity), guess)
