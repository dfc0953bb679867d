"""Exact FLOPs, MACs, bytes and runtimes of neural network layers.

>>> from calculator import Conv2d
>>> Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128).macs
13716864
"""

from calculator.activation import ReLU
from calculator.adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
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
from calculator.fields import InvalidField
from calculator.hardware import devices
from calculator.layer import Layer
from calculator.linear import Linear
from calculator.network import Sequential
from calculator.padding import ZeroPad1d, ZeroPad2d, ZeroPad3d
from calculator.pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from calculator.resampling import PixelShuffle, Upsample
from calculator.reshape import Flatten
from calculator.roofline import Runtime

__all__ = [
    "CALCULATIONS",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Conversion",
    "Flatten",
    "InvalidField",
    "Layer",
    "Linear",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "PixelShuffle",
    "ReLU",
    "Runtime",
    "Sequential",
    "Upsample",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "devices",
]
