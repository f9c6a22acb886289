"""What a model says step by step, from its cache, is what it says of the whole sequence at once."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg import architectures, core, layers, random
from thalweg.errors import ConfigError, ContractError

RNG = np.random.default_rng(0)
WORDS, TIME = 11, 7
TOKENS = jnp.asarray(RNG.integers(1, WORDS, (3, TIME)), jnp.int32)
SOURCE = jnp.asarray(RNG.integers(1, WORDS, (3, 5)) * (np.arange(5) < [[5], [3], [4]]), jnp.int32)

ALONE = [
    architectures.GPT(WORDS, TIME, 2, 2, 8),
    architectures.GPT(WORDS, TIME, 1, 2, 8, tied=True),
    architectures.RecurrentLM(WORDS, (layers.LSTM(5), layers.LSTM(4)), embedding_dim=3),
    architectures.RecurrentLM(WORDS, (layers.SimpleRNN(4),), tied=True),
]
AFTER = [
    architectures.Transformer(WORDS, num_layers=2, num_heads=2, width=8),
    architectures.Transformer(WORDS, num_layers=1, num_heads=2, width=8, norm_first=False, tied=True),
    architectures.Seq2Seq(WORDS, units=4, num_layers=2, mask_zero=False),
    architectures.Seq2Seq(WORDS, units=4, attention=layers.Attention(), mask_zero=False),
]


@functools.partial(jax.jit, static_argnums=0)
def whole_of(model, params, x):
    """The logits of whole sequences."""
    return core.apply(core.split_activation(model)[0], params, {}, x)[0]


@functools.partial(jax.jit, static_argnums=0)
def step_of(model, params, tokens, cache):
    return architectures.called(model, params, "step", tokens, cache)


def made(model, x):
    params, _ = core.init(model, random.key(0), x)
    noise = np.random.default_rng(1)
    params = jax.tree.map(lambda a: a + noise.normal(scale=0.2, size=a.shape).astype(a.dtype), params)
    return params, whole_of(model, params, x)


def in_steps(model, params, pieces, source=None):
    cache = architectures.called(model, params, "start", 3, TIME, source)
    found = []
    for piece in pieces:
        y, cache = step_of(model, params, piece, cache)
        found.append(y)
    assert cache.length.tolist() == [TIME] * 3
    return jnp.concatenate(found, axis=1)


def pieces(*sizes):
    cuts = np.cumsum(sizes)[:-1].tolist()
    return jnp.split(TOKENS, cuts, axis=1)


@pytest.mark.parametrize("sizes", [[1] * TIME, [3, 1, 1, 2]], ids=["one by one", "in pieces"])
@pytest.mark.parametrize("model", ALONE, ids=repr)
def test_steps_equal_the_whole(model, sizes):
    params, whole = made(model, TOKENS)
    assert_allclose(in_steps(model, params, pieces(*sizes)), whole, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("sizes", [[1] * TIME, [3, 1, 1, 2]], ids=["one by one", "in pieces"])
@pytest.mark.parametrize("model", AFTER, ids=repr)
def test_steps_after_a_source_equal_the_whole(model, sizes):
    params, whole = made(model, (SOURCE, TOKENS))
    assert_allclose(in_steps(model, params, pieces(*sizes), SOURCE), whole, rtol=2e-4, atol=2e-5)


def test_padding_of_the_source_changes_nothing():
    model = AFTER[0]
    params, whole = made(model, (SOURCE, TOKENS))
    for row, n in enumerate((5, 3, 4)):
        alone = (SOURCE[row : row + 1, :n], TOKENS[row : row + 1])
        assert_allclose(whole_of(model, params, alone)[0], whole[row], rtol=2e-4, atol=2e-5)


def test_the_padding_of_a_target_is_handed_on():
    class Seen(core.Module):
        model: core.Module

        def __call__(self, cx, x):
            y = self.model(cx, x)
            return y, cx.mask_of(y)

    target = TOKENS.at[1, 4:].set(0)
    for model in AFTER[0], architectures.Seq2Seq(WORDS, units=4):
        params, _ = core.init(Seen(model), random.key(0), (SOURCE, target))
        (_, mask), _ = core.apply(Seen(model), params, {}, (SOURCE, target))
        np.testing.assert_array_equal(mask, target != 0)


def test_a_written_padding_token_is_read_alike_from_the_cache():
    target = TOKENS.at[:, 2].set(0)
    for model in AFTER[0], AFTER[2]:
        params, whole = made(model, (SOURCE, target))
        found = in_steps(model, params, jnp.split(target, 7, axis=1), SOURCE)
        assert_allclose(found, whole, rtol=2e-4, atol=2e-5)


def test_rows_of_other_lengths_stand_in_one_cache():
    model, lengths = ALONE[0], jnp.array([2, 4, 1])
    params, whole = made(model, TOKENS)
    cache = architectures.called(model, params, "start", 3, TIME)
    y, cache = architectures.called(model, params, "step", TOKENS[:, :4], cache, lengths)
    for row, n in enumerate(lengths.tolist()):
        assert_allclose(y[row, :n], whole[row, :n], rtol=2e-4, atol=2e-5)
    following = jnp.take_along_axis(TOKENS, lengths[:, None], axis=1)
    y, cache = architectures.called(model, params, "step", following, cache)
    for row, n in enumerate(lengths.tolist()):
        assert_allclose(y[row, 0], whole[row, n], rtol=2e-4, atol=2e-5)
    assert cache.length.tolist() == [3, 5, 2]


def test_the_cache_keeps_the_precision_of_the_computation():
    cache = architectures.called(ALONE[0], {}, "start", 2, 3, policy=core.BFLOAT16)
    assert {a.dtype.name for a in jax.tree.leaves(cache.state)} == {"bfloat16"}


def test_more_positions_than_there_are():
    with pytest.raises(ContractError, match=r"8 positions are needed.*context=7"):
        architectures.called(ALONE[0], {}, "start", 1, TIME + 1)
    longer = jnp.ones((1, TIME + 1), jnp.int32)
    with pytest.raises(ContractError, match="has 7 positions; a sequence of 8 steps came"):
        core.init(ALONE[0], random.key(0), longer)


def test_settings_that_do_not_fit():
    with pytest.raises(ConfigError, match="no recurrent layers"):
        architectures.RecurrentLM(5, ())
    with pytest.raises(ConfigError, match="tied=True needs embedding_dim as large as the last layer, 4; it is 3"):
        architectures.RecurrentLM(5, [layers.LSTM(4)], embedding_dim=3, tied=True)
    with pytest.raises(ContractError, match="splits 10 features into 4 heads"):
        core.init(architectures.GPT(5, 4, 1, 4, 10), random.key(0), jnp.ones((1, 3), jnp.int32))
    with pytest.raises(ContractError, match=r"a list: \[source, target\]"):
        core.init(AFTER[0], random.key(0), TOKENS)
    for model in AFTER[0], AFTER[2]:
        with pytest.raises(ContractError, match="Give source="):
            architectures.called(model, {}, "start", 1, 3)
