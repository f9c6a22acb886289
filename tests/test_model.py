"""The model's facade: what a person does with it, and what comes back."""

import warnings

import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import callbacks, layers
from thalweg.errors import ConfigError, ContractError, DivergenceError
from thalweg.train.program import TRACES

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)


def classifier(**settings):
    model = thalweg.Sequential([layers.Dense(16, activation="relu"), layers.Dense(2, activation="softmax")])
    given = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **settings}
    model.compile(**given)
    return model


@pytest.fixture(scope="module")
def trained():
    model = classifier(optimizer=thalweg.optimizers.Adam(0.02))
    model.fit(X, Y, epochs=20, verbose=0)
    return model


def test_it_learns(trained):
    loss, accuracy = trained.evaluate(X, Y, verbose=0)
    assert accuracy > 0.95
    assert loss < 0.2


def test_evaluation_is_what_numpy_computes_from_predict(trained):
    p = trained.predict(X)
    found = trained.evaluate(X, Y, batch_size=7, return_dict=True)
    np.testing.assert_allclose(found["loss"], -np.log(p[np.arange(len(Y)), Y]).mean(), rtol=1e-5)
    assert found["accuracy"] == pytest.approx((p.argmax(1) == Y).mean())
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


def test_a_streamed_source_is_predicted_as_its_arrays_are(trained):
    class Rows:
        def __len__(self):
            return len(X)

        def __getitem__(self, indices):
            return X[indices], Y[indices]

    np.testing.assert_array_equal(trained.predict(Rows(), batch_size=50), trained.predict(X, batch_size=50))


def test_predictions_of_inputs_seen_before_follow_the_weights():
    model, one = classifier(), X[:1]
    first = model.predict(one)
    np.testing.assert_array_equal(model.predict(one), first)
    first[:] = 0  # the caller's own array
    model.fit(X, Y, epochs=1, verbose=0)
    after = model.predict(one)
    assert not np.array_equal(after, first)
    np.testing.assert_allclose(after, model.predict(X)[:1], rtol=1e-5)
    np.testing.assert_allclose(after, model.predict(one.astype(np.float64)), rtol=1e-5)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", precision="bfloat16")
    assert not np.array_equal(model.predict(one), after)


def test_a_second_fit_and_a_ragged_last_batch_compile_nothing():
    model = classifier()
    model.fit(X, Y, epochs=2, batch_size=32, validation_split=0.2, verbose=0)
    before = dict(TRACES)
    model.fit(X, Y, epochs=2, batch_size=32, validation_split=0.2, verbose=0)
    model.learning_rate = 0.5
    model.fit(X, Y, epochs=1, batch_size=32, validation_split=0.2, verbose=0)
    assert before == TRACES


