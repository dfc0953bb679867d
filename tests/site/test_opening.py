"""How the forms of the pages open: as torch's constructors do, and with an answer of their own."""

import inspect
import re

import pytest
import torch
import yaml

from calculator import CALCULATIONS
from calculator.answers.evaluate import evaluate
from calculator.layers.layer import Layer
from scripts.site.steps import ROOT

DIRECTIVE = re.compile(r"^/// calculator \| (\S+)[^\n]*\n(.*?)^///$", re.MULTILINE | re.DOTALL)
FORMS = [
    pytest.param(name, (yaml.safe_load(body) or {}).get("fields", {}), id=f"{page.stem}-{name}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for name, body in DIRECTIVE.findall(page.read_text("utf-8"))
]
IN_TORCH = [
    pytest.param(owner, id=owner.name)
    for owner in CALCULATIONS.values()
    if issubclass(owner, Layer) and owner.in_torch and hasattr(torch.nn, owner.__name__)
]


def test_there_are_forms():
    assert len(FORMS) > 20


@pytest.mark.parametrize(("name", "fields"), FORMS)
def test_a_form_opens_with_a_bias_and_one_sample(name, fields):
    """A18: nn.Linear(512, 1000) has 513,000 parameters, and a batch is the reader's to give."""
    assert fields.get("bias", True) is True
    assert fields.get("batch_size", 1) == 1


@pytest.mark.parametrize("owner", IN_TORCH)
def test_a_layer_begins_with_torchs_bias_and_one_sample(owner):
    arguments = inspect.signature(getattr(torch.nn, owner.__name__)).parameters
    fields = owner.fields
    if "bias" in fields:  # torch's RNNs take theirs among other keywords: true, as documented
        wanted = arguments["bias"].default if "bias" in arguments else True
        assert fields["bias"].start is wanted
    if "batch_size" in fields:
        assert fields["batch_size"].start in (1, None)


def test_the_linear_layer_of_the_quick_calculator_has_torchs_parameters():
    """torch: nn.Linear(512, 1000) has 512 × 1000 weights and 1000 biases."""
    outcome = evaluate("linear", {"in_features": "512", "out_features": "1000"})
    assert outcome.calculation.params == 513_000


def training_form():
    return next(form.values[1] for form in FORMS if form.values[0] == "training_cost")


def test_the_training_form_opens_with_a_utilization():
    assert "utilization" in training_form()
    assert "measured_device_hours" not in training_form()


def test_typing_into_the_training_form_gives_days():
    """A14: 6 · 1.3e9 · 1e11 / (64 · 312e12 · 0.4) s = 1.13 d on A100s at 40 %."""
    texts = {name: str(value) for name, value in training_form().items()}
    outcome = evaluate(
        "training_cost", texts | {"params": "1.3B", "tokens": "100B", "devices": "64"}
    )
    assert outcome.calculation.training_seconds / 86400 == pytest.approx(1.13, abs=0.005)


def test_two_sources_of_the_hours_say_which_to_clear():
    texts = {name: str(value) for name, value in training_form().items()}
    outcome = evaluate("training_cost", texts | {"measured_device_hours": "184320"})
    assert "clear “Measured device-hours”" in outcome.errors["utilization"].message
