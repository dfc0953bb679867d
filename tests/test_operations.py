"""Operations, counted while small layers are computed output by output."""

import pytest
import torch
from configurations import CONVOLUTIONS, LAYERS, Configuration, layers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import calculator
from calculator import InvalidField, ReLU, Sequential
from scripts.brute_force import Numbers, forward


def computed(one: Configuration, *, fused: bool) -> tuple[Numbers, dict, tuple[int, ...]]:
    """Compute a layer by loops: its numbers with their tally, the output, the output's shape."""
    with torch.device("meta"):
        module, x = getattr(torch.nn, one.name)(**one.arguments), torch.empty(one.input_shape)
    numbers = Numbers(fused=fused)
    return numbers, *forward(numbers, module, numbers.tensor(x), one.input_shape)


def drawn(data: st.DataObject, name: str) -> tuple[Configuration, calculator.Layer]:
    one = data.draw(layers(name))
    try:
        ours = getattr(calculator, name)(**one.arguments, **one.sizes)
    except InvalidField:
        assume(False)
    assume(ours.macs < 20_000)
    return one, ours


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=40)
@given(data=st.data())
def test_the_multiply_accumulates_are_those_that_loops_execute(name, data):
    one, ours = drawn(data, name)
    numbers, _, _ = computed(one, fused=True)
    assert ours.macs == numbers.tally["multiply_accumulates"]


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=40)
@given(data=st.data())
def test_the_operations_are_those_that_loops_execute(name, data):
    one, ours = drawn(data, name)
    numbers, _, _ = computed(one, fused=True)
    assert ours.operations == dict(numbers.tally)


@pytest.mark.parametrize("name", ["Linear", *CONVOLUTIONS])
@settings(max_examples=40)
@given(data=st.data())
def test_the_exact_flops_are_the_multiplications_and_additions_that_loops_execute(name, data):
    one, ours = drawn(data, name)
    numbers, _, _ = computed(one, fused=False)
    assert ours.exact_flops == numbers.tally["multiplications"] + numbers.tally["additions"]


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=40)
@given(data=st.data())
def test_the_output_shape_is_that_of_what_loops_compute(name, data):
    one, ours = drawn(data, name)
    _, _, shape = computed(one, fused=True)
    assert ours.output_shape == shape


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=20)
@given(data=st.data())
def test_the_loops_compute_what_torch_computes(name, data):
    one, _ = drawn(data, name)
    torch.manual_seed(0)
    module = getattr(torch.nn, name)(**one.arguments, dtype=torch.float64)
    x = torch.randn(one.input_shape, dtype=torch.float64)
    numbers = Numbers(fused=True)
    y, shape = forward(numbers, module, numbers.tensor(x), one.input_shape)
    ours = torch.tensor([float(y[place]) for place in sorted(y)], dtype=torch.float64)
    torch.testing.assert_close(ours.reshape(shape), module(x))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
def test_a_relu_compares_each_element_once(size):
    numbers = Numbers(fused=True)
    x = numbers.tensor(torch.randn(size))
    forward(numbers, torch.nn.ReLU(), x, size)
    assert ReLU(size=size).operations == dict(numbers.tally)


def test_a_sequence_does_the_operations_of_its_layers():
    modules = (
        torch.nn.Conv2d(2, 3, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(12, 2),
    )
    numbers, shape = Numbers(fused=True), (2, 2, 4, 4)
    forward(numbers, torch.nn.Sequential(*modules), numbers.tensor(torch.randn(shape)), shape)
    text = "Conv2d(2, 3, 3)\nReLU()\nFlatten()\nLinear(12, 2)"
    assert Sequential(modules=text, input_shape=shape).operations == dict(numbers.tally)
