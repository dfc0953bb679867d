"""What `make measure` times: layers of ours, and the call of torch that each stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from calculator.layers.layer import Layer
from scripts.random_layers.draw import Configuration
from scripts.torch_layers.run import DTYPES, inputs, module

MEASURED = {"cpu": ("fp32", "bf16", "fp16"), "cuda": ("fp32", "tf32", "bf16", "fp16")}
MULTIPLYING = ("linear", "conv2d", "scaled_dot_product_attention")
"""The layers to which TF32 is another way to compute."""

Case = tuple[str, dict[str, Any], str]  # a key of CALCULATIONS, its fields but one, the dtype


def cases(kind: str) -> Iterator[Case]:
    """Yield what is measured on a kind of device, of each layer and dtype the smaller first."""
    for calculator, fields in layers():
        for dtype in MEASURED[kind]:
            if dtype != "tf32" or calculator in MULTIPLYING:
                yield calculator, fields, dtype


def layers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the layers and their fields."""
    for features in ((1024, 1024), (4096, 4096), (4096, 11008), (11008, 4096)):
        for rows in (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536):
            sizes = dict(zip(("in_features", "out_features"), features, strict=True))
            yield "linear", {**sizes, "bias": False, "batch_size": rows}
    for batch in (1, 32):
        for channels, filters, kernel, stride, groups, size in CONVOLUTIONS:
            yield (
                "conv2d",
                {
                    **{"in_channels": channels, "out_channels": filters, "kernel_size": kernel},
                    **{"stride": stride, "padding": kernel // 2, "groups": groups, "bias": False},
                    **{"batch_size": batch, "height": size, "width": size},
                },
            )
    for batch, heads, each in ((1, 12, 64), (1, 32, 128), (8, 12, 64), (8, 32, 128)):
        for tokens in (128, 512, 2048):
            for is_causal in (False, True):
                yield (
                    "scaled_dot_product_attention",
                    {
                        **{"is_causal": is_causal, "batch_size": batch, "num_heads": heads},
                        **{"query_length": tokens, "key_length": tokens, "head_dim": each},
                    },
                )
    for name in ("layer_norm", "rms_norm"):
        for shape in ([512, 768], [4096, 4096], [16384, 4096]):
            yield name, {"normalized_shape": shape[-1:], "size": shape}
    for batch, channels, size in ((1, 64, 112), (32, 2048, 7), (32, 64, 112)):
        sizes = {"batch_size": batch, "height": size, "width": size}
        yield "batch_norm2d", {"num_features": channels, **sizes}
    for name in ("relu", "gelu", "add"):
        for shape in ([64, 1024], [1024, 1024], [4096, 4096], [16384, 4096]):
            yield name, {"size": shape} | ({"other_size": shape} if name == "add" else {})


# Channels, filters, kernel, stride, groups, size of the input.
CONVOLUTIONS = (
    *((3, 64, 7, 2, 1, 224), (64, 64, 3, 1, 1, 56), (64, 256, 1, 1, 1, 56)),  # of ResNet-50
    *((128, 128, 3, 2, 1, 56), (256, 256, 3, 1, 1, 14), (1024, 256, 1, 1, 1, 14)),
    *((512, 512, 3, 1, 1, 7), (512, 2048, 1, 1, 1, 7)),
    *((32, 32, 3, 1, 32, 112), (32, 16, 1, 1, 1, 112), (96, 96, 3, 2, 96, 112)),  # of MobileNetV2
    *((576, 576, 3, 1, 576, 14), (576, 96, 1, 1, 1, 14), (960, 320, 1, 1, 1, 7)),
)


def prepared(layer: Layer, dtype: str, kind: str) -> Callable[[], Any]:
    """Return a call of torch's module of our layer, both it and its inputs full of random numbers.

    Weights keep what torch draws for them; what it sets to one number for all is drawn anew, above
    zero, a running variance being among it.
    """
    one = Configuration.like(layer)
    with torch.device(kind), torch.no_grad():
        built = module(one).eval().to(DTYPES[dtype]).requires_grad_(False)
        for each in (*built.parameters(), *built.buffers()):
            if each.is_floating_point() and bool((each == each.flatten()[0]).all()):
                each.uniform_(0.5, 1.5)
        given = inputs(one, random=True, dtype=DTYPES[dtype])
    return lambda: built(*given)
