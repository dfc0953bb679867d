"""The formulas that are shown say the number beside them."""

import re
from collections.abc import Iterator
from fractions import Fraction
from math import floor, gcd, isclose
from random import Random
from typing import Any

import pytest
from depth import draws
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import calculator
from calculator import CALCULATIONS, InvalidField
from calculator.answers.formats import latex
from calculator.core.calculation import Calculation
from calculator.core.expression import Latex, Text
from calculator.core.formula import view, write_formula
from calculator.core.measure_fields import Span
from scripts.random_layers.draw import draw as draw_layer

FIGURE = st.integers(1, 10**15) | st.floats(1e-3, 1e15)
SHARES = st.tuples(st.floats(1e-3, 1), st.floats(1e-3, 1)).map(sorted)
OTHERS = {
    "runtime": st.fixed_dictionaries(
        {
            "flops": st.integers(1, 10**24),
            "bytes_moved": st.none() | st.integers(1, 10**18),
            "peak_flops_per_second": FIGURE,
            "bandwidth_bytes_per_second": st.none() | FIGURE,
            "utilization": SHARES,
            "bandwidth_utilization": SHARES,
            "launches": st.integers(0, 10**6),
            "launch_seconds": st.just(0) | st.floats(1e-7, 1e-3),
            "recomputed_flops": st.none() | st.integers(0, 10**24),
            "measured_seconds": st.none() | st.floats(1e-9, 1e9),
            "power_watts": st.none() | FIGURE,
        }
    ),
    "conversion": st.fixed_dictionaries(
        {
            "count": st.integers(1, 10**20).map(lambda half: 2 * half),
            "counts": st.sampled_from(["macs", "flops"]),
        }
    ),
    "peak": st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["bf16", "fp16", "fp8", "fp32"]),
            "sparsity": st.sampled_from("12"),
            "device": st.sampled_from(["rtx4090", "h100_sxm", "mi300x"]),
        },
        optional={"units": st.integers(1, 10**4), "clock_hz": FIGURE},
    )
    | st.fixed_dictionaries(
        {
            "device": st.none(),
            "units": st.integers(1, 10**4),
            "engines": st.integers(1, 10**4),
            "fma": st.integers(1, 10**6),
            "clock_hz": FIGURE,
        }
    ),
    "training_cost": st.fixed_dictionaries(
        {
            "params": st.integers(1, 10**13),
            "tokens": st.integers(1, 10**15),
            "recompute": st.sampled_from(["none", "full"]),
            "peak_flops_per_second": FIGURE,
            "devices": st.integers(1, 10**5),
        },
        optional={
            "measured_device_hours": st.integers(1, 10**30) | st.floats(1e-3, 1e30),
            "utilization": st.just(1) | st.floats(1e-3, 1),
        },
    ),
    "model_memory": st.fixed_dictionaries(
        {
            "params": st.integers(1, 10**13),
            "weight_dtype": st.sampled_from(["fp32", "bf16", "fp8"]),
            "gradient_dtype": st.sampled_from(["fp32", "bf16", "fp8"]),
            "optimizer": st.sampled_from(["none", "sgd", "sgd_momentum", "adam"]),
            "state_dtype": st.sampled_from(["fp32", "int8"]),
            "master_weights": st.booleans(),
            "activation_bytes": st.none() | st.integers(0, 10**13),
            "zero_stage": st.sampled_from("0123"),
            "devices": st.integers(1, 10**5),
        }
    ),
    "network": st.fixed_dictionaries(
        {
            "architecture": st.sampled_from(["alexnet", "resnet18", "mobilenet_v2"]),
            "batch_size": st.integers(1, 9),
            "image_size": st.integers(64, 300),
            "convention": st.sampled_from(["matrix", "all"]),
        }
    ),
    "sequential": st.fixed_dictionaries(
        {
            "modules": st.sampled_from(
                [
                    "Linear(6, 64)\nReLU()\nLinear(64, 10)",
                    "Linear(6, 1, bias=False)",
                    "Conv1d(3, 4, 3, padding=1)\nFlatten()\nLinear(24, 2)",
                ]
            ),
            "input_shape": st.integers(1, 9).map(lambda batch: (batch, 3, 6)),
            "convention": st.sampled_from(["matrix", "all"]),
        }
    ),
}


@st.composite
def calculations(draw: st.DrawFn, name: str) -> Calculation:
    """A calculation with random fields."""
    owner = CALCULATIONS[name]
    if name in OTHERS:
        try:
            return owner(**draw(OTHERS[name]))
        except InvalidField:
            assume(False)
    rng = Random(draw(st.integers(0, 10**9)))
    while True:
        try:
            return draw_layer(rng, name).ours(
                dtype=rng.choice(sorted(owner.fields["dtype"].options)),
                convention=rng.choice(["matrix", "all"]),
                input_requires_grad=rng.random() < 0.5,
                weight_requires_grad=rng.random() < 0.5,
            )
        except InvalidField:
            continue


