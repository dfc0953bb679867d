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
from calculator.elementwise import Add, Cat, Dropout, Identity, Multiply
from calculator.fields import InvalidField
from calculator.hardware import devices
from calculator.layer import Layer
from calculator.linear import Linear
from calculator.network import Sequential
from calculator.normalization import GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from calculator.reshape import Flatten
from calculator.roofline import Runtime

__all__ = [
    "CALCULATIONS",
    "ELU",
    "GELU",
    "GLU",
    "Add",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Cat",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Conversion",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "InvalidField",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "Mish",
    "Multiply",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Runtime",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "devices",
]
