"""Numbers as people write them, against exact fractions and against pint."""

import re
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator import Conversion, InvalidField, Runtime, TrainingCost
from calculator.core.numerals import parse, parse_one
from calculator.core.unit_families import BYTES, FLOP_RATE
from calculator.core.units import binary_bytes, grouped, rounded, seconds

PINT = pint.UnitRegistry(non_int_type=Fraction)
PINT.define("one = [number]")
DIGITS = st.text("0123456789", min_size=1, max_size=12)
DECIMALS = st.builds("{}.{}".format, DIGITS, DIGITS) | DIGITS
COUNTS = st.integers(0, 999) | st.integers(0, 10**36)
PREFIXES = st.sampled_from(["", *"kMGTPEZYRQ"])
MEASURES = st.floats(min_value=1e-30, max_value=1e32)


def nearest(exact: Fraction) -> int | float:
    return int(exact) if exact.denominator == 1 else float(exact)


@given(DECIMALS, st.integers(-30, 30))
def test_a_number_is_read_exactly(digits, exponent):
    exact = Fraction(Decimal(digits)) * Fraction(10) ** exponent
    assert parse(f"{digits}e{exponent}") == nearest(exact)


@given(DECIMALS, PREFIXES, st.sampled_from(["", " "]), st.sampled_from(["", "FLOP/s", "FLOPS"]))
def test_a_prefix_multiplies_as_in_pint(digits, prefix, gap, unit):
    exact = PINT.Quantity(f"{Decimal(digits):f} {prefix}one").to("one").magnitude
    assert parse(f"{digits}{gap}{prefix}{unit}", FLOP_RATE) == nearest(exact)


@given(st.integers(1, 10**6), st.sampled_from(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]))
def test_a_binary_prefix_multiplies_as_in_pint(count, prefix):
    exact = PINT.Quantity(f"{count} {prefix}B").to("B").magnitude
    assert parse(f"{count} {prefix}B", BYTES) == exact


@given(COUNTS, st.sampled_from("_' \u00a0\u2009\u202f"))
def test_groups_of_three_may_be_kept_apart(count, separator):
    assert parse(f"{count:,}".replace(",", separator)) == count


@given(st.integers(10**6, 10**36))
def test_two_commas_or_more_stand_between_thousands(count):
    assert parse(f"{count:,}") == count


@given(st.integers(1000, 10**6 - 1))
def test_one_comma_may_be_a_decimal_one(count):
    with pytest.raises(ValueError, match=rf"with a point, or {count}$"):
        parse(f"{count:,}")


@given(COUNTS, st.sampled_from([parse, parse_one]))
def test_a_grouped_count_is_read_back(count, read):
    assert read(grouped(count)) == count


@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_stay_integers(number):
    assert type(parse(str(number))) is int


READ = {
    "a prefix": ("19.5T", 19_500_000_000_000),
    "an exponent": ("312e12", 312_000_000_000_000),
    "a unit": ("1.41 GFLOP/s", 1_410_000_000),
    "FLOPS for a rate": ("19.5 TFLOPS", 19_500_000_000_000),
    "commas": ("6,738,415,616", 6_738_415_616),
    "commas and a point": ("1,000.5", 1000.5),
    "a capital K": ("5 K", 5000),
    "powers of ten in words": ("4 x 10^9", 4_000_000_000),
    "a point at the end": ("5.", 5),
    "a point at the beginning": (".5", 0.5),
    "a plus": ("+5", 5),
    "a typographic minus": ("−5", -5),
    "blanks around": ("\t5\n", 5),
    "zeros in front": ("00012", 12),
    "whole in spite of its digits": ("1.50T", 1_500_000_000_000),
}


@pytest.mark.parametrize(("text", "number"), READ.values(), ids=READ.keys())
def test_what_people_write_is_read(text, number):
    assert parse(text, FLOP_RATE) == number


