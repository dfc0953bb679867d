# ruff: noqa: I001 - the order of the command line's help
"""The public names and their modules, one import per line: `__init__.py` reads them here."""

from collections.abc import Mapping

from calculator.core.calculation import Calculation

from calculator.layers.linear import Linear as Linear
from calculator.layers.convolution import Conv1d as Conv1d
from calculator.layers.convolution import Conv2d as Conv2d
from calculator.layers.convolution import Conv3d as Conv3d
from calculator.layers.transposed_convolution import ConvTranspose1d as ConvTranspose1d
from calculator.layers.transposed_convolution import ConvTranspose2d as ConvTranspose2d
from calculator.layers.transposed_convolution import ConvTranspose3d as ConvTranspose3d
from calculator.layers.pooling import AvgPool1d as AvgPool1d
from calculator.layers.pooling import AvgPool2d as AvgPool2d
from calculator.layers.pooling import AvgPool3d as AvgPool3d
from calculator.layers.pooling import MaxPool1d as MaxPool1d
from calculator.layers.pooling import MaxPool2d as MaxPool2d
from calculator.layers.pooling import MaxPool3d as MaxPool3d
from calculator.layers.adaptive_pooling import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from calculator.layers.adaptive_pooling import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from calculator.layers.adaptive_pooling import AdaptiveAvgPool3d as AdaptiveAvgPool3d
from calculator.layers.adaptive_pooling import AdaptiveMaxPool1d as AdaptiveMaxPool1d
from calculator.layers.adaptive_pooling import AdaptiveMaxPool2d as AdaptiveMaxPool2d
from calculator.layers.adaptive_pooling import AdaptiveMaxPool3d as AdaptiveMaxPool3d
from calculator.layers.rearranging import ZeroPad1d as ZeroPad1d
from calculator.layers.rearranging import ZeroPad2d as ZeroPad2d
from calculator.layers.rearranging import ZeroPad3d as ZeroPad3d
from calculator.layers.rearranging import PixelShuffle as PixelShuffle
from calculator.layers.upsampling import Upsample as Upsample
from calculator.layers.rearranging import Flatten as Flatten
from calculator.layers.activation import ELU as ELU
from calculator.layers.activation import GELU as GELU
from calculator.layers.activation import Hardsigmoid as Hardsigmoid
from calculator.layers.activation import Hardswish as Hardswish
from calculator.layers.activation import LeakyReLU as LeakyReLU
from calculator.layers.activation import Mish as Mish
from calculator.layers.activation import PReLU as PReLU
from calculator.layers.activation import ReLU as ReLU
from calculator.layers.activation import ReLU6 as ReLU6
from calculator.layers.activation import SiLU as SiLU
from calculator.layers.activation import Sigmoid as Sigmoid
from calculator.layers.activation import Softplus as Softplus
from calculator.layers.smooth_activation import CELU as CELU
from calculator.layers.smooth_activation import LogSigmoid as LogSigmoid
from calculator.layers.smooth_activation import SELU as SELU
from calculator.layers.smooth_activation import Softsign as Softsign
from calculator.layers.smooth_activation import Tanhshrink as Tanhshrink
from calculator.layers.piecewise_activation import Hardshrink as Hardshrink
from calculator.layers.piecewise_activation import Hardtanh as Hardtanh
from calculator.layers.piecewise_activation import Softshrink as Softshrink
from calculator.layers.piecewise_activation import Threshold as Threshold
from calculator.layers.activation import Tanh as Tanh
from calculator.layers.softmax import GLU as GLU
from calculator.layers.softmax import LogSoftmax as LogSoftmax
from calculator.layers.softmax import Softmax as Softmax
from calculator.layers.softmax import Softmax2d as Softmax2d
from calculator.layers.softmax import Softmin as Softmin
from calculator.layers.tensor_functions import Add as Add
from calculator.layers.tensor_functions import Cat as Cat
from calculator.layers.dropout import Dropout as Dropout
from calculator.layers.dropout import Identity as Identity
from calculator.layers.tensor_functions import Multiply as Multiply
from calculator.layers.normalization import GroupNorm as GroupNorm
from calculator.layers.normalization import LayerNorm as LayerNorm
from calculator.layers.normalization import LocalResponseNorm as LocalResponseNorm
from calculator.layers.normalization import RMSNorm as RMSNorm
from calculator.layers.batch_normalization import BatchNorm1d as BatchNorm1d
from calculator.layers.batch_normalization import BatchNorm2d as BatchNorm2d
from calculator.layers.batch_normalization import BatchNorm3d as BatchNorm3d
from calculator.layers.batch_normalization import InstanceNorm1d as InstanceNorm1d
from calculator.layers.batch_normalization import InstanceNorm2d as InstanceNorm2d
from calculator.layers.batch_normalization import InstanceNorm3d as InstanceNorm3d
from calculator.layers.embedding import Embedding as Embedding
from calculator.layers.embedding import EmbeddingBag as EmbeddingBag
from calculator.layers.bilinear import Bilinear as Bilinear
from calculator.layers.recurrent import GRU as GRU
from calculator.layers.recurrent import LSTM as LSTM
from calculator.layers.recurrent import RNN as RNN
from calculator.layers.recurrent_cells import GRUCell as GRUCell
from calculator.layers.recurrent_cells import LSTMCell as LSTMCell
from calculator.layers.recurrent_cells import RNNCell as RNNCell
from calculator.layers.attention import ScaledDotProductAttention as ScaledDotProductAttention
from calculator.layers.rotary_embedding import RotaryEmbedding as RotaryEmbedding
from calculator.blocks.multihead_attention import MultiheadAttention as MultiheadAttention
from calculator.blocks.transformer import TransformerDecoderLayer as TransformerDecoderLayer
from calculator.blocks.transformer import TransformerEncoderLayer as TransformerEncoderLayer
from calculator.blocks.grouped_query_attention import GroupedQueryAttention as GroupedQueryAttention
from calculator.blocks.llama import Llama as Llama
from calculator.blocks.llama import LlamaDecoderLayer as LlamaDecoderLayer
from calculator.networks.sequential import Sequential as Sequential
from calculator.networks.published import Network as Network
from calculator.budgets.conversion import Conversion as Conversion
from calculator.machines.runtime import Runtime as Runtime
from calculator.machines.peak import Peak as Peak
from calculator.budgets.training_cost import TrainingCost as TrainingCost
from calculator.budgets.model_memory import ModelMemory as ModelMemory
from calculator.layers.layer import Layer as Layer
from calculator.core.fields import InvalidField as InvalidField
from calculator.machines.devices import devices as devices
from calculator.counters import readings as readings
from calculator.answers.sentences import how_to_report as how_to_report
from calculator.counters.explain import explanations as explanations

CALCULATIONS: Mapping[str, type[Calculation]]
__all__: list[str]
