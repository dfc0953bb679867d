"""The table of the counting tools, and how to report a count."""

import csv
import json
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from calculator import (
    Conv2d,
    Linear,
    MultiheadAttention,
    Network,
    ScaledDotProductAttention,
    Sequential,
    TransformerEncoderLayer,
)
from calculator.answers.sentences import how_to_report
from calculator.counters.comparison import COLUMNS, comma_separated, markdown, record, rows
from calculator.web.counters_panel import render_counters

# Read from the tools themselves: docs/readings.json has this layer, tests/test_counters.py runs it.
CONV = Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128)
MHA = MultiheadAttention(embed_dim=16, num_heads=4, batch_size=2, query_length=6)


def asked(*arguments):
    """Return what the command line answers, and its status."""
    command = [sys.executable, "-m", "calculator", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout or done.stderr, done.returncode


def test_the_true_count_stands_on_top_of_fifteen_readings():
    first, *others = rows(CONV)
    assert (first.name, first.reading.value, first.reading.params) == (
        "the true count", 13_716_864, 896,
    )  # fmt: skip
    assert len(others) == 15


def test_a_ratio_is_that_to_the_true_macs():
    found = {row.name: row.ratio for row in rows(CONV)}
    assert (found["thop"], found["torch-meta"]) == (1, 2)


def test_nothing_is_a_ratio_of_no_macs():
    assert {row.ratio for row in rows(Sequential(modules="ReLU()", input_shape=(2, 3)))} == {None}


def test_the_record_has_what_others_script_against():
    said = record(CONV)
    assert said["thop"] == {
        "value": 13_716_864, "unit": "MACs", "params": 0, "why": said["thop"]["why"],
        "means": said["thop"]["means"], "version": "0.1.1.post2209072238",
        "call": "thop.profile(model, inputs=inputs)",
    }  # fmt: skip
    assert said["calflops"]["macs"] == 13_716_864
    assert json.loads(json.dumps(said)) == said


def test_a_tool_that_raises_has_that_in_place_of_a_value():
    said = record(MHA)["ptflops"]
    assert said["raises"].startswith("TypeError")
    assert "value" not in said


def test_what_a_tool_warns_of_is_said():
    said = record(TransformerEncoderLayer(d_model=16, nhead=4))["fvcore"]
    assert "aten::scaled_dot_product_attention" in said["warns"]
    assert any("It warns that it has no formula for" in row.texts()["why"] for row in rows(MHA))


def test_csv_gives_every_number_plain():
    table = list(csv.DictReader(comma_separated(CONV).splitlines()))
    assert [*table[0]] == [*COLUMNS, "version", "call"]
    assert table[0] | {"why": ""} == {
        "tool": "the true count", "value": "13716864", "unit": "MACs", "ratio": "1.0",
        "params": "896", "why": "", "version": "", "call": "",
    }  # fmt: skip
    assert len(table) == 16


def test_markdown_is_a_table_of_as_many_rows():
    lines = markdown(CONV).splitlines()
    assert [line.count("|") for line in lines] == [len(COLUMNS) + 3] * 18
    assert "13 716 864" in lines[2].replace("\u202f", " ")


class Cells(HTMLParser):
    """The texts of the first column, in order."""

    def __init__(self):
        super().__init__()
        self.tools = []
        self.sorted = {}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "tr" and "data-tool" in given:
            self.tools.append(given["data-tool"])
        if "aria-sort" in given:
            self.sorted[given["data-column"]] = given["aria-sort"]


def order(sort):
    """Return the tools as a panel has them, and how its heads say they are sorted."""
    cells = Cells()
    cells.feed(render_counters(MHA, sort))
    return cells.tools, cells.sorted


@pytest.mark.parametrize(("sort", "said"), [("value", "ascending"), ("-value", "descending")])
def test_a_column_is_sorted_under_the_true_count(sort, said):
    tools, heads = order(sort)
    values = {row.name: row.reading.value for row in rows(MHA)}
    found = [values[name] for name in tools[1:] if values[name] is not None]
    assert tools[0] == "the true count"
    assert found == sorted(found, reverse=said == "descending")
    assert heads == {"value": said}


def test_what_raises_comes_last_however_it_is_sorted():
    assert {*order("value")[0][-2:]} == {*order("-value")[0][-2:]} == {"ptflops", "ptflops-batch"}


@pytest.mark.parametrize("sort", ["", "why", "no such column", "--value"])
def test_an_unknown_order_is_that_of_the_tools(sort):
    assert order(sort) == order("")


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            Network(),
            "4.09 GMACs (8.18 GFLOPs, 1 MAC = 2 FLOPs), input 3×224×224, batch 1, biases, "
            "normalisation, activations and pooling not included",
        ),
        (
            Linear(in_features=128, out_features=64, batch_size=32),
            "262 kMACs (524 kFLOPs, 1 MAC = 2 FLOPs), input 128, batch 32, biases, "
            "normalisation, activations and pooling not included",
        ),
        (
            ScaledDotProductAttention(is_causal=True),
            "403 MMACs (805 MFLOPs, 1 MAC = 2 FLOPs), input 12×512×64, batch 1, attention products "
            "and masked pairs included, but not biases, normalisation, activations and pooling",
        ),
        (
            Sequential(modules="Linear(4, 2)", input_shape=(3, 4), convention="all"),
            "54 FLOPs of all arithmetic (1 MAC = 2 FLOPs, exp, tanh, … = 8 FLOPs each), including "
            "24 MACs, input 4, batch 3, biases, normalisation, activations and pooling included",
        ),
        (
            Conv2d(
                in_channels=3, out_channels=4, kernel_size=3, height=5, width=5, batch_size=None
            ),
            "972 MACs (1.94 kFLOPs, 1 MAC = 2 FLOPs), input 3×5×5, no batch, biases, "
            "normalisation, activations and pooling not included",
        ),
        (
            MHA,
            # 4 projections of 12 rows, 3072 each, and 2 products of 1152
            "14.6 kMACs (29.2 kFLOPs, 1 MAC = 2 FLOPs), input 6×16, batch 2, attention products "
            "included, but not biases, normalisation, activations and pooling",
        ),
        (
            # 4 gates of 3 numbers, each of 2 inputs and 3 states, in 5 steps of 2 samples
            Sequential(modules="LSTM(2, 3)", input_shape=(5, 2, 2)),
            "600 MACs (1.2 kFLOPs, 1 MAC = 2 FLOPs), input 5×2, batch 2, biases, "
            "normalisation, activations and pooling not included",
        ),
        (
            Sequential(modules="Conv2d(3, 4, 3)", input_shape=(3, 5, 5)),
            "972 MACs (1.94 kFLOPs, 1 MAC = 2 FLOPs), input 3×5×5, no batch, biases, "
            "normalisation, activations and pooling not included",
        ),
    ],
    ids=[
        *("network", "linear", "causal", "all arithmetic", "no batch", "batch second"),
        *("a sequence, batch second", "a sequence, no batch"),
    ],
)
def test_a_count_is_reported_with_all_that_it_takes_to_repeat_it(work, said):
    assert how_to_report(work) == said


def test_the_command_line_adds_counters_and_how_to_report():
    fields = "--in-channels 3 --out-channels 32 --kernel-size 3 --height 128 --width 128"
    said, status = asked("conv2d", *fields.split(), "--counters", "--json")
    found = json.loads(said)
    assert status == 0
    assert found["counters"] == record(CONV)
    assert found["how_to_report"] == how_to_report(CONV)


def test_the_command_line_prints_a_line_a_tool():
    said, _ = asked("network", "resnet50", "--counters")
    assert [line.split()[0] for line in said.splitlines()[-15:]] == [
        row.name for row in rows(Network())[1:]
    ]


def test_counters_are_for_work_alone():
    said, status = asked("conversion", "--counters")
    assert (status, said) == (2, said)
    assert "--counters: unknown option" in said.replace("'", "")
