"""The types of models whose configuration is read, with the defaults of their classes.

A type stands here only if transformers 5.23.0 builds it of the very block that is counted here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_MISTRAL = {
    "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "head_dim": None, "rms_norm_eps": 1e-6, "tie_word_embeddings": False, "sliding_window": 4096,
}  # fmt: skip
_MIXTRAL = {
    **_MISTRAL, "rms_norm_eps": 1e-5, "sliding_window": None,
    "num_local_experts": 8, "num_experts_per_tok": 2,
}  # fmt: skip
_LLAMA = {
    **_MISTRAL, "intermediate_size": 11008, "num_key_value_heads": None,
    "attention_bias": False, "mlp_bias": False,
}  # fmt: skip
del _LLAMA["sliding_window"]


class ModelType(NamedTuple):
    """A type: its class with an output layer, and the defaults of the fields that it has."""

    architecture: str
    defaults: dict[str, Any]

    def may_be_null(self, name: str) -> bool:
        """Return whether the class takes null for a field."""
        return name == "sliding_window" or self.defaults.get(name) is None


TYPES = {
    "llama": ModelType("LlamaForCausalLM", _LLAMA),
    "mistral": ModelType("MistralForCausalLM", _MISTRAL),
    "mixtral": ModelType("MixtralForCausalLM", _MIXTRAL),
}
FIELDS = {name for model_type in TYPES.values() for name in model_type.defaults}

ACTIVATIONS = ("silu", "swish")  # two names of one function
QUANTIZATION = {"quantization_config", "compression_config"}

OTHER_BLOCKS = {
    "add_cross_attention", "attention_chunk_size", "attention_out_bias", "attn_logit_softcapping",
    "auto_map", "bias", "block_configs", "clip_qkv", "cross_attention_hidden_size",
    "cross_attention_layers", "decoder_sparse_step", "final_logit_softcapping",
    "first_k_dense_replace", "interleave_moe_layer_step", "is_encoder_decoder", "kv_lora_rank",
    "mlp_layer_types", "moe_intermediate_size", "n_routed_experts", "n_shared_experts",
    "no_rope_layers", "num_experts", "num_kv_shared_layers", "num_nextn_predict_layers",
    "num_shared_experts", "pruned_heads", "q_lora_rank", "qk_norm", "qkv_bias",
    "shared_expert_intermediate_size", "tie_encoder_decoder", "use_bias", "use_parallel_residual",
    "use_qk_norm",
}  # fmt: skip
"""Keys that change the count if they have a value. So does every nested `…_config`."""

WITHOUT_EFFECT = {
    # names, and how it is run
    "_name_or_path", "architectures", "model_type", "transformers_version", "tokenizer_class",
    "attn_implementation", "_attn_implementation", "prefix", "torchscript", "use_cache",
    "return_dict", "output_attentions", "output_hidden_states", "output_router_logits",
    "output_scores", "return_dict_in_generate", "gradient_checkpointing", "use_bfloat16",
    "tf_legacy_loss", "chunk_size_feed_forward", "is_decoder", "pretraining_tp",
    # tokens, positions, training
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id",
    "decoder_start_token_id", "max_position_embeddings", "max_sequence_length",
    "model_max_length", "max_length", "min_length", "rope_theta", "rope_scaling",
    "rope_parameters", "initializer_range", "attention_dropout", "hidden_dropout",
    "router_aux_loss_coef", "router_jitter_noise",
    # heads that are not the output layer
    "id2label", "label2id", "num_labels", "problem_type", "finetuning_task",
    "task_specific_params",
    # how tokens are chosen
    "do_sample", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
    "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "num_beams",
    "num_beam_groups", "diversity_penalty", "early_stopping", "num_return_sequences",
    "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id",
    "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty",
}  # fmt: skip
"""Keys that change no count."""
