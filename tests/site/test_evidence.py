"""The committed record of what the witnesses said, against the witnesses today."""

import json

import pytest

from scripts.site.examples import EVIDENCE, examples, key, subject
from scripts.witnesses.verify import record, text

pytestmark = pytest.mark.xdist_group("evidence")

ENTRIES = {key(entry): entry for entry in json.loads(EVIDENCE.read_text("utf-8"))}


@pytest.fixture(scope="module")
def measured():
    """Every example of the pages, measured anew."""
    return {key(entry): entry for entry in json.loads(text(record(examples())))}


@pytest.mark.parametrize("example", ENTRIES)
def test_an_entry_is_what_the_witnesses_say_today(measured, example):
    assert measured[example] == ENTRIES[example]


def test_every_example_has_an_entry_and_no_entry_is_left_over():
    keys = {key(subject(example.calculator, example.evaluate())) for _, example in examples()}
    assert keys == ENTRIES.keys()


def test_the_record_is_sorted_and_indented():
    assert EVIDENCE.read_text("utf-8") == text([ENTRIES[each] for each in sorted(ENTRIES)])


def told(macs: int) -> list[dict]:
    """Return what thop printed for the examples with so many multiply-accumulates."""
    asked = [each for each in ENTRIES.values() if "thop" in each]
    return [each["thop"] for each in asked if each["figures"].get("macs") == macs]


def test_thop_counts_the_notebooks_mlp_with_its_bias_in_the_parameters_only():
    # shared/seed/notebook.txt, cell 9: MACs: 282624.0, Parameters: 8906.0
    assert {"macs": 282_624, "params": 8906} in [
        {name: said[name] for name in ("macs", "params")} for said in told(282_624)
    ]


def test_thop_finds_no_parameters_in_the_notebooks_bare_convolution():
    # shared/seed/notebook.txt, cell 15: (13716864.0, 0)
    assert {"macs": 13_716_864, "params": 0} in [
        {name: said[name] for name in ("macs", "params")} for said in told(13_716_864)
    ]
