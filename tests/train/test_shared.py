"""A layer object has one owner of its arrays: every model over it sees what another one has learned. Keras beside."""

import copy
import gc
import pickle
import threading
import weakref

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import layers
from thalweg.errors import ContractError
from thalweg.layers import BatchNormalization, Dense, Input, Softmax

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype("float32")
Y = RNG.normal(size=(64, 1)).astype("float32")
Y3 = RNG.normal(size=(64, 3)).astype("float32")


def trained() -> thalweg.Model:
    model = thalweg.Sequential([Input((4,)), Dense(8, "relu", name="first"), BatchNormalization(), Dense(3)])
    model.compile("adam", "mse")
    model.fit(X, Y3, epochs=2, verbose=0)
    return model


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=False))


def extended(base: thalweg.Model, way: str) -> thalweg.Model:
    if way == "sequence":
        return thalweg.Sequential([base, Dense(1)])
    if way == "graph":
        return thalweg.Model(x := Input((4,)), Dense(1)(base(x)))
    if way == "its nodes":
        return thalweg.Model(base.input, Dense(1)(base.output))
    return thalweg.Sequential([*base.layers, Dense(1)])


WAYS = ["sequence", "graph", "its nodes", "its layers"]


@pytest.mark.parametrize("way", WAYS)
def test_a_model_over_a_trained_one_starts_from_its_weights_and_moves_them(way):
    base = trained()
    top = extended(base, way)
    top.build((None, 4))
    assert same(top.get_weights(), base.get_weights())
    before = base.get_weights()
    top.compile("adam", "mse")
    top.fit(X, Y, epochs=1, verbose=0)
    assert same(top.get_weights(), base.get_weights())
    assert not np.array_equal(before[0], base.get_weights()[0])
    assert np.array_equal(
        base.predict(X), thalweg.Model(top.module.layers[0] if way == "sequence" else base).predict(X)
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_frozen_model_stays_as_it_is_inside_another(way):
    base = trained()
    base.trainable = False
    top, before = extended(base, way), base.get_weights()
    top.compile("sgd", "mse")
    top.fit(X, Y, epochs=2, verbose=0)
    assert same(before, base.get_weights())  # its statistics, too: a frozen BatchNormalization infers
    assert same(before, top.get_weights())


def test_what_a_constructor_freezes_stays():
    inner = thalweg.Sequential([Input((4,)), Dense(4), Dense(4)], trainable=False)
    wired = thalweg.Model(x := Input((4,)), Dense(4)(x), trainable=False)
    for base in (inner, wired):
        top = thalweg.Sequential([base, Dense(1)])
        top.compile("sgd", "mse")
        top.build((None, 4))
        before = base.get_weights()
        top.fit(X, Y, epochs=1, verbose=0)
        assert same(before, base.get_weights())


def test_a_part_is_told_after_the_whole_as_in_keras():
    def moves(base, top):
        base.trainable = False
        base.layers[-1].trainable = True
        top.compile("sgd", "mse")
        top.build((None, 4))
        before = top.get_weights()
        top.fit(X, Y, verbose=0)
        return [not np.array_equal(a, b) for a, b in zip(before, top.get_weights(), strict=True)]

    found = []
    for package in (thalweg, keras):
        with relaxed():
            base = package.Sequential([package.Input((4,)), package.layers.Dense(4), package.layers.Dense(4)])
            found.append(moves(base, package.Sequential([base, package.layers.Dense(1)])))
    assert found[0] == found[1] == [False, False, True, True, True, True]


def test_what_was_told_after_compile_is_said_once_and_waits_for_the_next_compile():
    model = thalweg.Sequential([Dense(3, input_shape=(4,)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match=r"layers\.0: trainable was set after compile.*\n.*compile"):
        model.fit(X, Y, verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])
    model.fit(X, Y, verbose=0)  # said once
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert np.array_equal(before[0], model.get_weights()[0])
    assert not np.array_equal(before[2], model.get_weights()[2])


def test_a_frozen_layer_of_its_own_parameters_with_a_part_that_learns_is_refused():
    class Scaled(thalweg.Module):
        inner: thalweg.Module

        def __call__(self, cx, x):
            return self.inner(cx, x) * cx.param("scale", lambda key, shape, dtype: jnp.ones(shape, dtype), (1, 1))

    layer = Scaled(Dense(1))
    model = thalweg.Sequential([layer])
    layer.trainable = False
    layer.inner.trainable = True
    model.compile("sgd", "mse")
    with pytest.raises(ContractError, match="frozen and has parameters of its own"):
        model.fit(X, Y, verbose=0)


def test_the_encoder_of_a_trained_autoencoder_is_trained():
    x = Input((4,))
    code = Dense(2, name="code")(x)
    whole = thalweg.Model(x, Dense(4)(code))
    whole.compile("adam", "mse")
    whole.fit(X, X, epochs=3, verbose=0)
    for encoder in (thalweg.Model(x, code), thalweg.Model(whole.input, whole.get_layer("code").output)):
        kernel, bias = whole.get_weights()[:2]
        assert np.array_equal(encoder.get_weights()[0], kernel)
        np.testing.assert_allclose(encoder.predict(X), X @ kernel + bias, rtol=1e-5, atol=1e-6)
    whole.fit(X, X, epochs=1, verbose=0)  # the encoder follows
    assert np.array_equal(encoder.get_weights()[0], whole.get_weights()[0])


@pytest.mark.parametrize("way", WAYS)
def test_a_loaded_model_is_extended(way, tmp_path):
    base = trained()
    loaded = thalweg.load_model(base.save(tmp_path / "base.tw"))
    top = extended(loaded, way)
    top.build((None, 4))
    assert same(top.get_weights(), base.get_weights())


def test_the_order_of_weights_is_kept_by_compile_and_file(tmp_path):
    model = thalweg.Sequential([Input((4,)), *[Dense(4) for _ in range(11)], BatchNormalization(), Dense(1)])
    order = list(model.weights)
    assert order[2 * 11 :] == [f"layers.{n}" for n in (
        "11.gamma", "11.beta", "11.moving_mean", "11.moving_variance", "12.kernel", "12.bias")]  # fmt: skip
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    assert list(model.weights) == order
    assert list(thalweg.load_model(model.save(tmp_path / "m.tw")).weights) == order
    with relaxed():
        twin = keras.Sequential([keras.Input((4,)), *[keras.layers.Dense(4) for _ in range(11)],
                                 keras.layers.BatchNormalization(), keras.layers.Dense(1)])  # fmt: skip
        twin.set_weights(model.get_weights())
        np.testing.assert_allclose(twin.predict(X, verbose=0), model.predict(X), rtol=1e-4, atol=1e-5)


def test_the_average_of_two_models_has_their_weights():
    models = []
    for _ in range(2):
        x = Input((4,))
        models.append(thalweg.Model(x, Dense(1)(x)))
        models[-1].compile("sgd", "mse")
        models[-1].fit(X, Y, verbose=0)
    both = thalweg.Model([m.input for m in models], layers.Average()([m.output for m in models]))
    expected = np.mean([m.predict(X) for m in models], axis=0)
    np.testing.assert_allclose(both.predict([X, X]), expected, rtol=1e-6)


def test_a_probability_model_over_a_trained_one():
    base = trained()
    z = base.predict(X)
    expected = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    np.testing.assert_allclose(thalweg.Sequential([base, Softmax()]).predict(X), expected, rtol=1e-5)


def test_a_gan_trains_each_part_where_it_should_and_nowhere_else():
    generator = thalweg.Sequential([Input((4,)), Dense(4)])
    critic = thalweg.Sequential([Input((4,)), Dense(4, "relu"), Dense(1)])
    critic.compile("sgd", "mse")
    critic.trainable = False
    z = Input((4,))
    gan = thalweg.Model(z, critic(generator(z)))
    gan.compile("sgd", "mse")

    def changed(step):
        before = generator.get_weights(), critic.get_weights()
        step()
        after = generator.get_weights(), critic.get_weights()
        return [not same(a, b) for a, b in zip(before, after, strict=True)]

    with pytest.warns(UserWarning, match="after compile"):
        assert changed(lambda: critic.train_on_batch(X, Y)) == [False, True]
    for _ in range(2):
        assert changed(lambda: gan.train_on_batch(X, Y)) == [True, False]
        assert changed(lambda: critic.train_on_batch(X, Y)) == [False, True]
    np.testing.assert_allclose(gan.predict(X), critic.predict(generator.predict(X)), rtol=1e-5, atol=1e-6)


def test_two_models_that_train_one_layer_in_turns_are_one_long_training():
    """Beside a NumPy walk down the gradient of both losses in turns."""
    shared = Dense(1, use_bias=False)
    one, two = (thalweg.Sequential([Input((4,)), shared]) for _ in range(2))
    for model in (one, two):
        model.compile(thalweg.optimizers.SGD(0.1), "mse")
    one.build((None, 4))
    w, other = one.get_weights()[0], -Y
    for _ in range(3):
        for model, y in ((one, Y), (two, other)):
            model.train_on_batch(X, y)
            w = w - 0.1 * 2 * X.T @ (X @ w - y) / len(X)
            for each in (one, two):
                np.testing.assert_allclose(each.get_weights()[0], w, rtol=1e-4, atol=1e-6)


def test_a_callback_may_use_and_train_a_model_over_the_same_layers():
    x = Input((4,))
    code = Dense(2)(x)
    whole, encoder = thalweg.Model(x, Dense(4)(code)), thalweg.Model(x, code)
    side = thalweg.Model(x, Dense(1)(code))
    side.compile("sgd", "mse")
    whole.compile("adam", "mse")
    seen = []

    class Watch(thalweg.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(np.array_equal(encoder.get_weights()[0], whole.get_weights()[0]))
            side.train_on_batch(X, Y)
            seen.append(np.array_equal(side.get_weights()[0], whole.get_weights()[0]))

    whole.fit(X, X, epochs=3, verbose=0, callbacks=[Watch()])
    assert seen == [True] * 6
    assert np.array_equal(side.get_weights()[0], whole.get_weights()[0])


def test_two_fits_at_once_over_one_layer_that_learns_are_refused():
    shared = Dense(3)
    one, two = thalweg.Sequential([shared, Dense(1)]), thalweg.Sequential([shared, Dense(1)])
    for model in (one, two):
        model.compile("sgd", "mse")
    errors = []

    class Other(thalweg.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            def fit():
                try:
                    two.fit(X, Y, verbose=0)
                except ContractError as error:
                    errors.append(str(error))

            thread = threading.Thread(target=fit)
            thread.start()
            thread.join()

    one.fit(X, Y, verbose=0, callbacks=[Other()])
    assert len(errors) == 1
    assert "of which a fit runs" in errors[0]


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_copies_share_among_themselves_and_not_with_the_first(way):
    base = trained()
    top = extended(base, "sequence")
    top.compile("adam", "mse")
    top.fit(X, Y, verbose=0)
    pair = copy.deepcopy((base, top)) if way == "deepcopy" else pickle.loads(pickle.dumps((base, top)))
    before = base.get_weights()
    assert same(before, pair[0].get_weights())
    pair[1].fit(X, Y, verbose=0)
    assert same(pair[0].get_weights(), pair[1].get_weights())
    assert same(before, base.get_weights())
    assert not same(before, pair[0].get_weights())


def test_a_layer_shows_its_arrays_and_takes_others():
    model = trained()
    first = model.get_layer("first")
    assert [v.name for v in first.variables] == ["kernel", "bias"]
    assert np.array_equal(first.kernel.numpy(), model.get_weights()[0])
    first.kernel.assign(np.ones((4, 8)))
    first.bias.assign(np.zeros(8))
    assert model.get_weights()[0].tolist() == np.ones((4, 8)).tolist()
    assert [v.trainable for v in model.layers[1].variables] == [True, True, False, False]
    model.layers[1].set_weights([np.full(8, i) for i in (1.0, 2.0, 3.0, 4.0)])
    expected = (np.maximum(X.sum(-1, keepdims=True), 0) - 3) / np.sqrt(4 + 1e-3) + 2
    hidden = thalweg.Model(model.input, model.layers[1].output).predict(X)
    np.testing.assert_allclose(hidden, np.repeat(expected, 8, 1), rtol=1e-4, atol=1e-5)
    with pytest.raises(ContractError, match=r"first/kernel has shape \(4, 8\); the given array has \(8, 4\)"):
        first.kernel.assign(np.ones((8, 4)))
    with pytest.raises(ContractError, match="has 2 arrays; 1 were given"):
        first.set_weights([np.ones((4, 8))])
    assert Dense(3).get_weights() == []


def test_a_layer_that_was_built_for_other_inputs_says_so():
    layer = Dense(2)
    thalweg.Sequential([layer]).predict(np.ones((1, 3)))
    with pytest.raises(ContractError, match=r"needs an array kernel of shape \(5, 2\) here.*\n.*one of \(3, 2\)"):
        thalweg.Sequential([layer]).predict(np.ones((1, 5)))


def test_a_sequence_grows_and_keeps_what_it_has_learned():
    model = trained()
    before = model.get_weights()
    model.add(Dense(1))
    model.compile("sgd", "mse")
    model.build((None, 4))
    assert same(before, model.get_weights())
    assert model.predict(X).shape == (64, 1)
    model.pop()
    assert same(before, model.get_weights())


def test_a_layer_of_float64_is_read_in_float32_and_back():
    base = thalweg.Sequential([Input((4,)), Dense(3)])
    base.compile("sgd", "mse", precision="float64")
    base.fit(X, Y3, verbose=0)
    top = thalweg.Sequential([base, Dense(1)])
    top.compile("sgd", "mse")
    top.build((None, 4))
    assert np.array_equal(top.get_weights()[0], base.get_weights()[0].astype("float32"))
    top.fit(X, Y, verbose=0)
    assert np.array_equal(top.get_weights()[0].astype("float64"), base.get_weights()[0])


def test_networks_of_one_function_differ_and_each_process_draws_the_same(drawn_seeds):
    def made():
        thalweg.utils.set_random_seed(3)
        models = [thalweg.Sequential([Input((4,)), Dense(3)]) for _ in range(5)]
        return [m.get_weights()[0] for m in models], [m.seed for m in models]

    first, seeds = made()
    assert len({w.tobytes() for w in first}) == 5
    assert seeds[0] == 3
    again, _ = made()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    alone = thalweg.Sequential([Input((4,)), Dense(3)])
    alone.compile("sgd", "mse", seed=seeds[3])
    alone.build()
    assert np.array_equal(alone.get_weights()[0], first[3])


def test_networks_that_are_given_no_seed_validate_by_the_same_rows(drawn_seeds, tmp_path):
    def held_out(model):
        model.compile("sgd", "mse")
        history = model.fit(rows, rows, validation_split=0.2, verbose=0, epochs=1)
        del history
        return thalweg.data.split(len(rows), 0.2, seed=model.session.split_seed).validation.tolist()

    rows = np.arange(50, dtype="float32")[:, None] / 50
    one, two = (thalweg.Sequential([Input((1,)), Dense(1)]) for _ in range(2))
    assert held_out(one) == held_out(two)
    assert one.seed != two.seed
    assert held_out(thalweg.load_model(two.save(tmp_path / "two.tw"))) == held_out(two)


def test_layers_of_a_sequence_have_inputs_and_outputs_once_its_inputs_are_known():
    model = thalweg.Sequential([Dense(3), Dense(2)])
    with pytest.raises(AttributeError, match="has not been called on a node"):
        _ = model.layers[0].output
    z = model.predict(X)
    hidden = thalweg.Model(model.input, model.layers[0].output)
    assert np.array_equal(hidden.get_weights()[0], model.get_weights()[0])
    rest = hidden.predict(X) @ model.get_weights()[2] + model.get_weights()[3]
    np.testing.assert_allclose(rest, z, rtol=1e-5, atol=1e-6)
    model.add(Dense(1))
    assert thalweg.Model(model.input, model.output).predict(X).shape == (64, 1)
    assert [v.path for v in model.trainable_variables][-2:] == ["Dense/kernel", "Dense/bias"]
    assert len(trained().non_trainable_variables) == 2


def test_a_layer_that_is_a_default_is_each_object_s_own():
    class Block(thalweg.Module):
        inner: thalweg.Module = Dense(1)
        more: tuple[thalweg.Module, ...] = (Dense(1),)

        def __call__(self, cx, x):
            return self.inner(cx, x) + self.more[0](cx, x)

    one, two = thalweg.Sequential([Block()]), thalweg.Sequential([Block()])
    one.compile("sgd", "mse", seed=1)
    two.compile("sgd", "mse", seed=2)
    one.predict(X)
    before = [two.predict(X), two.get_weights()]
    assert not np.array_equal(one.get_weights()[0], before[1][0])
    one.fit(X, Y, verbose=0)
    assert np.array_equal(two.predict(X), before[0])
    assert Block() == Block()
    two.predict(X[:, :4])


def test_variables_stand_in_the_order_of_the_weights_however_old_their_layers_are():
    base = trained()
    top = thalweg.Sequential([Dense(4), base, Dense(1)])
    top.compile("sgd", "mse")
    top.fit(X, Y, verbose=0)
    assert same([v.numpy() for v in top.variables], top.get_weights())
    assert len(top.variables) == len(top.get_weights()) == len(top.module.get_weights())
    assert same(top.module.get_weights(), top.get_weights())
    assert [v.name for v in top.variables[:2]] == ["kernel", "bias"]
    assert top.variables[0].shape == (4, 4)


def test_the_layers_of_another_library_are_told_there():
    nnx = pytest.importorskip("flax.nnx")
    model = thalweg.Model(thalweg.bridge.FlaxNetwork(lambda seed: nnx.Linear(4, 1, rngs=nnx.Rngs(seed))))
    with pytest.raises(ContractError, match="another library"):
        model.trainable = False


def test_the_programs_of_a_generation_keep_no_arrays():
    """A leak: what compiled programs are kept by would hold the whole tree of the model."""
    gpt = thalweg.architectures.GPT(10, context=8, num_layers=1, num_heads=2, width=4)
    model = thalweg.Model(gpt)
    model.build_for(jnp.zeros((1, 8), "int32"))
    thalweg.architectures.generate(model, [[1, 2]], 3)
    place = weakref.ref(model.session.owned.place)
    del model, gpt
    gc.collect()
    assert place() is None
