"""Decoders against Hugging Face's transformers, built from their configs: nothing is loaded.

FlopCounterMode does not know the fused attention of the CPU: of "eager" it counts both products.
The "eager" experts are a loop over those that are sent a token, so a random Mixtral is counted on
the CPU. Where that is too large, "batched_mm" does the same for all tokens at once, on meta too.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError
from published import LLAMA_2_7B, LLAMA_3_8B, MIXTRAL_8X7B
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
)

from calculator import GroupedQueryAttention, InvalidField, Llama, LlamaDecoderLayer
from scripts.torch_layers import models

COUNT = 25  # of each model
CONFIGS = {
    LlamaForCausalLM: LlamaConfig,
    MistralForCausalLM: MistralConfig,
    MixtralForCausalLM: MixtralConfig,
}
DEVICES = {model: "cpu" if model is MixtralForCausalLM else "meta" for model in CONFIGS}


def drawn(model: type) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Random configurations, and the tokens that each is given.

    A window is at least 2 long: of one token transformers keeps all keys, [-0:] of them.
    """
    rng = Random(model.__name__)
    while True:
        shared, groups = rng.randint(1, 3), rng.randint(1, 3)
        heads = shared * groups
        config = {
            "vocab_size": rng.randint(2, 20),
            "hidden_size": heads * 2 * rng.randint(1, 4),
            "intermediate_size": rng.randint(1, 20),
            "num_hidden_layers": rng.randint(1, 3),
            "num_attention_heads": heads,
            "num_key_value_heads": groups,
            "head_dim": rng.choice([None, 2 * rng.randint(1, 4)]),
            "tie_word_embeddings": rng.random() < 0.5,
        }
        if model is LlamaForCausalLM:
            config["attention_bias"] = rng.random() < 0.5
            config["mlp_bias"] = rng.random() < 0.5
        else:
            config["sliding_window"] = rng.choice([None, rng.randint(2, 8)])
        if model is MixtralForCausalLM:
            config["num_local_experts"] = rng.randint(1, 5)
            config["num_experts_per_tok"] = rng.randint(1, config["num_local_experts"])
        yield (
            config,
            {
                "batch_size": rng.randint(1, 3),
                "sequence_length": rng.choice([1, rng.randint(1, 6)]),
                "past_length": rng.choice([0, rng.randint(1, 8)]),
            },
        )


def built(model: type, config: dict[str, Any], device: str, experts: str = "eager") -> Any:
    """Return the model of a configuration, its rotary positions those of Llama 2."""
    rope = {"rope_type": "default", "rope_theta": 10000.0}
    how = {"attn_implementation": "eager", "experts_implementation": experts}
    torch.manual_seed(0)
    with torch.device(device):
        return model(CONFIGS[model](**config, rope_parameters=rope, **how)).eval()


def tokens(length: int, given: dict[str, int], theirs: Any) -> torch.Tensor:
    size = (given["batch_size"], length)
    return torch.randint(theirs.config.vocab_size, size, device=theirs.device)


def stepped(theirs: Any, given: dict[str, int]) -> tuple[FlopCounterMode, DynamicCache]:
    """Return what new tokens take behind those in a cache, and the cache after it."""
    cache = DynamicCache(config=theirs.config)
    with torch.no_grad(), torch.device(theirs.device):
        if given["past_length"]:
            theirs(tokens(given["past_length"], given, theirs), past_key_values=cache)
        new = tokens(given["sequence_length"], given, theirs)
        with FlopCounterMode(display=False) as counter:
            theirs(new, past_key_values=cache)
    return counter, cache


