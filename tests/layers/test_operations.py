"""Operations, counted while small layers are computed by their definition."""

from collections.abc import Iterator
from itertools import islice

import pytest
import torch
from depth import draws

from calculator import Layer, Sequential
from scripts.random_layers.draw import LAYERS, Configuration, accepted
from scripts.torch_layers.definitions import attention, computed, normalization
from scripts.torch_layers.definitions.counting import Tally, numbers
from scripts.torch_layers.run import first, inputs, module

COUNT = draws(30, deep=300)  # of each layer
MOST = 20_000  # operations: a count one by one takes about a microsecond each
EXACT = [name for name, owner in LAYERS.items() if "exact_flops" in owner.quantities]


def drawn(name: str) -> Iterator[tuple[Configuration, Layer]]:
    """Random layers that are small."""
    return ((one, ours) for one, ours in accepted(name) if sum(ours.operations.values()) < MOST)


def some(counts: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counts.items() if count}


@pytest.mark.parametrize("name", LAYERS)
def test_the_operations_are_those_that_the_definition_takes(name):
    for one, ours in islice(drawn(name), COUNT):
        _, tally = computed(module(one), *inputs(one))
        assert some(ours.operations) == tally, one


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_flops_are_the_multiplications_and_additions_one_by_one(name):
    for one, ours in islice(drawn(name), COUNT):
        _, tally = computed(module(one), *inputs(one), fused=False)
        assert ours.exact_flops == tally["multiplications"] + tally.get("additions", 0), one


@pytest.mark.parametrize("name", LAYERS)
def test_the_definition_gives_what_torch_gives(name):
    torch.manual_seed(0)
    for one, ours in islice(drawn(name), COUNT // 3):
        layer, given = module(one).double(), inputs(one, random=True)
        y, _ = computed(layer, *given)
        assert y.shape == ours.output_shape
        with torch.no_grad():
            theirs = first(layer(*given))
        ours_y = torch.tensor(y.astype(float), dtype=torch.float64)
        torch.testing.assert_close(ours_y, theirs, check_dtype=False)


def test_the_weights_that_the_definition_averages_are_those_that_torch_returns():
    torch.manual_seed(0)
    for one, _ in islice(drawn("multihead_attention"), COUNT):
        layer, given = module(one).double(), inputs(one, random=True)
        tally = Tally()
        _, weights = attention.with_weights(layer, *(numbers(each, tally) for each in given))
        with torch.no_grad():
            _, theirs = layer(*given)
        assert (weights is None) == (theirs is None)
        if theirs is not None:
            ours = torch.tensor(weights.astype(float), dtype=torch.float64)
            torch.testing.assert_close(ours, theirs)


def test_a_sequence_does_the_operations_of_its_layers():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(12, 2)
    )
    _, tally = computed(network, torch.randn(2, 2, 4, 4))
    text = "Conv2d(2, 3, 3)\nReLU()\nFlatten()\nLinear(12, 2)"
    assert Sequential(modules=text, input_shape=(2, 2, 4, 4)).operations == tally


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("layer", [torch.nn.BatchNorm1d, torch.nn.InstanceNorm1d])
def test_the_running_statistics_of_the_definition_are_torchs(layer, momentum):
    if layer is torch.nn.InstanceNorm1d and momentum is None:
        momentum = 0.0  # what torch makes of it
    module = layer(3, momentum=momentum, track_running_stats=True).double()
    for _ in range(2):  # the first batch moves them from 0 and 1
        x = torch.randn(4, 3, 5, dtype=torch.float64)
        found = normalization.running_statistics(module, numbers(x, Tally()))
        module(x)
    for ours, theirs in zip(found, (module.running_mean, module.running_var), strict=True):
        torch.testing.assert_close(torch.tensor(ours.astype(float)), theirs)
