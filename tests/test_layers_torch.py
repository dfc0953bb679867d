"""Every layer against torch itself: shapes, parameters, work, and what is refused.

Torch's own kernels are asked, oneDNN is not: it is there on some processors only, and lets two
things through, an output of size 0 and a dilation of 0 under a kernel of 1.

Decided exceptions, each with its test: sizes of 0, which torch takes in places, are refused here;
so is a padding or a dilation of one number in a tuple for several axes, which torch broadcasts
where it pads by zeros (elsewhere it pads one axis and forgets the others), and a padding with more
numbers than axes, which torch lets pad the channels where it does not pad by zeros. An input has
its batch dimension, and that of a Linear at most one more before the features.
"""

import inspect
import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from configurations import (
    ARGUMENTS,
    AXES,
    CONVOLUTIONS,
    LAYERS,
    TRANSPOSED,
    Configuration,
    layers,
    per_axis,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import calculator
from calculator import InvalidField, Sequential


@dataclass(frozen=True)
class Answer:
    output_shape: tuple[int, ...]
    params: int
    macs: int


def run(module: torch.nn.Module, shape: tuple[int, ...]) -> Answer:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False), counter:
        y = module(torch.zeros(shape))
    params = sum(parameter.numel() for parameter in module.parameters())
    return Answer(tuple(y.shape), params, counter.get_total_flops() // 2)


def torch_says(one: Configuration) -> Answer | Exception:
    try:
        return run(getattr(torch.nn, one.name)(**one.arguments), one.input_shape)
    except (RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        return error


def we_say(one: Configuration) -> Answer | InvalidField:
    try:
        layer = getattr(calculator, one.name)(**one.arguments, **one.sizes)
        return Answer(layer.output_shape, layer.params, layer.macs)
    except InvalidField as error:
        return error


def pads_channels(one: Configuration) -> bool:
    """Whether torch would take the first numbers of a long padding for the channels."""
    padding, mode = (one.arguments.get(key) for key in ("padding", "padding_mode"))
    too_long = isinstance(padding, (tuple, list)) and len(padding) > len(one.sizes) - 1
    return too_long and mode in ("reflect", "replicate", "circular")


def accepted(data: st.DataObject, name: str) -> tuple[Answer, Any]:
    """Draw a layer that torch takes; return what torch says and our layer."""
    one = data.draw(layers(name))
    theirs = torch_says(one)
    assume(isinstance(theirs, Answer))
    return theirs, getattr(calculator, name)(**one.arguments, **one.sizes)


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=100)
@given(data=st.data())
def test_the_output_shape_is_torchs(name, data):
    theirs, ours = accepted(data, name)
    assert ours.output_shape == theirs.output_shape


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=100)
@given(data=st.data())
def test_the_parameters_are_torchs(name, data):
    theirs, ours = accepted(data, name)
    assert ours.params == theirs.params


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=100)
@given(data=st.data())
def test_the_multiply_accumulates_are_half_the_flops_that_torch_counts(name, data):
    theirs, ours = accepted(data, name)
    assert ours.macs == theirs.macs


@pytest.mark.parametrize(("name", "argument"), [(n, each) for n in LAYERS for each in ARGUMENTS[n]])
@settings(max_examples=150)
@given(data=st.data())
def test_an_input_is_refused_exactly_when_torch_refuses_it(name, argument, data):
    one = data.draw(layers(name, odd=argument))
    assume(not pads_channels(one))
    theirs, ours = torch_says(one), we_say(one)
    assert isinstance(theirs, Exception) == isinstance(ours, Exception), (one, theirs, ours)


@pytest.mark.parametrize("argument", ["padding", "dilation"])
def test_one_number_in_a_tuple_is_refused_for_several_axes_of(argument):
    # torch broadcasts it, but in the padding mode zeros only
    with pytest.raises(InvalidField, match=f"expected {argument} to be a single integer"):
        calculator.Conv2d(**{argument: (1,)})


def test_a_padding_with_more_numbers_than_axes_is_refused():
    # torch pads 0 channels and then 1 position, by way of torch.nn.functional.pad
    assert torch.nn.Conv1d(1, 1, 1, padding=(0, 1), padding_mode="reflect")(
        torch.zeros(1, 1, 5)
    ).shape
    with pytest.raises(InvalidField, match="expected padding to be a single integer"):
        calculator.Conv1d(padding=(0, 1), padding_mode="reflect")


ZEROS = [
    *((name, field) for name in LAYERS for field in ("batch_size",)),
    *((name, "in_channels") for name in CONVOLUTIONS + TRANSPOSED),
    *((name, AXES[name[-2]][-1]) for name in CONVOLUTIONS + TRANSPOSED),
    ("Linear", "in_features"),
    ("Linear", "out_features"),
    ("Linear", "sequence_length"),
]


@pytest.mark.parametrize(("name", "field"), ZEROS)
def test_a_size_of_zero_is_refused(name, field):
    with pytest.raises(InvalidField) as caught:
        getattr(calculator, name)(**{field: 0})
    assert caught.value.field == field


