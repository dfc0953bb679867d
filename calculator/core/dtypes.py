"""Data types: their bytes, their labels, torch's names."""

from __future__ import annotations

# Bytes of one element. TF32 is a way to multiply: it is stored in the four bytes of an FP32.
DTYPE_BYTES = {
    "fp64": 8,
    "fp32": 4,
    "tf32": 4,
    "bf16": 2,
    "fp16": 2,
    "fp8": 1,
    "int8": 1,
}
DTYPE_LABELS = {dtype: f"{dtype} · {size} B" for dtype, size in DTYPE_BYTES.items()}
INDEX_BYTES = 8  # torch's indices are int64, whatever the dtype
# Torch's names, accepted wherever a dtype is asked for.
TORCH_DTYPES = {
    "float64": "fp64",
    "float32": "fp32",
    "bfloat16": "bf16",
    "float16": "fp16",
    "float8_e4m3fn": "fp8",
}
