"""What is not finite is an error that names it, and the weights are those that the error promises."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from thalweg import layers, optim
from thalweg.core import Module
from thalweg.errors import ConfigError, DivergenceError
from thalweg.model import Sequential
from thalweg.train import held
from thalweg.train.callbacks import Callback

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def model(optimizer="sgd", loss="mse", body=None, **settings):
    made = Sequential(body or [layers.Dense(4, "tanh", input_shape=(3,)), layers.Dense(1)])
    made.compile(optimizer, loss, **settings)
    made.build((None, 3))
    return made


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def bad_gradient(y, p):
    """A loss that is 0 and whose gradient is 0/0."""
    return jnp.mean(jnp.sqrt(jnp.abs(p - p)), axis=-1)


OPTIMIZERS = [
    optim.SGD(0.1),
    optim.SGD(0.1, clipnorm=1.0),
    optim.Adam(0.1, global_clipnorm=1.0),
    optim.Adam(0.1, use_ema=True),
    optim.Muon(0.1),
    optim.LBFGS(),
    optax.sgd(0.1),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_a_gradient_that_is_not_finite_leaves_the_weights_of_before(optimizer):
    for call in ("fit", "train_on_batch"):
        made = model(optimizer, bad_gradient)
        before = made.get_weights()
        with pytest.raises(DivergenceError, match=r"(?s)^layers\.0\.bias is not finite after .*before that step"):
            made.fit(X, Y, 64, epochs=3, verbose=0) if call == "fit" else made.train_on_batch(X, Y)
        assert same(before, made.get_weights())


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_in_other_precisions_too(precision):
    made = model(optim.Adam(0.1), bad_gradient, precision=precision)
    before = made.get_weights()
    with pytest.raises(DivergenceError):
        made.fit(X, Y, verbose=0)
    assert same(before, made.get_weights())


def test_gradients_that_are_added_up_stop_the_run_at_their_update_at_the_latest():
    made = model(optim.SGD(0.1, gradient_accumulation_steps=4), bad_gradient)
    before = made.get_weights()
    with pytest.raises(DivergenceError):
        made.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert same(before, made.get_weights())


def test_a_rate_of_1e38_leaves_the_weights_from_before_its_chunk_and_training_goes_on():
    class Raise(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.before = self.model.get_weights()
                self.model.learning_rate = 1e38

    raised, made = Raise(), model()
    with pytest.raises(DivergenceError):
        made.fit(X, Y, epochs=4, verbose=0, callbacks=[raised])
    assert same(raised.before, made.get_weights())
    assert made.learning_rate == np.float32(1e38)  # what was set stays set
    made.learning_rate = 0.1
    history = made.fit(X, Y, epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


@pytest.mark.parametrize("rate", [1e39, float("inf"), float("nan"), -1.0])
def test_a_rate_that_is_none_cannot_be_set(rate):
    made = model()
    with pytest.raises(ConfigError, match="learning_rate must be a number of at least 0"):
        made.learning_rate = rate
    assert made.learning_rate == pytest.approx(0.01)


@pytest.mark.parametrize("size", [8, 4096])  # by the formula, and by the native sum of squares
def test_a_row_that_spoils_the_statistics_is_an_error_that_names_their_layer(size):
    x = X.copy()
    x[5] = 1e20
    body = [layers.BatchNormalization(input_shape=(3,)), layers.Dense(size, "tanh"), layers.Dense(1)]
    for call in ("fit", "train_on_batch"):
        made = model(body=body)
        before = made.get_weights()
        with pytest.raises(DivergenceError, match=r"the output of layer layers\.0"):
            made.fit(x, Y, 64, verbose=0) if call == "fit" else made.train_on_batch(x, Y)
        assert same(before, made.get_weights())
        assert np.isfinite(made.predict(X)).all()


def test_a_gradient_that_freezes_the_weights_is_an_error():
    """Adagrad's sum of squares becomes infinite, and from then on the weight would move by 0."""
    x = X * np.float32(1e22)
    made = model("adagrad", "mae", [layers.Dense(1, input_shape=(3,))])
    with pytest.raises(DivergenceError, match=r"slot 0 of layers\.0\.kernel in the optimizer is not finite"):
        made.fit(x, Y, 8, epochs=2, verbose=0)
    assert all(np.isfinite(w).all() for w in made.get_weights())


def test_weights_that_are_not_finite_from_the_beginning_are_named():
    made = model()
    weights = made.weights
    weights["layers.1.kernel"][0] = np.nan
    made.set_weights(weights)
    with pytest.raises(DivergenceError, match=r"arose in layers\.1\.kernel, which held it when the run began"):
        made.fit(X, Y, verbose=0)


class Highest(Module):
    """A layer whose state begins at minus infinity and stays there."""

    def __call__(self, cx, x):
        cx.variable("top", lambda key, shape, dtype: jnp.full(shape, -jnp.inf, dtype), ())
        return x


def test_a_state_that_is_infinite_by_intention_is_none_of_it():
    made = model(body=[Highest(input_shape=(3,)), layers.Dense(1)])
    assert np.isneginf(made.weights["layers.0.top"])
    history = made.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_a_loss_that_is_not_finite_on_a_batch_is_an_error_too():
    made = model()
    before = made.get_weights()
    with pytest.raises(DivergenceError, match=r"the loss of this batch is not finite"):
        made.train_on_batch(X, np.full_like(Y, 1e30))
    assert same(before, made.get_weights())


def test_a_program_that_gives_nothing_back_leaves_an_earlier_state(monkeypatch):
    made = model()
    made.fit(X, Y, verbose=0)
    training, kept = made.session.training, made.get_weights()

    def stopped(ts):
        for leaf in (ts.step, *ts.params["layers"]["0"].values()):
            leaf.delete()  # as a program does that takes it over
        raise KeyboardInterrupt

    monkeypatch.setattr(held, "SHARE", 0)
    with pytest.raises(KeyboardInterrupt):
        training.held.advance(stopped)
    assert same(kept, made.get_weights())
    made.fit(X, Y, verbose=0)
