"""Adam and its kin: each number is moved by its mean gradient over the root of its mean square.

m, v         moving averages of the gradient g and of its square      t   the update, counted from 1
alpha, a, b  what the step of w, m and v are multiplied by: Adam's numbers, the same for all parameters
"""

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import optax

from thalweg.optim.base import Optimizer, Rate
from thalweg.optim.compose import Slot, decayed, elementwise
from thalweg.optim.one_pass import OnePass
from thalweg.ranges import NONNEGATIVE, RATE
from thalweg.types import Array

zeros: Slot = jnp.zeros_like
LIMITS = {**Optimizer.limits, "beta_1": RATE, "beta_2": RATE, "epsilon": NONNEGATIVE}


def one(w: Array) -> Array:
    """A single 1, in the parameter's dtype."""
    return jnp.ones((), w.dtype)


def adam_numbers(h: Any, t: Array) -> tuple[Array, ...]:
    """Adam's numbers at update t: alpha, how far m and v go, epsilon."""
    alpha = h.learning_rate * jnp.sqrt(1 - h.beta_2**t) / (1 - h.beta_1**t)
    return alpha, 1 - h.beta_1, 1 - h.beta_2, h.epsilon


def adam_step(g: Array, m: Array, v: Array, alpha: Array, a: Array, b: Array, epsilon: Array) -> tuple[Array, ...]:
    """Adam's step: what a parameter moves by, m and v."""
    m, v = m + a * (g - m), v + b * (g * g - v)
    return -alpha * m / (jnp.sqrt(v) + epsilon), m, v


def amsgrad_step(
    g: Array, m: Array, v: Array, top: Array, alpha: Array, a: Array, b: Array, epsilon: Array
) -> tuple[Array, ...]:
    """The same, divided by the largest v so far."""
    m, v = m + a * (g - m), v + b * (g * g - v)
    top = jnp.maximum(top, v)
    return -alpha * m / (jnp.sqrt(top) + epsilon), m, v, top


ADAM = OnePass("adam", adam_numbers, adam_step, (zeros, zeros))
AMSGRAD = OnePass("amsgrad", adam_numbers, amsgrad_step, (zeros, zeros, zeros))


class Adam(Optimizer):
    """Adam.

    m += (1 - beta_1) (g - m);   v += (1 - beta_2) (g^2 - v)
    w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    The bias corrections fold into one number a step, as in section 2 of the paper and in Keras; so epsilon weighs more
    in the first steps than in PyTorch and Optax, which divide v first.

    Args:
        learning_rate: lr.
        beta_1: how much of the mean gradient stays at each step.
        beta_2: how much of the mean square stays.
        epsilon: keeps the quotient finite.
        amsgrad: divide by the largest v so far (Reddi et al. 2018).

    Kingma & Ba 2015, "Adam: a method for stochastic optimization".
    """

    limits: ClassVar = LIMITS

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False

    @property
    def one_pass(self) -> OnePass:
        """See the class."""
        return AMSGRAD if self.amsgrad else ADAM


class AdamW(Optimizer):
    """Adam with weight decay beside the gradient rather than in it: w -= lr weight_decay w, then Adam's step.

    Args:
        learning_rate: lr.
        weight_decay: how fast weights shrink.
        beta_1: as in `Adam`, and so are `beta_2`, `epsilon` and `amsgrad`.

    Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
    """

    limits: ClassVar = LIMITS

    learning_rate: Rate = 0.001
    weight_decay: float = 0.004
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False

    @property
    def one_pass(self) -> OnePass:
        """See the class."""
        return AMSGRAD if self.amsgrad else ADAM


class Adamax(Optimizer):
    """Adam with the largest gradient, decaying, in the place of the mean square.

    m += (1 - beta_1) (g - m);   u = max(beta_2 u, |g|);   w -= lr / (1 - beta_1^t) m / (u + epsilon)

    Args:
        learning_rate: lr.
        beta_1: how much of the mean gradient stays at each step.
        beta_2: how much of the largest gradient stays.
        epsilon: keeps the quotient finite.

    Kingma & Ba 2015, section 7.
    """

    limits: ClassVar = LIMITS

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def rule(self, h: Any) -> Any:
        """See the class."""
        lr, b1, b2, epsilon = h.learning_rate, h.beta_1, h.beta_2, h.epsilon

        def at(t: Array) -> Callable[..., tuple[Array, ...]]:
            alpha = lr / (1 - b1**t)

            def step(g: Array, m: Array, u: Array) -> tuple[Array, ...]:
                m = m + (1 - b1) * (g - m)
                u = jnp.maximum(b2 * u, jnp.abs(g))
                return -alpha * m / (u + epsilon), m, u

            return step

        return decayed(elementwise((zeros, zeros), at), h)


class Nadam(Optimizer):
    """Adam that looks one step ahead, as Nesterov's momentum does.

    mu_t = beta_1 (1 - 0.96^t / 2);   P_t = mu_1 ... mu_t
    m, v as in Adam
    w -= lr (mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: lr.
        beta_1: how much of the mean gradient stays at each step, at last.
        beta_2: how much of the mean square stays.
        epsilon: keeps the quotient finite.

    Dozat 2016, "Incorporating Nesterov momentum into Adam". PyTorch's NAdam raises 0.96 to t / 250 unless told so.
    """

    limits: ClassVar = LIMITS

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def rule(self, h: Any) -> Any:
        """See the class."""
        lr, b1, b2, epsilon = h.learning_rate, h.beta_1, h.beta_2, h.epsilon

        def at(t: Array) -> Callable[..., tuple[Array, ...]]:
            mu = b1 * (1 - 0.5 * 0.96**t)
            ahead = b1 * (1 - 0.5 * 0.96 ** (t + 1))
            corrected = 1 - b2**t

            def step(g: Array, m: Array, v: Array, P: Array) -> tuple[Array, ...]:
                m = m + (1 - b1) * (g - m)
                v = v + (1 - b2) * (g * g - v)
                P = P * mu
                m_hat = ahead / (1 - P * ahead) * m + (1 - mu) / (1 - P) * g
                return -lr * m_hat / (jnp.sqrt(v / corrected) + epsilon), m, v, P

            return step

        return decayed(elementwise((zeros, zeros, one), at), h)


class Lamb(Optimizer):
    """Adam's direction, as long in each parameter as the parameter itself: for very large batches.

    r = m_hat / (sqrt(v_hat) + epsilon);   w -= lr |w| / |r| r,   where |w| / |r| is 1 if either is 0

    Args:
        learning_rate: lr.
        beta_1: how much of the mean gradient stays at each step.
        beta_2: how much of the mean square stays.
        epsilon: keeps the quotient finite.

    You et al. 2020, "Large batch optimization for deep learning". Weight decay acts before, not inside r, as in Keras.
    """

    limits: ClassVar = LIMITS

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def rule(self, h: Any) -> Any:
        """See the class."""
        b1, b2, epsilon = h.beta_1, h.beta_2, h.epsilon

        def at(t: Array) -> Callable[..., tuple[Array, ...]]:
            c1, c2 = 1 - b1**t, 1 - b2**t

            def step(g: Array, m: Array, v: Array) -> tuple[Array, ...]:
                m = m + (1 - b1) * (g - m)
                v = v + (1 - b2) * (g * g - v)
                return m / c1 / (jnp.sqrt(v / c2) + epsilon), m, v

            return step

        parts = elementwise((zeros, zeros), at), optax.scale_by_trust_ratio(), optax.scale(-h.learning_rate)
        return decayed(optax.chain(*parts), h)
