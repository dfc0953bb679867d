"""What a page is told of a pasted object: every field that it decides, or why there is none."""

import json
from random import Random

import pytest

from calculator import CALCULATIONS
from calculator.answers.evaluate import evaluate, form_fields, report
from calculator.web import worker


def answer(calculator: str, pasted: object) -> tuple[dict[str, str] | None, str]:
    text = pasted if isinstance(pasted, str) else json.dumps(pasted)
    said = json.loads(worker.configuration(json.dumps({"calculator": calculator, "text": text})))
    assert said.keys() == {"fields", "message"}
    return said["fields"], said["message"]


def test_a_configuration_fills_in_every_argument_of_a_decoder():
    pasted = {"model_type": "llama", "hidden_size": 8192, "num_attention_heads": 64,
              "num_key_value_heads": 8, "torch_dtype": "bfloat16"}  # fmt: skip
    fields, message = answer("llama", pasted)
    assert fields == {
        "hidden_size": "8192", "num_attention_heads": "64", "num_key_value_heads": "8",
        "head_dim": "", "attention_bias": "false", "sliding_window": "",
        "intermediate_size": "11008", "mlp_bias": "false", "rms_norm_eps": "1e-06",
        "num_local_experts": "", "num_experts_per_tok": "2", "vocab_size": "32000",
        "num_hidden_layers": "32", "tie_word_embeddings": "false", "dtype": "bf16",
    }  # fmt: skip
    assert message.startswith("Read as llama (LlamaForCausalLM): hidden_size 8192, ")


def test_a_second_configuration_keeps_nothing_of_the_first():
    first, _ = answer("llama", {"model_type": "mixtral", "torch_dtype": "bfloat16"})
    second, _ = answer("llama", {"model_type": "llama", "dtype": "float16"})
    assert first.keys() == second.keys()
    assert (first["num_local_experts"], second["num_local_experts"]) == ("8", "")


@pytest.mark.parametrize(
    ("calculator", "pasted", "reason"),
    [
        pytest.param("llama", {"hidden_size": 8}, "it has no model_type", id="no type"),
        pytest.param("llama", {"model_type": "gpt2"}, "gpt2 can't be counted yet", id="a type"),
        pytest.param("llama", "{12", "it is not JSON at line 1, column 2", id="no JSON"),
        pytest.param(
            "llama", {"model_type": "llama", "num_key_value_heads": 5},
            "num_key_value_heads: Number of heads in key and value must divide", id="no model",
        ),
        pytest.param(
            "linear", {"model_type": "llama", "hidden_size": 8, "in_features": 3},
            "Linear has no field model_type and hidden_size; paste the configuration of a model "
            "into the form of Llama", id="a model in a layer",
        ),
        pytest.param(
            "linear", {"in_features": 3, "out_features": 4, "a": 1, "b": 2, "c": 3, "d": 4},
            "Linear has no field a, b, c and 1 more; it has in_features", id="unknown keys",
        ),
        pytest.param("linear", {"out_features": 4}, "in_features must be given", id="too few"),
        pytest.param(
            "linear", {"in_features": 3.5, "out_features": 4}, "in_features: must be a whole",
            id="a fraction",
        ),
        pytest.param(
            "linear", {"in_features": {"a": 1}, "out_features": 4}, "in_features: must be a text",
            id="nested",
        ),
        pytest.param(
            "linear", {"in_features": "x", "out_features": 4}, "in_features: must be a number",
            id="a word",
        ),
        pytest.param(
            "linear", {"in_features": 3, "out_features": 4, "bias": ""},
            "bias: must be true or false", id="an empty switch",
        ),
        pytest.param(
            "linear", {"layer": "conv2d", "fields": {}}, "it is conv2d, and this form is linear",
            id="another layer",
        ),
    ],
)  # fmt: skip
def test_what_is_not_read_leaves_the_form_as_it_is(calculator, pasted, reason):
    fields, message = answer(calculator, pasted)
    assert fields is None
    assert message.startswith(f"Nothing is filled in: {reason}")


def test_fields_are_read_by_their_names_and_arguments_left_out_have_their_defaults():
    fields, message = answer("linear", {"in_features": 7, "out_features": 5, "batch_size": "2"})
    assert fields == {"in_features": "7", "out_features": "5", "bias": "true", "batch_size": "2"}
    assert message == "Read as Linear: in_features, out_features and batch_size; defaults: bias."


def test_an_empty_object_is_read_as_the_defaults():
    assert answer("leaky_relu", {})[1] == (
        "Read as LeakyReLU; defaults: negative_slope and inplace."
    )


@pytest.mark.parametrize("name", CALCULATIONS)
def test_what_the_command_line_prints_can_be_pasted(name):
    owner = CALCULATIONS[name]
    start = {key: field.write(field.start) for key, field in form_fields(owner).items()}
    start |= {"device": "t4"} if start.get("device") == "" else {}
    first = evaluate(name, start)
    fields, message = answer(name, json.dumps(report(first.calculation, first.time)))
    assert fields is not None, message
    assert evaluate(name, fields).calculation == first.calculation
    assert message.endswith("; not read: the machine.") is (first.time is not None)


ASSUMED = (
    "peak_flops_per_second", "bandwidth_bytes_per_second", "utilization",
    "bandwidth_utilization", "launches", "power_watts",
)  # fmt: skip


def test_what_the_command_line_assumed_is_pasted_as_empty():
    given = {"flops": "1P", "device": "a100_80gb_sxm", "dtype": "bf16", "launch_seconds": "5 µs"}
    fields, _ = answer("runtime", report(evaluate("runtime", given).calculation))
    assert {name: fields[name] for name in ASSUMED} == dict.fromkeys(ASSUMED, "")
    assert fields["launch_seconds"] == "5e-06"
    moved = evaluate("runtime", {**fields, "device": "h100_sxm"}).calculation
    assert moved.peak_flops_per_second == 1979e12 / 2  # the data sheet's rate is the sparse one


@pytest.mark.parametrize("names", ["power_watts", [1], {"power_watts": 1}, ["power_watt"]])
def test_what_was_assumed_is_a_list_of_fields(names):
    pasted = {"calculation": "runtime", "fields": {"flops": 1, "device": "t4"}, "assumed": names}
    assert answer("runtime", pasted)[0] is None


HOSTILE = [
    None, True, 0, -1, 4096.0, 1e999, 10**40, "", "½", "\ud800", [], [[]], [1, "x"], [None], {},
    [{"a": 1}], [[1, 2], [3]], "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("name", CALCULATIONS)
def test_no_pasted_value_ends_in_another_error(name):
    rng = Random(name)
    fields = form_fields(CALCULATIONS[name])
    known = {key: field.python(field.start) for key, field in fields.items()}
    for key in fields:
        for value in HOSTILE:
            texts, _ = answer(name, json.dumps({**known, key: value}))
            assert texts is None or evaluate(name, texts).calculation is not None
    for _ in range(20):
        answer(name, {key: rng.choice(HOSTILE) for key in rng.sample(sorted(fields), 2)})
