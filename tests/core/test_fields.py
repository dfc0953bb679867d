"""Whatever is typed into a form is answered, or refused at the field that caused it."""

import difflib
import json
import math
import string

import pytest
from depth import draws
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator import CALCULATIONS, InvalidField, Sequential
from calculator.answers.evaluate import evaluate, form_fields, report
from calculator.core import fields
from calculator.web.worker import answer, form, formulas, to_copy

NUMBERS = [
    "1",
    "2",
    "3",
    "7",
    "64",
    "0",
    "-1",
    "1.5",
    "1k",
    "1e30",
    "1e300",
    "1e-300",
    "1e-320",
    "nan",
]
WORDS = [
    "", "None", "true", "off", "same", "valid", "reflect", "(3, 3)", "3 x 4", "1,2,3,4,5,6,7,8,9",
    "h100_sxm", "fp8", "float16", "40 %", "macs", "flops", "<b>", "'\"&", "\x00", "9" * 79, "()",
    "Linear(3, 4)\nReLU()", "Flatten()", "Conv2d(3, 4, 3)", "Linear(" * 500, "Linear()", "f()",
    "Linear(**{})", "Linear(3, 4, 5, 6)", "Linear(3, [4])", "Linear({}, 4)", "Conv2d((1,), 3, ())",
    "Linear(1e400, 4)", "Linear(10**10, 4)", "lambda: 1", "Linear(3, 4)(5)", "nn.nn.Linear(3, 4)",
]  # fmt: skip
TEXTS = st.sampled_from(NUMBERS[:5] + NUMBERS + WORDS) | st.text(max_size=20)


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A calculator and what stands in some of its fields."""
    name = draw(st.sampled_from(sorted(CALCULATIONS)))
    fields = form_fields(CALCULATIONS[name])
    filled = draw(st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True))
    return name, {field: draw(TEXTS) for field in filled}


@settings(max_examples=draws(200, deep=2000))
@given(forms())
def test_a_form_is_refused_at_its_own_fields_only(asked):
    name, texts = asked
    assert evaluate(name, texts).errors.keys() <= form_fields(CALCULATIONS[name]).keys()


@settings(max_examples=draws(200, deep=2000))
@given(forms())
def test_a_form_is_either_answered_or_refused(asked):
    outcome = evaluate(*asked)
    assert (outcome.calculation is None) == bool(outcome.errors)


@settings(max_examples=draws(100, deep=1000))
@given(forms())
def test_every_figure_of_an_answer_can_be_written_as_json(asked):
    outcome = evaluate(*asked)
    assert outcome.errors or json.dumps(report(outcome.calculation, outcome.time), allow_nan=False)


@settings(max_examples=draws(100, deep=1000))
@given(forms())
def test_the_worker_is_told_the_errors_of_a_form(asked):
    name, texts = asked
    told = json.loads(answer(json.dumps({"calculator": name, "fields": texts})))
    assert told["errors"].keys() == evaluate(name, texts).errors.keys()


@settings(max_examples=draws(100, deep=1000))
@given(forms(), st.sampled_from(["markdown", "latex", "python"]))
def test_what_is_answered_can_be_copied_and_nothing_else(asked, kind):
    name, texts = asked
    told = json.loads(to_copy(json.dumps({"calculator": name, "fields": texts, "format": kind})))
    assert (told["text"] is None) == bool(evaluate(name, texts).errors)


MACHINE = {"peak_flops_per_second": "1T", "bandwidth_bytes_per_second": "1T"}


@pytest.mark.parametrize("machine", [{}, MACHINE], ids=["", "on a machine"])
@pytest.mark.parametrize("name", CALCULATIONS)
def test_the_largest_size_in_any_field_is_answered_or_refused_in_full(name, machine):
    known = form_fields(CALCULATIONS[name])
    usual = {key: field.write(field.start) for key, field in known.items()}
    given = MACHINE if name == "runtime" else machine
    usual |= {key: text for key, text in given.items() if key in known}
    for field in known:
        question = json.dumps({"calculator": name, "fields": {**usual, field: "1e30"}})
        told = json.loads(answer(question))
        assert (told["html"] is None) == bool(told["errors"])
        assert told["errors"].keys() <= known.keys()
        assert (json.loads(formulas(question))["html"] is None) == bool(told["errors"])


def test_a_size_above_the_largest_is_refused_in_any_place():
    for text in ("1e31", "3, 1e31"):
        (error,) = evaluate("conv2d", {"kernel_size": text}).errors.values()
        assert str(error).startswith("kernel_size: is too large; write at most 10^30")


NO_WORK = {
    "a ReLU on a device": ("relu", {"device": "h100_sxm"}),
    "a Flatten on a device": ("flatten", {"device": "h100_sxm"}),
    "a sequence of a Flatten": ("sequential", {"modules": "Flatten()", "input_shape": "2, 3"}),
    "a sequence of a ReLU on a device": ("sequential", {"modules": "ReLU()", "device": "t4"}),
}


@pytest.mark.parametrize(("name", "texts"), NO_WORK.values(), ids=NO_WORK.keys())
def test_what_has_no_matrix_work_is_answered(name, texts):
    assert not evaluate(name, texts).errors


@pytest.mark.parametrize("field", ["peak_flops_per_second", "bandwidth_bytes_per_second"])
def test_a_rate_that_would_take_forever_gives_no_infinity(field):
    texts = {"peak_flops_per_second": "1T", field: "1e-320"}
    outcome = evaluate("linear", texts)
    assert outcome.errors or math.isfinite(outcome.time.floor_seconds)


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_form_has_a_control_for_each_field(name):
    printed = json.loads(form(json.dumps({"calculator": name, "fields": {}, "prefix": "x"})))[
        "html"
    ]
    assert all(f'name="{field}"' in printed for field in form_fields(CALCULATIONS[name]))


@pytest.mark.parametrize("name", CALCULATIONS)
def test_the_defaults_of_a_form_are_answered(name):
    fields = form_fields(CALCULATIONS[name])
    texts = {key: field.write(field.start) for key, field in fields.items()}
    assert not evaluate(
        name, texts | ({"peak_flops_per_second": "1T"} if name == "runtime" else {})
    ).errors


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_misspelt_field_is_answered_with_the_one_that_was_meant(name):
    field = max(CALCULATIONS[name].fields, key=len)
    with pytest.raises(InvalidField, match=f"did you mean {field}"):
        CALCULATIONS[name](**{field + "s": 1})


MANY = {f"in_feature{number}": "1" for number in range(10_000)}
TEXTS_TOO_LONG = {
    "digits": "9" * 10**6,
    "numbers": "1," * 10**6,
    "brackets": "(" * 10**6,
    "gaps": " " * 10**6,
    "lines": "x\n" * 10**6,
}
TOO_LONG = {
    "a text": "9" * 10**6,
    "a number": 10**10_000,
    "a tuple": (10**10_000,),
    "a list": [1] * 10**6,
}


@pytest.fixture
def calls(monkeypatch):
    """The arguments of each call of what looks for a near word, and of what reads a number."""
    seen = []

    def watch(module, name):
        honest = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, **more: seen.append(given) or honest(*given, **more)
        )

    watch(difflib, "get_close_matches")
    watch(fields, "parse")
    return seen


def test_of_many_unknown_fields_the_first_is_named_and_the_others_are_counted():
    (error,) = evaluate("linear", MANY).errors.values()
    assert str(error).startswith(
        "in_feature0: Linear has no field in_feature0, one of 10,000 unknown fields"
    )


def test_of_many_unknown_fields_in_python_the_first_is_named():
    with pytest.raises(InvalidField, match=r"^in_feature0: .*one of 10,000 unknown"):
        CALCULATIONS["linear"](**MANY)


def test_a_near_word_is_looked_for_once_however_many_fields_are_unknown(calls):
    evaluate("linear", MANY)
    assert len(calls) == 1


def test_the_near_word_of_a_long_name_is_looked_for_with_its_beginning(calls):
    evaluate("linear", {"x" * 10**6: "1"})
    assert [len(name) for name, _ in calls] == [41]


def test_a_long_unknown_field_is_quoted_in_part():
    (error,) = evaluate("linear", {"x" * 10**6: "y" * 10**6}).errors.values()
    assert len(str(error)) < 400


@pytest.mark.parametrize("name", CALCULATIONS)
@pytest.mark.parametrize("text", TEXTS_TOO_LONG.values(), ids=TEXTS_TOO_LONG.keys())
def test_a_text_of_a_million_characters_is_refused_unread(calls, name, text):
    fields = form_fields(CALCULATIONS[name])
    errors = [error for field in fields for error in evaluate(name, {field: text}).errors.values()]
    assert [error.field for error in errors] == [*fields]
    assert (calls, max(len(str(error)) for error in errors) < 300) == ([], True)


@pytest.mark.parametrize("name", CALCULATIONS)
@pytest.mark.parametrize("value", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_long_value_in_python_is_refused_in_short(name, value):
    owner = CALCULATIONS[name]
    for field in (each for each in owner.fields.values() if each.kind != "lines"):
        with pytest.raises(InvalidField) as caught:
            owner(**{field.name: value})
        assert len(str(caught.value)) < 400


@given(st.sampled_from(string.punctuation + string.ascii_letters), st.integers(1, 3000))
def test_a_refusal_quotes_little_of_a_long_text(character, length):
    outcome = evaluate("conv2d", {"padding_mode": character * length})
    assert all(len(str(error)) < 300 for error in outcome.errors.values())


@pytest.mark.parametrize("name", CALCULATIONS)
def test_equal_calculations_are_one_in_a_set(name):
    values = {key: field.start for key, field in CALCULATIONS[name].fields.items()}
    values |= {"peak_flops_per_second": 10**12} if name == "runtime" else {}
    assert len({CALCULATIONS[name](**values), CALCULATIONS[name](**values)}) == 1


def test_a_calculation_cannot_be_changed():
    with pytest.raises(AttributeError, match=r"use replace\(input_shape"):
        Sequential().input_shape = (1, 2)


MARKUP = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize("field", ["modules", "input_shape", "device", "dtype"])
def test_markup_that_was_typed_is_never_markup_in_the_answer(field):
    question = {"calculator": "sequential", "fields": {field: MARKUP}, "prefix": "x"}
    printed = json.loads(answer(json.dumps(question)))["html"] or ""
    assert "<img" not in printed
