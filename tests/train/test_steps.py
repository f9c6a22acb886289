"""Epochs of a limited number of steps: which rows they see, what they report, what a schedule knows of them."""

import numpy as np
import pytest

from thalweg import layers, optim
from thalweg.errors import ConfigError
from thalweg.model import Sequential

ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
TARGETS = ROWS.sum(1, keepdims=True)


class Seen:
    """A source that remembers which rows it was asked for."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(ROWS)

    def __getitem__(self, rows):
        self.asked.append(np.asarray(rows).tolist())
        return ROWS[rows], TARGETS[rows]


def model(optimizer="sgd"):
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    made.compile(optimizer, "mse", ["mae"])
    return made


def test_without_shuffling_the_first_rows_are_all_that_is_seen():
    whole, part = model(), model()
    limited = whole.fit(ROWS, TARGETS, 8, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    alone = part.fit(ROWS[:16], TARGETS[:16], 8, epochs=3, shuffle=False, verbose=0)
    assert limited.history == alone.history
    assert limited.params["steps"] == 2
    for a, b in zip(whole.get_weights(), part.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_each_epoch_draws_other_rows():
    source = Seen()
    model().fit(source, batch_size=8, epochs=3, steps_per_epoch=2, verbose=0)
    drawn = [rows for rows in source.asked if len(rows) == 16]
    assert len(drawn) == 3
    assert all(len(set(rows)) == 16 for rows in drawn)
    assert len({tuple(rows) for rows in drawn}) == 3


def test_more_steps_than_there_are_rows_for_are_all_rows():
    one, two = model(), model()
    assert one.fit(ROWS, TARGETS, 16, epochs=2, steps_per_epoch=99, verbose=0).params["steps"] == 3
    two.fit(ROWS, TARGETS, 16, epochs=2, verbose=0)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_that_lasts_as_long_as_the_run_ends_with_it():
    made = model(optim.SGD(optim.schedules.OneCycle(0.1)))
    made.fit(ROWS, TARGETS, 8, epochs=3, steps_per_epoch=2, verbose=0)
    assert made.session.training.task.total_steps == 6


@pytest.mark.parametrize("steps", [0, -1])
def test_no_steps_are_refused(steps):
    with pytest.raises(ConfigError, match=f"steps_per_epoch={steps} was given; it is a whole number of at least 1"):
        model().fit(ROWS, TARGETS, steps_per_epoch=steps, verbose=0)
