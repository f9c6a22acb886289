"""The mathematics: pure functions on arrays, batch first, channels last. They know no module."""

from thalweg.ops.activations import (
    activation,
    elu,
    exponential,
    gelu,
    gelu_tanh,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    step,
    tanh,
)
from thalweg.ops.attention import additive_weights, attention, attention_weights, mix
from thalweg.ops.constraints import constraint
from thalweg.ops.conv import conv, conv_transpose, depthwise_conv, separable_conv
from thalweg.ops.conv_lstm import conv_lstm
from thalweg.ops.crf import viterbi
from thalweg.ops.cross_entropy import cross_entropy, of_classes
from thalweg.ops.ctc import ctc
from thalweg.ops.ctc_decode import ctc_beam, ctc_greedy
from thalweg.ops.dropout import alpha_dropout, dropout, gaussian_dropout, gaussian_noise
from thalweg.ops.embedding import embedding
from thalweg.ops.initializers import fans, initializer
from thalweg.ops.linear import add_bias, feed_forward, linear
from thalweg.ops.mel import dct, decibels, deltas, mel_filter_bank, normalize_utterance
from thalweg.ops.merge import add, average, concatenate, maximum, merging, multiply, subtract
from thalweg.ops.normalization import group_norm, layer_norm, layer_norm_beside, moments, normalize, rms_norm
from thalweg.ops.pool import average_pool, global_average_pool, global_max_pool, max_pool
from thalweg.ops.position import rotary, sinusoid
from thalweg.ops.precision import widen
from thalweg.ops.recurrent import gru, lstm, simple_rnn
from thalweg.ops.regularizers import regularizer
from thalweg.ops.resize import bilinear, crop, repeat, zero_pad
from thalweg.ops.spec_augment import mask_bands, mask_times, spec_augment, warp_time
from thalweg.ops.spectrum import frames, power_spectrum, pre_emphasis, stft
from thalweg.ops.targets import aligned, at_class, class_index, is_class

__all__ = [
    "activation",
    "add",
    "add_bias",
    "additive_weights",
    "aligned",
    "alpha_dropout",
    "at_class",
    "attention",
    "attention_weights",
    "average",
    "average_pool",
    "bilinear",
    "class_index",
    "concatenate",
    "constraint",
    "conv",
    "conv_lstm",
    "conv_transpose",
    "crop",
    "cross_entropy",
    "ctc",
    "ctc_beam",
    "ctc_greedy",
    "dct",
    "decibels",
    "deltas",
    "depthwise_conv",
    "dropout",
    "elu",
    "embedding",
    "exponential",
    "fans",
    "feed_forward",
    "frames",
    "gaussian_dropout",
    "gaussian_noise",
    "gelu",
    "gelu_tanh",
    "global_average_pool",
    "global_max_pool",
    "group_norm",
    "gru",
    "hard_sigmoid",
    "initializer",
    "is_class",
    "layer_norm",
    "layer_norm_beside",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm",
    "mask_bands",
    "mask_times",
    "max_pool",
    "maximum",
    "mel_filter_bank",
    "merging",
    "mish",
    "mix",
    "moments",
    "multiply",
    "normalize",
    "normalize_utterance",
    "of_classes",
    "power_spectrum",
    "pre_emphasis",
    "prelu",
    "regularizer",
    "relu",
    "relu6",
    "repeat",
    "rms_norm",
    "rotary",
    "selu",
    "separable_conv",
    "sigmoid",
    "silu",
    "simple_rnn",
    "sinusoid",
    "softmax",
    "softplus",
    "softsign",
    "spec_augment",
    "step",
    "stft",
    "subtract",
    "tanh",
    "viterbi",
    "warp_time",
    "widen",
    "zero_pad",
]
