"""The worker's functions: whatever they are sent, they answer."""

import json

import pytest

from calculator.web import worker
from scripts.random_layers.call_worker import run


def answered(function, **question):
    return json.loads(getattr(worker, function)(json.dumps(question)))


def test_nothing_that_is_sent_raises():
    assert [*run(calls=40_000, seed=14)] == []


@pytest.mark.parametrize("function", ["answer", "formulas", "counters", "expectation"])
def test_a_calculator_of_another_release_is_named_as_missing(function):
    said = answered(function, calculator="no such calculator", fields={})
    assert said["html"] is None
    assert said.get("errors", {"calculator": ""}).keys() == {"calculator"}


def test_a_configuration_for_a_calculator_of_another_release_is_not_read():
    said = answered("configuration", calculator="no such calculator", text="{}")
    assert said["fields"] is None
    assert "no such calculator" in said["message"]


def test_what_is_not_there_has_no_form_no_options_and_no_text():
    assert answered("form", calculator="no such calculator", prefix="p") == {"html": None}
    assert answered("options", calculator="linear", field="bias") == {"html": None}
    assert answered("options", calculator="linear", field="no such field") == {"html": None}
    asked = {"calculator": "linear", "fields": {}, "format": "no such format"}
    assert answered("to_copy", **asked) == {"text": None}


def test_a_guess_at_what_has_no_number_is_refused_in_words():
    asked = {"calculator": "linear", "fields": {"in_features": "0"}, "guess": "1"}
    said = answered("judge", **asked, quantity="macs")
    assert said == {"error": "macs is not a single number above 0, so it cannot be guessed"}
