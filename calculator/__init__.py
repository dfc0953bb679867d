"""Exact FLOPs, MACs, bytes and runtimes of neural network layers.

>>> from calculator import Conv2d
>>> Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128).macs
13716864
"""

from calculator.activation import (
    ELU,
    GELU,
    GLU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from calculator.adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from calculator.attention import ScaledDotProductAttention
from calculator.batch_normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from calculator.calculation import CALCULATIONS
from calculator.conversion import Conversion
from calculator.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from calculator.decoder import GroupedQueryAttention
from calculator.elementwise import Add, Cat, Dropout, Identity, Multiply
from calculator.embedding import Bilinear, Embedding, EmbeddingBag
from calculator.fields import InvalidField
from calculator.hardware import devices
from calculator.layer import Layer
from calculator.linear import Linear
from calculator.llama import Llama, LlamaDecoderLayer
from calculator.memory import ModelMemory
from calculator.multihead import MultiheadAttention
from calculator.network import Sequential
from calculator.normalization import GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from calculator.padding import ZeroPad1d, ZeroPad2d, ZeroPad3d
from calculator.pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from calculator.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from calculator.resampling import PixelShuffle, Upsample
from calculator.reshape import Flatten
from calculator.roofline import Runtime
from calculator.rotary import RotaryEmbedding
from calculator.training import TrainingCost
from calculator.transformer import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "CALCULATIONS",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "Add",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Cat",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Conversion",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "GroupedQueryAttention",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "InvalidField",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Llama",
    "LlamaDecoderLayer",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mish",
    "ModelMemory",
    "MultiheadAttention",
    "Multiply",
    "PReLU",
    "PixelShuffle",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "RotaryEmbedding",
    "Runtime",
    "ScaledDotProductAttention",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "TrainingCost",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
    "Upsample",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "devices",
]
