"""The optimizers' steps: parameters, gradients and slots as they come from training, several arrays at once."""

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import optimizer
from thalweg.optim import SGD, Adadelta, Adagrad, Adam, RMSprop

NUMBERS = {  # of each rule, as optim/ would give them
    Adam(): (0.01, 0.1, 0.001, 1e-7),
    Adam(amsgrad=True): (0.01, 0.1, 0.001, 1e-7),
    SGD(momentum=0.9): (0.01, 0.9),
    SGD(momentum=0.9, nesterov=True): (0.01, 0.9),
    RMSprop(): (0.01, 0.9, 0.1, 1e-7),
    Adagrad(): (0.01, 1e-7),
    Adadelta(): (1.0, 0.95, 0.05, 1e-7),
}


def row(kind, of_rule):
    rule = kind.one_pass

    def make(rng, rows, columns, rest):
        shapes = (rows, columns), (rest,), (1,)
        signed = [[jnp.float32(rng.normal(size=s)) for s in shapes] for _ in range(2)]
        if isinstance(kind, SGD):
            kept = [[jnp.float32(rng.normal(size=s)) for s in shapes]]
        else:  # a mean gradient, then means of squares
            kept = [[jnp.float32(rng.uniform(0, 2, size=s)) for s in shapes] for _ in rule.slots]
            # and a number that never had a gradient
            signed[1][2], kept = jnp.zeros(1), [[*arrays[:2], jnp.zeros(1)] for arrays in kept]
        numbers = jnp.asarray([*of_rule, 0.01, 0.7], jnp.float32)  # and the decay, and the scale
        return (numbers, *(a for group in (*signed, *kept) for a in group))

    def by(step, what):
        def run(numbers, *arrays):
            params, gradient, *kept = (list(arrays[i : i + 3]) for i in range(0, len(arrays), 3))
            *own, decay, scale = (numbers[i] for i in range(len(numbers)))
            return step(what, own, decay, scale, params, gradient, tuple(kept))

        return run

    return Row(
        rule.name,
        by(optimizer.native, rule.name),
        by(optimizer.formula, rule.step),
        make,
        {"rows": st.integers(0, 90), "columns": st.integers(0, 120), "rest": st.integers(0, 40)},
        {"rows": 70, "columns": 130, "rest": 13},
        handlers=(rule.name,),
        tolerance=1e-6,
    )


def arrays(rng, rows, columns, rest):
    return tuple(jnp.float32(rng.normal(size=s)) for s in ((rows, columns), (rest,), (1,), (3, 41, 100)))


SQUARES = Row(
    "square sum",
    lambda *gradient: optimizer.square_sum(gradient),
    lambda *gradient: sum(jnp.sum(g * g) for g in gradient),
    arrays,
    {"rows": st.integers(0, 90), "columns": st.integers(0, 120), "rest": st.integers(0, 40)},
    {"rows": 130, "columns": 130, "rest": 13},
    handlers=("square_sum",),
    tolerance=1e-6,
)

ROWS = [*(row(*item) for item in NUMBERS.items()), SQUARES]
