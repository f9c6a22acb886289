"""Optimizer: the record of a rule's numbers, and how it becomes an Optax transformation."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field
from types import SimpleNamespace
from typing import Any, ClassVar, TypeAlias, TypeVar

import jax.numpy as jnp
import optax

from thalweg import tree
from thalweg.errors import ConfigError
from thalweg.kernels import optimizer as kernels
from thalweg.optim import compose
from thalweg.optim.one_pass import Mover, OnePass, move_trainable
from thalweg.optim.schedules import LearningRateSchedule
from thalweg.ranges import COUNT, FRACTION, NONNEGATIVE, POSITIVE, Range
from thalweg.record import Record
from thalweg.types import Array, Dtype, Tree

Rate: TypeAlias = float | Callable[..., Any]
"""A number, a schedule, or any function of the step."""

Pair = TypeVar("Pair", compose.Rule, Mover)

FIXED = {"initial_accumulator_value"}  # read at init alone, so changing it later would do nothing


class RateRange(Range):
    """Numbers from 0 up, and all that can be called with the step."""

    def __contains__(self, value: object) -> bool:
        return callable(value) or Range.__contains__(self, value)

    def example(self) -> float:
        """The most usual rate."""
        return 0.001


class Optimizer(Record):
    """The base of the optimizers: numbers, and the rule that uses them.

    A subclass states its equation in `one_pass`, where a native pass computes it too, or in `rule`. All else is added
    around it here, in Keras's order: gradients are accumulated, then clipped; weights decay, then move; then their
    average is taken.

    Args:
        learning_rate: a number, a schedule, or any function of the step number.
        weight_decay: each update first multiplies the weights by 1 - learning_rate * weight_decay.
        clipnorm: the largest norm of one parameter's gradient.
        clipvalue: the largest size of one number of the gradient.
        global_clipnorm: the largest norm of the whole gradient.
        use_ema: keep the moving average of the weights; `ema_params` reads it. A run ends with it, unless a callback
            puts other weights back. Statistics, which are averages already, stay.
        ema_momentum: how much of the average stays at each step.
        ema_overwrite_frequency: every so many updates the weights become their average.
        gradient_accumulation_steps: update once in so many steps, with their mean gradient.
        name: for people.
    """

    limits: ClassVar[Mapping[str, Range]] = {
        "learning_rate": RateRange(0, open_high=True),
        "weight_decay": NONNEGATIVE,
        "clipnorm": POSITIVE,
        "clipvalue": POSITIVE,
        "global_clipnorm": POSITIVE,
        "ema_momentum": FRACTION,
        "ema_overwrite_frequency": COUNT,
        "gradient_accumulation_steps": COUNT,
    }

    learning_rate: Rate | None = 0.001
    weight_decay: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    use_ema: bool = field(default=False, kw_only=True)
    ema_momentum: float = field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        clips = [n for n in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, n) is not None]
        if len(clips) > 1:
            raise ConfigError(f"{type(self).__name__}: {' and '.join(clips)} exclude each other.\n  Give one of them.")

    @property
    def follows_run(self) -> bool:
        """Whether its learning rate follows a schedule that lasts as long as a run."""
        return isinstance(self.learning_rate, LearningRateSchedule) and self.learning_rate.follows_run

    @property
    def one_pass(self) -> OnePass | None:
        """The equation, where a native pass computes it too."""
        return None

    def rule(self, h: Any) -> Any:
        """The update of the parameters, as an Optax transformation, with its numbers `h` as arrays."""
        raise NotImplementedError

    def build(self, trainable: Mapping[str, Any] | None = None, total_steps: int | None = None) -> compose.Rule:
        """The Optax transformation.

        `update` takes the parameters too; `LBFGS` also needs `value=`, `grad=` and `value_fn=`. The numbers live in
        the state: `hyper` reads them, `with_hyper` changes them without recompiling.

        Args:
            trainable: which parameters learn, by dotted name or as a nested dict of booleans; a name left out learns.
            total_steps: the steps of the whole run, for schedules that were not told how long they last.

        Returns:
            `GradientTransformationExtraArgs(init, update)`.

        >>> from thalweg.optim import SGD, hyper
        >>> float(hyper(SGD(0.5).build().init({}))["learning_rate"])
        0.5
        """
        make = with_numbers(compose.Rule, self.composed, self.numbers(total_steps))
        return compose.update_trainable(make, frozen_names(trainable))

    def mover(self, trainable: Mapping[str, Any] | None = None, total_steps: int | None = None) -> Mover:
        """What training calls: the native pass wherever it serves, else what `build` makes; their states are one.

        `move` takes what `update` of `build` takes, and gives the parameters after the step.
        """
        rule, native = self.build(trainable, total_steps), None
        alone = not (self.use_ema or (self.gradient_accumulation_steps or 1) > 1)
        if self.one_pass is not None and alone:
            make = with_numbers(Mover, self.one_pass.mover, self.numbers(total_steps))
            native = move_trainable(make, frozen_names(trainable))

        def move(gradient: Tree, state: Tree, params: Tree, **extra: Any) -> tuple[Tree, Tree]:
            if native is not None and kernels.serves(params):
                return native(gradient, state, params)
            update, state = rule.update(gradient, state, params, **extra)
            return optax.apply_updates(params, update), state

        return Mover(rule.init, move)

    def numbers(self, total_steps: int | None = None) -> dict[str, Any]:
        """The numbers that live in the state: all that the rule reads. A momentum of 0 has no state to weigh."""
        names = (n for n, allowed in self.limits.items() if not allowed.whole and n not in FIXED)
        values = {n: v for n in names if (v := getattr(self, n)) is not None}
        if values.get("momentum") == 0:
            del values["momentum"]
        if not self.use_ema:
            del values["ema_momentum"]
        rate = values.get("learning_rate")
        return values | ({"learning_rate": rate.over(total_steps)} if isinstance(rate, LearningRateSchedule) else {})

    def composed(self, h: Any) -> compose.Rule:
        """The rule with what goes around it."""
        one_pass = self.one_pass
        out = compose.clipped(self.rule(h) if one_pass is None else one_pass.rule(h), h)
        steps = self.gradient_accumulation_steps or 1
        if steps > 1:
            out = compose.accumulated(out, steps)
        if self.use_ema:
            out = compose.averaged(out, h.ema_momentum, steps, self.ema_overwrite_frequency)
        return out


def with_numbers(kind: type[Pair], make: Callable[[Any], Pair], numbers: dict[str, Any]) -> Callable[[Dtype], Pair]:
    """`make(h)`, a `kind` of two functions, with `h` read from a state that has the numbers in a dtype.

    Optax keeps them there. It knows transformations alone, but hands on whatever the second function gives.
    """

    def make_rule(**h: Array) -> compose.Rule:
        return compose.Rule(*make(SimpleNamespace(**h)))  # pyright: ignore[reportArgumentType]  the names of arguments

    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in numbers]
    make_rule.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Optax reads the names

    def in_dtype(dtype: Dtype) -> Pair:
        values = {n: schedule_in(v, dtype) if callable(v) else float(v) for n, v in numbers.items()}
        return kind(*optax.inject_hyperparams(make_rule, hyperparam_dtype=dtype)(**values))

    return in_dtype


def frozen_names(trainable: Mapping[str, Any] | None) -> set[str]:
    """The dotted names of what does not learn."""
    return {name for name, learns in tree.by_name(trainable or {}).items() if not learns}


def schedule_in(schedule: Callable[..., Any], dtype: Dtype) -> Callable[[Array], Array]:
    """`schedule` with its result in `dtype`."""
    return lambda step: jnp.asarray(schedule(step)).astype(dtype)
