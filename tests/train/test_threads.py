"""One thread trains while others read: they see the weights of a finished chunk. And copies, which share nothing."""

import copy
import pickle
import threading
import time

import jax
import numpy as np
import pytest

from thalweg import layers, optim
from thalweg.errors import ContractError
from thalweg.model import Sequential
from thalweg.train.callbacks import Callback

rng = np.random.default_rng(0)
X = rng.normal(size=(2048, 16)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def model(optimizer="adam", **settings):
    made = Sequential([layers.Dense(64, "tanh", input_shape=(16,)), layers.BatchNormalization(), layers.Dense(1)])
    made.compile(optimizer, "mse", **settings)
    return made


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def beside(made, work, *, epochs=10**6):
    """What `work` returns, called while `made` is fitted in another thread."""
    started, errors = threading.Event(), []

    class Tell(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:  # the chunks are long by now
                started.set()

    def fit():
        try:
            made.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=[Tell()])
        except Exception as error:  # noqa: BLE001  handed to the test
            errors.append(error)
        started.set()

    thread = threading.Thread(target=fit)
    thread.start()
    try:
        assert started.wait(60)
        result = work()
        assert thread.is_alive()
    finally:
        made.stop_training = True
        thread.join()
    assert not errors
    return result


READERS = {
    "predict again": lambda made, _: made.predict(X[:4]),
    "predict in blocks": lambda made, _: made.predict(X),
    "evaluate": lambda made, _: made.evaluate(X, Y),
    "get_weights": lambda made, _: made.get_weights(),
    "summary": lambda made, _: made.summary(print_fn=None),
    "learning_rate": lambda made, _: made.learning_rate,
    "save": lambda made, folder: made.save(folder / "model.tw"),
    "copy": lambda made, _: copy.copy(made),
    "pickle": lambda made, _: pickle.dumps(made),
    "set": lambda made, _: made.set_weights(made.get_weights()),
}


@pytest.mark.parametrize("name", READERS)
def test_readers_beside_a_fit(name, tmp_path):
    made = model()
    made.predict(X[:4])

    def read():
        for _ in range(5):
            READERS[name](made, tmp_path)

    beside(made, read)
    assert np.isfinite(made.predict(X)).all()


def test_what_a_reader_sees_is_whole_and_moves_on():
    made = model()

    def read():
        seen = []
        for _ in range(3):
            weights = made.get_weights()
            seen.append(weights[0])
            time.sleep(0.3)
        return seen

    first, second, third = beside(made, read)
    assert np.abs(first - second).max() > 0
    assert np.abs(second - third).max() > 0


def test_arrays_lent_stay_while_steps_are_made():
    made = model()
    made.fit(X, Y, verbose=0)
    with made.session.lent() as lent:
        before = jax.tree.map(np.array, lent.params)
        made.train_on_batch(X, Y)
        assert same(jax.tree.leaves(lent.params), jax.tree.leaves(before))


def test_a_run_that_is_read_ends_in_the_same_bits():
    read, alone = model(), model()

    class Read(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.predict(X)
            with self.model.session.lent():
                self.model.train_on_batch(X[:8], Y[:8])

    class Step(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.train_on_batch(X[:8], Y[:8])

    read.fit(X, Y, epochs=2, verbose=0, callbacks=[Read()])
    alone.fit(X, Y, epochs=2, verbose=0, callbacks=[Step()])
    assert same(read.get_weights(), alone.get_weights())


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made.fit(X, Y, verbose=0),
        lambda made: made.train_on_batch(X, Y),
        lambda made: made.compile("sgd", "mse"),
        lambda made: made.freeze("layers.0"),
    ],
    ids=["fit", "train_on_batch", "compile", "freeze"],
)
def test_a_second_training_is_refused_and_the_first_goes_on(call):
    made = model()

    def refused():
        with pytest.raises(ContractError, match=r"a fit of this model runs.*\n  Wait until it ends, or train another"):
            call(made)

    beside(made, refused)
    made.fit(X, Y, verbose=0)  # and afterwards it is free


def test_a_fit_that_fails_frees_the_model():
    class Fails(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ValueError("of its own")

    made = model()
    with pytest.raises(ValueError, match="of its own"):
        made.fit(X, Y, verbose=0, callbacks=[Fails()])
    made.fit(X, Y, verbose=0)


def test_two_threads_build_one_network():
    made = model()
    start = threading.Barrier(2)
    outputs = []

    def first():
        start.wait()
        outputs.append(made.predict(X))

    threads = [threading.Thread(target=first) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(*outputs)


# Copies ---------------------------------------------------------------------------------------------------------------

COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda made: pickle.loads(pickle.dumps(made))}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("rows", [1, 3, 256])
def test_a_copy_predicts_the_same_bits_after_any_prediction(way, rows):
    made = model(optim.Adam(optim.schedules.CosineDecay(0.1)))
    for call in (made.fit, made.evaluate):
        call(X, Y, verbose=0)
    expected = made.predict(X[:rows])
    np.testing.assert_array_equal(COPIES[way](made).predict(X[:rows]), expected)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float64"])
def test_a_copy_trains_alone_and_as_the_other_would_have(way, precision):
    made = model(precision=precision)
    made.fit(X, Y, verbose=0)
    other = COPIES[way](made)
    assert [w.dtype for w in other.get_weights()] == [w.dtype for w in made.get_weights()]
    kept = other.get_weights()
    made.fit(X, Y, verbose=0)
    assert same(other.get_weights(), kept)
    assert other.history.history == COPIES["pickle"](other).history.history
    other.fit(X, Y, verbose=0)
    assert same(other.get_weights(), made.get_weights())


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_a_model_that_was_not_trained(way):
    made = model()
    assert COPIES[way](made).session.settings == made.session.settings
    bare = Sequential([layers.Dense(2, input_shape=(3,))])
    x = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(COPIES[way](bare).predict(x), bare.predict(x))


def test_joblib_takes_it_too(tmp_path):
    joblib = pytest.importorskip("joblib")
    made = model()
    expected = made.predict(X[:4])
    joblib.dump(made, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict(X[:4]), expected)


def test_no_program_is_carried():
    made = model()
    made.predict(X[:4])
    carried = vars(COPIES["pickle"](made).session)
    assert carried["ready"] is None
    assert len(pickle.dumps(made)) < 40_000 + sum(w.nbytes for w in made.get_weights()) * 4


def asked_in_its_loss(ask):
    """A model whose loss asks for the model itself, from within the program."""

    def loss(y, p):
        zero = jax.pure_callback(
            lambda a: (ask(made), np.float32(0))[1], jax.ShapeDtypeStruct((), "float32"), jax.lax.stop_gradient(p)
        )
        return (y - p) ** 2 + zero

    made = Sequential([layers.Dense(1, input_shape=(16,))])
    made.compile("sgd", loss)
    made.build()
    return made


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.predict(X[:2]),
        lambda m: m.get_weights(),
        lambda m: m.learning_rate,
        lambda m: setattr(m, "learning_rate", 0.1),
        lambda m: m.train_on_batch(X[:2], Y[:2]),
    ],
)
def test_a_loss_that_asks_for_the_model_in_training_is_an_error_at_once(ask):
    """It waited for the end of the step that waited for it."""
    made = asked_in_its_loss(ask)
    before = made.get_weights()
    with pytest.raises(ContractError, match=r"asks for the model itself.*\n  Call predict"):
        made.fit(X[:64], Y[:64], verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, made.get_weights(), strict=True))
    made.compile("sgd", "mse")
    made.fit(X[:64], Y[:64], verbose=0)
