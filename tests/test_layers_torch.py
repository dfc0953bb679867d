"""Every layer against torch itself: shapes, parameters, work, memory, and what is refused."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import get_overloads

import pytest
import torch
from torch.utils.flop_counter import sdpa_backward_flop_count

import calculator
from calculator import InvalidField, Linear, Sequential
from calculator.calculation import quantity
from calculator.network import call
from scripts.configurations import LAYERS, Configuration, draw
from scripts.fuzz import configurations, disagreement, report, we_say
from scripts.twins import Answer, count, module, run, zeros

COUNT = 2000  # configurations of each layer
SEED = 0
TORCH = {name: getattr(torch.nn, owner.__name__, None) for name, owner in LAYERS.items()}
NAMED = [name for name, module in TORCH.items() if module]
GRADS = {"input_requires_grad": True, "weight_requires_grad": True}


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_differs_from_torch(name):
    for one, grads in islice(configurations(name, SEED), COUNT):
        assert disagreement(one, grads) is None, report(one, grads)


@pytest.mark.parametrize("name", LAYERS)
def test_a_third_of_what_is_compared_is_accepted(name):
    said = [we_say(*each) for each in islice(configurations(name, SEED), 300)]
    assert sum(isinstance(each, Answer) for each in said) > 100


def test_a_wrong_formula_is_found(monkeypatch):
    @quantity()
    def macs(self):
        return self.rows * self.in_features * self.out_features + self.bias

    macs.name = "macs"
    monkeypatch.setattr(Linear, "macs", macs)
    one = Configuration("linear", {"in_features": 2, "out_features": 3}, {}, ((4, 2),))
    assert "'macs': (24, 25)" in disagreement(one, GRADS)


def test_a_refusal_in_other_words_is_found(monkeypatch):
    monkeypatch.setattr(InvalidField, "__str__", lambda self: "no")
    one = Configuration("linear", {"in_features": 2, "out_features": 3}, {}, ((4, 3),))
    assert disagreement(one, GRADS) is None
    monkeypatch.setattr("scripts.fuzz.reason", lambda error: "other words")
    assert "we say 'mat1 and mat2 shapes cannot be multiplied (4x3 and 2x3)" in disagreement(
        one, GRADS
    )


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


def attentions(count: int) -> Iterator[tuple[Configuration, calculator.ScaledDotProductAttention]]:
    """Yield attention on random tensors, each with its configuration."""
    rng = Random(0)
    for _ in range(count):
        one = draw(rng, "scaled_dot_product_attention")
        yield one, one.ours()


def test_the_unmasked_pairs_are_those_that_the_mask_leaves():
    for one, ours in attentions(500):
        mask = module(one).mask(ours.query_length, ours.key_length)
        assert ours.unmasked_pairs == mask.sum()


def test_the_fused_backward_pass_of_attention_is_torchs_formula():
    for one, ours in attentions(100):
        query, key, value = one.shapes
        key, value = (*query[:2], *key[2:]), (*query[:2], *value[2:])
        theirs = sdpa_backward_flop_count(ours.output_shape, query, key, value)
        assert 2 * ours.fused_backward_macs == theirs


SIZES = [
    (name, field.name)
    for name, owner in LAYERS.items()
    for field in owner.fields.values()
    if field.kind == "integer" and field.role in ("module", "input") and field.minimum == 1
]


@pytest.mark.parametrize(("name", "field"), SIZES)
def test_a_size_of_zero_is_refused(name, field):
    with pytest.raises(InvalidField) as caught:
        LAYERS[name](**{field: 0})
    assert caught.value.field == field


def test_a_transposed_output_of_size_zero_is_refused():
    with pytest.raises(InvalidField, match="Output size is too small"):
        calculator.ConvTranspose1d(kernel_size=2, padding=1, length=1)


def parameters(module: type[torch.nn.Module]) -> Mapping[str, inspect.Parameter]:
    """Return what a constructor takes; those of RNNs say it in an overload only."""
    return inspect.signature(next(iter(get_overloads(module.__init__)), module)).parameters


def in_words(default: object) -> object:
    """Return a default as we write it: a function by its name."""
    return getattr(default, "__name__", default)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_says_whether_torch_has_a_module_of_its_name(name):
    assert LAYERS[name].in_torch == (name in NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_the_arguments_stand_in_torchs_order(name):
    theirs = list(parameters(TORCH[name]))
    fields = LAYERS[name].fields.values()
    ours = [field.name for field in fields if field.role == "module"]
    assert ours == [each for each in theirs if each in ours]


@pytest.mark.parametrize("name", NAMED)
def test_the_defaults_of_optional_arguments_are_torchs(name):
    theirs = parameters(TORCH[name])
    fields = LAYERS[name].fields.values()
    ours = {field.name: field.default for field in fields if field.role == "module"}
    optional = {key for key in ours if theirs[key].default is not inspect.Parameter.empty}
    assert {key: ours[key] for key in optional} == {
        key: in_words(theirs[key].default) for key in optional
    }


@dataclass(frozen=True)
class Network:
    """Layers as a person writes them, and the modules that torch makes of the same lines."""

    lines: tuple[str, ...]
    input_shape: tuple[int, ...]

    def module(self) -> torch.nn.Sequential:
        return torch.nn.Sequential(*(eval(f"torch.nn.{line}") for line in self.lines))

    def inputs(self) -> tuple[torch.Tensor]:
        return (zeros(self.lines[0].partition("(")[0], self.input_shape),)


LINES = [
    name
    for name in NAMED
    if not LAYERS[name].more_inputs and len(draw(Random(0), name).shapes) == 1
]


def fits(name: str, lines: list[str]) -> bool:
    return not (lines and LAYERS[name].takes_indices)


def networks(count: int) -> Iterator[Network]:
    """Yield networks in which each layer fits the one before, or nearly always.

    A layer that gives states is the last: the few layers that hand a tuple on are no network.
    """
    rng = Random(1)
    for _ in range(count):
        shape = tuple(rng.choice([1, 2, 3, 4, 6]) for _ in range(rng.choice([1, 2, 2, 3, 4, 4])))
        lines, size = [], shape
        for _ in range(rng.randint(1, 5)):
            for _ in range(30):
                one = draw(rng, rng.choice([each for each in LINES if fits(each, lines)]))
                # FlopCounterMode forgets the groups in the gradient of the weight; what autograd
                # has saved may not be overwritten. Without momentum torch asks a number of meta.
                simple = {"groups": 1, "inplace": False, "momentum": 0.1}
                arguments = {key: simple.get(key, value) for key, value in one.arguments.items()}
                fitted = replace(one, arguments=arguments, shapes=(size,))
                said = we_say(fitted, GRADS)
                if isinstance(said, Answer) or rng.random() < 0.005:
                    break
            lines.append(call(one.owner.__name__, arguments))
            if not isinstance(said, Answer) or fitted.ours().gives_beside():
                break
            size = said.output_shape
        yield Network(tuple(lines), shape)


def sequence_says(text: str, shape: tuple[int, ...], **flags: bool) -> Answer | InvalidField:
    try:
        ours = Sequential(modules=text, input_shape=shape, **flags)
        return Answer(**{name: getattr(ours, name) for name in Answer.__dataclass_fields__})
    except InvalidField as error:
        return error


REFUSALS = (RuntimeError, IndexError, ValueError, TypeError, AttributeError, AssertionError)


def torch_sequence_says(
    network: Network, training: bool = False, **grads: bool
) -> Answer | Exception:
    try:
        with torch.backends.mkldnn.flags(enabled=False):
            module = network.module().train(training)
            answer = run(module, network.inputs(), *grads.values())
        with torch.device("meta"):
            module = network.module().train(training)
            macs = count(module, network.inputs(), *grads.values())
        return replace(answer, macs=macs[0], training_macs=macs[1])
    except (
        RuntimeError,
        IndexError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as error:
        return error


def test_a_sequence_counts_what_torchs_does_and_is_refused_with_it():
    rng = Random(2)
    for network in networks(1000):
        grads = {name: rng.random() < 0.7 for name in GRADS}
        flags = {"training": rng.random() < 0.5, **grads}
        theirs = torch_sequence_says(network, **flags)
        ours = sequence_says("\n".join(network.lines), network.input_shape, **flags)
        both_refuse = isinstance(theirs, Exception) and isinstance(ours, InvalidField)
        nothing_left = isinstance(theirs, Answer) and 0 in theirs.output_shape
        assert both_refuse or nothing_left or ours == theirs, (network, flags)


BLOCKS = ("Transformer", "MultiheadAttention")  # printed as their parts, not as their arguments


def test_a_printed_sequence_counts_what_torchs_does():
    left_out = (*BLOCKS, "ceil_mode=True")  # where torch prints an average, and parts of blocks
    for network in networks(200):
        theirs = torch_sequence_says(network, **GRADS)
        if not isinstance(theirs, Answer) or any(part in str(network.lines) for part in left_out):
            continue
        assert sequence_says(str(network.module()), network.input_shape) == theirs


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.Conv2d(3, 4, 3, padding="same"),
        torch.nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        torch.nn.Conv2d(3, 6, (3, 1), stride=(1, 2), dilation=2, groups=3, bias=False),
        torch.nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
        torch.nn.Flatten(),
        torch.nn.ReLU(inplace=True),
        torch.nn.BatchNorm2d(3, momentum=None, bias=False),
        torch.nn.InstanceNorm2d(3, affine=True),
        torch.nn.GroupNorm(1, 3),
        torch.nn.LayerNorm((8, 8)),
        torch.nn.RMSNorm(8),
        torch.nn.LocalResponseNorm(5),
        torch.nn.PReLU(3),
        torch.nn.GELU("tanh"),
        torch.nn.Softmax(dim=None),
        torch.nn.GLU(dim=2),
        torch.nn.Dropout(0.1),
    ],
    ids=str,
)
def test_a_layer_is_read_as_torch_prints_it(module):
    shape = (2, 3, 8, 8)
    printed = str(torch.nn.Sequential(module))
    ours = sequence_says(printed, shape)
    assert (ours.output_shape, ours.params) == (
        tuple(module(torch.zeros(shape)).shape),
        sum(each.numel() for each in module.parameters()),
    )


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("Linear()", (2, 3)),
        ("Linear(3)", (2, 3)),
        ("Conv2d(3, 4)", (1, 3, 8, 8)),
        ("Conv2d(kernel_size=3)", (1, 3, 8, 8)),
        ("BatchNorm2d()", (1, 3, 8, 8)),
    ],
)
def test_a_layer_without_an_argument_that_torch_requires_is_refused(line, shape):
    assert isinstance(sequence_says(line, shape), InvalidField)


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("Linear(3, 4)", (2, 5)),
        ("Conv2d(3, 4, 3)", (1, 5, 8, 8)),
        ("Conv2d(3, 4, 3)", (3, 8)),
        ("LSTM(3, 4)", (2, 5)),
        ("GRUCell(3, 4)", (2, 5)),
        ("EmbeddingBag(3, 4)", (2,)),
    ],
)
def test_a_layer_that_does_not_fit_is_refused_in_torchs_words(line, shape):
    said = str(torch_sequence_says(Network((line,), shape), **GRADS))
    assert said in str(sequence_says(line, shape))


def test_an_argument_that_torch_takes_by_name_only_is_refused_at_a_place():
    with pytest.raises(TypeError):
        torch.nn.GroupNorm(1, 4, 1e-5, True, None, None, False)
    refused = sequence_says("GroupNorm(1, 4, 1e-5, True, False)", (1, 4, 2))
    assert "takes 4 arguments, not 5" in str(refused)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("LSTM(3, 4)", "Linear(4, 2)"), "must be Tensor, not tuple"),
        (("LSTMCell(3, 4)", "ReLU()"), "must be Tensor, not tuple"),
        (("MaxPool1d(2, return_indices=True)", "ReLU()"), "must be Tensor, not tuple"),
        (("ReLU()", "Embedding(3, 4)"), "torch.FloatTensor instead"),
        (("ReLU()", "Bilinear(3, 4, 5)"), "missing"),
    ],
    ids=lambda given: given[-1] if isinstance(given, tuple) else given,
)
def test_a_layer_that_stands_in_no_such_place_is_refused_with_torch(lines, words):
    assert words in str(torch_sequence_says(Network(lines, (2, 3)), **GRADS))
    assert words in str(sequence_says("\n".join(lines), (2, 3)))


def test_a_sequence_of_words_begins_with_an_embedding():
    network = Network(("Embedding(9, 4)", "Linear(4, 3)", "GRU(3, 2)"), (5, 2))
    for grads in (GRADS, {**GRADS, "weight_requires_grad": False}):
        theirs = torch_sequence_says(network, **grads)
        assert isinstance(theirs, Answer)
        assert sequence_says("\n".join(network.lines), network.input_shape, **grads) == theirs


def test_a_comment_between_layers_is_passed_over():
    assert sequence_says("# one\nReLU()  # two", (2, 3)) == sequence_says("ReLU()", (2, 3))


@pytest.mark.parametrize(
    ("line", "argument"),
    [("Conv2d('3', 4, 3)", "in_channels"), ("Linear(3, x)", "out_features")],
)
def test_an_argument_of_the_wrong_type_is_named_before_the_shapes_are_compared(line, argument):
    refused = sequence_says(f"ReLU()\n{line}", (1, 3, 8, 8))
    assert f"line 2: {argument}: must be a whole number" in str(refused)