def test_a_transposed_output_of_size_zero_is_refused():
    with pytest.raises(InvalidField, match="Output size is too small"):
        calculator.ConvTranspose1d(kernel_size=2, padding=1, length=1)


@pytest.mark.parametrize("name", [*LAYERS, "ReLU", "Flatten"])
def test_the_arguments_stand_in_torchs_order(name):
    theirs = list(inspect.signature(getattr(torch.nn, name)).parameters)
    fields = getattr(calculator, name).fields.values()
    ours = [field.name for field in fields if field.role == "module"]
    assert ours == [each for each in theirs if each in ours]


@pytest.mark.parametrize("name", LAYERS)
def test_the_defaults_of_optional_arguments_are_torchs(name):
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    fields = getattr(calculator, name).fields.values()
    ours = {field.name: field.default for field in fields if field.role == "module"}
    optional = {key for key in ours if theirs[key].default is not inspect.Parameter.empty}
    assert {key: ours[key] for key in optional} == {key: theirs[key].default for key in optional}


def case(name: str, sizes: dict[str, int] | None = None, **arguments: Any) -> Any:
    usual = {"in_channels": 2, "out_channels": 4, "kernel_size": 3}
    axes = AXES[name[-2]]
    shape = dict.fromkeys(axes, 6) | (sizes or {})
    one = Configuration(
        name,
        usual | arguments,
        {"batch_size": 1, **shape},
        (1, (usual | arguments)["in_channels"], *shape.values()),
    )
    said = ", ".join(f"{key}={value}" for key, value in (arguments | (sizes or {})).items())
    return pytest.param(one, id=f"{name} {said}")


@pytest.mark.parametrize(
    "one",
    [
        case("Conv1d", stride=0),
        case("Conv2d", stride=(1, -1)),
        case("Conv3d", stride=(2, 2)),
        case("Conv2d", dilation=0),
        case("Conv2d", dilation=(1, 1, 1)),
        case("Conv2d", kernel_size=0),
        case("Conv2d", kernel_size=7),
        case("Conv1d", kernel_size=3, dilation=3),
        case("Conv2d", padding=-1),
        case("Conv2d", padding=(1, 1, 1)),
        case("Conv2d", padding="full"),
        case("Conv2d", padding="same", stride=2),
        case("Conv2d", padding_mode="constant"),
        case("Conv2d", padding=6, padding_mode="reflect"),
        case("Conv2d", padding=7, padding_mode="circular"),
        case("Conv2d", groups=0),
        case("Conv2d", groups=3),
        case("Conv2d", groups=2, out_channels=3),
        case("ConvTranspose2d", padding_mode="reflect"),
        case("ConvTranspose2d", output_padding=-1),
        case("ConvTranspose2d", output_padding=1),
        case("ConvTranspose2d", output_padding=(0, 0, 0)),
        case("ConvTranspose3d", padding=5),
        case("ConvTranspose1d", dilation=0),
        case("ConvTranspose1d", stride=-2),
    ],
)
def test_a_refusal_begins_with_the_words_of_torch(one):
    theirs, ours = str(torch_says(one)), we_say(one).message
    assert words(ours)[:5] == words(re.sub(r"^Argument #\d+: ", "", theirs))[:5]


@pytest.mark.parametrize(
    "one",
    [
        case("Conv2d", stride=(2,)),
        case("Conv3d", stride=(2,), padding_mode="reflect", padding=1),
        case("ConvTranspose2d", stride=[2], output_padding=[1]),
    ],
)
def test_one_number_in_a_tuple_holds_for_all_axes_as_in_torch(one):
    assert we_say(one) == torch_says(one)


def words(message: str) -> list[str]:
    return re.findall(r"[\w'=\"]+", message)


