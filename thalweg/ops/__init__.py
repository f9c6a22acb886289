"""The mathematics: pure functions on arrays, batch first, channels last. They know no module."""

from thalweg.ops.activations import activation
from thalweg.ops.constraints import constraint
from thalweg.ops.initializers import initializer
from thalweg.ops.linear import add_bias, linear
from thalweg.ops.merge import merging
from thalweg.ops.precision import widen
from thalweg.ops.regularizers import regularizer

__all__ = ["activation", "add_bias", "constraint", "initializer", "linear", "merging", "regularizer", "widen"]
