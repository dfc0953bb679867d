"""Exact FLOPs, MACs, bytes and runtimes of neural network layers.

>>> from calculator import Conv2d
>>> Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128).macs
13716864
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calculator.calculation import Calculation

# What each module has for the world. A browser waits for the modules that its page needs, no more.
_PUBLIC = {
    "linear": "Linear",
    "convolution": "Conv1d Conv2d Conv3d",
    "transposed": "ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "pooling": "AvgPool1d AvgPool2d AvgPool3d MaxPool1d MaxPool2d MaxPool3d",
    "adaptive": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d "
        "AdaptiveMaxPool2d AdaptiveMaxPool3d"
    ),
    "padding": "ZeroPad1d ZeroPad2d ZeroPad3d",
    "resampling": "PixelShuffle Upsample",
    "reshape": "Flatten",
    "activation": (
        "ELU GELU Hardsigmoid Hardswish LeakyReLU Mish PReLU ReLU ReLU6 SiLU Sigmoid Softplus Tanh"
    ),
    "softmax": "GLU LogSoftmax Softmax",
    "elementwise": "Add Cat Dropout Identity Multiply",
    "normalization": "GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "batch_normalization": (
        "BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d"
    ),
    "embedding": "Embedding EmbeddingBag",
    "bilinear": "Bilinear",
    "recurrent": "GRU LSTM RNN",
    "cells": "GRUCell LSTMCell RNNCell",
    "attention": "ScaledDotProductAttention",
    "rotary": "RotaryEmbedding",
    "multihead": "MultiheadAttention",
    "transformer": "TransformerDecoderLayer TransformerEncoderLayer",
    "decoder": "GroupedQueryAttention",
    "llama": "Llama LlamaDecoderLayer",
    "network": "Sequential",
    "networks": "Network",
    "conversion": "Conversion",
    "roofline": "Runtime",
    "peak": "Peak",
    "training": "TrainingCost",
    "memory": "ModelMemory",
    "layer": "Layer",
    "fields": "InvalidField",
    "hardware": "devices",
    "counters": "readings",
    "statement": "how_to_report",
    "provenance": "explanations",
}
__all__ = ["CALCULATIONS", *" ".join(_PUBLIC.values()).split()]


def __getattr__(name: str) -> Any:
    for module, names in _PUBLIC.items():
        if name in names.split():
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


class _Calculations(Mapping[str, "type[Calculation]"]):
    """Every calculation by its name; its module is loaded when it is first asked for."""

    def __init__(self) -> None:
        self.found: dict[str, type[Calculation]] = {}

    def __getitem__(self, name: str) -> type[Calculation]:
        if name not in self.found:
            letters = name.replace("_", "")
            owner: Any = next((__getattr__(each) for each in __all__ if each.lower() == letters), 0)
            if getattr(owner, "name", None) != name:
                raise KeyError(name)
            self.found[name] = owner
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        owners = (__getattr__(name) for name in __all__[1:] if name[0].isupper())
        return (owner.name for owner in owners if getattr(owner, "name", ""))

    def __len__(self) -> int:
        return len(list(iter(self)))


CALCULATIONS = _Calculations()
