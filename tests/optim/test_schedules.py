"""Each schedule at each step against Keras, PyTorch or its equation."""

import dataclasses
import math

import jax
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import optim
from thalweg.optim import schedules as s

N = 40


def warmed(n):
    return 0.01 + (0.1 - 0.01) * n / 5 if n < 5 else 0.1 * 0.5 ** ((n - 5) / 7)


def one_cycle(n, top=0.4, total=30, pct=0.3, div=25.0, final=1e4):
    """PyTorch's OneCycleLR as its documentation has it: two half cosines between three rates."""
    low, peak, last = top / div, pct * total - 1, total - 1
    a, b, p = (low, top, n / peak) if n <= peak else (top, low / final, min((n - peak) / (last - peak), 1))
    return b + (a - b) / 2 * (1 + math.cos(math.pi * p))


def restarts(steps, growth, shrinking=1.0):
    """By a walk over the periods."""

    def rate(n):
        start, length, top = 0.0, steps, 0.1
        while n >= start + length:
            start, length, top = start + length, length * growth, top * shrinking
        return top * 0.5 * (1 + math.cos(math.pi * (n - start) / length))

    return rate


ROWS = [
    (s.Constant(0.3), lambda n: 0.3),
    (s.StepDecay(0.3, 7, 0.5), lambda n: 0.3 * 0.5 ** (n // 7)),
    (s.Warmup(5, s.ExponentialDecay(0.1, 7, 0.5), 0.01), warmed),
    (s.Warmup(5, 0.1), lambda n: 0.1 * min(n / 5, 1)),
    (s.OneCycle(0.4, 30), one_cycle),
    (s.OneCycle(0.4, 30, 0.5, 10.0, 100.0), lambda n: one_cycle(n, pct=0.5, div=10.0, final=100.0)),
    (s.PiecewiseConstantDecay([3, 9], [0.3, 0.2, 0.1]), None),
    (s.ExponentialDecay(0.1, 7, 0.5), None),
    (s.ExponentialDecay(0.1, 7, 0.5, True), None),
    (s.InverseTimeDecay(0.1, 7, 0.5), None),
    (s.InverseTimeDecay(0.1, 7, 0.5, True), None),
    (s.PolynomialDecay(0.1, 15, 0.01, 2.0), None),
    (s.PolynomialDecay(0.1, 15, 0.01, 0.5, True), None),
    (s.CosineDecay(0.1, 15, 0.2), None),
    (s.CosineDecay(0.01, 15, 0.1, warmup_target=0.2, warmup_steps=6), None),
    (s.CosineDecayRestarts(0.1, 5, 2.0, 0.9, 0.1), None),
    (s.CosineDecayRestarts(0.1, 5, 1.0, 0.9), None),
    (s.CosineDecayRestarts(0.1, 7, 1.5), None),
    (s.CosineDecayRestarts(0.1, 4, 1.25, 0.5), restarts(4, 1.25, 0.5)),  # Keras begins its second period a step late
]


def test_each_schedule_has_a_row():
    assert {type(schedule).__name__ for schedule, _ in ROWS} == set(optim.SCHEDULES)


def by_keras(schedule):
    import keras

    fields = {f.name: getattr(schedule, f.name) for f in dataclasses.fields(schedule)}
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}
    with relaxed():
        peer = getattr(keras.optimizers.schedules, type(schedule).__name__)(**fields)
        return jax.jit(jax.vmap(peer))(np.arange(N, dtype=np.int32))


@pytest.mark.parametrize(("schedule", "equation"), ROWS, ids=[repr(r) for r, _ in ROWS])
def test_each_step(schedule, equation):
    expected = [equation(n) for n in range(N)] if equation else by_keras(schedule)
    got = np.asarray(jax.jit(jax.vmap(schedule))(np.arange(N, dtype=np.int32)))
    np.testing.assert_allclose(got, expected, rtol=3e-5, atol=1e-9)
    np.testing.assert_allclose(schedule(np.arange(N)), got, rtol=1e-5)  # for a plot


def test_one_cycle_equals_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for ours, theirs in (
        (s.OneCycle(0.4, 30), {"max_lr": 0.4, "total_steps": 30}),
        (s.OneCycle(0.4, 30, 0.5, 10.0, 100.0), {"pct_start": 0.5, "div_factor": 10.0, "final_div_factor": 100.0}),
    ):
        peer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.9)
        schedule = torch.optim.lr_scheduler.OneCycleLR(peer, **{"max_lr": 0.4, "total_steps": 30, **theirs})
        rates = []
        for _ in range(30):
            rates.append(schedule.get_last_lr()[0])
            peer.step()
            if len(rates) < 30:
                schedule.step()
        np.testing.assert_allclose(ours(np.arange(30)), rates, rtol=1e-4, atol=1e-9)


def test_open_lengths_are_filled():
    assert s.OneCycle(0.1).over(30) == s.OneCycle(0.1, 30)
    assert s.CosineDecay(0.0, warmup_target=0.1, warmup_steps=6).over(30).decay_steps == 24
    assert s.Warmup(5, s.OneCycle(0.1)).over(30).then.total_steps == 25
    assert s.ExponentialDecay(0.1, 7, 0.5).over(30) == s.ExponentialDecay(0.1, 7, 0.5)
