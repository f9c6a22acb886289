"""Losses against NumPy, Keras and finite differences; at extreme values; and through jit, vmap and files."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.losses.rows import ROWS, example, softmax
from tests.peers import relaxed
from thalweg import losses
from thalweg.errors import ConfigError, ContractError
from thalweg.ops import crf
from thalweg.record import from_json, to_json

row_cases = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)


def by_rows(values):
    return values.reshape(len(values), -1).mean(1)


def float32(target, output):
    return jnp.asarray(target, jnp.float32 if target.dtype == float else jnp.int32), jnp.asarray(output, jnp.float32)


def test_every_loss_has_a_row():
    assert {type(row.loss) for row in ROWS} == set(losses.ALIASES)


@row_cases
def test_values_are_those_of_the_equation(row):
    y, z = example(row.loss, row.shape or ((6, 5) if row.pairs else (3, 4, 5)))
    got = jax.jit(row.loss)(*float32(y, z))
    np.testing.assert_allclose(got, by_rows(row.equation(y, z)), rtol=2e-5, atol=1e-6)
    with jax.enable_x64(True):
        exact = jax.jit(row.loss)(y, z)
        assert exact.dtype == jnp.float64
        np.testing.assert_allclose(exact, by_rows(row.equation(y, z)), rtol=1e-10, atol=1e-12)


@row_cases
def test_values_and_gradients_are_keras_s(row):
    if row.keras is None:
        pytest.skip("Keras has none; the equation and finite differences hold it")
    import keras

    name, settings = row.keras
    y, z = float32(*example(row.loss, row.shape or (6, 5)))
    link = jax.nn.softmax if row.keras_takes == "softmax" else lambda z: z
    with relaxed():
        twin = getattr(keras.losses, name)(**settings)
        value, gradient = jax.jit(jax.value_and_grad(lambda z: twin(y, link(z))))(z)
    ours, our_gradient = jax.jit(jax.value_and_grad(lambda z: jnp.mean(row.loss(y, z))))(z)
    np.testing.assert_allclose(ours, value, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(our_gradient, gradient, rtol=2e-5, atol=1e-6)


@row_cases
def test_gradient_is_that_of_finite_differences(row):
    y, z = example(row.loss, row.shape or (6, 5))
    step = 1e-5 * np.random.default_rng(1).normal(size=z.shape)
    with jax.enable_x64(True):
        run = jax.jit(jax.value_and_grad(lambda z: jnp.sum(row.loss(y, z))))
        slope = run(z + step)[0] - run(z - step)[0]
        np.testing.assert_allclose(2 * np.sum(run(z)[1] * step), slope, rtol=1e-6, atol=1e-13)


@row_cases
def test_extreme_outputs_stay_finite(row):
    y, z = float32(*example(row.loss, row.shape or (6, 5)))
    run = jax.jit(jax.value_and_grad(lambda z: jnp.sum(row.loss(y, z))))
    for extreme in (0 * z, 1e4 * jnp.sign(z), 1e4 * z, 1e4 * z[:, ::-1], -1e4 * z):  # wrong, right, and in between
        value, gradient = run(jnp.abs(extreme) if row.loss.target == "counts" else extreme)
        assert jnp.isfinite(value)
        assert jnp.isfinite(gradient).all()


@row_cases
def test_hyper_is_traced_once_and_means_the_field(row):
    y, z = float32(*example(row.loss, row.shape or (6, 5)))
    traces = []

    @jax.jit
    def run(hyper):
        traces.append(1)
        return row.loss(y, z, **hyper)

    hyper = {name: jnp.float32(v) for name, v in row.loss.hyper().items()}
    np.testing.assert_allclose(run(hyper), jax.jit(row.loss)(y, z), rtol=1e-6, atol=1e-6)
    for name in hyper:
        other = {**hyper, name: jnp.float32(0.05)}
        changed = dataclasses.replace(row.loss, **{name: 0.05})
        np.testing.assert_allclose(run(other), jax.jit(changed)(y, z), rtol=1e-5, atol=1e-6)
        assert not np.allclose(run(other), run(hyper), rtol=1e-4), f"{name} changes nothing"
    assert len(traces) == 1


@row_cases
def test_vmap_and_bfloat16(row):
    y, z = example(row.loss, row.shape or (6, 5))
    rounded = z.astype(jnp.bfloat16)
    y2, z2 = float32(np.stack([y, y]), np.stack([z, rounded.astype(float)]))
    half, many = jax.jit(lambda y, z, h: (row.loss(y[0], h), jax.vmap(row.loss)(y, z)))(y2, z2, jnp.asarray(rounded))
    np.testing.assert_allclose(many[0], by_rows(row.equation(y, z)), rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(half, many[1], rtol=1e-5, atol=1e-6)
    assert half.dtype == jnp.float32


@row_cases
def test_comes_back_from_json(row):
    assert from_json(json.loads(json.dumps(to_json(row.loss))), losses.ALLOWED) == row.loss
    assert eval(repr(row.loss), vars(losses)) == row.loss
    assert hash(row.loss) == hash(from_json(to_json(row.loss), losses.ALLOWED))


def test_ctc_reads_only_the_real_steps_and_counts_a_row_once():
    z = jnp.asarray(np.random.default_rng(1).normal(size=(2, 5, 4)), jnp.float32)
    y, mask = jnp.array([[1, 3, -1], [2, -1, -1]]), jnp.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    loss = losses.CTC()
    assert loss.whole
    got = jax.jit(lambda z: loss(y, z, mask=mask))(z)
    np.testing.assert_allclose(got[0], loss(y[:1], z[:1, :3])[0], rtol=1e-6)
    np.testing.assert_allclose(got[1], loss(y, z)[1], rtol=1e-6)


def test_a_crf_s_loss_is_that_of_its_real_steps():
    psi = jnp.asarray(np.random.default_rng(1).normal(size=(3, 5, 3, 3)), jnp.float32)
    y = jnp.array([[1, 2, 0, 1, 2], [2, 2, 1, 0, 0], [0, 1, 2, 0, 1]])
    mask = jnp.asarray(np.arange(5) < np.array([[3], [5], [0]]))
    loss = jax.jit(losses.CRFNegativeLogLikelihood())
    got = loss(y, psi, mask=mask)
    np.testing.assert_allclose(got[0], loss(y[:1, :3], psi[:1, :3])[0], rtol=1e-5)
    np.testing.assert_allclose(got[1], loss(y, psi)[1], rtol=1e-6)
    assert got[2] == 0
    np.testing.assert_allclose(loss(jnp.where(mask, y, -1), psi), got, rtol=1e-6)
    padded = crf.without(psi, mask)
    np.testing.assert_allclose(loss(y, padded), got, rtol=1e-6)
    np.testing.assert_array_equal(losses.CRFNegativeLogLikelihood().kept(y, padded, None), mask)


@pytest.mark.parametrize(
    ("loss", "target", "output"),
    [
        (losses.CTC(), (2, 3), (2, 5)),
        (losses.CTC(), (2,), (2, 5, 4)),
        (losses.CRFNegativeLogLikelihood(), (2, 5), (2, 5, 3)),
        (losses.CRFNegativeLogLikelihood(), (2, 4), (2, 5, 3, 3)),
    ],
)
def test_sequences_that_do_not_fit_are_refused(loss, target, output):
    with pytest.raises(ContractError, match=r"\n  (Give one row of labels|End the network in CRF)"):
        loss(np.zeros(target, int), np.zeros(output, np.float32))


def test_a_mask_leaves_positions_out_of_a_row_s_mean():
    y, p = jnp.zeros((2, 3)), jnp.array([[1.0, 2.0, 9.0], [2.0, 2.0, 2.0]])
    mask = jnp.array([[True, True, False], [False, False, False]])
    assert losses.MeanSquaredError()(y, p, mask=mask).tolist() == [2.5, 0.0]


def test_cross_entropies_are_exact_where_a_probability_would_round():
    z = jnp.array([[0.0, 100.0], [0.0, 20.0]])
    sparse = jax.jit(losses.SparseCategoricalCrossentropy())
    np.testing.assert_allclose(sparse(jnp.array([0, 0]), z), [100.0, 20.0], rtol=1e-7)
    binary = jax.jit(losses.BinaryCrossentropy())
    np.testing.assert_allclose(
        binary(jnp.array([1, 0, 1]), jnp.array([30.0, 30.0, -1e4])), [np.exp(-30), 30, 1e4], rtol=1e-6
    )
    gradient = jax.grad(lambda z: jnp.sum(binary(jnp.array([1, 0]), z)))(jnp.array([0.0, 0.0]))
    np.testing.assert_array_equal(gradient, [-0.5, 0.5])


def test_a_perfect_prediction_stays_where_it_is():
    y = jnp.array([[1.0, -2.0]])
    kinds = (losses.MeanSquaredError, losses.MeanAbsoluteError, losses.MeanAbsolutePercentageError)
    for kind in (*kinds, losses.Huber, losses.LogCosh):
        np.testing.assert_array_equal(jax.jit(jax.grad(lambda p, kind=kind: jnp.sum(kind()(y, p))))(y), 0)


def test_sparse_is_dense_of_one_hot_rows():
    y, z = float32(*example(losses.SparseCategoricalCrossentropy(), (8, 3, 7)))
    for e in (0.0, 0.1):
        dense = jax.jit(losses.CategoricalCrossentropy(label_smoothing=e))(np.eye(7)[y], z)
        sparse = jax.jit(losses.SparseCategoricalCrossentropy(label_smoothing=e))(y, z)
        np.testing.assert_allclose(sparse, dense, rtol=1e-5)


def test_sparse_cross_entropy_keeps_no_one_hot_array():
    y, z = jnp.zeros(64, jnp.int32), jnp.zeros((64, 20_000))

    def loss(z, y):
        return jnp.mean(losses.SparseCategoricalCrossentropy()(y, z))

    compiled = jax.jit(jax.value_and_grad(loss)).lower(z, y).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < z.nbytes / 10


def test_ignored_labels_count_for_nothing():
    z = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 5)), jnp.float32)
    y = jnp.array([[0, 1, -1, -1], [4, 3, 2, 1], [-1, -1, -1, -1]])
    loss = jax.jit(losses.SparseCategoricalCrossentropy(ignore_class=-1))
    p = softmax(np.asarray(z, np.float64))
    want = [-np.log(p[0, [0, 1], [0, 1]]).mean(), -np.log(p[1, range(4), [4, 3, 2, 1]]).mean(), 0]
    np.testing.assert_allclose(loss(y, z), want, rtol=1e-5)
    gradient = np.asarray(jax.grad(lambda z: jnp.sum(loss(y, z)))(z))
    np.testing.assert_array_equal(gradient[0, 2:], 0)
    np.testing.assert_array_equal(gradient[2], 0)
    assert np.abs(gradient[0, :2]).min() > 0


def test_ignored_labels_are_keras_s_where_rows_ignore_alike():
    import keras

    z = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 5)), jnp.float32)
    y = jnp.array([[0, 9, 1, 2], [9, 3, 2, 1], [0, 0, 9, 4]])
    with relaxed():
        value = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=9)(y, z)
    np.testing.assert_allclose(losses.SparseCategoricalCrossentropy(ignore_class=9)(y, z).mean(), value, rtol=1e-6)


@pytest.mark.parametrize("kind", [losses.TripletSemiHard, losses.TripletHard])
def test_padded_rows_are_not_mined(kind):
    y, e = float32(*example(kind(), (8, 5)))
    weight = jnp.array([1, 1, 1, 1, 1, 1, 0, 0], jnp.float32)
    run = jax.jit(kind())
    alone = np.asarray(run(y[:6], e[:6]))
    np.testing.assert_allclose(np.asarray(run(y, e, weight=weight))[:6], alone, rtol=1e-6)
    assert not np.allclose(np.asarray(run(y, e))[:6], alone)


def test_softmax_end_and_kl_at_zero_probability():
    assert losses.KLDivergence()([[0.0, 1.0]], [[0.0, 1e4]]).tolist() == [0.0]


@pytest.mark.parametrize(
    ("loss", "target", "output"),
    [
        (losses.MeanSquaredError(), (8, 1), (8, 5)),
        (losses.MeanSquaredError(), (8,), (8, 5)),
        (losses.MeanSquaredError(), (1, 1), (8, 1)),
        (losses.BinaryCrossentropy(), (5,), (8, 5)),
        (losses.SparseCategoricalCrossentropy(), (8, 5), (8, 5)),
        (losses.SparseCategoricalCrossentropy(), (5,), (8, 5)),
        (losses.CategoricalCrossentropy(), (8,), (8, 5)),
        (losses.TripletHard(), (8, 2), (8, 5)),
    ],
)
def test_a_broadcast_is_refused(loss, target, output):
    with pytest.raises(ContractError, match=r"Give (one target|integers)"):
        loss(np.zeros(target), np.zeros(output, np.float32))


def test_one_column_may_be_left_out_of_either_side():
    loss, y, p = losses.MeanSquaredError(), np.array([1.0, 2.0]), np.array([3.0, 5.0])
    for target, output in ((y, p), (y, p[:, None]), (y[:, None], p), (y[:, None], p[:, None])):
        assert loss(target, output).tolist() == [4.0, 9.0]
    assert losses.SparseCategoricalCrossentropy()(np.array([[1.0], [0.0]]), np.zeros((2, 2))).shape == (2,)


def test_names_classes_records_and_functions():
    assert losses.loss("MSE") == losses.loss("MeanSquaredError") == losses.loss(losses.MeanSquaredError)
    for name in ("bce", "kld", "mape", "msle", "mae", "sparse_categorical_crossentropy", "huber", "log_cosh"):
        assert isinstance(losses.loss(name), losses.Loss)
    with pytest.raises(ConfigError, match="Did you mean 'categorical_crossentropy'"):
        losses.loss("categorical_crossentropi")
    with pytest.raises(ConfigError, match="Write loss="):
        losses.loss(3)


def test_every_keras_name_of_a_listed_loss_resolves():
    import keras

    for kind in losses.ALIASES:
        twin = getattr(keras.losses, kind.__name__, None)
        if twin is not None:
            assert type(losses.loss(twin().name)) is kind


def test_a_function_becomes_a_loss():
    def cubed(target, output):
        return jnp.abs(output - target) ** 3

    loss = losses.loss(cubed)
    assert loss(jnp.zeros((2, 2)), jnp.array([[1.0, 2.0], [0.0, 2.0]])).tolist() == [4.5, 4.0]
    assert loss == losses.loss(cubed)
    assert hash(loss) == hash(losses.loss(cubed))
    assert loss != losses.loss(lambda y, p: y)
    assert loss.link is None
    assert loss.hyper() == {}
    assert losses.loss(lambda y, p: jnp.mean(p))(jnp.zeros(3), jnp.array([1.0, 2.0, 6.0])).tolist() == [3, 3, 3]
    with pytest.raises(ContractError, match="Return one number for each row"):
        losses.loss(lambda y, p: p[:2])(jnp.zeros(3), jnp.zeros(3))
    with pytest.raises(ConfigError, match="cannot be stored"):
        to_json(loss)


def test_settings_out_of_range_and_unknown_numbers_are_refused():
    for make in (lambda: losses.BinaryCrossentropy(label_smoothing=1.2), lambda: losses.Huber(delta=0.0)):
        with pytest.raises(ConfigError, match="must be a number"):
            make()
    with pytest.raises(ConfigError, match="Did you mean 'delta'"):
        losses.Huber()(jnp.zeros(1), jnp.zeros(1), dleta=1.0)


def test_hyper_leaves_out_what_is_off():
    assert losses.SparseCategoricalCrossentropy().hyper() == {}
    assert losses.SparseCategoricalCrossentropy(label_smoothing=0.1).hyper() == {"label_smoothing": 0.1}
    assert losses.CategoricalFocalCrossentropy([0.1, 0.9]).hyper() == {"gamma": 2.0}


@pytest.mark.parametrize("size", [1.0, 1e14, 1e20, 1e30, 3e38])
def test_directions_of_large_numbers_are_exact(size):
    """Their squares overflow, and a similarity over an infinite length was 0; so was what reached them."""
    rng = np.random.default_rng(0)
    y, p = (jnp.float32(rng.uniform(-1, 1, size=(5, 4)) * size) for _ in range(2))
    found, gradient = jax.value_and_grad(lambda p: losses.CosineSimilarity().values(y, p).sum())(p)
    a, b = (np.asarray(v, np.float64) / size for v in (y, p))
    a, length = a / np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    b = b / length
    along = (a * b).sum(1, keepdims=True)
    np.testing.assert_allclose(found, -along.sum(), rtol=1e-5)
    if size < 1e38:  # the gradient is of the size 1 / size, no normal float32
        np.testing.assert_allclose(np.float64(gradient) * size, (along * b - a) / length, rtol=1e-4, atol=1e-6)
