"""Initializers: a weight's first value from a key, a shape and a dtype.

The classics keep the variance of what flows: `fan_in` counts the numbers a unit reads, `fan_out` those it feeds. A
normal initializer draws from the normal cut at two standard deviations, widened so that `stddev` is what comes out.
"""

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp

from thalweg import random
from thalweg.errors import ConfigError, ContractError
from thalweg.record import Record, resolve
from thalweg.types import Array, Dtype, Key

Shape = tuple[int, ...]

CUT = 2.0  # a truncated normal reaches two standard deviations
WITHIN_CUT = math.erf(CUT / math.sqrt(2))  # the normal's mass there
CUT_STDDEV = math.sqrt(1 - CUT * math.sqrt(2 / math.pi) * math.exp(-(CUT**2) / 2) / WITHIN_CUT)  # 0.8796


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a kernel [*window, inputs, outputs]; a convolution's window multiplies both.

    >>> fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        n = max(math.prod(shape), 1)
        return n, n
    window = math.prod(shape[:-2])
    return max(window * shape[-2], 1), max(window * shape[-1], 1)


class Random(Record):
    """What the random initializers share; abstract.

    Args:
        seed: None draws from the key that `init` gives each weight; a number draws the same for every weight.
    """

    seed: int | None = field(default=None, kw_only=True)

    def uniform(self, key: Key[Array, ""], shape: Shape) -> Array:
        """Uniform on [-1, 1), in float32."""
        return 2 * random.uniform(self._source(key), shape) - 1

    def normal(self, key: Key[Array, ""], shape: Shape) -> Array:
        """Standard normal, in float32."""
        return random.normal(self._source(key), shape)

    def truncated(self, key: Key[Array, ""], shape: Shape) -> Array:
        """Standard normal cut at +-2, by inversion, in float32: its deviation is `CUT_STDDEV`."""
        return math.sqrt(2) * jax.lax.erf_inv(WITHIN_CUT * self.uniform(key, shape))

    def _source(self, key: Key[Array, ""]) -> Array:
        return key if self.seed is None else random.key(self.seed)


class Zeros(Record):
    """0 everywhere: for biases."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return jnp.zeros(shape, dtype)


class Ones(Record):
    """1 everywhere: for scales."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return jnp.ones(shape, dtype)


class Constant(Record):
    """`value` everywhere."""

    value: float = 0.0

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return jnp.full(shape, self.value, dtype)


class RandomNormal(Random):
    """N(mean, stddev^2)."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return (self.mean + self.stddev * self.normal(key, shape)).astype(dtype)


class RandomUniform(Random):
    """U[minval, maxval)."""

    minval: float = -0.05
    maxval: float = 0.05

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        middle, radius = (self.maxval + self.minval) / 2, (self.maxval - self.minval) / 2
        return (middle + radius * self.uniform(key, shape)).astype(dtype)


class TruncatedNormal(Random):
    """N(mean, stddev^2) cut at two `stddev` on either side; as in Keras, not widened."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return (self.mean + self.stddev * self.truncated(key, shape)).astype(dtype)


class GlorotNormal(Random):
    """Normal with variance 2 / (fan_in + fan_out). Glorot and Bengio 2010."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        stddev = math.sqrt(2 / sum(fans(shape)))
        return (stddev / CUT_STDDEV * self.truncated(key, shape)).astype(dtype)


class GlorotUniform(Random):
    """Uniform with variance 2 / (fan_in + fan_out): U[-r, r), r = sqrt(6 / (fan_in + fan_out)). The same paper."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return (math.sqrt(6 / sum(fans(shape))) * self.uniform(key, shape)).astype(dtype)


class HeNormal(Random):
    """Normal with variance 2 / fan_in: for ReLU. He et al. 2015, arXiv:1502.01852."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        stddev = math.sqrt(2 / fans(shape)[0])
        return (stddev / CUT_STDDEV * self.truncated(key, shape)).astype(dtype)


class HeUniform(Random):
    """Uniform with variance 2 / fan_in: U[-r, r), r = sqrt(6 / fan_in). The same paper."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return (math.sqrt(6 / fans(shape)[0]) * self.uniform(key, shape)).astype(dtype)


class LecunNormal(Random):
    """Normal with variance 1 / fan_in: for SELU. LeCun et al. 1998."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        stddev = math.sqrt(1 / fans(shape)[0])
        return (stddev / CUT_STDDEV * self.truncated(key, shape)).astype(dtype)


class LecunUniform(Random):
    """Uniform with variance 1 / fan_in: U[-r, r), r = sqrt(3 / fan_in). The same paper."""

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        return (math.sqrt(3 / fans(shape)[0]) * self.uniform(key, shape)).astype(dtype)


class Orthogonal(Random):
    """`gain` times a random matrix with orthonormal rows or columns. Saxe et al. 2013, arXiv:1312.6120.

    Q of the QR decomposition of a normal matrix, each column signed as R's diagonal, so that Q is uniform over the
    rotations. A kernel of more axes is seen as the matrix [all others, outputs].
    """

    gain: float = 1.0

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        _at_least_two_axes(self, shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        a = self.normal(key, (max(rows, columns), min(rows, columns)))
        q, r = jnp.linalg.qr(a.astype(jnp.float64 if dtype == jnp.float64 else jnp.float32))
        q = q * jnp.where(jnp.diagonal(r) < 0, -1.0, 1.0)[None, :].astype(q.dtype)
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


class IdentityInitializer(Record):
    """`gain` times the identity matrix. Le et al. 2015, arXiv:1504.00941."""

    gain: float = 1.0

    def __call__(self, key: Key[Array, ""], shape: Shape, dtype: Dtype) -> Array:
        """The first value of a weight."""
        if len(shape) != 2:
            raise ContractError(f"{self!r} makes matrices; the weight has shape {shape}.\n  Write 'orthogonal'.")
        return self.gain * jnp.eye(*shape, dtype=dtype)


Identity = IdentityInitializer  # as Keras calls it; a layer has the name in stored descriptions


def _at_least_two_axes(initializer: Record, shape: Shape) -> None:
    if len(shape) < 2:
        raise ContractError(f"{initializer!r} needs two axes or more; the weight has shape {shape}.\n  Write 'zeros'.")


INITIALIZERS = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "identity": Identity,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "normal": RandomNormal,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "uniform": RandomUniform,
    "zeros": Zeros,
}
_TABLE = INITIALIZERS | {name.replace("_", ""): cls for name, cls in INITIALIZERS.items()}  # GlorotUniform


def initializer(value: Any) -> Callable[..., Array]:
    """The initializer of a name ("glorot_uniform", "HeNormal") or of a function `(key, shape, dtype)` (itself).

    Raises:
        ConfigError: the name is unknown, or the value cannot be called.

    >>> initializer("he_normal")
    HeNormal()
    """
    begin: Callable[..., Array] = resolve(value, _TABLE, "initializer")
    if not callable(begin):
        raise ConfigError(f"an initializer is a name or a function; this is {value!r}.\n  Write 'glorot_uniform'.")
    return begin
