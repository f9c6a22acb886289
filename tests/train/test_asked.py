"""The numbers of a call, and rows as people have them: what they expect, as of NumPy and Keras, or an error of ours."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thalweg import data, layers
from thalweg.errors import ConfigError, ContractError
from thalweg.model import Sequential

R = np.random.default_rng(0)
X = R.normal(size=(64, 3)).astype(np.float32)
Y = X[:, :1] * 2 + 1


def model(*inside):
    made = Sequential([layers.Dense(4, input_shape=(3,)), *inside, layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def calls(x, y):
    """Each call that takes rows, by name."""
    return {
        "fit": lambda **k: model().fit(x, y, verbose=0, **k),
        "evaluate": lambda **k: model().evaluate(x, y, **k),
        "predict": lambda **k: model().predict(x, **k),
        "train_on_batch": lambda **k: model().train_on_batch(x, y, **k),
    }


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("size", [0, -1, True])
def test_a_batch_size_that_is_no_count(call, size):
    with pytest.raises(ConfigError, match=r"batch_size=.* a whole number of at least 1.\n  Write"):
        calls(X, Y)[call](batch_size=size)


@pytest.mark.parametrize("name", ["epochs", "steps_per_epoch", "initial_epoch"])
def test_numbers_of_epochs_that_are_none(name):
    for value in (-1, True):
        with pytest.raises(ConfigError, match=rf"{name}=.* a whole number of at least [01].\n  Write"):
            model().fit(X, Y, verbose=0, **{name: value})


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, True, float("nan")], ids=repr)
def test_a_share_that_is_none(share):
    with pytest.raises(ConfigError, match=r"validation_split=.* a number of at least 0 and below 1.\n  Write"):
        model().fit(X, Y, verbose=0, validation_split=share)


# In a process of its own, because the tests' own check of types would answer first.
OTHER_TYPES = """
import numpy as np
from thalweg import layers
from thalweg.errors import ConfigError
from thalweg.metrics import MeanAbsoluteError
from thalweg.model import Sequential
from thalweg.train.callbacks import EarlyStopping

x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
y = x[:, :1]

def model():
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    made.compile("sgd", "mse", seed=0)
    return made

calls = {
    "batch_size": [lambda **k: model().fit(x, y, verbose=0, **k), lambda **k: model().evaluate(x, y, **k),
                   lambda **k: model().predict(x, **k)],
    **dict.fromkeys(["epochs", "steps_per_epoch", "initial_epoch"], [lambda **k: model().fit(x, y, verbose=0, **k)]),
    "validation_split": [lambda **k: model().fit(x, y, verbose=0, **k)],
}
for name, made in calls.items():
    bad = [1.5, 8.0, "32", [8], float("nan"), np.float32(8), np.True_, {}]
    bad += [None] if name in ("epochs", "initial_epoch", "validation_split") else []
    for value in bad:
        for call in made:
            try:
                call(**{name: value})
            except ConfigError as error:
                assert name in str(error) and "\\n  Write" in str(error), error
            else:
                raise AssertionError((name, value))

class Mine(EarlyStopping):
    pass

for value in (Mine, [Mine], ["early_stopping"], [None], [print]):
    try:
        model().fit(x, y, verbose=0, callbacks=value)
    except ConfigError as error:
        assert "which is no callback.\\n  Write " in str(error), error
    else:
        raise AssertionError(value)
stopping = EarlyStopping("loss", patience=0, min_delta=1e9)
assert len(model().fit(x, y, epochs=9, verbose=0, callbacks=stopping).history["loss"]) < 9

for value in ("mae", MeanAbsoluteError(), {"mae"}, {"out": "mae"}):
    try:
        Sequential([layers.Dense(1)]).compile("sgd", "mse", value)
    except ConfigError as error:
        assert "is no list.\\n  Write metrics=[" in str(error), error
    else:
        raise AssertionError(value)