REFUSED = {
    "nothing": ("", "must be a number"),
    "nan": ("nan", "must be a"),
    "inf": ("inf", "must be a"),
    "minus infinity": ("-inf", "must be a"),
    "a comma for a point": ("1,5", "write 1.5 with a point"),
    "groups of two": ("12 34", "must be a number"),
    "mixed separators": ("1,234 567", "must be a number"),
    "points between groups": ("1.000.000", "must be a number"),
    "full-width digits": ("１２３", "must be a number"),
    "Arabic digits": ("٣", "must be a number"),
    "a superscript": ("²", "must be a number"),
    "hexadecimal": ("0x10", "is hexadecimal; write a decimal"),
    "a fraction": ("1/2", "must be a number"),
    "a sum": ("1+2", "must be a number"),
    "two lines": ("1\n2", "must be a number"),
    "an exponent too large": ("1e400", "is too large"),
    "a milli": ("10m", "write M for a million"),
    "a milli with a unit": ("10 mFLOP/s", "write M for a million"),
    "an unknown unit": ("5 GHz", "ends in 'GHz'"),
    "a binary prefix of a rate of FLOPs": ("5 Ki", "ends in 'Ki'"),
    "too many digits": ("9" * 81, "at most 80"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_number_is_refused_with_what_to_write(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse(text, FLOP_RATE)


@given(st.text(max_size=90))
def test_any_text_is_read_or_refused(text):
    try:
        number = parse(text, FLOP_RATE)
    except ValueError:
        return
    assert number == number


@pytest.mark.parametrize("character", ["9", " ", "1,", "e", "T", "\u202f"])
def test_a_million_characters_are_refused_or_read_at_once(character):
    text, shortest = "1" + character * 10**6, 1.0
    for _ in range(5):
        start = perf_counter()
        with suppress(ValueError):
            parse(text)
        shortest = min(shortest, perf_counter() - start)
    assert shortest < 1  # a pass over each of the characters again takes hours


FIELDS = {
    "MACs are no FLOPs a second": ("peak_flops_per_second", "4 TMAC/s", "rate of MACs"),
    "bits are no bytes": ("bandwidth_bytes_per_second", "5 Tb/s", "rate of bits"),
    "bytes are no bytes a second": ("bandwidth_bytes_per_second", "5 TB", "B/s"),
    "a milli is no million": ("peak_flops_per_second", "10m", "write M for a million"),
    "half a FLOP": ("flops", "1.5", "must be a whole number"),
    "MACs are no FLOPs": ("flops", "4 GMACs", "write twice the figure"),
    "no rate at all": ("peak_flops_per_second", "0", "must be at least 1 FLOP/s"),
    "a share above one": ("utilization", "40", "write 40 %"),
}


@pytest.mark.parametrize(("field", "text", "reason"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_refuses_what_means_something_else(field, text, reason):
    with pytest.raises(InvalidField, match=reason):
        Runtime.fields[field].read(text)


def test_a_share_above_one_hundred_percent_is_not_explained_as_a_small_one():
    with pytest.raises(InvalidField) as caught:
        Runtime.fields["utilization"].read("101%")
    assert "1.01 %" not in caught.value.message


def test_memory_may_be_written_with_a_binary_prefix():
    assert Runtime.fields["bytes_moved"].read("80 GiB") == 80 * 2**30


def test_a_rate_of_integer_operations_is_a_peak():
    assert Runtime.fields["peak_flops_per_second"].read("624 TOPS") == 624_000_000_000_000


def test_a_percentage_is_a_share():
    assert TrainingCost.fields["utilization"].read("40 %") == 0.4


SPANS = {
    "one share": ("40 %", (0.4, 0.4)),
    "a percentage at both ends": ("51 % – 87 %", (0.51, 0.87)),
    "a percentage at the end": ("51-87 %", (0.51, 0.87)),
    "a word between": ("0.5 to 0.9", (0.5, 0.9)),
    "exponents, which have a dash": ("1e-3 - 2e-1", (0.001, 0.2)),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "ends"), SPANS.values(), ids=SPANS.keys())
def test_a_span_has_two_ends(text, ends):
    assert Runtime.fields["utilization"].read(text) == ends


@pytest.mark.parametrize(("text", "ends"), SPANS.values(), ids=SPANS.keys())
def test_a_span_is_read_as_it_is_written(text, ends):
    field = Runtime.fields["bandwidth_utilization"]
    assert field.read(field.write(ends)) == ends


@pytest.mark.parametrize("text", ["90 – 40 %", "0.1 – 0.2 – 0.3", "-", "half", "0", "50 – 101 %"])
def test_a_span_refuses_what_is_none(text):
    with pytest.raises(InvalidField, match="utilization"):
        Runtime.fields["utilization"].read(text)


def test_a_published_count_may_carry_its_unit():
    assert Conversion.fields["count"].read("4.09 GMACs") == 4_090_000_000


def shown(text: str) -> tuple[Fraction, str]:
    """Return what a printed number says, and its digits."""
    number, _, rest = text.replace("\u202f", "").replace("−", "-").partition(" ")
    if rest.startswith("×"):
        return Fraction(f"{number}e{rest.partition('^')[2]}"), number
    exact = PINT.Quantity(f"{number} {rest}one").to("one").magnitude
    return Fraction(exact), number


def exactly(number: int | float) -> Fraction:
    """Return the number that a float's digits name."""
    return Fraction(repr(number))


def half_a_digit(exact: Fraction) -> Fraction:
    """Return half the weight of the third digit of a number."""
    power = f"{abs(Decimal(exact.numerator) / Decimal(exact.denominator)):.30e}".partition("e")[2]
    return Fraction(10) ** (int(power) - 2) / 2


@given(st.integers(1, 999) | st.integers(1, 10**36) | MEASURES)
def test_a_rounded_number_is_off_by_at_most_half_its_third_digit(number):
    said, _ = shown(rounded(number))
    assert abs(said - exactly(number)) <= half_a_digit(exactly(number))


@given(st.integers(1, 999) | st.integers(1, 10**36) | MEASURES)
def test_a_zero_ends_a_rounded_number_only_where_a_digit_was_rounded(number):
    said, digits = shown(rounded(number))
    assert said != exactly(number) or not re.search(r"\.\d*0$", digits)


@given(st.integers(1, 10**32) | MEASURES)
def test_a_rounded_number_shows_three_digits_where_it_is_not_exact(number):
    said, digits = shown(rounded(number))
    significant = digits.replace(".", "").lstrip("0")
    assert said == exactly(number) or len(significant) == 3


ROUNDED = {
    "small": (896, "896"),
    "millions": (13_716_864, "13.7 M"),
    "exactly a million": (1_000_000, "1 M"),
    "almost a million": (999_999, "1.00 M"),
    "two digits are all": (1500, "1.5 k"),
    "half a third digit is rounded up": (10_050, "10.1 k"),
    "nothing": (0, "0"),
    "below one": (0.00125, "0.00125"),
    "beyond the prefixes": (10**40, "1 × 10^40"),
}


@pytest.mark.parametrize(("number", "text"), ROUNDED.values(), ids=ROUNDED.keys())
def test_a_number_is_rounded_as_people_print_it(number, text):
    assert rounded(number) == text


@given(st.integers(0, 2**60))
def test_bytes_in_binary_are_off_by_at_most_half_the_last_digit(count):
    number, _, unit = binary_bytes(count).replace("\u202f", "").partition(" ")
    one = PINT.Quantity(f"1 {unit}").to("B").magnitude
    places = len(number.partition(".")[2])
    assert abs(Fraction(number) * one - count) <= Fraction(one, 2 * 10**places)


@given(st.integers(0, 2**60))
def test_bytes_in_binary_end_in_a_zero_only_where_a_digit_was_rounded(count):
    number, _, unit = binary_bytes(count).replace("\u202f", "").partition(" ")
    exact = Fraction(number) * PINT.Quantity(f"1 {unit}").to("B").magnitude
    assert exact != count or not re.search(r"\.\d*0$", number)


BINARY = {
    "bytes": (100, "100 B"),
    "one kibibyte": (1024, "1 KiB"),
    "a weight matrix": (2_359_296, "2.25 MiB"),
    "a rounded one": (2_232_320, "2.13 MiB"),
    "a mebibyte less one": (2**20 - 1, "1.00 MiB"),
}


@pytest.mark.parametrize(("count", "text"), BINARY.values(), ids=BINARY.keys())
def test_bytes_are_printed_with_binary_prefixes(count, text):
    assert binary_bytes(count) == text


@given(st.floats(1e-12, 1e12))
def test_a_time_is_off_by_at_most_half_its_third_digit(value):
    number, _, unit = seconds(value).replace("\u202f", "").partition(" ")
    one = PINT.Quantity(f"1 {unit}").to("s").magnitude
    scaled = exactly(value) / one
    most = max(half_a_digit(scaled), Fraction(1, 2) if scaled >= 1000 else 0)
    assert abs(Fraction(number) - scaled) <= most * (1 + Fraction(1, 10**9))


TIMES = {
    "none": (0, "0 s"),
    "microseconds": (1.447e-06, "1.45 µs"),
    "milliseconds": (0.25, "250 ms"),
    "rounded up to a second": (0.9999, "1.00 s"),
    "rounded up to a minute": (59.96, "1.00 min"),
    "minutes": (90.0, "1.5 min"),
    "hours": (7200.0, "2 h"),
    "below a nanosecond": (3e-11, "0.03 ns"),
    "a training run": (184_320 * 3600.0, "21.0 years"),
}


@pytest.mark.parametrize(("value", "text"), TIMES.values(), ids=TIMES.keys())
def test_a_time_is_printed_in_the_unit_of_its_size(value, text):
    assert seconds(value) == text