@pytest.mark.parametrize(
    "give",
    [
        pytest.param(lambda a: a.astype(np.float64), id="float64"),
        pytest.param(lambda a: a.tolist(), id="lists"),
        pytest.param(lambda a: (a * 10).astype(np.int64), id="int64"),
        pytest.param(lambda a: np.clip(a * 50 + 100, 0, 255).astype(np.uint8), id="uint8"),
        pytest.param(lambda a: pytest.importorskip("pandas").DataFrame(a, columns=list("abcd")), id="DataFrame"),
    ],
)
def test_inputs_as_people_have_them(give):
    history = classifier().fit(give(X), Y.tolist(), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_labels_that_are_texts_keep_their_names(tmp_path):
    names = np.array(["no", "yes"])[Y]
    model = classifier()
    model.fit(X, names, epochs=1, verbose=0)
    assert model.classes == ("no", "yes")
    model.save(tmp_path / "m.tw")
    assert thalweg.load_model(tmp_path / "m.tw").classes == ("no", "yes")


def test_saved_and_loaded_predicts_the_same_bits_and_trains_on(trained, tmp_path):
    again = thalweg.load_model(trained.save(tmp_path / "m.tw"))
    assert again.predict(X).tobytes() == trained.predict(X).tobytes()
    again.fit(X, Y, epochs=1, verbose=0)


def test_a_model_that_is_not_compiled_predicts_and_says_what_training_needs():
    model = thalweg.Sequential([layers.Dense(2)])
    assert model.predict(X).shape == (len(X), 2)
    with pytest.raises(ContractError, match="compile"):
        model.fit(X, Y)


def test_weights_go_out_and_in(trained):
    other = classifier()
    other.build((None, 4))
    other.set_weights(trained.get_weights())
    assert other.predict(X).tobytes() == trained.predict(X).tobytes()
    with pytest.raises(ContractError, match="4 arrays; 1 were given"):
        other.set_weights(trained.get_weights()[:1])
    with pytest.raises(ContractError, match="shape"):
        other.set_weights([np.zeros((2, 2))] * 4)


def test_class_sorted_data_with_a_validation_split_trains_well():
    order = np.argsort(Y, kind="stable")
    model = classifier(optimizer=thalweg.optimizers.Adam(0.02))
    history = model.fit(X[order], Y[order], epochs=20, validation_split=0.25, verbose=0)
    assert history.history["val_accuracy"][-1] > 0.85


def test_full_batch_and_batches_of_one():
    for size in (len(X), 1):
        history = classifier(optimizer="sgd").fit(X, Y, epochs=2, batch_size=size, verbose=0)
        assert history.history["loss"][1] < history.history["loss"][0]


def test_weights_of_rows_and_classes_are_the_equation():
    model = classifier(optimizer=thalweg.optimizers.SGD(0.0))
    weight = np.linspace(0.5, 2, len(X)).astype(np.float32)
    model.fit(X, Y, epochs=1, sample_weight=weight, class_weight={0: 1.0, 1: 3.0}, verbose=0)
    p = model.predict(X)
    rows = -np.log(p[np.arange(len(Y)), Y]) * weight * np.where(Y == 1, 3.0, 1.0)
    np.testing.assert_allclose(model.history.history["loss"][0], rows.mean(), rtol=1e-5)


def test_penalties_join_the_loss():
    model = thalweg.Sequential([layers.Dense(2, kernel_regularizer=thalweg.regularizers.L2(0.1))])
    model.compile(optimizer=thalweg.optimizers.SGD(0.0), loss="mse")
    target = np.zeros((len(X), 2))
    model.fit(X, target, epochs=1, verbose=0)
    kernel = model.weights["layers.0.kernel"]
    expected = (model.predict(X) ** 2).mean() + 0.1 * (kernel**2).sum()
    np.testing.assert_allclose(model.history.history["loss"][0], expected, rtol=1e-5)


def test_constraints_hold_after_every_step():
    model = thalweg.Sequential([layers.Dense(3, kernel_constraint="non_neg"), layers.Dense(1)])
    model.compile(optimizer=thalweg.optimizers.SGD(0.05), loss="mse")
    model.fit(X, X[:, :1], epochs=3, verbose=0)
    assert (model.weights["layers.0.kernel"] >= 0).all()
    assert (model.weights["layers.1.kernel"] < 0).any()


def test_an_average_of_weights_ends_within_their_constraints():
    head = layers.Dense(1, kernel_initializer="zeros", kernel_constraint="non_neg", use_bias=False)
    model = thalweg.Sequential([head])
    model.compile(optimizer=thalweg.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5), loss="mse")
    model.fit(X, -X.sum(1), epochs=3, verbose=0)
    assert (model.get_weights()[0] >= 0).all()


@pytest.mark.parametrize("constraint", [None, "non_neg", "max_norm", "unit_norm"])
def test_frozen_layers_stay_and_the_others_move(constraint):
    model = thalweg.Sequential([layers.Dense(16, "relu", kernel_constraint=constraint), layers.Dense(3, "softmax")])
    model.build((None, 4))
    before = model.weights
    model.freeze("layers.0")
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(X, Y, epochs=1, verbose=0)
    after = model.weights
    assert (before["layers.0.kernel"] == after["layers.0.kernel"]).all()
    assert (before["layers.1.kernel"] != after["layers.1.kernel"]).any()
    assert model.summary(print_fn=None).non_trainable == 4 * 16 + 16


def test_a_schedule_lasts_as_long_as_the_run():
    schedule = thalweg.optimizers.schedules.CosineDecay(0.1)
    model = classifier(optimizer=thalweg.optimizers.SGD(schedule))
    model.fit(X, Y, epochs=5, batch_size=24, verbose=0)
    assert model.learning_rate == pytest.approx(0.05 * (1 + np.cos(np.pi * 24 / 25)), rel=1e-4)


