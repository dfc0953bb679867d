"""What we say each counting tool returns, against the tools themselves, run anew."""

import json
import re
import warnings
from importlib.metadata import version

import pytest

from calculator.counters import readings, tools
from calculator.counters.tool import Reading
from scripts.random_layers.draw import LAYERS
from scripts.tools.battery import battery, networks
from scripts.tools.call import READINGS
from scripts.tools.read import (
    PACKAGES,
    PINNED,
    RECORD,
    as_answer,
    compared,
    differs,
    disagreements,
    drawn,
    measured,
    own,
    shorter,
    subjects,
)

NAMES = [
    *("thop", "ultralytics-thop", "fvcore", "fvcore-train", "fvcore-no-grad", "ptflops"),
    *("ptflops-batch", "ptflops-aten", "torchinfo", "calflops", "deepspeed", "torchprofile"),
    *("torch-cpu", "torch-cpu-no-grad", "torch-meta"),
]
"""The readings that others script against."""
OF_EACH = 7  # random layers of each kind
RECORDED = json.loads(RECORD.read_text("utf-8"))


def shown(found):
    """Return what a person needs to see of disagreements."""
    return [f"{name}: {one.text()}: {ours} != {theirs}" for one, name, ours, theirs in found]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_battery_is_read_as_predicted_and_as_the_record_says(package):
    asked = subjects(package)
    version, readings = measured(package, asked)
    assert not shown(compared(package, asked, readings))
    assert RECORDED["versions"][package] == version
    for one, answers in zip(asked, readings, strict=True):
        recorded = RECORDED["readings"][one.text()]
        assert {name: recorded[name] for name in answers} == plain(shorter(answers)), one.text()


def plain(answers):
    """Return readings as JSON gives them back."""
    return json.loads(json.dumps(answers))


@pytest.mark.parametrize("package", PACKAGES)
def test_random_layers_are_read_as_predicted(package):
    assert not shown(disagreements(package, drawn(LAYERS, OF_EACH)))


@pytest.mark.parametrize("package", PACKAGES)
def test_random_networks_are_read_as_predicted(package):
    assert not shown(disagreements(package, networks(60)))


def test_the_battery_is_as_large_as_it_is_said_to_be():
    asked = battery()
    assert sum(one.layer is not None for one in asked) >= 150
    assert sum(one.layer is None for one in asked) >= 12


def test_a_layer_that_the_battery_lacks_is_named_in_a_warning():
    # Random layers of every kind are read in any case; the battery is what readers see.
    in_it = {one.layer.layer for one in battery() if one.layer}
    missing = LAYERS.keys() - in_it
    if missing:
        warnings.warn(f"not in the battery: {', '.join(sorted(missing))}", stacklevel=1)
    assert len(in_it) >= 73


def test_random_layers_are_at_least_500():
    assert len(drawn(LAYERS, OF_EACH)) >= 500


@pytest.mark.parametrize("package", PACKAGES)
def test_a_prediction_is_of_the_version_that_is_pinned(package):
    (pinned,) = [each.partition("==")[2] for each in PINNED.get(package, ["torch==2.13.0"])[:1]]
    assert {tool.version for tool in own(package)} == {pinned}
    read = RECORDED["versions"][package].partition("+")[0]
    assert re.sub(r"[.-]?post|-", ".", pinned) == re.sub(r"[.-]?post|-", ".", read)


def test_the_record_names_the_torch_of_these_tests():
    assert RECORDED["versions"]["torch"] == version("torch")


def test_every_reading_has_a_prediction_and_a_name_that_others_know():
    assert [tool.name for tool in tools()] == NAMES == [*READINGS]


def test_the_predictions_of_a_layer_are_named_as_the_tools():
    assert [*readings(battery()[0].ours())] == NAMES


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"value": 5, "warns": []}, {"value": 6}),
        ({"value": 5, "params": 3, "warns": []}, {"value": 5, "params": 4}),
        ({"value": 5, "warns": []}, {"value": 5, "params": 4}),
        ({"value": 5, "warns": []}, {"value": 5, "warns": ["aten::add"]}),
        ({"value": 5, "warns": []}, {"raises": "TypeError: no"}),
        ({"raises": "TypeError: no"}, {"raises": "ValueError: no"}),
        ({"value": 5, "between": (1, 3), "warns": []}, {"value": 5, "params": 4}),
    ],
)
def test_a_difference_is_found(ours, theirs):
    assert differs(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"value": 5, "warns": []}, {"value": 5.0}),
        ({"raises": "TypeError: no"}, {"raises": "TypeError: in other words"}),
        ({"value": 5, "between": (1, 3), "warns": []}, {"value": 5, "params": 3}),
    ],
)
def test_what_is_the_same_is_no_difference(ours, theirs):
    assert not differs(ours, theirs)


def test_a_reading_is_compared_with_all_that_a_tool_says():
    reading = Reading(why="", value=1, params=2, macs=3, warns=("aten::add",))
    assert as_answer(reading) == {"value": 1, "params": 2, "macs": 3, "warns": ["aten::add"]}
