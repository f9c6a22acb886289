"""The running optimizer: its numbers are read and set by name, take effect at the next step, and compile nothing."""

import numpy as np
import optax
import pytest

from thalweg import layers, optim
from thalweg.errors import ConfigError, ContractError
from thalweg.model import Sequential
from thalweg.train.program import TRACES

X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def model(optimizer="sgd"):
    made = Sequential([layers.Dense(1, use_bias=False, input_shape=(3,))])
    made.compile(optimizer, "mse")
    return made


def test_a_step_takes_the_rate_that_was_set():
    made = model(optim.SGD(0.5))
    before = made.get_weights()[0]
    made.optimizer.learning_rate = 0.25
    made.train_on_batch(X, Y)
    gradient = 2 * X.T @ (X @ before - Y) / len(X)
    np.testing.assert_allclose(made.get_weights()[0], before - 0.25 * gradient, rtol=1e-5, atol=1e-6)
    assert (made.optimizer.learning_rate, made.learning_rate) == (0.25, 0.25)


def test_other_numbers_have_their_names_and_the_record_stays_what_it_was():
    made = model(optim.SGD(0.5, momentum=0.75))
    made.optimizer.momentum = 0.5
    assert made.optimizer.momentum == 0.5
    assert made.optimizer.record == optim.SGD(0.5, momentum=0.75)
    assert repr(made.optimizer) == "RunningOptimizer(SGD(0.5, momentum=0.75))"


def test_to_set_a_number_compiles_nothing():
    made = model(optim.Adam())
    made.fit(X, Y, verbose=0)
    before = dict(TRACES)
    made.optimizer.learning_rate, made.optimizer.beta_1 = 0.125, 0.5
    made.fit(X, Y, verbose=0)
    assert before == TRACES


def test_a_number_that_is_not_there_is_named_with_the_nearest():
    made = model(optim.Adam())
    assert not hasattr(made.optimizer, "momentum")
    with pytest.raises(AttributeError, match=r"no number 'beta1'; .* `record`\.\n  Did you mean 'beta_1'"):
        _ = made.optimizer.beta1
    with pytest.raises(ContractError, match="Did you mean 'learning_rate'"):
        made.optimizer.learning_rat = 0.1


def test_a_schedule_is_read_and_not_set():
    made = model(optim.SGD(optim.schedules.CosineDecay(0.5)))
    made.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    assert made.optimizer.learning_rate == pytest.approx(0.25)  # half of two steps were behind the last
    with pytest.raises(ContractError, match="learning_rate follows a schedule"):
        made.optimizer.learning_rate = 0.1


def test_what_keeps_its_rate_to_itself_says_so():
    with pytest.raises(ContractError, match=r"inject_hyperparams\(optax\.adamw\)"):
        _ = model(optax.sgd(0.1)).optimizer.learning_rate


def test_there_is_none_before_compile():
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    for use in (lambda: made.optimizer, lambda: made.learning_rate):
        with pytest.raises(ContractError, match=r"not compiled\.\n  Write model\.compile"):
            use()


@pytest.mark.parametrize("wrong", [float("nan"), -1.0, float("inf")])
def test_a_number_of_an_optax_transformation_is_finite_and_its_rate_not_negative(wrong):
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    made.compile(optax.inject_hyperparams(optax.adamw)(1e-3), "mse")
    with pytest.raises(ConfigError, match=r"learning_rate is one finite number, from 0; .*\n  Write"):
        made.learning_rate = wrong
    made.learning_rate = 0.5
    assert made.learning_rate == 0.5
    if not np.isfinite(wrong):
        with pytest.raises(ConfigError, match=r"b1 is one finite number; .*\n  Write"):
            made.optimizer.b1 = wrong
