"""Published configurations: read as transformers reads them, or rejected by their type."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import fields as declared
from itertools import islice
from random import Random
from typing import Any

import pytest
import torch
from published import LLAMA_2_7B, LLAMA_3_8B, MIXTRAL_8X7B
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from calculator import GroupedQueryAttention, InvalidField, Llama, LlamaDecoderLayer
from calculator.__main__ import main
from calculator.blocks.model_types import FIELDS, TYPES, WITHOUT_EFFECT
from calculator.core.json_object import LONGEST, read_object

DECODERS = (Llama, LlamaDecoderLayer, GroupedQueryAttention)
COUNT = 25  # random configurations of each type

LLAMA_2_7B_FILE = {
    **LLAMA_2_7B, "architectures": ["LlamaForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "initializer_range": 0.02, "max_position_embeddings": 4096,
    "model_type": "llama", "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None,
    "tie_word_embeddings": False, "torch_dtype": "float16", "transformers_version": "4.31.0.dev0",
    "use_cache": True,
}  # fmt: skip
LLAMA_3_8B_FILE = {
    **LLAMA_2_7B_FILE, **LLAMA_3_8B, "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": 128001, "rope_theta": 500000.0,
    "torch_dtype": "bfloat16",
}  # fmt: skip
MISTRAL_7B_FILE = {  # huggingface.co/mistralai/Mistral-7B-v0.1, config.json, 2023
    "architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
    "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": True,
    "transformers_version": "4.34.0.dev0", "vocab_size": 32000,
}  # fmt: skip
MIXTRAL_8X7B_FILE = {
    **MISTRAL_7B_FILE, **MIXTRAL_8X7B, "architectures": ["MixtralForCausalLM"],
    "attention_dropout": 0.0, "model_type": "mixtral", "output_router_logits": False,
    "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02, "sliding_window": None,
}  # fmt: skip


def params_in_transformers(config: dict[str, Any]) -> int:
    with torch.device("meta"):
        theirs = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    return sum(each.numel() for each in theirs.parameters())


def rejected(config: Any, owner: type = Llama) -> str:
    with pytest.raises(InvalidField) as caught:
        owner.from_config(config)
    assert caught.value.field == "config"
    return caught.value.message


@pytest.mark.parametrize("name", TYPES)
def test_the_defaults_are_those_of_the_class_in_transformers(name):
    theirs = {field.name: field.default for field in declared(CONFIG_MAPPING[name])}
    assert TYPES[name].defaults == {key: theirs[key] for key in FIELDS if key in theirs}
    assert TYPES[name].architecture == MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[name]


@pytest.mark.parametrize("name", TYPES)
def test_every_key_that_a_class_writes_is_known(name):
    written = json.loads(CONFIG_MAPPING[name](dtype="float32").to_json_string(use_diff=False))
    config = Llama.read_config({**written, "architectures": None})
    assert (config.not_read, config.values["dtype"]) == ([], "fp32")


def test_a_configuration_decides_every_argument_of_a_decoder():
    for owner in DECODERS:
        module = {name for name, field in owner.fields.items() if field.role == "module"}
        for name in TYPES:
            assert owner.read_config({"model_type": name}).values.keys() == module | {"dtype"}
        assert module <= FIELDS


def drawn(name: str) -> Iterator[dict[str, Any]]:
    """Random configurations of a type, any key of them left out."""
    rng = Random(name)
    while True:
        groups = rng.choice([1, 2, 4, 8])
        heads = groups * rng.randint(1, 3)
        drawn = {
            "hidden_size": heads * 2 * rng.randint(1, 9), "vocab_size": rng.randint(2, 99),
            "intermediate_size": rng.randint(1, 99), "num_attention_heads": heads,
            "num_key_value_heads": groups, "rms_norm_eps": 1e-3,
            "head_dim": rng.choice([None, 2 * rng.randint(1, 9)]), "mlp_bias": rng.random() < 0.5,
            "tie_word_embeddings": rng.random() < 0.5, "attention_bias": rng.random() < 0.5,
            "num_local_experts": rng.randint(2, 9), "num_experts_per_tok": rng.randint(1, 2),
            "sliding_window": rng.choice([None, 9]),
        }  # fmt: skip
        own = {key: drawn[key] for key in drawn if key in TYPES[name].defaults}
        kept = {key: own[key] for key in own if rng.random() < 0.7}
        heads, hidden = (kept.get(key, TYPES[name].defaults[key])
                         for key in ("num_attention_heads", "hidden_size"))  # fmt: skip
        groups = kept.get("num_key_value_heads", TYPES[name].defaults["num_key_value_heads"])
        if hidden % (2 * heads) == 0 and heads % (groups or heads) == 0:
            yield {"model_type": name, "num_hidden_layers": rng.randint(1, 3), **kept}


@pytest.mark.parametrize("name", TYPES)
def test_a_configuration_with_keys_left_out_is_as_large_as_in_transformers(name):
    for config in islice(drawn(name), COUNT):
        assert Llama.from_config(config).params == params_in_transformers(config), config


@pytest.mark.parametrize(
    ("config", "params"),
    [  # as the safetensors of each repository sum to
        pytest.param(LLAMA_2_7B_FILE, 6_738_415_616, id="Llama-2-7B"),
        pytest.param(LLAMA_3_8B_FILE, 8_030_261_248, id="Llama-3-8B"),
        pytest.param(MISTRAL_7B_FILE, 7_241_732_096, id="Mistral-7B-v0.1"),
        pytest.param(MIXTRAL_8X7B_FILE, 46_702_792_704, id="Mixtral-8x7B"),
    ],
)
def test_a_published_configuration_has_the_published_parameters(config, params):
    assert Llama.read_config(config).not_read == []
    assert Llama.from_config(config).params == params == params_in_transformers(config)


def test_fields_that_are_given_go_before_the_file():
    model = Llama.from_config(MISTRAL_7B_FILE, num_hidden_layers=1, sequence_length=7, dtype="fp8")
    assert (model.num_hidden_layers, model.sequence_length, model.dtype) == (1, 7, "fp8")
    assert model.sliding_window == 4096


# A. What was misread in silence: each is rejected by its name now.
GPT_2 = {  # A4
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
    "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
    "vocab_size": 50257,
}  # fmt: skip
QWEN_3_MOE = {  # A5
    "architectures": ["Qwen3MoeForCausalLM"], "head_dim": 128, "hidden_size": 2048,
    "intermediate_size": 6144, "model_type": "qwen3_moe", "moe_intermediate_size": 768,
    "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8,
    "num_hidden_layers": 48, "num_key_value_heads": 4, "vocab_size": 151936,
}  # fmt: skip
DEEPSEEK_V3 = {  # A6
    "architectures": ["DeepseekV3ForCausalLM"], "first_k_dense_replace": 3, "hidden_size": 7168,
    "intermediate_size": 18432, "kv_lora_rank": 512, "model_type": "deepseek_v3",
    "n_routed_experts": 256, "n_shared_experts": 1, "num_attention_heads": 128,
    "num_hidden_layers": 61, "num_key_value_heads": 128, "qk_rope_head_dim": 64,
    "vocab_size": 129280,
}  # fmt: skip
GPT_OSS = {  # A7
    "architectures": ["GptOssForCausalLM"], "head_dim": 64, "hidden_size": 2880,
    "layer_types": ["sliding_attention", "full_attention"] * 18, "model_type": "gpt_oss",
    "num_attention_heads": 64, "num_hidden_layers": 36, "num_key_value_heads": 8,
    "num_local_experts": 128, "sliding_window": 128, "vocab_size": 201088,
}  # fmt: skip
GEMMA_3_1B = {  # A8
    "architectures": ["Gemma3ForCausalLM"], "head_dim": 256, "hidden_size": 1152,
    "intermediate_size": 6912, "model_type": "gemma3_text", "num_attention_heads": 4,
    "num_hidden_layers": 26, "num_key_value_heads": 1, "sliding_window": 512,
    "sliding_window_pattern": 6, "vocab_size": 262144,
}  # fmt: skip
GEMMA_3_27B = {  # A9
    "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
    "text_config": {"hidden_size": 5376, "model_type": "gemma3_text", "num_hidden_layers": 62},
    "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"},
}  # fmt: skip
BERT_BASE = {  # A11
    "architectures": ["BertForMaskedLM"], "hidden_act": "gelu", "hidden_size": 768,
    "intermediate_size": 3072, "model_type": "bert", "num_attention_heads": 12,
    "num_hidden_layers": 12, "vocab_size": 30522,
}  # fmt: skip


OTHER_TYPES = [
    pytest.param(GPT_2, "gpt2 (GPT2LMHeadModel)", id="GPT-2"),
    pytest.param(QWEN_3_MOE, "qwen3_moe (Qwen3MoeForCausalLM)", id="Qwen3-30B-A3B"),
    pytest.param(DEEPSEEK_V3, "deepseek_v3 (DeepseekV3ForCausalLM)", id="DeepSeek-V3"),
    pytest.param(GPT_OSS, "gpt_oss (GptOssForCausalLM)", id="gpt-oss-120b"),
    pytest.param(GEMMA_3_1B, "gemma3_text (Gemma3ForCausalLM)", id="Gemma-3-1b"),
    pytest.param(GEMMA_3_27B, "gemma3 (Gemma3ForConditionalGeneration)", id="Gemma-3-27b"),
    pytest.param(BERT_BASE, "bert (BertForMaskedLM)", id="BERT-base"),
]


@pytest.mark.parametrize(("config", "named"), OTHER_TYPES)
def test_another_type_is_rejected_by_its_name_whatever_keys_it_shares(config, named):
    said = f"{named} can't be counted yet; the types that can are llama, mistral and mixtral"
    for owner in DECODERS:
        assert rejected(config, owner) == said
    without = {key: config[key] for key in config if key != "model_type"}
    assert rejected(without).startswith(f"{config['architectures'][0]} can't be counted yet")


MISTRAL_SMALL_3_1 = {
    "architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
    "text_config": {
        "head_dim": 128, "hidden_size": 5120, "intermediate_size": 32768, "model_type": "mistral",
        "num_attention_heads": 32, "num_hidden_layers": 40, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-05, "sliding_window": None, "vocab_size": 131072,
    },
    "vision_config": {"hidden_size": 1024, "model_type": "pixtral"},
}  # fmt: skip


def test_a_model_around_a_text_part_is_rejected_with_what_to_give():
    said = rejected(MISTRAL_SMALL_3_1)
    assert said.startswith("mistral3 (Mistral3ForConditionalGeneration) can't be counted yet")
    assert said.endswith(
        "text_config is mistral: give that alone to count it without vision_config"
    )
    text = MISTRAL_SMALL_3_1["text_config"]
    assert Llama.from_config(text).params == params_in_transformers(text)


WINDOWED = {"model_type": "mistral", "num_hidden_layers": 2}
FULL, SLIDING = "full_attention", "sliding_attention"


@pytest.mark.parametrize(
    ("more", "window"),
    [
        pytest.param({}, 4096, id="the default of the class"),
        pytest.param({"sliding_window": 8}, 8, id="given"),
        pytest.param({"sliding_window": None}, None, id="none"),
        pytest.param({"sliding_window": 8, "use_sliding_window": False}, None, id="not used (A10)"),
        pytest.param({"sliding_window": 8, "use_sliding_window": True}, 8, id="used"),
        pytest.param({"sliding_window": 8, "layer_types": [FULL] * 2}, None, id="full layers"),
        pytest.param({"sliding_window": 8, "layer_types": [SLIDING] * 2}, 8, id="windowed layers"),
    ],
)
def test_the_window_is_the_one_of_all_layers(more, window):
    assert Llama.from_config(WINDOWED | more).sliding_window == window


def test_a_window_that_is_not_used_may_stand_in_a_type_without_windows():
    unused = {"model_type": "llama", "sliding_window": 8, "use_sliding_window": False}
    assert Llama.from_config(unused).sliding_window is None


@pytest.mark.parametrize(
    ("more", "dtype"),
    [
        pytest.param({"torch_dtype": "bfloat16"}, "bf16", id="torch_dtype (A10)"),
        pytest.param({"dtype": "float16"}, "fp16", id="dtype"),
        pytest.param({"dtype": "float16", "torch_dtype": "float16"}, "fp16", id="both"),
        pytest.param({"torch_dtype": "torch.float8_e4m3fn"}, "fp8", id="as torch prints it"),
        pytest.param({"torch_dtype": None}, "fp32", id="null"),
        pytest.param({}, "fp32", id="left out"),
    ],
)
def test_the_data_type_is_taken(more, dtype):
    config = {"model_type": "llama", **more}
    assert (Llama.from_config(config).dtype, Llama.read_config(config).not_read) == (dtype, [])


UNKNOWN_DTYPES = [
    ("auto", "auto"), ("float8_e5m2", "float8_e5m2"), (16, "16"), (["float16"], "1 × float16"),
    ({"": "float16"}, "{'': 'float16'}"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "named"), UNKNOWN_DTYPES, ids=str)
def test_a_data_type_that_is_unknown_is_rejected_by_its_name(dtype, named):
    with pytest.raises(InvalidField) as rejected:
        Llama.read_config({"model_type": "llama", "torch_dtype": dtype})
    assert rejected.value.message == (
        f"torch_dtype {named} can't be counted yet; write one of float64, float32, bfloat16, "
        "float16, float8_e4m3fn, or remove it"
    )


def test_a_key_that_is_unknown_is_named_as_not_read():
    config = Llama.read_config({"model_type": "llama", "foo_bar": 1, "unset": None, "\x1b[31m": 2})
    assert config.not_read == ["foo_bar", "\x1b[31m"]
    assert str(config).endswith("; not read: foo_bar and '\\x1b[31m'.")


def test_what_was_read_and_what_was_taken_instead_is_listed():
    config = {"model_type": "mistral", "num_attention_heads": 16, "layer_types": [FULL] * 32}
    assert str(GroupedQueryAttention.read_config(config)) == (
        "Read as mistral (MistralForCausalLM): num_attention_heads 16, "
        "layer_types 32 × full_attention; class defaults: hidden_size 4096, num_key_value_heads 8, "
        "head_dim none, dtype fp32."
    )


@pytest.mark.parametrize(
    "unused", [{"use_sliding_window": False}, {"layer_types": [FULL] * 2}], ids=["off", "full"]
)
@pytest.mark.parametrize("said", [{}, {"sliding_window": 8}], ids=["default", "given"])
def test_a_window_that_is_not_used_is_not_listed(unused, said):
    config = Llama.read_config({"model_type": "mistral", "num_hidden_layers": 2, **said, **unused})
    assert config.values["sliding_window"] is None
    assert "sliding_window" not in config.read | config.defaults


def test_a_window_of_null_is_listed():
    assert ", sliding_window none" in str(Llama.read_config(MIXTRAL_8X7B_FILE))


REJECTED = {
    "no type": ({"hidden_size": 4096}, "it has no model_type and no architectures"),
    "an empty file": ({}, "it has no model_type and no architectures"),
    "another class of a type": (
        {"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]},
        "LlamaForSequenceClassification can't be counted yet; of llama only LlamaForCausalLM can",
    ),
    "a model without an output layer": (
        {"model_type": "mistral", "architectures": ["MistralModel"]},
        "MistralModel can't be counted yet; of mistral only MistralForCausalLM can",
    ),
    "two types": (
        {"model_type": "llama", "architectures": ["MistralForCausalLM"]},
        "MistralForCausalLM can't be counted yet; of llama only LlamaForCausalLM can",
    ),
    "a type that is not a text": ({"model_type": ["llama"]}, "model_type must be a text"),
    "classes in one text": ({"architectures": "LlamaForCausalLM"}, "architectures must be a list"),
    "experts of a dense type": (
        {"model_type": "llama", "num_local_experts": 8}, "num_local_experts is not part of llama",
    ),
    "biases of a type without": (
        {"model_type": "mistral", "attention_bias": True}, "attention_bias is not part of mistral",
    ),
    "a window of a type without": (
        {"model_type": "llama", "sliding_window": 8}, "sliding_window is not part of llama",
    ),
    "experts by another name": (
        {"model_type": "mixtral", "num_experts": 4}, "num_experts is not part of mixtral",
    ),
    "code of its own": (
        {"model_type": "llama", "auto_map": {"AutoModel": "m.M"}}, "auto_map is not part of llama",
    ),
    "a nested model": (
        {"model_type": "llama", "foo_config": {"hidden_size": 8}}, "foo_config is not part of",
    ),
    "quantized weights": (
        {"model_type": "llama", "quantization_config": {"bits": 4}},
        "quantization_config stores weights in another format",
    ),
    "another activation": ({"model_type": "llama", "hidden_act": "gelu"}, "hidden_act can't be"),
    "two data types": (
        {"model_type": "llama", "dtype": "float16", "torch_dtype": "bfloat16"},
        "dtype and torch_dtype differ",
    ),
    "layers of two kinds": (
        {**WINDOWED, "layer_types": [FULL, SLIDING]}, "layer_types mixes full_attention and",
    ),
    "layers of a third kind": (
        {**WINDOWED, "layer_types": [FULL, "chunked_attention"]}, "layer_types can't be counted",
    ),
    "too few kinds of layers": ({**WINDOWED, "layer_types": [FULL]}, "layer_types must be a list"),
    "kinds that are not texts": ({**WINDOWED, "layer_types": [1, {}]}, "layer_types can't be"),
    "windowed layers, no window": (
        {**WINDOWED, "layer_types": [SLIDING] * 2, "sliding_window": None},
        "layer_types says sliding_attention, but sliding_window is null",
    ),
    "windowed layers, unused": (
        {**WINDOWED, "layer_types": [SLIDING] * 2, "use_sliding_window": False},
        "layer_types says sliding_attention, but use_sliding_window is false",
    ),
    "a switch that is none": (
        {**WINDOWED, "use_sliding_window": "false"}, "use_sliding_window must be true or false",
    ),
    "experts left over": (
        {"model_type": "mixtral", "num_local_experts": None}, "num_local_experts is null",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "reason"), REJECTED.values(), ids=REJECTED)
def test_what_is_not_counted_exactly_is_rejected(config, reason):
    assert rejected(config).startswith(reason)


WHOLE = "hidden_size must be a whole number"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("hidden_size", "4096", f"{WHOLE}; write it without quotes and without a point"),
        ("hidden_size", 4096.0, f"{WHOLE}; write it without quotes and without a point"),
        ("hidden_size", float("nan"), f"{WHOLE}; write it without quotes and without a point"),
        ("hidden_size", None, "hidden_size is null; give it a value or leave it out"),
        ("hidden_size", [4096], WHOLE),
        ("hidden_size", {"a": [{}]}, WHOLE),
        ("hidden_size", True, WHOLE),
        ("hidden_size", 0, "hidden_size must be at least 1"),
        ("hidden_size", 10**40, "hidden_size is too large; write at most 10^30"),
        pytest.param(
            "hidden_size",
            10**5000,
            "hidden_size is too large; write at most 10^120",
            id="long",
        ),
        ("rms_norm_eps", "1e-6", "rms_norm_eps must be a number"),
        ("rms_norm_eps", float("inf"), "rms_norm_eps must be a number"),
        ("rms_norm_eps", None, "rms_norm_eps is null; give it a value or leave it out"),
        ("tie_word_embeddings", "false", "tie_word_embeddings must be True or False"),
        ("tie_word_embeddings", 0, "tie_word_embeddings must be True or False"),
        ("sliding_window", -1, "sliding_window a token sees itself at least"),
    ],
)
def test_a_value_of_the_wrong_type_is_rejected_by_its_key(key, value, reason):
    assert rejected({"model_type": "mistral", key: value}).startswith(reason)


def test_a_text_is_not_a_mapping():
    assert rejected('{"model_type": "llama"}').startswith("it must be a mapping")


HOSTILE = [
    None, True, False, 0, -1, 1, 4096.0, 1e999, float("nan"), 10**40, "", "4096", "\ud800", [],
    [[]], ["x"], {}, {"a": 1}, {"model_type": "llama"},
]  # fmt: skip
KEYS = [
    *FIELDS, *WITHOUT_EFFECT, "model_type", "layer_types", "use_sliding_window", "dtype",
    "torch_dtype", "hidden_act", "text_config", "quantization_config", "foo", "",
]  # fmt: skip


def test_no_value_of_any_key_ends_in_another_error():
    rng = Random(14)
    for _ in range(5000):
        config = {"model_type": rng.choice([*TYPES])}
        config |= {key: rng.choice(HOSTILE) for key in rng.sample(sorted(KEYS), 3)}
        try:
            read = Llama.read_config(config)
            said = f"{read}{json.dumps(read.record())}"
        except InvalidField as error:
            said = error.message
        assert said.isprintable(), config


BROKEN = {
    "nothing": (" ", "it is empty"),
    "a trailing comma": ('{"model_type": "llama",}', "it is not JSON at line 1, column 24"),
    "no JSON": ("model_type: llama", "it is not JSON at line 1, column 1"),
    "a list": ("[1]", "it must be one JSON object"),
    "a number": ("7", "it must be one JSON object"),
    "two objects": ("{} {}", "it is not JSON at line 1, column 4: extra data"),
    "a key twice": ('{"hidden_size": 1, "hidden_size": 2}', "a key is given twice; keep one"),
    "a key twice within": ('{"a": {"b": 1, "b": 2}}', "a key is given twice; keep one"),
    "deep nesting": ('{"a":' * 100_000, "it is nested more than 50 levels deep"),
    "deep lists": ("[" * 100_000, "it is nested more than 50 levels deep"),
    "a large file": ('{"a": "' + "x" * 50_000_000, "it is longer than 1,000,000 characters"),
    "a long number": (f'{{"a": {"9" * 9000}}}', "it holds a number of thousands of digits"),
    "not UTF-8": (b"\xff\xfe{", "it is not text in UTF-8"),
}


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_one_json_object_is_rejected(text, reason):
    with pytest.raises(InvalidField) as caught:
        read_object(text)
    assert caught.value.field == "config"
    assert caught.value.message.startswith(reason)


def test_brackets_in_a_text_are_not_nesting_and_a_mark_of_order_is_not_text():
    assert read_object('\ufeff {"a\\"[": "' + "[{" * 99 + '"}') == {'a"[': "[{" * 99}


def test_the_longest_text_is_read():
    text = '{"a": "' + "x" * (LONGEST - 9) + '"}'
    assert len(read_object(text)["a"]) == LONGEST - 9


@pytest.fixture
def saved(tmp_path):
    """Write a file, and return its path."""

    def save(content: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return save


def test_the_command_line_reads_a_file_and_applies_options_on_top(saved, capsys):
    path = saved({**MISTRAL_7B_FILE, "foo": 1})
    assert (
        main(["llama", "--config", path, "--sequence-length", "9", "--dtype", "fp8", "--json"]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert (said["params"], said["input_shape"]) == (7_241_732_096, [1, 9])
    assert said["fields"]["dtype"] == "fp8"
    config = said["config"]
    assert config.keys() == {"model_type", "read", "defaults", "not_read"}
    assert (config["model_type"], config["not_read"]) == ("mistral", ["foo"])
    assert config["read"]["torch_dtype"] == "bfloat16"
    assert config["defaults"] == {"head_dim": None}


def test_the_command_line_says_what_it_read(saved, capsys):
    assert main(["llama_decoder_layer", "--config", saved(MIXTRAL_8X7B_FILE)]) == 0
    assert capsys.readouterr().out.startswith("Read as mixtral (MixtralForCausalLM): ")


def test_the_command_line_reads_standard_input(monkeypatch, capsys):
    text = json.dumps(LLAMA_3_8B_FILE).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["llama", "--config", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["params"] == 8_030_261_248


def test_the_command_line_rejects_a_standard_input_that_is_closed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["llama", "--config", "-"]) == 2
    reason = "it can't be read: standard input is closed (given: -)"
    assert capsys.readouterr().err == f"llama: config: {reason}\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *OTHER_TYPES,
        pytest.param('{"a": 1,}', "it is not JSON", id="broken"),
        pytest.param('{"a":' * 9999, "it is nested", id="deep"),
    ],
)
def test_the_command_line_rejects_a_file_in_one_line(content, reason, saved, capsys):
    assert main(["llama", "--config", saved(content)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"llama: config: {reason}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("path", ["no such file", "/", "", "\0"])
def test_the_command_line_rejects_a_file_that_cannot_be_read(path, capsys):
    assert main(["llama", "--config", path]) == 2
    assert capsys.readouterr().err.startswith("llama: config: it can't be read: ")
