"""What attention makes of masks, several inputs and its settings; the equations are in the contract battery."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.contract.rows.attention import to_keras
from tests.peers import relaxed
from thalweg import core, layers, random
from thalweg.errors import ConfigError, ContractError
from thalweg.layers import (
    AdditiveAttention,
    Attention,
    GroupQueryAttention,
    MultiHeadAttention,
    PositionEmbedding,
    RotaryEmbedding,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)

RNG = np.random.default_rng(0)
Q, V, K = (jnp.asarray(RNG.normal(size=s), jnp.float32) for s in ((2, 3, 6), (2, 4, 5), (2, 4, 5)))
PADDED = jnp.array([[True, True, True, True], [True, True, False, False]])
OF_QUERY = jnp.array([[True, True, True], [True, False, False]])


class Masked(core.Module):
    """A layer called with masked inputs; it returns the mask of what comes out too."""

    layer: core.Module
    inputs: str = "apart"
    settings: tuple = ()

    def __call__(self, cx, x):
        q, v, *rest = x
        q, v = cx.masked(q, OF_QUERY), cx.masked(v, PADDED)
        given = ([q, v, *rest],) if self.inputs == "list" else (q, v, *rest)
        y = self.layer(cx, *given, **dict(self.settings))
        first = y[0] if isinstance(y, tuple) else y
        return y, cx.mask_of(first)


def run(layer, *x, inputs="apart", **settings):
    module = Masked(layer, inputs, tuple(settings.items()))
    params, state = core.init(module, random.key(0), x)
    return core.apply(module, params, state, x)[0], {k: np.asarray(v) for k, v in params.get("layer", {}).items()}


@pytest.mark.parametrize("layer", [Attention(), AdditiveAttention(use_scale=False)], ids=repr)
def test_masks_of_one_head_as_keras(layer):
    v = jnp.asarray(RNG.normal(size=(2, 4, 6)), jnp.float32)
    ((y, p), mask), _ = run(layer, Q, v, inputs="list", return_attention_scores=True)
    with relaxed():
        twin = getattr(keras.layers, type(layer).__name__)(use_scale=False)
        expected, scores = twin([Q, v], mask=[OF_QUERY, PADDED], return_attention_scores=True)
    real = np.asarray(OF_QUERY)
    assert_allclose(np.asarray(y)[real], np.asarray(expected)[real], rtol=1e-4, atol=1e-5)
    assert_allclose(np.asarray(p)[real], np.asarray(scores)[real], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mask, OF_QUERY)


def test_several_heads_over_another_sequence_as_keras():
    seen = jnp.asarray(RNG.random((2, 3, 4)) < 0.7).at[:, :, 0].set(True)
    given = (Q, V, K, seen)
    ((y, p), mask), w = run(MultiHeadAttention(2, 3, 4), *given, return_attention_scores=True)
    with relaxed():
        twin = keras.layers.MultiHeadAttention(2, 3, 4)
        twin(Q, V, K, return_attention_scores=True)  # the formula: values are wider than keys
        twin.set_weights(to_keras(w, 2, 3, 4))
        expected, scores = twin(Q, V, K, value_mask=PADDED, attention_mask=seen, return_attention_scores=True)
    assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(p, scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mask, OF_QUERY)


def test_without_scores_it_is_the_same():
    layer = GroupQueryAttention(3, 4, 2)
    (plain, _), _ = run(layer, Q, V)
    ((y, _), _), _ = run(layer, Q, V, return_attention_scores=True)
    assert_allclose(plain, y, rtol=1e-4, atol=1e-6)


def test_a_causal_call_and_a_causal_layer_are_one():
    (called, _), _ = run(MultiHeadAttention(2, 3), Q, V, use_causal_mask=True)
    (made, _), _ = run(MultiHeadAttention(2, 3, causal=True), Q, V)
    (free, _), _ = run(MultiHeadAttention(2, 3), Q, V)
    np.testing.assert_array_equal(called, made)
    assert not np.allclose(called, free)


def test_dropped_weights_are_zero_and_the_rest_scaled_up():
    layer = Attention(dropout=0.5)
    x = (jnp.zeros((2, 300, 4)), jnp.ones((2, 8, 4)))
    _, state = core.init(layer, random.key(0), x)
    assert float(state["hyper"]["dropout"]) == 0.5
    y, _ = core.apply(layer, {}, state, x, key=random.key(1), train=True)
    kept = np.asarray(y) * 4  # of 8 equal weights, each kept with probability 1/2 and doubled
    assert_allclose(kept, np.round(kept), atol=1e-5)
    assert 3.8 < kept.mean() < 4.2
    assert_allclose(core.apply(layer, {}, state, x)[0], np.ones((2, 300, 4)), rtol=1e-6)


@pytest.mark.parametrize("first", [False, True], ids=["norms last", "norms first"])
def test_padding_changes_nothing_in_a_block(first):
    encoder, decoder = (c(8, 2, norm_first=first) for c in (TransformerEncoderBlock, TransformerDecoderBlock))

    class Both(core.Module):
        embedding: core.Module
        encoder: core.Module
        decoder: core.Module

        def __call__(self, cx, tokens):
            x = self.embedding(cx, tokens)
            memory = self.encoder(cx, x)
            y = self.decoder(cx, (memory, memory))
            return y, cx.mask_of(memory), cx.mask_of(y)

    network = Both(layers.Embedding(9, 6, "random_normal", mask_zero=True), encoder, decoder)
    tokens = jnp.array([[3, 4, 5, 6], [7, 8, 0, 0]])
    params, _ = core.init(network, random.key(0), tokens)
    (y, *masks), _ = core.apply(network, params, {}, tokens)
    (short, *_), _ = core.apply(network, params, {}, tokens[1:, :2])
    assert_allclose(y[1, :2], short[0], rtol=1e-4, atol=1e-5)
    for mask in masks:
        np.testing.assert_array_equal(mask, tokens != 0)


def test_the_parts_of_a_block_have_places_and_rows_in_the_summary():
    block = layers.Sequential([TransformerEncoderBlock(8, 2, dropout=0.1), layers.Dense(3)])
    params, state = core.init(block, random.key(0), jnp.ones((1, 3, 6)))
    assert list(params["layers"]["0"]) == ["attention", "attention_norm", "up", "down", "feed_forward_norm"]
    assert list(params["layers"]["0"]["attention"]) == [
        "query_key_value_kernel", "query_key_value_bias", "output_kernel", "output_bias",
    ]  # fmt: skip
    assert list(state["hyper"]["layers"]["0"]) == ["attention_dropout", "feed_forward_dropout"]
    from thalweg.core.summary import summary

    found = summary(block, jnp.ones((1, 3, 6)))
    assert sum(r.parameters for r in found.rows) == found.trainable
    assert "layers.0" not in [r.path for r in found.rows]


def test_each_projection_begins_as_if_it_stood_alone():
    params, _ = core.init(MultiHeadAttention(2, 30, 10), random.key(0), jnp.ones((1, 3, 40)))
    for part in np.split(np.asarray(params["query_key_value_kernel"]), [60, 120], axis=1):
        limit = np.sqrt(6 / (part.shape[0] + part.shape[1]))
        assert 0.95 * limit < np.abs(part).max() <= limit
    assert not np.asarray(params["query_key_value_bias"]).any()


def test_rotary_attention_sees_distances_alone():
    layer = MultiHeadAttention(2, 4, rotary=RotaryEmbedding())
    x = jnp.asarray(RNG.normal(size=(1, 4, 6)), jnp.float32)
    params, _ = core.init(layer, random.key(0), x)

    class Later(core.Module):
        layer: core.Module

        def __call__(self, cx, x):
            cache = self.layer.start_cache(1, 9)
            return layers.common.call_method(cx, self.layer, "step", x, cache, jnp.array([0]))[0]

    y, _ = core.apply(layer, params, {}, x)
    causal, _ = core.apply(Later(layer), {"layer": params}, {}, x)
    assert_allclose(causal[:, -1], y[:, -1], rtol=1e-4, atol=1e-5)
    moved = layers.RotaryEmbedding()
    a, b = (jnp.asarray(RNG.normal(size=(1, 1, 1, 4)), jnp.float32) for _ in range(2))

    def product(s, t):
        turned = [core.apply(Two(moved), {}, {}, (z, jnp.array([[n]])))[0] for z, n in ((a, s), (b, t))]
        return float((turned[0] * turned[1]).sum())

    assert product(2, 5) == pytest.approx(product(40, 43), rel=1e-4)
    assert product(2, 5) != pytest.approx(product(2, 6), rel=1e-3)


class Two(core.Module):
    layer: core.Module

    def __call__(self, cx, x):
        return self.layer(cx, *x)


def test_what_does_not_fit():
    wrong = [
        (Attention(), Q, r"it takes a list.*Write layer\(\[query, value\]\)"),
        (TransformerDecoderBlock(4, 2), Q, r"Write block\(\[x, memory\]\)"),
        (TransformerEncoderBlock(4, 4), Q, "splits 6 features into 4 heads.*divisor of 6"),
        (GroupQueryAttention(2, 4, 3), Q, "4 heads of queries cannot share 3 heads of keys"),
        (PositionEmbedding(2), Q, "has 2 positions; a sequence of 3 steps came.*sequence_length=3"),
        (MultiHeadAttention(2, 3, rotary=RotaryEmbedding()), Q, "pairs of features; a head has 3"),
        (MultiHeadAttention(2, 3), Q[0], r"needs \[batch, time, features\]"),
    ]
    for layer, x, message in wrong:
        with pytest.raises(ContractError, match=f"(?s){message}"):
            core.init(layer, random.key(0), x)
    with pytest.raises(ContractError, match=r"attention_mask must be \[batch, queries, keys\]"):
        run(MultiHeadAttention(2, 3), Q, V, V, PADDED)
    with pytest.raises(ConfigError, match="score_mode must be 'dot' or 'concat'; it is 'general'"):
        Attention(score_mode="general")
    with pytest.raises(ConfigError, match="num_heads must be a whole number"):
        MultiHeadAttention(0, 3)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["norms first", "norms last"])
def test_layers_computed_as_one_give_what_each_gives_alone(activation, norm_first):
    block = TransformerEncoderBlock(96, 4, 0.0, activation, norm_first, causal=True)
    x = jnp.asarray(RNG.normal(size=(5, 40, 64)), jnp.float32)
    params, state = core.init(block, random.key(0), x)

    def loss(params, x, capture):
        y, _ = core.apply(block, params, state, x, capture=capture)
        return jnp.sum(jnp.sin(y)), y

    def both(capture):
        return jax.jit(lambda p, x: jax.value_and_grad(loss, (0, 1), has_aux=True)(p, x, capture))(params, x)

    (_, together), at_once = both(None)
    (_, apart), one_by_one = both(core.Capture())
    np.testing.assert_array_equal(together, apart)
    for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(one_by_one), strict=True):
        assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


@pytest.mark.parametrize("layer", [MultiHeadAttention(2, 3), GroupQueryAttention(3, 4, 2, use_bias=False)], ids=repr)
def test_a_layer_is_called_with_one_sequence_or_two_whichever_it_began_with(layer):
    class Both(core.Module):
        layer: core.Module
        alone: bool

        def __call__(self, cx, x):
            return self.layer(cx, x) if self.alone else self.layer(cx, x, x + 0)  # another array of the same numbers

    x = jnp.asarray(RNG.normal(size=(2, 5, 6)), jnp.float32)
    for began in (True, False):
        params, _ = core.init(Both(layer, began), random.key(0), x)
        assert ("query_key_value_kernel" in params["layer"]) is began
        same, other = (core.apply(Both(layer, alone), params, {}, x)[0] for alone in (began, not began))
        assert_allclose(same, other, rtol=1e-5, atol=1e-6)


def test_self_attention_takes_a_mask_of_each_head():
    layer, x = MultiHeadAttention(4, 16), jnp.asarray(RNG.normal(size=(2, 40, 32)), jnp.float32)
    params, _ = core.init(layer, random.key(0), x)
    mask = jnp.asarray(RNG.random((2, 4, 40, 40)) < 0.5).at[..., 0].set(True)

    def run(scores):
        class Masking(core.Module):
            layer: core.Module

            def __call__(self, cx, x):
                return self.layer(cx, x, attention_mask=mask, return_attention_scores=scores)

        return core.apply(Masking(layer), {"layer": params}, {}, x)[0]

    assert_allclose(run(False), run(True)[0], rtol=1e-4, atol=1e-5)
