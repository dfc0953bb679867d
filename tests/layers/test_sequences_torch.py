"""Layers one after another against torch's `Sequential`: what is counted, and what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
import torch

from calculator import InvalidField, Sequential
from calculator.networks.torch_source import call
from scripts.random_layers.compare import GRADS, we_say
from scripts.random_layers.draw import LAYERS, draw
from scripts.torch_layers.run import Answer, count, run, zeros

ALL = dict.fromkeys(GRADS, True)


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
    for name, owner in LAYERS.items()
    if owner.in_torch and not owner.more_inputs and len(draw(Random(0), name).shapes) == 1
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
                said = we_say(fitted, ALL)
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
    except REFUSALS as error:
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
        theirs = torch_sequence_says(network, **ALL)
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
    said = str(torch_sequence_says(Network((line,), shape), **ALL))
    assert said in str(sequence_says(line, shape))


def test_an_argument_that_torch_takes_by_name_only_is_refused_at_a_place():
    with pytest.raises(TypeError):
        torch.nn.GroupNorm(1, 4, 1e-5, True, None, None, False)
    refused = sequence_says("GroupNorm(1, 4, 1e-5, True, False)", (1, 4, 2))
    assert "takes at most 4 arguments, not 5" in str(refused)


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
    assert words in str(torch_sequence_says(Network(lines, (2, 3)), **ALL))
    assert words in str(sequence_says("\n".join(lines), (2, 3)))


def test_a_sequence_of_words_begins_with_an_embedding():
    network = Network(("Embedding(9, 4)", "Linear(4, 3)", "GRU(3, 2)"), (5, 2))
    for grads in (ALL, {**ALL, "weight_requires_grad": False}):
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
