"""Operations, counted while small layers are computed by their definition."""

from itertools import islice

import pytest
import torch
from depth import draws

from calculator import Sequential
from scripts.random_layers.check import find_wrong_operations, find_wrong_result, small
from scripts.random_layers.draw import LAYERS
from scripts.torch_layers.definitions import attention, computed, normalization
from scripts.torch_layers.definitions.counting import Tally, numbers
from scripts.torch_layers.run import inputs, module

COUNT = draws(30, deep=300)  # of each layer
EXACT = [name for name, owner in LAYERS.items() if "exact_flops" in owner.quantities]


@pytest.mark.parametrize("name", LAYERS)
def test_the_operations_are_those_that_the_definition_takes(name):
    for one, ours in islice(small(name), COUNT):
        assert find_wrong_operations(one, ours) is None


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_flops_are_the_multiplications_and_additions_one_by_one(name):
    for one, ours in islice(small(name), COUNT):
        _, tally = computed(module(one), *inputs(one), fused=False)
        assert ours.exact_flops == tally["multiplications"] + tally.get("additions", 0), one


@pytest.mark.parametrize("name", LAYERS)
def test_the_definition_gives_what_torch_gives(name):
    torch.manual_seed(0)
    for one, ours in islice(small(name), COUNT // 3):
        assert find_wrong_result(one, ours) is None


def test_the_weights_that_the_definition_averages_are_those_that_torch_returns():
    torch.manual_seed(0)
    for one, _ in islice(small("multihead_attention"), COUNT):
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
