"""Layers: frozen hyperparameters, parameters, and a call into `ops`.

Every class here has a row in the contract battery, `tests/contract/rows/`.
"""

from thalweg.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from thalweg.layers.attention import AdditiveAttention, Attention, MultiplicativeAttention
from thalweg.layers.cells import RNN, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from thalweg.layers.containers import Parallel, Residual, Sequential
from thalweg.layers.conv import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from thalweg.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D
from thalweg.layers.crf import CRF
from thalweg.layers.dense import Dense
from thalweg.layers.dropout import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from thalweg.layers.embedding import Embedding, TiedDense
from thalweg.layers.graph import Graph, Pick, Port
from thalweg.layers.mask import Masking
from thalweg.layers.merge import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    multiply,
    subtract,
)
from thalweg.layers.multihead import GroupQueryAttention, MultiHeadAttention
from thalweg.layers.node import Input, Node, graph, is_node, names, opened
from thalweg.layers.normalization import BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization
from thalweg.layers.over_time import reset_states
from thalweg.layers.peephole import PeepholeLSTMCell
from thalweg.layers.pool import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from thalweg.layers.position import PositionEmbedding, RotaryEmbedding, SinusoidalPosition
from thalweg.layers.preprocessing import Normalization, Rescaling
from thalweg.layers.recurrent import GRU, LSTM, SimpleRNN
from thalweg.layers.registry import ALLOWED, get, register
from thalweg.layers.resize import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from thalweg.layers.shape import Flatten, Identity, Permute, RepeatVector, Reshape
from thalweg.layers.spec_augment import SpecAugment
from thalweg.layers.transformer import TransformerDecoderBlock, TransformerEncoderBlock
from thalweg.layers.window import WindowNormalization
from thalweg.layers.wrappers import Bidirectional, TimeDistributed
from thalweg.record import Record

__all__ = [
    "ALLOWED",
    "CRF",
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "Graph",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "LSTMCell",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MultiHeadAttention",
    "MultiplicativeAttention",
    "Multiply",
    "Node",
    "Normalization",
    "PReLU",
    "Parallel",
    "PeepholeLSTMCell",
    "Permute",
    "Pick",
    "Port",
    "PositionEmbedding",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Residual",
    "RotaryEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinusoidalPosition",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpecAugment",
    "StackedRNNCells",
    "Subtract",
    "TiedDense",
    "TimeDistributed",
    "TransformerDecoderBlock",
    "TransformerEncoderBlock",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "WindowNormalization",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "get",
    "graph",
    "is_node",
    "maximum",
    "multiply",
    "names",
    "opened",
    "register",
    "reset_states",
    "subtract",
]

for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type) and issubclass(_value, Record):
        register(_value)
