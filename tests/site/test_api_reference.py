"""The page of the Python interface: every public name, and a session that Python repeats."""

import doctest
import inspect
import re
from html import unescape

import pytest
import torch

import calculator
from calculator import CALCULATIONS
from calculator.layers.layer import Layer
from calculator.web.markup import Markup, element, table
from scripts.site.api_reference import reference
from scripts.site.steps import ROOT

PAGE = reference()


def entry(name):
    return re.search(rf'<details id="api-{name}".*?</details>', PAGE)[0]


def test_every_public_name_has_an_entry_and_a_sentence():
    entries = re.findall(r'<details id="api-(\w+)"[^>]*><summary>(.*?)</summary>', PAGE)
    assert [name for name, _ in entries] == calculator.__all__[1:]
    assert all(len(re.sub("<[^>]*>", "", summary)) > len(name) + 10 for name, summary in entries)


@pytest.mark.parametrize("name", ["conv2d", "layer_norm", "multihead_attention", "lstm"])
def test_the_arguments_of_torchs_constructor_are_named_with_their_defaults(name):
    owner = CALCULATIONS[name]
    rows = re.findall(
        r'<th scope="row"><code>(\w+)</code></th><td>(.*?)</td>', entry(owner.__name__)
    )
    shown = {field: unescape(re.sub("<[^>]*>", "", default)) for field, default in rows}
    torchs = inspect.signature(getattr(torch.nn, owner.__name__).__init__).parameters
    for field in torchs.keys() & owner.fields.keys() - Layer.fields.keys():
        default = torchs[field].default
        assert shown[field] == ("required" if default is inspect.Parameter.empty else repr(default))


def test_the_session_of_the_page_prints_what_it_says():
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    session = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    test = doctest.DocTestParser().get_doctest(session, {}, "api.md", None, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_what_is_no_markup_is_escaped():
    made = element("p", "<b>", Markup("<i>x</i>"), title='"', hidden=False, open=True)
    assert made == '<p title="&quot;" open>&lt;b&gt;<i>x</i></p>'
    assert element("br", class_="a") == '<br class="a">'


def test_the_first_cell_of_a_row_is_its_header():
    made = table(["A", "B"], [["x", "<"]])
    assert '<tr><th scope="row">x</th><td>&lt;</td></tr>' in made
    assert made.count('<th scope="col">') == 2