@dataclass(frozen=True)
class Network:
    """Layers as a person writes them, and the modules that torch makes of the same lines."""

    text: str
    modules: tuple[torch.nn.Module, ...]
    input_shape: tuple[int, ...]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Layers each drawn to fit the one before, or nearly."""
    axes = draw(st.sampled_from([0, 1, 2, 3]))
    shape: tuple[int, ...] = (2, draw(st.integers(1, 4)), *[6] * axes)
    x, lines, modules = torch.zeros(shape), [], []
    for _ in range(draw(st.integers(1, 4))):
        kinds = ["ReLU", "Flatten", *(["Linear"] if x.ndim in (2, 3) else [])]
        if x.ndim == axes + 2 and axes:
            kinds = [f"Conv{axes}d", f"ConvTranspose{axes}d", *kinds]
        name = draw(st.sampled_from(kinds))
        wrong = draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
        given, named = [], {}
        if name == "Linear":
            given = [x.shape[-1] + wrong, draw(st.integers(1, 5))]
        elif name.startswith("Conv"):
            given = [x.shape[1] + wrong, draw(st.integers(1, 4)), draw(per_axis(axes, 1, 3))]
            named = {"stride": draw(per_axis(axes, 1, 2)), "bias": draw(st.booleans())}
            if draw(st.booleans()):
                given.append(named.pop("stride"))
        elif name == "ReLU":
            given, named = draw(st.sampled_from([([], {}), ([], {"inplace": True}), ([True], {})]))
        elif name == "Flatten":
            given = draw(st.sampled_from([[], [], [0], [1, -2], [-2]]))
        arguments = [*map(repr, given), *(f"{key}={value!r}" for key, value in named.items())]
        lines.append(
            f"{draw(st.sampled_from(['', 'nn.', 'torch.nn.']))}{name}({', '.join(arguments)})"
        )
        modules.append(getattr(torch.nn, name)(*given, **named))
        try:
            x = modules[-1](x)
        except (RuntimeError, IndexError):
            break
    return Network("\n".join(lines), tuple(modules), shape)


def sequence_says(text: str, shape: tuple[int, ...]) -> Answer | InvalidField:
    try:
        ours = Sequential(modules=text, input_shape=shape)
        return Answer(ours.output_shape, ours.params, ours.macs)
    except InvalidField as error:
        return error


def torch_sequence_says(network: Network) -> Answer | Exception:
    try:
        return run(torch.nn.Sequential(*network.modules), network.input_shape)
    except (RuntimeError, IndexError) as error:
        return error


@settings(max_examples=300)
@given(networks())
def test_a_sequence_counts_what_torchs_does_and_is_refused_with_it(network):
    theirs, ours = torch_sequence_says(network), sequence_says(network.text, network.input_shape)
    assert ours == theirs or (isinstance(theirs, Exception) and isinstance(ours, InvalidField))


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
    st.integers(-5, 5),
    st.integers(-5, 5),
)
def test_a_flatten_is_torchs(size, start_dim, end_dim):
    network = Network("", (torch.nn.Flatten(start_dim, end_dim),), size)
    theirs = torch_sequence_says(network)
    ours = sequence_says(f"Flatten({start_dim}, {end_dim})", size)
    assert ours == theirs or (isinstance(theirs, Exception) and isinstance(ours, InvalidField))


@settings(max_examples=100)
@given(networks())
def test_a_printed_sequence_counts_what_torchs_does(network):
    theirs = torch_sequence_says(network)
    assume(isinstance(theirs, Answer))
    assert sequence_says(str(torch.nn.Sequential(*network.modules)), network.input_shape) == theirs


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.Conv2d(3, 4, 3, padding="same"),
        torch.nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        torch.nn.Conv2d(3, 6, (3, 1), stride=(1, 2), dilation=2, groups=3, bias=False),
        torch.nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
        torch.nn.Flatten(),
        torch.nn.ReLU(inplace=True),
    ],
    ids=str,
)
def test_a_layer_is_read_as_torch_prints_it(module):
    shape = (2, 3, 8, 8)
    printed = str(torch.nn.Sequential(module))
    assert sequence_says(printed, shape) == run(module, shape)


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("Linear()", (2, 3)),
        ("Linear(3)", (2, 3)),
        ("Conv2d(3, 4)", (1, 3, 8, 8)),
        ("Conv2d(kernel_size=3)", (1, 3, 8, 8)),
    ],
)
def test_a_layer_without_an_argument_that_torch_requires_is_refused(line, shape):
    assert isinstance(sequence_says(line, shape), InvalidField)


@pytest.mark.parametrize(
    ("line", "shape"),
    [("Linear(3, 4)", (3,)), ("Linear(3, 4)", (2, 2, 2, 3)), ("Conv2d(3, 4, 3)", (3, 3, 8))],
)
def test_an_input_without_its_usual_dimensions_is_refused(line, shape):
    assert isinstance(sequence_says(line, shape), InvalidField)


def test_a_linear_that_does_not_fit_is_refused_in_torchs_words():
    network = Network("Linear(3, 4)", (torch.nn.Linear(3, 4),), (2, 5))
    assert str(torch_sequence_says(network)) in str(sequence_says(network.text, (2, 5)))


def test_a_convolution_that_does_not_fit_is_refused_in_torchs_words():
    network = Network("Conv2d(3, 4, 3)", (torch.nn.Conv2d(3, 4, 3),), (1, 5, 8, 8))
    said = str(torch_sequence_says(network)).partition("], ")[2]
    assert said in str(sequence_says(network.text, network.input_shape))


def test_an_input_with_too_few_dimensions_is_refused_in_torchs_words():
    network = Network("Conv2d(3, 4, 3)", (torch.nn.Conv2d(3, 4, 3),), (3, 8))
    assert str(torch_sequence_says(network)) in str(sequence_says(network.text, (3, 8)))


def test_a_comment_between_layers_is_passed_over():
    assert sequence_says("# one\nReLU()  # two", (2, 3)) == sequence_says("ReLU()", (2, 3))


@pytest.mark.parametrize(
    ("line", "argument"),
    [("Conv2d('3', 4, 3)", "in_channels"), ("Linear(3, x)", "out_features")],
)
def test_an_argument_of_the_wrong_type_is_named_before_the_shapes_are_compared(line, argument):
    refused = sequence_says(f"ReLU()\n{line}", (1, 3, 8, 8))
    assert f"line 2: {argument}: must be a whole number" in str(refused)
