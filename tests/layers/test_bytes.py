"""The bytes of every layer against those of the tensors that torch's module reads and writes."""

from itertools import islice

import pytest

from calculator.layers.layer import Layer
from scripts.random_layers.compare import GRADS, configurations, we_say
from scripts.random_layers.draw import LAYERS
from scripts.torch_layers.run import Answer
from scripts.witnesses import by_torch

COUNT = 100
BYTES = ("weight_bytes", "input_bytes", "output_bytes", "bytes_moved")


@pytest.mark.parametrize("name", LAYERS)
def test_the_bytes_are_those_of_torchs_tensors(name):
    compared = 0
    for one, more in islice(configurations(name, seed=3), COUNT):
        if not isinstance(we_say(one, more), Answer):
            continue
        layer: Layer = one.ours(**more)
        seen = by_torch.ask_torch(one, more["dtype"], {each: more[each] for each in GRADS})
        known = [each for each in BYTES if each in seen]
        assert {each: getattr(layer, each) for each in known} == {
            each: seen[each] for each in known
        }, (one, more)
        compared += 1
    assert compared > COUNT / 4
