"""Learning rates that follow the step. Give one as `learning_rate=` of any optimizer.

`n` is the step, counted from 0; the words are Keras's. A schedule is a pure function of the step, so it also plots:
`schedule(np.arange(1000))`.

One that was told how long it lasts counts all steps since `compile`, as in Keras: a second `fit` goes on in it, and is
an error where the rate has come to 0 for good. One that was not lasts as long as each run, and begins anew with it, at
the step of `initial_epoch`. A resumed run goes on where it was.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg.errors import ConfigError
from thalweg.ranges import NONNEGATIVE, POSITIVE, Range
from thalweg.record import Record
from thalweg.types import Array

LENGTHS = ("decay_steps", "total_steps")
STEPS = Range(0, whole=True, open_high=True)


class LearningRateSchedule(Record):
    """The base of schedules: subclass it with fields of your own and `__call__(step)`."""

    def __call__(self, step: Any) -> Array:
        """The learning rate at `step`."""
        raise NotImplementedError

    @property
    def follows_run(self) -> bool:
        """Whether it lasts as long as a run, because it was not told how long it lasts."""
        return self.over(1) != self

    def over(self, total_steps: int | None) -> "LearningRateSchedule":
        """This schedule, lasting to the end of the run where it was not told how long it lasts."""
        for name in LENGTHS:
            if getattr(self, name, 0) is not None:
                continue
            if total_steps is None:
                raise ConfigError(f"{self!r} does not say how long it lasts.\n  Write {name}= (epochs times steps).")
            return dataclasses.replace(self, **{name: max(1, total_steps - getattr(self, "warmup_steps", 0))})  # type: ignore[type-var]
        return self


class Constant(LearningRateSchedule):
    """The same rate at every step."""

    limits: ClassVar = {"learning_rate": NONNEGATIVE}

    learning_rate: float

    def __call__(self, step: Any) -> Array:
        """See the class."""
        return jnp.full_like(number(step), self.learning_rate)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1], ..., then values[-1]."""

    limits: ClassVar = {"boundaries": NONNEGATIVE, "values": NONNEGATIVE}

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigError(
                f"{self!r} needs one value more than boundaries: {len(self.boundaries) + 1}, not {len(self.values)}.\n"
                "  Write PiecewiseConstantDecay([1000, 2000], [0.1, 0.01, 0.001])."
            )

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n = number(step)
        ends = jnp.asarray((*self.boundaries, math.inf), n.dtype).reshape(*n.ndim * (1,), -1)
        within = n[..., None] <= ends
        return jnp.asarray(self.values, n.dtype)[jnp.argmax(within, axis=-1)]


class StepDecay(LearningRateSchedule):
    """rate gamma^floor(n / step_size): times gamma every `step_size` steps (PyTorch's StepLR)."""

    limits: ClassVar = {"initial_learning_rate": NONNEGATIVE, "step_size": POSITIVE, "gamma": NONNEGATIVE}

    initial_learning_rate: float
    step_size: float
    gamma: float = 0.1

    def __call__(self, step: Any) -> Array:
        """See the class."""
        return self.initial_learning_rate * self.gamma ** jnp.floor(number(step) / self.step_size)