def parameters(module: torch.nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def of_a_layer(owner: type, config: dict[str, Any]) -> Any:
    return owner(**{name: config[name] for name in owner.fields if name in config})


@pytest.mark.parametrize("model", CONFIGS)
def test_the_parameters_are_those_of_transformers(model):
    for config, _ in islice(drawn(model), COUNT):
        theirs = built(model, config, "meta")
        assert Llama(**config).params == parameters(theirs), config
        block = theirs.model.layers[0]
        assert of_a_layer(LlamaDecoderLayer, config).params == parameters(block), config
        attention = of_a_layer(GroupedQueryAttention, config)
        assert attention.params == parameters(block.self_attn), config


@pytest.mark.parametrize("model", CONFIGS)
def test_the_macs_are_those_that_transformers_does(model):
    for config, given in islice(drawn(model), COUNT):
        counter, _ = stepped(built(model, config, DEVICES[model]), given)
        layer = f"{model.__name__}.model.layers.0"
        for ours, place in (
            (Llama, "Global"),
            (LlamaDecoderLayer, layer),
            (GroupedQueryAttention, f"{layer}.self_attn"),
        ):
            flops = sum(counter.get_flop_counts()[place].values())
            found = of_a_layer(ours, {**config, **given}).macs
            assert (2 * found, place) == (flops, place), (config, given)


@pytest.mark.parametrize("model", CONFIGS)
def test_the_cache_is_the_one_of_transformers_but_for_the_token_that_leaves_the_window(model):
    for config, given in islice(drawn(model), COUNT):
        ours = Llama(**config, **given)
        _, cache = stepped(built(model, config, DEVICES[model]), given)
        kept = sum(each.numel() for layer in cache.layers for each in (layer.keys, layer.values))
        window = config.get("sliding_window")
        left = window is not None and given["past_length"] + given["sequence_length"] >= window
        leaving = given["batch_size"] * ours.kv_cache_bytes_per_token if left else 0
        assert ours.kv_cache_bytes == 4 * kept + leaving, (config, given)


@pytest.mark.parametrize("model", CONFIGS)
def test_the_module_that_stands_for_a_decoder_computes_what_transformers_does(model):
    for config, given in islice(drawn(model), COUNT):
        theirs = built(model, config, "cpu").double()
        more = {"rms_norm_eps": theirs.config.rms_norm_eps}
        ours = models.Llama(**config, **more).double()
        ours.load_state_dict(renamed(theirs.state_dict()))
        cache = DynamicCache()  # without a config it keeps what has left the window
        with torch.no_grad():
            if given["past_length"]:
                theirs(tokens(given["past_length"], given, theirs), past_key_values=cache)
            past = [each for layer in cache.layers for each in (layer.keys, layer.values)]
            new = tokens(given["sequence_length"], given, theirs)
            found = ours(new, *past)
            torch.testing.assert_close(
                found, theirs(new, past_key_values=cache).logits, rtol=1e-5, atol=1e-6
            )


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return what transformers calls the numbers of a model, as our module does.

    The experts stand in two tensors there, gate and up in one of them.
    """
    found = {}
    for name, value in state.items():
        name = name.removeprefix("model.")
        if name.endswith("mlp.gate.weight"):
            found[name.replace("gate", "router")] = value
        elif name.endswith("experts.gate_up_proj"):
            for place, both in enumerate(value):
                gate, up = both.chunk(2)
                start = name.replace("gate_up_proj", str(place))
                found[f"{start}.gate_proj.weight"] = gate
                found[f"{start}.up_proj.weight"] = up
        elif name.endswith("experts.down_proj"):
            for place, down in enumerate(value):
                found[f"{name.replace('down_proj', str(place))}.down_proj.weight"] = down
        else:
            found[name] = value
    return found


@pytest.mark.parametrize(
    ("model", "config", "params"),  # as the safetensors of each repository sum to
    [
        pytest.param(LlamaForCausalLM, LLAMA_2_7B, 6_738_415_616, id="Llama-2-7B"),
        pytest.param(LlamaForCausalLM, LLAMA_3_8B, 8_030_261_248, id="Llama-3-8B"),
        pytest.param(MixtralForCausalLM, MIXTRAL_8X7B, 46_702_792_704, id="Mixtral-8x7B"),
    ],
)
def test_a_published_model_is_as_large_in_transformers_as_here(model, config, params):
    assert parameters(built(model, config, "meta")) == Llama(**config).params == params


@pytest.mark.parametrize("past", [0, 2047])
@pytest.mark.parametrize(
    ("model", "config"),
    [
        pytest.param(LlamaForCausalLM, LLAMA_3_8B, id="Llama-3-8B"),
        pytest.param(MixtralForCausalLM, MIXTRAL_8X7B, id="Mixtral-8x7B"),
    ],
)
def test_a_published_model_does_the_macs_that_are_counted_here(model, config, past):
    given = {"batch_size": 2, "sequence_length": 2048 - past, "past_length": past}
    counter, _ = stepped(built(model, config, "meta", experts="batched_mm"), given)
    assert 2 * Llama(**config, **given).macs == counter.get_total_flops()


def test_a_hidden_size_that_the_heads_do_not_divide_is_refused_in_the_words_of_llama():
    fields = {"hidden_size": 24, "num_attention_heads": 5}
    with pytest.raises(StrictDataclassClassValidationError) as theirs:
        LlamaConfig(**fields)
    with pytest.raises(InvalidField) as ours:
        LlamaDecoderLayer(**fields)
    said, _, advice = ours.value.message.partition(". ")
    assert f"{said}." in str(theirs.value)
    assert advice == "Change one, or give head_dim"


def test_a_head_dimension_lifts_that_refusal_in_mixtral_but_not_in_llama():
    fields = {
        "hidden_size": 24, "num_attention_heads": 5, "num_key_value_heads": 5, "head_dim": 6,
    }  # fmt: skip
    with pytest.raises(StrictDataclassClassValidationError, match="not a multiple"):
        LlamaConfig(**fields)
    block = built(MixtralForCausalLM, {**MIXTRAL_8X7B, **fields}, "meta").model.layers[0]
    assert GroupedQueryAttention(**fields).params == parameters(block.self_attn)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"head_dim": 3}, "head_dim", id="odd head"),
        pytest.param({"num_key_value_heads": 3}, "num_key_value_heads", id="heads left over"),
        pytest.param({"num_experts_per_tok": 3}, "num_experts_per_tok", id="too few experts"),
    ],
)
def test_what_does_not_fit_is_refused_by_transformers_too(fields, field):
    config = {
        "vocab_size": 9, "hidden_size": 8, "intermediate_size": 5, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 2, "num_local_experts": 2, **fields,
    }  # fmt: skip
    given = {"batch_size": 1, "sequence_length": 3, "past_length": 0}
    with pytest.raises(RuntimeError):
        stepped(built(MixtralForCausalLM, config, "cpu"), given)
    with pytest.raises(InvalidField) as caught:
        Llama(**config)
    assert caught.value.field == field
