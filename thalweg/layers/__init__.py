"""Layers: frozen hyperparameters, parameters, and a call into `ops`."""

from thalweg.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from thalweg.layers.containers import Parallel, Residual, Sequential
from thalweg.layers.dense import Dense
from thalweg.layers.dropout import (
    AlphaDropout, Dropout, GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
)
from thalweg.layers.graph import Graph, Pick, Port
from thalweg.layers.node import Input, Node, graph, is_node
from thalweg.layers.merge import (
    Add, Average, Concatenate, Maximum, Multiply, Subtract, add, average, concatenate, maximum, multiply, subtract
)
from thalweg.layers.normalization import (
    BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization
)
from thalweg.layers.preprocessing import Normalization, Rescaling
from thalweg.layers.recurrent import LSTM, SimpleRNN
from thalweg.layers.shape import Flatten, Identity, Permute, RepeatVector, Reshape
from thalweg.layers.registry import ALLOWED, get, register

for _name, _value in list(globals().items()):
    if isinstance(_value, type) and hasattr(_value, "__dataclass_fields__"):
        register(_value)
