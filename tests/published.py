"""The sizes of published decoders, as their config.json has them."""

LLAMA_2_7B = {  # huggingface.co/meta-llama/Llama-2-7b-hf, config.json, 2023
    "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
}  # fmt: skip
LLAMA_3_8B = {  # huggingface.co/meta-llama/Meta-Llama-3-8B, config.json, 2024
    **LLAMA_2_7B, "vocab_size": 128256, "intermediate_size": 14336, "num_key_value_heads": 8,
}  # fmt: skip
LLAMA_3_2_1B = {  # huggingface.co/meta-llama/Llama-3.2-1B, config.json, 2024
    "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192,
    "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
    "tie_word_embeddings": True,
}  # fmt: skip
MIXTRAL_8X7B = {  # huggingface.co/mistralai/Mixtral-8x7B-v0.1, config.json, 2023
    **LLAMA_2_7B, "intermediate_size": 14336, "num_key_value_heads": 8,
    "num_local_experts": 8, "num_experts_per_tok": 2,
}  # fmt: skip
