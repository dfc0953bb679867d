"""Every layer against torch itself: shapes, parameters, work, memory, and what is refused."""

import inspect
from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random
from typing import get_overloads

import pytest
import torch
from depth import draws
from torch.utils.flop_counter import sdpa_backward_flop_count

import calculator
from calculator import InvalidField, Linear
from calculator.core.calculation import quantity
from scripts.random_layers.compare import configurations, disagreement, report, we_say
from scripts.random_layers.draw import LAYERS, Configuration, draw
from scripts.torch_layers.run import Answer, module, torch_says

COUNT = draws(200, deep=2000)  # configurations of each layer
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


def test_a_key_that_is_missing_here_is_not_taken_for_a_refusal_by_torch(monkeypatch):
    monkeypatch.setattr("scripts.torch_layers.run.DTYPES", {})
    one = Configuration("linear", {"in_features": 2, "out_features": 3}, {}, ((4, 2),))
    with pytest.raises(KeyError):
        torch_says(one, **GRADS)


def test_a_refusal_in_other_words_is_found(monkeypatch):
    monkeypatch.setattr(InvalidField, "__str__", lambda self: "no")
    one = Configuration("linear", {"in_features": 2, "out_features": 3}, {}, ((4, 3),))
    assert disagreement(one, GRADS) is None
    monkeypatch.setattr("scripts.random_layers.compare.reason", lambda error: "other words")
    assert "we say 'mat1 and mat2 shapes cannot be multiplied (4x3 and 2x3)" in disagreement(
        one, GRADS
    )


def test_a_refusal_of_what_torch_takes_is_found(monkeypatch):
    refused = InvalidField("dropout", "must be below 1", given=1.0)
    monkeypatch.setattr("scripts.random_layers.compare.we_say", lambda one, grads: refused)
    arguments = {"input_size": 2, "hidden_size": 3, "num_layers": 2, "dropout": 1.0}
    one = Configuration("lstm", arguments, {"training": True}, ((4, 2),), wrong=("dropout",))
    assert disagreement(one, GRADS) == f"we refuse: {refused}"


def test_other_sizes_in_a_reason_are_found(monkeypatch):
    one = Configuration("adaptive_avg_pool2d", {"output_size": (-1, 2)}, {}, ((1, 3, 4),))
    said = we_say(one, GRADS)
    other = InvalidField("output_size", said.message.replace("{-1, 2}", "{-1, 3}"), given=-1)
    monkeypatch.setattr("scripts.random_layers.compare.we_say", lambda one, grads: other)
    assert "received {-1, 2}" in disagreement(one, GRADS)


@pytest.mark.parametrize("argument", ["padding", "dilation"])
@pytest.mark.parametrize("layer", [calculator.Conv2d, calculator.ConvTranspose2d])
def test_one_number_in_a_tuple_is_for_all_axes_of(layer, argument):
    assert layer(**{argument: (2,)}) == layer(**{argument: 2})


@pytest.mark.parametrize("argument", ["padding", "dilation"])
def test_one_number_in_a_tuple_is_refused_where_zeros_do_not_pad_for(argument):
    # torch pads the last axis and forgets the others
    with pytest.raises(InvalidField, match=f"expected {argument} to be a single integer"):
        calculator.Conv2d(**{argument: (1,)}, padding_mode="reflect")


BELOW_ONE = {
    "heads": ("multihead_attention", {"embed_dim": 4, "num_heads": -1}),
    "an embedding": ("multihead_attention", {"embed_dim": 0, "num_heads": 2}),
    "the heads of a block": ("transformer_encoder_layer", {"d_model": 4, "nhead": -1}),
    "groups": ("group_norm", {"num_groups": -1, "num_channels": 4}),
    "groups that do not divide": ("group_norm", {"num_groups": -3, "num_channels": 4}),
    "channels": ("group_norm", {"num_groups": 3, "num_channels": -1}),
    "features": ("bilinear", {"in1_features": 0, "in2_features": 2, "out_features": 3}),
    "a hidden size": ("lstm", {"input_size": 3, "hidden_size": 0}),
}


@pytest.mark.parametrize(("name", "arguments"), BELOW_ONE.values(), ids=BELOW_ONE.keys())
def test_a_size_below_one_is_refused_in_torchs_words_for(name, arguments):
    shapes = ((2, 4, 4),) if name != "bilinear" else ((2, 4), (2, 4))
    one = Configuration(name, arguments, {}, shapes)
    theirs = torch_says(one, **GRADS)
    assert isinstance(theirs, Exception)
    with pytest.raises(InvalidField) as caught:
        LAYERS[name](**arguments)
    assert caught.value.message.startswith(str(theirs))


CROPPED = {
    "all of a line": ("conv1d", {"padding": -2, "padding_mode": "reflect"}, (1, 1, 4)),
    "all of a picture": ("conv2d", {"padding": -2, "padding_mode": "replicate"}, (1, 1, 3, 4)),
    "all of a volume": ("conv3d", {"padding": -2, "padding_mode": "reflect"}, (1, 1, 3, 4, 4)),
    "one axis": ("conv2d", {"padding": (-2, 0), "padding_mode": "reflect"}, (1, 1, 4, 4)),
    "a circle": ("conv2d", {"padding": (0, -2), "padding_mode": "circular"}, (1, 1, 4, 3)),
}


@pytest.mark.parametrize(("name", "arguments", "shape"), CROPPED.values(), ids=CROPPED.keys())
def test_a_padding_is_refused_in_torchs_words_where_it_crops(name, arguments, shape):
    channels = {"in_channels": 1, "out_channels": 1, "kernel_size": 1}
    one = Configuration(name, {**channels, **arguments}, {}, (shape,))
    theirs, ours = torch_says(one, **GRADS), we_say(one, GRADS)
    assert isinstance(theirs, Exception)
    assert str(theirs) in str(ours)


@pytest.mark.parametrize(
    "one",
    [
        Configuration("adaptive_avg_pool3d", {"output_size": (1, 0, -1)}, {}, ((2, 3, 3, 4),)),
        Configuration("upsample", {"size": -1, "mode": "area"}, {}, ((1, 2, 3, 4, 5),)),
    ],
    ids=lambda one: one.layer,
)
def test_the_sizes_of_an_average_are_quoted_as_torch_spaces_them(one):
    theirs, ours = torch_says(one, **GRADS), we_say(one, GRADS)
    assert isinstance(theirs, Exception)
    assert str(theirs) in str(ours)


@pytest.mark.parametrize("name", ["rnn_cell", "lstm_cell", "gru_cell"])
def test_a_cell_does_not_say_what_torch_does_not(name):
    # torch: "Trying to create tensor with negative dimension …"
    with pytest.raises(InvalidField) as caught:
        LAYERS[name](hidden_size=-1)
    assert caught.value.message == "must be at least 1"


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