def parts(value: Any) -> Iterator[Any]:
    """Every number of a quantity: of a shape, of a dictionary, or the only one."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (tuple, list)):
        yield from value
    elif value is not None:
        yield value


SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def evaluated(line: str) -> Fraction:
    """Return what a line in plain characters comes to, exactly."""
    line = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"**{m[0].translate(SUPERSCRIPTS)}", line)
    for sign, python in {"·": "*", "−": "-", "⌊": "floor(", "⌋": ")"}.items():
        line = line.replace(sign, python)
    numerals = re.sub(r"\d[\d\u202f]*(\.\d+)?", lambda m: f"Fraction('{m[0]}')", line)
    names = {"Fraction": Fraction, "floor": floor, "max": max, "min": min}
    names |= {"__builtins__": {}, "gcd": lambda one, other: gcd(int(one), int(other))}
    return Fraction(eval(numerals.replace("\u202f", ""), names))


def test_the_evaluator_reads_a_worked_line():
    assert evaluated("⌊(1\u202f024 − 3)/2⌋ + max(2 · 10³, 7)") == 510 + 2000


@pytest.mark.parametrize("name", CALCULATIONS)
@settings(max_examples=draws(25, deep=250))
@given(data=st.data())
def test_the_line_with_the_numbers_put_in_comes_to_the_number(name, data):
    ours = data.draw(calculations(name))
    for quantity in ours.quantities:
        lines = [str(each) for each in parts(write_formula(ours, quantity, Text, named=False))]
        values = list(parts(getattr(ours, quantity)))
        assert len(lines) == len(values), quantity
        assert all(map(agree, lines, values)), (ours, quantity, lines, values)


def agree(line: str, value: int | float) -> bool:
    """A count is met exactly, a measure to the four digits that its numerals show."""
    if isinstance(value, float):
        return isclose(evaluated(line), value, rel_tol=2e-3)
    return evaluated(line) == value


def every(ours: Calculation) -> Iterator[Calculation]:
    """Yield a calculation and the layers in it, however deep."""
    yield ours
    for layer in getattr(ours, "layers", ()):
        yield from every(layer)


def declared(ours: Calculation) -> set[str]:
    """Return every symbol that a formula of a calculation may mention."""
    owners = [*map(type, every(ours))]
    symbols = {
        each.symbol
        for owner in owners
        for each in [*owner.fields.values(), *owner.quantities.values()]
        if each.symbol
    }
    for symbol in list(symbols):
        for axis in "DHWL":
            symbols.add(symbol.replace("axis", axis.lower()).replace("AXIS", axis))
    spans = [each.symbol for each in ours.fields.values() if isinstance(each, Span)]
    symbols |= {rf"{symbol}_\text{{{end}}}" for symbol in spans for end in ("low", "high")}
    shapes = [field for owner in owners for field in owner.fields.values() if "shape" in field.kind]
    return symbols | {f"{field.symbol}_{place}" for field in shapes for place in range(8)}


WORDS = r"\\cdot|\\frac|\\left\\lfloor|\\right\\rfloor|\\max|\\min|\\gcd|\\,|[\d\s+\-(),{}^.=]"


def left_over(formula: str, symbols: set[str]) -> str:
    """Return what remains of LaTeX when symbols, their place in a sequence and signs are gone."""
    formula = re.sub(r",[\d.]+\}", "}", re.sub(r"_\{[\d.]+\}", "", formula))
    plain = {re.sub(r"_\{(.*)\}$", r"_\1", symbol): symbol for symbol in symbols}
    formula = re.sub(r"_\{(\\text\{\w+\}(?:,\w)?|\w+)\}", r"_\1", formula)
    for symbol in sorted(plain, key=len, reverse=True):
        formula = re.sub(rf"(?<![A-Za-z]){re.escape(symbol)}(?![A-Za-z_])", " ", formula)
    return re.sub(WORDS, "", formula)


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_quantity_says_what_it_is(name):
    assert all(each.label for each in CALCULATIONS[name].quantities.values())


@pytest.mark.parametrize("name", CALCULATIONS)
@settings(max_examples=draws(25, deep=250))
@given(data=st.data())
def test_a_formula_mentions_only_symbols_that_are_declared(name, data):
    ours = data.draw(calculations(name))
    symbols = declared(ours)
    for quantity in ours.quantities:
        for formula in parts(write_formula(ours, quantity, Latex, named=True)):
            assert not left_over(str(formula), symbols), (quantity, formula)


@pytest.mark.parametrize("name", CALCULATIONS)
@settings(max_examples=draws(25, deep=250))
@given(data=st.data())
def test_a_formula_that_was_written_for_other_numbers_is_the_one_for_these(name, data):
    before, ours = data.draw(calculations(name)), data.draw(calculations(name))
    for quantity in ours.quantities:
        write_formula(before, quantity, Latex, named=True)
        written = parts(write_formula(ours, quantity, Latex, named=True))
        afresh = parts(ours.quantities[quantity].method(view(ours, Latex, {})))
        assert [*map(str, written)] == [*map(str, afresh)], quantity


def test_the_macs_of_a_linear_layer_are_written_as_in_the_papers():
    formula = write_formula(calculator.Linear(), "macs", Latex, named=True)
    assert str(formula) == r"\text{rows} \cdot d_\text{in} \cdot d_\text{out}"


def test_the_output_size_of_a_convolution_is_written_as_in_torchs_documentation():
    formula = write_formula(calculator.Conv1d(), "output_size", Latex, named=True)[0]
    assert str(formula) == (
        r"\left\lfloor \frac{L_\text{in} + 2 \cdot P_l - D_l \cdot (K_l - 1) - 1}{S_l}"
        r"\right\rfloor + 1"
    )


def test_the_display_names_every_quantity_that_has_a_symbol():
    ours = calculator.Linear()
    lines = latex(ours).splitlines()[1:-1]
    assert len(lines) == sum(bool(each.symbol) for each in ours.quantities.values())