def test_a_run_with_averaged_weights_ends_with_the_average():
    plain, averaged = (
        classifier(optimizer=thalweg.optimizers.SGD(0.1, use_ema=ema, ema_momentum=0.5)) for ema in (False, True)
    )
    for model in (plain, averaged):
        model.fit(X, Y, epochs=1, batch_size=60, shuffle=False, verbose=0)
    one = classifier(optimizer=thalweg.optimizers.SGD(0.1))
    one.train_on_batch(X[:60], Y[:60])
    expected = (one.weights["layers.1.bias"] + plain.weights["layers.1.bias"]) / 2
    np.testing.assert_allclose(averaged.weights["layers.1.bias"], expected, rtol=1e-4, atol=1e-7)


def test_train_on_batch_gives_the_loss_before_the_step():
    model = classifier()
    model.build((None, 4))
    before = model.evaluate(X, Y, return_dict=True)["loss"]
    loss, _ = model.train_on_batch(X, Y)
    assert loss == pytest.approx(before, rel=1e-5)
    assert model.evaluate(X, Y, return_dict=True)["loss"] < before


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_other_precisions_train_and_are_stored(precision, tmp_path):
    model = classifier(precision=precision)
    history = model.fit(X, Y, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    again = thalweg.load_model(model.save(tmp_path / "m.tw"))
    assert again.predict(X).tobytes() == model.predict(X).tobytes()
    model.summary(print_fn=None)
    kept = {str(v.dtype) for v in again.weights.values()}
    assert kept == {"float64" if precision == "float64" else "float32"}


def test_float64_trains_on_the_numbers_that_were_given():
    model = thalweg.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(thalweg.optimizers.SGD(1.0), "mse", precision="float64")
    x, y = np.ones((1, 1)), np.array([[0.5 + 2.0**-40]])
    model.fit(x, y, epochs=1, verbose=0)
    assert model.get_weights()[0].item() == 2 * y.item()  # 1 in float32


def test_a_graph_of_two_inputs_trains():
    left, right = thalweg.Input((4,)), thalweg.Input((4,))
    shared = layers.Dense(8, activation="relu")
    model = thalweg.Model([left, right], layers.Dense(1)(layers.Concatenate()([shared(left), shared(right)])))
    model.compile(optimizer=thalweg.optimizers.Adam(0.02), loss="mse")
    history = model.fit((X, X[::-1].copy()), X[:, 0] - X[::-1, 0], epochs=10, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert model.count_params() == 4 * 8 + 8 + 16 + 1


def two_inputs():
    left, right = thalweg.Input((4,), name="left"), thalweg.Input((4,), name="right")
    model = thalweg.Model([left, right], left * left - right)
    model.compile("sgd", "mse")
    return model


WAYS = {
    "list": lambda a, b: [a, b],
    "tuple": lambda a, b: (a, b),
    "lists of rows": lambda a, b: [a.tolist(), b.tolist()],
    "another dtype": lambda a, b: [a.astype(np.float64), b],
    "dict": lambda a, b: {"right": b, "left": a},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_list_for_a_network_of_several_inputs_is_their_arrays_in_order(way, rows):
    a, b = X[:rows], X[-rows:]
    model, x, y = two_inputs(), WAYS[way](a, b), a * a - b
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(x), y, rtol=1e-5, atol=1e-6)
    assert model.evaluate(x, y) < 1e-10
    assert model.train_on_batch(x, y) < 1e-10
    apart = WAYS[way](b + 9, a), (b + 9) ** 2 - a + 1
    history = model.fit(x, y, verbose=0, validation_data=apart).history
    assert history["loss"][0] < 1e-10
    assert history["val_loss"] == pytest.approx([1.0], rel=1e-3)


def test_lists_for_several_inputs_keep_what_the_precision_holds():
    exact = two_inputs()
    exact.compile("sgd", "mse", precision="float64")
    one = [[1.0 + 2.0**-40] * 4]
    assert exact.predict([one, one])[0, 0] == pytest.approx(2.0**-40, rel=1e-6)  # 0 in float32


def test_a_list_for_a_network_that_was_built_for_several_inputs_is_theirs_too():
    network = thalweg.Model(layers.Subtract())
    np.testing.assert_array_equal(network.predict((X, X[::-1])), X - X[::-1])
    np.testing.assert_array_equal(network.predict([X, X[::-1]]), X - X[::-1])


def test_another_number_of_inputs_is_refused_and_a_list_for_one_input_is_rows():
    for x in ([X], [X, X, X], (X, X, X), [1.0, 2.0, 3.0]):
        with pytest.raises(ContractError, match=r"of \d; the network has 2 inputs\.\n  Write x=\[a, b\]"):
            two_inputs().predict(x)
    one = classifier()
    np.testing.assert_array_equal(one.predict([X[0], X[1]]), one.predict(X[:2]))


def test_a_loss_that_explodes_names_the_layer():
    model = thalweg.Sequential([layers.Dense(8, activation="exponential"), layers.Dense(1)])
    model.compile(optimizer=thalweg.optimizers.SGD(10.0), loss="mse")
    with pytest.raises(DivergenceError, match=r"layers\.[01]"):
        model.fit(X * 100, X[:, 0], epochs=5, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_terminate_on_nan_ends_the_run_quietly():
    model = thalweg.Sequential([layers.Dense(8, activation="exponential"), layers.Dense(1)])
    model.compile(optimizer=thalweg.optimizers.SGD(10.0), loss="mse")
    model.fit(X * 100, X[:, 0], epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])


def test_early_stopping_puts_the_best_weights_back():
    stop = callbacks.EarlyStopping(monitor="val_loss", patience=2)
    model = classifier(optimizer=thalweg.optimizers.Adam(0.3))
    history = model.fit(X, rng.permutation(Y), epochs=40, validation_data=(X + 0.01, Y), verbose=0, callbacks=[stop])
    assert len(history.history["loss"]) < 40
    best = min(history.history["val_loss"])
    assert model.evaluate(X + 0.01, Y, return_dict=True)["loss"] == pytest.approx(best, rel=1e-5)


def test_unknown_names_suggest_the_nearest():
    model = thalweg.Sequential([layers.Dense(2)])
    for settings, hint in (({"loss": "mze"}, "mse"), ({"optimizer": "adma", "loss": "mse"}, "adam")):
        with pytest.raises(ConfigError, match=hint):
            model.compile(**settings)
    with pytest.raises(ConfigError, match="Did you mean 'val_loss'"):
        callbacks.EarlyStopping("val_los")
    with pytest.raises(ConfigError, match="accuracy"):
        classifier(metrics=["acuracy"]).fit(X, Y, verbose=0)
    with pytest.raises(ContractError, match="val_accuracy"):
        classifier().fit(
            X, Y, validation_split=0.2, verbose=0, callbacks=[callbacks.EarlyStopping("val_acuracy", mode="max")]
        )


def test_shapes_that_do_not_fit_print_their_path():
    model = thalweg.Sequential([layers.LSTM(64), layers.LSTM(64), layers.Dense(2, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    with pytest.raises(ContractError) as caught:
        model.fit(rng.normal(size=(8, 5, 3)), np.arange(8) % 2, batch_size=8, verbose=0)
    assert str(caught.value).startswith(
        "layers.1 LSTM(64) needs [batch, time, features]; it received [batch, 64] from layers.0 LSTM(64).\n"
        "  Write LSTM(64, return_sequences=True) for layers.0."
    )


def test_bridges_train_flax_and_equinox_modules():
    nnx = pytest.importorskip("flax.nnx")
    eqx = pytest.importorskip("equinox")
    flax = thalweg.bridge.FlaxNetwork(
        lambda r: nnx.Sequential(nnx.Linear(4, 16, rngs=r), nnx.BatchNorm(16, rngs=r), nnx.relu,
                                 nnx.Dropout(0.1, rngs=r), nnx.Linear(16, 2, rngs=r))
    )  # fmt: skip
    equinox = thalweg.bridge.EquinoxNetwork(lambda key: eqx.nn.MLP(4, 2, 16, 1, key=key))
    for network in (flax, equinox):
        model = thalweg.Model(network)
        loss = "sparse_categorical_crossentropy"
        model.compile(optimizer=thalweg.optimizers.Adam(0.02), loss=loss, metrics=["accuracy"])
        with relaxed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = model.fit(X, Y, epochs=15, validation_split=0.2, verbose=0)
        assert history.history["val_accuracy"][-1] > 0.85
