"""`make verify`: what stops it, and that it says which two numbers differ."""

import json
from pathlib import Path

import pytest

from scripts.site.examples import DirectiveError, Example, examples
from scripts.witnesses import by_torch, verify
from scripts.witnesses.verify import measure, record


def example(calculator: str = "linear", *expect: str, **fields: str) -> Example:
    return Example(calculator, fields, dict.fromkeys(expect or ["macs"], "1"), {})


@pytest.fixture
def lying_torch(monkeypatch):
    honest = by_torch.ask_torch
    monkeypatch.setattr(by_torch, "ask_torch", lambda *given: honest(*given) | {"macs": 7})


@pytest.fixture
def page(tmp_path):
    """A folder with one page of one example."""
    text = "# Page\n\n/// example | linear\nfields: {in_features: 2}\nexpect: {macs: 6_144}\n///\n"
    (tmp_path / "page.md").write_text(text)
    return tmp_path


def test_torch_says_what_is_expected_of_a_layer():
    assert measure(example(in_features="2", out_features="3"))["figures"]["macs"] == 6


def test_a_witness_that_differs_is_quoted_with_both_numbers(lying_torch):
    with pytest.raises(DirectiveError, match=r"torch \S+ says macs = 7, the formula 6"):
        measure(example(in_features="2", out_features="3"))


def test_a_figure_that_no_witness_knows_is_refused():
    with pytest.raises(DirectiveError, match="no witness knows 'mac'"):
        measure(example("linear", "mac"))


def test_what_is_too_large_to_count_one_by_one_is_refused():
    with pytest.raises(DirectiveError, match="too large to be counted one by one"):
        measure(example("linear", "exact_flops", in_features="4096", out_features="4096"))


def test_the_page_of_a_wrong_example_is_named(lying_torch, page):
    with pytest.raises(DirectiveError, match=r"page\.md"):
        record(examples(page))


def test_nothing_is_written_where_a_witness_differs(lying_torch, page, monkeypatch):
    monkeypatch.setattr(verify, "EVIDENCE", page / "evidence.json")
    monkeypatch.setattr(verify, "examples", lambda: examples(page))
    assert (verify.main(), (page / "evidence.json").exists()) == (1, False)


def test_the_record_is_written_where_all_agree(page, monkeypatch):
    monkeypatch.setattr(verify, "EVIDENCE", page / "evidence.json")
    monkeypatch.setattr(verify, "examples", lambda: examples(page))
    verify.main()
    assert json.loads((page / "evidence.json").read_text())[0]["figures"]["macs"] == 6144


def test_examples_that_are_alike_share_an_entry():
    alike = [example("linear", "macs"), example("linear", "rows", in_features="768")]
    assert len(record((Path("page.md"), each) for each in alike)) == 1


def test_the_record_does_not_depend_on_the_order_of_the_pages():
    pair = [(Path("a.md"), example()), (Path("b.md"), example("conv1d"))]
    assert record(pair) == record(reversed(pair))


def test_the_time_comes_from_the_examples_own_texts():
    # 2 * 1024 * 1024 FLOP / 19.5e12 FLOP/s, a quarter of the peak
    one = example(
        in_features="1024",
        out_features="1024",
        peak_flops_per_second="19.5 TFLOPS",
        utilization="25 %",
    )
    assert measure(one)["figures"]["reached_seconds"] == 2 * 1024 * 1024 / (19.5e12 / 4)


def test_thop_is_asked_where_the_example_says_so():
    one = Example("linear", {"in_features": "2", "out_features": "3"}, {"macs": "6"}, {"macs": "6"})
    assert measure(one)["thop"]["macs"] == 6


def test_thop_is_given_a_sequence_of_one_layer_as_a_sequence():
    # then it finds the parameters, which it does not in a bare layer
    fields = {"modules": "Linear(2, 3)", "input_shape": "1, 2"}
    one = Example("sequential", fields, {"macs": "6"}, {"params": "9"})
    assert measure(one)["thop"]["params"] == 9


def test_a_view_moves_no_byte():
    one = example("sequential", modules="Flatten()", input_shape="2, 3, 4")
    assert measure(one)["figures"]["bytes_moved"] == 0
