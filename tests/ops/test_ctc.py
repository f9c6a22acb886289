"""CTC against the sum over all alignments in NumPy, PyTorch, Keras and finite differences; and its decoders."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import ContractError
from thalweg.ops.ctc import IMPOSSIBLE, ctc
from thalweg.ops.ctc_decode import ctc_beam, ctc_greedy


def log_softmax(z):
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


def said(alignment, blank):
    merged = [k for k, _ in itertools.groupby(alignment)]
    return tuple(k for k in merged if k != blank)


def every(z, blank=0):
    """The probability of each label sequence under logits [time, classes]: all alignments, one by one."""
    p, out = np.exp(log_softmax(z)), {}
    for alignment in itertools.product(range(z.shape[1]), repeat=len(z)):
        labels = said(alignment, blank)
        out[labels] = out.get(labels, 0) + np.prod([p[t, k] for t, k in enumerate(alignment)])
    return out


def example(batch=6, time=5, classes=4, n=3, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(batch, time, classes)) * 2
    labels = np.array([[1, 2, 3], [1, 1, 2], [2, 2, 2], [3, -1, -1], [-1, -1, -1], [2, 3, -1]], np.int32)[:batch, :n]
    steps = np.array([5, 4, 5, 2, 3, 4])[:batch]
    return z, labels, steps


def mask_of(steps, time):
    return np.arange(time) < steps[:, None]


@pytest.mark.parametrize("blank", [0, 3])
def test_the_loss_is_that_of_all_alignments(blank):
    z, labels, steps = example()
    if blank:
        labels = np.where(labels >= 0, labels - 1, labels)
    with jax.enable_x64(True):
        got = jax.jit(ctc, static_argnums=3)(z, labels, jnp.asarray(mask_of(steps, 5)), blank)
    for row in range(len(z)):
        want = every(z[row, : steps[row]], blank)[tuple(k for k in labels[row] if k >= 0)]
        np.testing.assert_allclose(got[row], -np.log(want), rtol=1e-12)


def test_a_row_ends_before_its_first_blank_as_in_keras():
    z, labels, _ = example()
    z32 = jnp.asarray(z, jnp.float32)
    np.testing.assert_array_equal(ctc(z32, jnp.asarray(labels)), ctc(z32, jnp.asarray(np.maximum(labels, 0))))


@pytest.mark.parametrize("time", [7, 60])
def test_values_and_gradients_are_torch_s(time):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own: pip install 'thalweg[torch]'")
    rng = np.random.default_rng(1)
    z = rng.normal(size=(4, time, 6)) * 3
    labels, counts, steps = rng.integers(1, 6, (4, 3)), np.array([3, 2, 1, 0]), np.array([time, time - 1, time // 2, 5])
    labels[0] = 2
    zt = torch.tensor(z, requires_grad=True)
    log_p = zt.log_softmax(-1).transpose(0, 1)
    loss = torch.nn.functional.ctc_loss(log_p, torch.tensor(labels), steps.tolist(), counts.tolist(), reduction="none")
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    (loss * torch.tensor(weights)).sum().backward()
    padded = np.where(np.arange(3) < counts[:, None], labels, -1)
    with jax.enable_x64(True):
        real = jnp.asarray(mask_of(steps, time))
        ours = jax.jit(ctc)(z, padded, real)
        gradient = jax.jit(jax.grad(lambda z: jnp.sum(ctc(z, jnp.asarray(padded), real) * weights)))(z)
    np.testing.assert_allclose(ours, loss.detach(), rtol=1e-12)
    np.testing.assert_allclose(gradient, zt.grad, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.asarray(gradient)[2, steps[2] :], 0)


def test_the_gradient_is_that_of_finite_differences_and_of_float64():
    z, labels, steps = example()
    real, step = jnp.asarray(mask_of(steps, 5)), 1e-5 * np.random.default_rng(2).normal(size=z.shape)
    with jax.enable_x64(True):
        run = jax.jit(jax.value_and_grad(lambda z: jnp.sum(ctc(z, jnp.asarray(labels), real))))
        np.testing.assert_allclose(2 * np.sum(run(z)[1] * step), run(z + step)[0] - run(z - step)[0], rtol=1e-7)
        exact = np.asarray(run(z)[1])
    half = jax.grad(lambda z: jnp.sum(ctc(z, jnp.asarray(labels), real)))(jnp.asarray(z, jnp.float32))
    np.testing.assert_allclose(half, exact, atol=2e-6)


def test_impossible_labels_have_a_finite_loss_and_no_gradient():
    z, labels = jnp.zeros((3, 2, 4)), jnp.array([[1, 2, 3], [1, 1, -1], [1, 2, -1]])
    value, gradient = jax.jit(jax.value_and_grad(lambda z: jnp.sum(ctc(z, labels)[:2])))(z)
    assert value == 2 * IMPOSSIBLE
    np.testing.assert_array_equal(gradient, 0)
    np.testing.assert_allclose(ctc(z, labels)[2], 2 * np.log(4), rtol=1e-6)
    none = jnp.zeros((3, 2), bool)
    np.testing.assert_array_equal(ctc(z, jnp.array([[1], [-1], [2]]), none), [IMPOSSIBLE, 0, IMPOSSIBLE])


def test_confident_and_wrong_stays_finite():
    z = 1e4 * jax.nn.one_hot(jnp.array([[3, 3, 3, 3, 3]]), 4)
    value, gradient = jax.value_and_grad(lambda z: jnp.sum(ctc(z, jnp.array([[1, 2]]))))(z)
    np.testing.assert_allclose(value, 5e4, rtol=1e-4)
    assert jnp.isfinite(gradient).all()
    assert jnp.abs(gradient).max() > 0.5


def test_bfloat16_is_computed_in_float32():
    z, labels, _ = example()
    rounded = jnp.asarray(z, jnp.bfloat16)
    assert ctc(rounded, jnp.asarray(labels)).dtype == jnp.float32
    np.testing.assert_allclose(
        ctc(rounded, jnp.asarray(labels)), ctc(rounded.astype(jnp.float32), jnp.asarray(labels)), rtol=1e-6
    )


def test_greedy_merges_and_leaves_blanks_out():
    for blank in (0, 2):
        z, _, steps = example(seed=3)
        got = jax.jit(ctc_greedy, static_argnames="blank")(
            jnp.asarray(z, jnp.float32), jnp.asarray(mask_of(steps, 5)), blank=blank
        )
        for row in range(len(z)):
            want = said(z[row, : steps[row]].argmax(-1), blank)
            assert tuple(int(k) for k in got[row] if k >= 0) == want
            assert (np.asarray(got[row, len(want) :]) == -1).all()
        np.testing.assert_array_equal(ctc_greedy(jnp.asarray(z, jnp.float32), steps, blank=blank), got)


@pytest.mark.parametrize("blank", [0, 3])
def test_a_wide_beam_finds_the_best_of_all_labels(blank):
    z, _, steps = example()
    labels, scores = ctc_beam(z, steps, beam_width=1000, top_paths=4, blank=blank)
    for row in range(len(z)):
        all_labels = sorted(every(z[row, : steps[row]], blank).items(), key=lambda item: -item[1])[:4]
        for i, (want, p) in enumerate(all_labels):
            assert tuple(k for k in labels[row, i] if k >= 0) == want
            np.testing.assert_allclose(scores[row, i], np.log(p), rtol=1e-9)


def test_a_beam_is_keras_s():
    import keras

    rng = np.random.default_rng(5)
    z, steps = rng.normal(size=(3, 8, 4)).astype(np.float32) * 2, np.array([8, 6, 3])
    with relaxed():
        paths, scores = keras.ops.ctc_decode(z, steps, "beam_search", beam_width=50, top_paths=3, mask_index=0)
        greedy, _ = keras.ops.ctc_decode(z, steps, "greedy", mask_index=0)
    ours, log_p = ctc_beam(z, steps, beam_width=50, top_paths=3)
    np.testing.assert_array_equal(ours, np.asarray(paths).transpose(1, 0, 2))
    np.testing.assert_allclose(log_p, scores, rtol=1e-4)
    np.testing.assert_array_equal(ctc_greedy(jnp.asarray(z), steps), np.asarray(greedy)[0])


def test_a_narrow_beam_is_no_better_and_no_worse_than_its_width():
    z, _, _ = example()
    best = [max(every(row).values()) for row in z]
    narrow, wide = (np.exp(ctc_beam(z, beam_width=width)[1][:, 0]) for width in (1, 60))
    assert (narrow <= wide + 1e-12).all()
    np.testing.assert_allclose(wide, best, rtol=0.05)


def test_fewer_sequences_than_asked_for():
    labels, scores = ctc_beam(np.zeros((1, 1, 2)), top_paths=3)
    assert labels.tolist() == [[[-1], [1], [-1]]]
    np.testing.assert_allclose(scores, [[np.log(0.5), np.log(0.5), -np.inf]])
    labels, scores = ctc_beam(np.zeros((1, 2, 2)), np.array([0]))
    assert labels.tolist() == [[[-1, -1]]]
    assert scores.tolist() == [[0.0]]


def test_what_cannot_be_decoded_is_refused():
    with pytest.raises(ContractError, match=r"probabilities\.\n  Write ctc_beam\(np\.log\(p\)"):
        ctc_beam(np.full((1, 3, 4), 0.25))
    with pytest.raises(ContractError, match=r"top_paths=3 of beam_width=2 .*\n  Write 1 or more"):
        ctc_beam(np.zeros((1, 3, 4)), beam_width=2, top_paths=3)
    with pytest.raises(ContractError, match=r"mask has shape \(1, 2\); .*\n  Give True for each real step"):
        ctc_greedy(np.zeros((1, 3, 4), np.float32), np.ones((1, 2), bool))
