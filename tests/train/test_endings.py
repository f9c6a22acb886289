"""How a run ends: what its history holds, which callbacks are called, and whose weights the model has."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers, optim
from thalweg.errors import ContractError
from thalweg.model import Sequential, load_model
from thalweg.train import callbacks
from thalweg.train.callbacks import Callback

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)
VALIDATION = (X[:16] + 1e-3, Y[:16])
HUGE = X * np.float32(1e30)  # the first loss is infinite


def model(optimizer="sgd", body=None):
    made = Sequential(body or [layers.Dense(4, "tanh", input_shape=(3,)), layers.Dense(1)])
    made.compile(optimizer, "mse")
    made.build((None, 3))
    return made


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


# A first step that diverges -------------------------------------------------------------------------------------------

DIVERGING = {
    "early stopping": lambda folder: callbacks.EarlyStopping("loss"),
    "early stopping on val": lambda folder: callbacks.EarlyStopping(),
    "plateau": lambda folder: callbacks.ReduceLROnPlateau("loss"),
    "checkpoint": lambda folder: callbacks.ModelCheckpoint(folder / "{epoch}-{loss:.2f}.tw"),
    "best": lambda folder: callbacks.ModelCheckpoint(folder / "best.tw", "loss", save_best_only=True),
    "csv": lambda folder: callbacks.CSVLogger(folder / "a.csv"),
    "lines": lambda folder: callbacks.HistoryLogger(folder / "a.jsonl"),
    "tensorboard": lambda folder: callbacks.TensorBoard(folder / "board", histogram_freq=1),
    "rate": lambda folder: callbacks.LearningRateScheduler(lambda epoch, rate: rate),
    "own": lambda folder: callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs["loss"]),
}


@pytest.mark.parametrize("name", DIVERGING)
def test_every_callback_bears_a_first_step_that_diverges(name, tmp_path):
    made = model(body=[layers.Dense(1, input_shape=(3,))])
    before = made.get_weights()
    called = [callbacks.TerminateOnNaN(), DIVERGING[name](tmp_path)]
    history = made.fit(HUGE, Y, epochs=3, validation_data=VALIDATION, verbose=0, callbacks=called)
    assert not np.isfinite(history.history["loss"]).any()
    assert len(history.history["loss"]) == len(history.history["val_loss"]) == 1
    assert np.isfinite(history.history["val_loss"]).all()  # of the weights from before
    assert same(before, made.get_weights())
    assert not np.isfinite(json.loads(history.to_json())["loss"])


def test_a_callback_of_ones_own_may_end_the_run():
    made = model(body=[layers.Dense(1, input_shape=(3,))])
    history = made.fit(HUGE, Y, epochs=3, verbose=0, callbacks=[callbacks.LambdaCallback(on_divergence=lambda _: True)])
    assert len(history.history["loss"]) == 1
    assert made.stop_training


def test_stop_training_ends_the_run_after_the_step_as_in_keras():
    class Stop(Callback):
        steps, epochs = 0, 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            self.model.stop_training = batch == 1

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    stop, made = Stop(), model()
    history = made.fit(X, Y, batch_size=8, epochs=3, validation_data=VALIDATION, verbose=0, callbacks=[stop])
    assert (stop.steps, stop.epochs, len(history.history["val_loss"])) == (2, 1, 1)


def test_a_callback_that_raises_leaves_a_model_that_goes_on():
    made = model()
    with pytest.raises(RuntimeError, match="of its own"):
        made.fit(X, Y, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=_raise)])
    made.fit(X, Y, verbose=0)


def _raise(epoch, logs):
    raise RuntimeError("of its own")


# The last word --------------------------------------------------------------------------------------------------------

BODIES = {
    "plain": lambda: [layers.Dense(16, "tanh", input_shape=(3,)), layers.Dense(1)],
    "statistics": lambda: [layers.Dense(16, "tanh", input_shape=(3,)), layers.BatchNormalization(), layers.Dense(1)],
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("patience", [2, 100])  # stopped, and ended by itself
@pytest.mark.parametrize("every", [None, 3])
def test_the_best_weights_are_the_last_word_over_the_average(body, patience, every):
    optimizer = optim.SGD(0.05, use_ema=True, ema_momentum=0.99, ema_overwrite_frequency=every)
    made = model(optimizer, BODIES[body]())
    stop = callbacks.EarlyStopping(patience=patience)
    fitted = {"batch_size": 8, "epochs": 15, "validation_data": VALIDATION, "verbose": 0}
    history = made.fit(X, rng.normal(size=Y.shape), callbacks=[stop], **fitted)
    best = min(history.history["val_loss"])
    assert best < history.history["val_loss"][-1]
    assert made.evaluate(*VALIDATION) == pytest.approx(best, rel=1e-5)


def test_without_them_the_run_ends_with_the_average():
    averaged, plain = (model(optim.SGD(0.1, use_ema=ema, ema_momentum=0.5)) for ema in (True, False))
    seen = [plain.get_weights()]
    each = callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(plain.get_weights()))
    plain.fit(X, Y, batch_size=64, epochs=3, verbose=0, callbacks=[each])
    averaged.fit(X, Y, batch_size=64, epochs=3, verbose=0)
    expected = seen[1]  # the first call sets the average to the weights
    for weights in seen[2:]:
        expected = [(a + w) / 2 for a, w in zip(expected, weights, strict=True)]
    for got, want in zip(averaged.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_a_resumed_run_with_both_ends_as_the_whole_one(tmp_path):
    def fit(epochs, **more):
        made = model(optim.SGD(0.1, use_ema=True), BODIES["statistics"]())
        stop = callbacks.EarlyStopping(patience=9)
        made.fit(X, Y, epochs=epochs, validation_data=VALIDATION, verbose=0, callbacks=[stop], **more)
        return made.get_weights()

    whole = fit(6)
    fit(3, run_dir=tmp_path)
    assert same(fit(6, run_dir=tmp_path, resume=True), whole)


def test_the_file_of_the_best_epoch_is_the_best(tmp_path):
    made = model(optim.SGD(0.05, use_ema=True), BODIES["statistics"]())
    saved = callbacks.ModelCheckpoint(tmp_path / "best.tw", save_best_only=True)
    noise = rng.normal(size=Y.shape)
    history = made.fit(X, noise, batch_size=8, epochs=8, validation_data=VALIDATION, verbose=0, callbacks=[saved])
    loaded = load_model(tmp_path / "best.tw")
    assert loaded.evaluate(*VALIDATION) == pytest.approx(min(history.history["val_loss"]), rel=1e-5)


# Schedules ------------------------------------------------------------------------------------------------------------

schedules = optim.schedules
FOLLOWING = [
    schedules.CosineDecay(0.1),
    schedules.PolynomialDecay(0.1, end_learning_rate=0.0),
    schedules.OneCycle(0.1),
    schedules.Warmup(2, schedules.CosineDecay(0.1)),
    schedules.CosineDecay(0.0, warmup_target=0.1, warmup_steps=2),
]


def rates(made, epochs, **more):
    """The rate of each step of a fit of 4 steps an epoch."""
    seen = []
    each = callbacks.LambdaCallback(on_train_batch_end=lambda *_: seen.append(made.learning_rate))
    made.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=[each], **more)
    return seen


@pytest.mark.parametrize("schedule", FOLLOWING, ids=lambda s: type(s).__name__)
def test_a_schedule_without_a_length_is_new_with_each_run(schedule):
    made = model(optim.Adam(schedule))
    for epochs in (3, 5):
        expected = schedule.over(4 * epochs)(np.arange(4 * epochs))
        np.testing.assert_allclose(rates(made, epochs), expected, rtol=1e-5, atol=1e-9)


def test_the_epoch_that_a_run_starts_from_is_its_place_in_the_schedule():
    made, schedule = model(optim.SGD(FOLLOWING[0])), FOLLOWING[0].over(24)
    np.testing.assert_allclose(rates(made, 6, initial_epoch=2), schedule(np.arange(8, 24)), rtol=1e-5, atol=1e-9)


def test_a_schedule_with_a_length_goes_on_as_in_keras():
    schedule = schedules.CosineDecay(0.1, 20)
    made = model(optim.SGD(schedule))
    np.testing.assert_allclose(rates(made, 2) + rates(made, 3), schedule(np.arange(20)), rtol=1e-5, atol=1e-9)
    weights = made.get_weights()
    with pytest.raises(
        ContractError, match=r"the learning rate would stay 0.*was over after 20 steps\.\n  Let it last"
    ):
        made.fit(X, Y, verbose=0)
    assert same(weights, made.get_weights())
    made.compile(optim.SGD(schedule), "mse")
    np.testing.assert_allclose(rates(made, 1), schedule(np.arange(4)), rtol=1e-5)


def test_a_schedule_that_ends_above_0_goes_on_there():
    made = model(optim.SGD(schedules.PolynomialDecay(0.1, 4, end_learning_rate=0.01)))
    rates(made, 1)
    np.testing.assert_allclose(rates(made, 1), [0.01] * 4, rtol=1e-5)


def test_a_rate_that_comes_back_is_none_of_it():
    def late(step):
        return jnp.where(step < 6, 0.0, 0.1)

    made = model(optim.SGD(late))
    rates(made, 1)
    np.testing.assert_allclose(rates(made, 1), [0, 0, 0.1, 0.1], rtol=1e-5)


def test_single_batches_take_a_schedule_with_a_length():
    made = model(optim.SGD(FOLLOWING[0]))
    with pytest.raises(
        ContractError, match=r"train_on_batch is no run.*\n  Write how many steps it lasts: decay_steps="
    ):
        made.train_on_batch(X, Y)
    made = model(optim.SGD(schedules.Warmup(2, schedules.CosineDecay(0.1, 3))))
    for _ in range(6):
        made.train_on_batch(X, Y)  # the last of them with a rate of 0
    with pytest.raises(ContractError, match=r"would stay 0.*was over after 6 steps"):
        made.train_on_batch(X, Y)


def test_a_model_that_was_loaded_begins_its_schedule(tmp_path):
    made = model(optim.SGD(FOLLOWING[0]))
    rates(made, 2)
    loaded = load_model(made.save(tmp_path / "a.tw"))
    np.testing.assert_allclose(rates(loaded, 2), FOLLOWING[0].over(8)(np.arange(8)), rtol=1e-5, atol=1e-9)


def test_a_resumed_run_goes_on_in_its_schedule(tmp_path):
    class Break(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def fit(*called, **more):
        made = model(optim.Adam(FOLLOWING[0]))
        made.fit(X, Y, batch_size=16, epochs=2, verbose=0)  # an earlier run
        made.fit(X, Y, batch_size=16, epochs=4, verbose=0, callbacks=called, **more)
        return made.get_weights()

    whole = fit()
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("thalweg.train.runs.LEAST_SECONDS", 0.0)
    monkeypatch.setattr("thalweg.train.runs.SHARE", 0)
    with monkeypatch.context(), pytest.raises(KeyboardInterrupt):
        fit(Break(), run_dir=tmp_path)
    monkeypatch.undo()
    assert same(fit(run_dir=tmp_path, resume=True), whole)


def test_the_public_face_has_them():
    assert thalweg.optimizers.schedules.CosineDecay(0.1).follows_run
    assert not thalweg.optimizers.schedules.Constant(0.1).follows_run