one, two = model(), model()
numbers = {"batch_size": np.int64(8), "epochs": np.int32(2), "steps_per_epoch": np.uint8(3)}
one.fit(x, y, verbose=0, run_dir="run", validation_split=np.float32(0.25), **numbers)
two.fit(x, y, verbose=0, batch_size=8, epochs=2, steps_per_epoch=3, validation_split=0.25)
assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), two.get_weights(), strict=True))
"""


def test_numbers_of_other_types(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", OTHER_TYPES]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("given", [(X,), X, (X, Y, None, None), (), [], "xy", 3], ids=lambda v: type(v).__name__)
def test_validation_data_that_has_no_targets(given):
    with pytest.raises(ContractError, match=r"validation_data is a .*\n  Write validation_data=\(x, y\)"):
        model().fit(X, Y, verbose=0, validation_data=given)


def test_validation_data_as_a_source_or_a_list():
    other = X + 9
    source = data.from_arrays(other, Y)
    given = (source, (source,), [other, Y], (other, Y))
    seen = [model().fit(X, Y, verbose=0, validation_data=v).history for v in given]
    assert seen[0] == seen[1] == seen[2] == seen[3]


FOREIGN = {
    "float32": (X.astype(">f4"), Y.astype(">f4")),
    "float64": (X.astype(">f8"), Y.astype(">f8")),
    "read only": tuple(np.frombuffer(a.tobytes(), "f4").reshape(a.shape) for a in (X, Y)),
    "not contiguous": tuple(np.repeat(a, 2, 1)[:, ::2] for a in (X, Y)),
    "by columns": tuple(np.asfortranarray(a) for a in (X, Y)),
    "long double": (X.astype(np.longdouble), Y.astype(np.longdouble)),
    "backwards": tuple(a[::-1].copy()[::-1] for a in (X, Y)),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("call", ["fit", "evaluate", "predict", "train_on_batch"])
def test_the_same_numbers_lie_otherwise_in_memory(call, kind):
    same, other = calls(X, Y)[call](), calls(*FOREIGN[kind])[call]()
    assert str(getattr(same, "history", same)) == str(getattr(other, "history", other))


@pytest.mark.parametrize("dtype", [">i2", ">i4", ">i8", ">u4", ">f2"])
def test_numbers_in_the_other_order_of_bytes(dtype):
    x = (X * 9).round().astype(dtype) if "u" not in dtype else np.abs(X * 9).round().astype(dtype)
    native = x.astype(x.dtype.newbyteorder("="))
    np.testing.assert_array_equal(model().predict(x), model().predict(native))


def test_a_source_of_the_other_order_of_bytes(tmp_path):
    class Rows:
        def __len__(self):
            return len(X)

        def __getitem__(self, rows):
            return X[rows].astype(">f4"), Y[rows].astype(">f4")

    np.save(tmp_path / "x.npy", X.astype(">f4"))
    mapped = data.ArraySource(np.load(tmp_path / "x.npy", mmap_mode="r"), Y)
    for source in (Rows(), mapped):
        one, two = model(), model()
        one.fit(source, verbose=0)
        two.fit(X, Y, verbose=0)
        np.testing.assert_allclose(one.get_weights()[0], two.get_weights()[0], rtol=1e-6)
        np.testing.assert_allclose(one.predict(source), one.predict(X), rtol=1e-6)
        assert one.evaluate(source) == pytest.approx(one.evaluate(X, Y))


@pytest.mark.parametrize("kind", [tuple, list])
@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_targets_beside_the_inputs_in_one_argument(call, kind):
    with pytest.raises(ContractError, match=rf"needs targets.*x is a {kind.__name__} of 2.\n  Write .*fit\(x, y\)"):
        calls(kind((X, Y)), None)[call]()


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict", "train_on_batch"])
@pytest.mark.parametrize("x", [None, [], (), {}], ids=repr)
def test_no_inputs(call, x):
    with pytest.raises(ContractError, match=r"x is .*; a network takes rows.\n  Give"):
        calls(x, Y)[call]()


@pytest.mark.parametrize("inputs", [(X, Y), [X, Y], {"a": X}], ids=["tuple", "list", "dict"])
def test_several_inputs_for_a_network_of_one(inputs):
    built = model()
    built.predict(X)
    with pytest.raises(ContractError, match=r"arrays; the network has one input.\n  Give one array"):
        built.predict(inputs)


def test_of_no_rows_there_are_no_predictions():
    out = model().predict(X[:0])
    assert (out.shape, out.dtype) == ((0, 1), np.float32)
    built = model()
    built.predict(X[:4])
    assert built.predict(X[:0], batch_size=2).shape == (0, 1)


def test_a_single_value_per_channel_is_no_batch():
    """PyTorch: "Expected more than 1 value per channel when training"."""
    said = r"BatchNormalization trains on one value per channel(.|\n)*\n  Write batch_size=2"
    for train in (
        lambda m: m.fit(X, Y, batch_size=1, verbose=0),
        lambda m: m.fit(X[:1], Y[:1], verbose=0),
        lambda m: m.train_on_batch(X[:1], Y[:1]),
    ):
        with pytest.raises(ContractError, match=said):
            train(model(layers.BatchNormalization()))
    built = model(layers.BatchNormalization())
    built.fit(X, Y, batch_size=2, verbose=0)
    assert built.predict(X[:1]).shape == (1, 1)
    assert np.isfinite(built.evaluate(X[:1], Y[:1]))


def test_a_single_row_of_many_places_is_a_batch():
    made = Sequential([layers.Conv2D(2, 3, input_shape=(6, 6, 1)), layers.BatchNormalization(), layers.Flatten()])
    made.compile("sgd", "mse")
    before = made.predict(R.normal(size=(1, 6, 6, 1)).astype(np.float32))
    made.fit(R.normal(size=(4, 6, 6, 1)).astype(np.float32), np.zeros((4, 32), np.float32), batch_size=1, verbose=0)
    assert before.shape == (1, 32)
    assert np.isfinite(made.get_weights()[0]).all()