class ExponentialDecay(LearningRateSchedule):
    """rate decay_rate^(n / decay_steps); `staircase` rounds the exponent down."""

    limits: ClassVar = {"initial_learning_rate": NONNEGATIVE, "decay_steps": POSITIVE, "decay_rate": NONNEGATIVE}

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def __call__(self, step: Any) -> Array:
        """See the class."""
        p = number(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (jnp.floor(p) if self.staircase else p)


class InverseTimeDecay(LearningRateSchedule):
    """rate / (1 + decay_rate n / decay_steps); `staircase` rounds the fraction down."""

    limits: ClassVar = {"initial_learning_rate": NONNEGATIVE, "decay_steps": POSITIVE, "decay_rate": NONNEGATIVE}

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def __call__(self, step: Any) -> Array:
        """See the class."""
        p = number(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (jnp.floor(p) if self.staircase else p))


class PolynomialDecay(LearningRateSchedule):
    """(rate - end) (1 - n / decay_steps)^power + end, then end; `cycle` begins again, each cycle from a lower rate.

    Without `decay_steps` it lasts as long as the run.
    """

    limits: ClassVar = {
        "initial_learning_rate": NONNEGATIVE,
        "decay_steps": POSITIVE,
        "end_learning_rate": NONNEGATIVE,
        "power": NONNEGATIVE,
    }

    initial_learning_rate: float
    decay_steps: float | None = None
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n, N = number(step), float(self.decay_steps or 1)
        if self.cycle:
            N = N * jnp.maximum(jnp.ceil(n / N), 1)
        p = jnp.minimum(n, N) / N
        return (self.initial_learning_rate - self.end_learning_rate) * (1 - p) ** self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """rate ((1 - alpha) (1 + cos(pi n / decay_steps)) / 2 + alpha), after a linear warm-up where one is asked for.

    With `warmup_target` the rate first climbs from `initial_learning_rate` to it in `warmup_steps`, and decays from
    there. Without `decay_steps` it lasts as long as the run. Loshchilov & Hutter 2017, "SGDR".
    """

    limits: ClassVar = {
        "initial_learning_rate": NONNEGATIVE,
        "decay_steps": POSITIVE,
        "alpha": NONNEGATIVE,
        "warmup_target": NONNEGATIVE,
        "warmup_steps": STEPS,
    }

    initial_learning_rate: float
    decay_steps: float | None = None
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n, N, start, w = number(step), float(self.decay_steps or 1), self.initial_learning_rate, 0
        top = start if self.warmup_target is None else self.warmup_target
        if self.warmup_target is not None:
            w = self.warmup_steps
        decay = top * ((1 - self.alpha) * half_cosine(jnp.clip((n - w) / N, 0, 1)) + self.alpha)
        return jnp.where(n < w, (top - start) * (n / max(w, 1)) + start, decay)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that restarts: period i lasts first_decay_steps t_mul^i and begins at rate m_mul^i.

    Loshchilov & Hutter 2017, "SGDR: Stochastic gradient descent with warm restarts".
    """

    limits: ClassVar = {
        "initial_learning_rate": NONNEGATIVE,
        "first_decay_steps": POSITIVE,
        "t_mul": Range(1, open_high=True),
        "m_mul": NONNEGATIVE,
        "alpha": NONNEGATIVE,
    }

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n, N, t = number(step), self.first_decay_steps, self.t_mul
        p = n / N
        if t == 1:
            i, p = jnp.floor(p), n % N / N
        else:  # i periods together last 1 + t + ... + t^(i-1) = (1 - t^i) / (1 - t)
            i = jnp.round(jnp.log(1 - p * (1 - t)) / jnp.log(jnp.asarray(t, p.dtype)))
            early = p < (1 - t**i) / (1 - t) * (1 - 2**-20)  # the logarithm rounded down would begin some a step late
            i = i - early.astype(p.dtype)
            p = (p - (1 - t**i) / (1 - t)) / t**i
        return self.initial_learning_rate * ((1 - self.alpha) * self.m_mul**i * half_cosine(p) + self.alpha)


class OneCycle(LearningRateSchedule):
    """Up by half a cosine to `max_learning_rate` in `pct_start` of the run, then down by another to almost nothing.

    It begins at max / div_factor and ends at that / final_div_factor; momentum is left alone. Without `total_steps` it
    lasts as long as the run. Smith & Topin 2018, "Super-convergence"; the words are those of PyTorch's OneCycleLR.
    """

    limits: ClassVar = {
        "max_learning_rate": NONNEGATIVE,
        "total_steps": POSITIVE,
        "pct_start": Range(0, 1, open_low=True, open_high=True),
        "div_factor": POSITIVE,
        "final_div_factor": POSITIVE,
    }

    max_learning_rate: float
    total_steps: float | None = None
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n, N, top = number(step), float(self.total_steps or 1), self.max_learning_rate
        peak, last = self.pct_start * N - 1, N - 1
        low = top / self.div_factor
        up = low + (top - low) * (1 - half_cosine(jnp.clip(n / max(peak, 1e-9), 0, 1)))
        end = low / self.final_div_factor
        down = end + (top - end) * half_cosine(jnp.clip((n - peak) / max(last - peak, 1e-9), 0, 1))
        return jnp.where(n <= peak, up, down)


class Warmup(LearningRateSchedule):
    """Linear from `initial_learning_rate` to the first rate of `then` in `warmup_steps`, then `then` from its start."""

    limits: ClassVar = {"warmup_steps": STEPS, "initial_learning_rate": NONNEGATIVE}

    warmup_steps: int
    then: float | LearningRateSchedule
    initial_learning_rate: float = 0.0

    def __call__(self, step: Any) -> Array:
        """See the class."""
        n, w = number(step), self.warmup_steps
        then = self.then if isinstance(self.then, LearningRateSchedule) else Constant(self.then)
        after = then(jnp.maximum(n - w, 0))
        start = self.initial_learning_rate
        return jnp.where(n < w, start + (after - start) * (n / max(w, 1)), after)

    def over(self, total_steps: int | None) -> "Warmup":
        """This schedule, with `then` lasting to the end of the run."""
        if not isinstance(self.then, LearningRateSchedule):
            return self
        left = None if total_steps is None else max(1, total_steps - self.warmup_steps)
        return dataclasses.replace(self, then=self.then.over(left))  # type: ignore[type-var]


def number(step: Any) -> Array:
    """The step as a floating-point number."""
    return jnp.asarray(step, dtype=float)


def half_cosine(p: Array) -> Array:
    """(1 + cos(pi p)) / 2: from 1 at p = 0 to 0 at p = 1."""
    return 0.5 * (1 + jnp.cos(math.pi * p))
