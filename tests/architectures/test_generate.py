"""Generation against loops over the whole sequence, and beam search against all texts there are."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from tests.architectures.test_cache import AFTER, ALONE, SOURCE, TOKENS, made, whole_of
from thalweg import core, random
from thalweg.architectures import Beam, Cache, Greedy, Sample, beam_search, generate, stream
from thalweg.errors import ContractError

PROMPT = np.asarray(TOKENS[:, :2])
SAMPLE = Sample(1.5, top_k=6)


class Chain(core.Module):
    """The smallest model that generates: what comes next depends on the last token alone."""

    words: int

    def __call__(self, cx, tokens):
        return self.following(cx, tokens)

    def following(self, cx, tokens):
        return cx.param("table", jax.nn.initializers.normal(1.5), (self.words, self.words))[tokens]

    def start(self, cx, rows, size, source=None):
        return Cache(jnp.zeros(rows, jnp.int32), ())

    def step(self, cx, tokens, cache, lengths=None):
        return self.following(cx, tokens), cache


def chain(words, seed):
    params, _ = core.init(Chain(words), random.key(seed), jnp.ones((1, 1), jnp.int32))
    table = np.asarray(params["table"], np.float64)
    return (Chain(words), params), table - np.log(np.exp(table).sum(-1, keepdims=True))


def by_argmax(model, params, tokens, steps, source=None):
    """Each token from a new look at the whole sequence; what is still to come is 1, and not seen."""
    rows, first = tokens.shape
    text = np.concatenate([tokens, np.ones((rows, steps), tokens.dtype)], axis=1)
    for n in range(first, first + steps):
        y = whole_of(model, params, text if source is None else (source, text))
        text[:, n] = np.asarray(y[:, n - 1].argmax(-1))
    return text[:, first:]


@pytest.mark.parametrize("model", ALONE, ids=repr)
def test_greedy_equals_a_loop_over_whole_sequences(model):
    params, _ = made(model, TOKENS)
    np.testing.assert_array_equal(generate((model, params), PROMPT, 5), by_argmax(model, params, PROMPT, 5))


@pytest.mark.parametrize("model", AFTER, ids=repr)
def test_greedy_after_a_source_equals_a_loop(model):
    params, _ = made(model, (SOURCE, TOKENS))
    start = np.ones((3, 1), np.int32)
    found = generate((model, params), start, 5, source=SOURCE)
    np.testing.assert_array_equal(found, by_argmax(model, params, start, 5, SOURCE))


def test_a_row_does_not_depend_on_the_rows_beside_it():
    model = ALONE[0]
    params, _ = made(model, TOKENS)
    padded, lengths = np.array([[1, 2, 3], [4, 9, 9], [7, 5, 9], [8, 9, 9]]), [3, 1, 2, 1]
    greedy = generate((model, params), padded, 4, lengths=lengths)
    for row, n in enumerate(lengths):
        alone = generate((model, params), padded[row : row + 1], 4, lengths=[n])
        np.testing.assert_array_equal(greedy[row : row + 1], alone)
        np.testing.assert_array_equal(alone, by_argmax(model, params, padded[row : row + 1, :n], 4))
    found = generate((model, params), padded, 4, lengths=lengths, search=SAMPLE, seed=3)
    np.testing.assert_array_equal(found[:1], generate((model, params), padded[:1], 4, search=SAMPLE, seed=3))


def test_a_seed_is_a_text():
    model = ALONE[2]
    params, _ = made(model, TOKENS)
    texts = [generate((model, params), PROMPT, 6, search=SAMPLE, seed=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(texts[0], texts[1])
    assert (texts[0] != texts[2]).any()


@pytest.mark.parametrize("chunk", [1, 2, 16])
def test_a_stream_gives_the_same_tokens(chunk):
    model, end = ALONE[0], 4
    params, _ = made(model, TOKENS)
    whole = generate((model, params), PROMPT, 6, search=SAMPLE, seed=2, end=end)
    found = np.stack(list(stream((model, params), PROMPT, 6, search=SAMPLE, seed=2, end=end, chunk=chunk)), axis=1)
    np.testing.assert_array_equal(found, whole[:, : found.shape[1]])
    assert not whole[:, found.shape[1] :].any()


def test_a_text_ends_at_its_end():
    model, table = chain(6, 0)
    whole = generate(model, [[1], [2], [3]], 8, search=SAMPLE, seed=1)
    end = int(whole[1, 2])
    found = generate(model, [[1], [2], [3]], 8, search=SAMPLE, seed=1, end=end, pad=9)
    for free, text in zip(whole, found, strict=True):
        stop = free.tolist().index(end) + 1 if end in free else 8
        assert text.tolist() == free.tolist()[:stop] + [9] * (8 - stop)
    streamed = np.stack(list(stream(model, [[2]], 8, search=Greedy(), end=int(table[2].argmax()))), axis=1)
    assert streamed.shape == (1, 1)


def texts(words, steps, end):
    """Every text of up to `steps` tokens: those that end where `end` first stands, and those that never do."""
    for n in range(1, steps + 1):
        for text in itertools.product(range(words), repeat=n):
            if end not in text[:-1] and (text[-1] == end or n == steps):
                yield text


def score(table, first, text, alpha):
    logp = sum(table[a, b] for a, b in itertools.pairwise((first, *text)))
    return logp / ((5 + len(text)) / 6) ** alpha


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_beams_enough_for_all_find_the_best_of_all(alpha):
    for seed in range(3):
        model, table = chain(4, seed)
        found, scores = beam_search(model, [[1], [2]], 3, search=Beam(40, alpha), end=3)
        for row, first in enumerate((1, 2)):
            ranked = sorted(((score(table, first, t, alpha), t) for t in texts(4, 3, 3)), reverse=True)
            for place in range(5):
                expected = (*ranked[place][1], 0, 0, 0)[:3]
                assert tuple(found[row, place].tolist()) == expected
            np.testing.assert_allclose(scores[row, :20], [s for s, _ in ranked[:20]], rtol=1e-5)


def by_loops(table, first, steps, beams, alpha, end):
    """Beam search with lists: of the 2 B best continuations those that end are kept, the others go on."""
    going, kept = [(0.0, ())], []
    for _ in range(steps):
        more = [(p + table[(first, *text)[-1], w], (*text, w)) for p, text in going for w in range(len(table))]
        more = sorted(more, reverse=True)[: 2 * beams]
        ended = [(score(table, first, t, alpha), t) for _, t in more if t[-1] == end]
        kept = sorted(kept + ended, reverse=True)[:beams]
        going = [(p, t) for p, t in more if t[-1] != end][:beams]
    return sorted(kept + [(score(table, first, t, alpha), t) for _, t in going], reverse=True)[:beams]


@pytest.mark.parametrize("beams", [1, 2, 3])
def test_few_beams_equal_the_search_in_loops(beams):
    for seed in range(4):
        model, table = chain(6, 10 + seed)
        found, scores = beam_search(model, [[1]], 6, search=Beam(beams), end=5)
        expected = by_loops(table, 1, 6, beams, 0.6, 5)
        np.testing.assert_allclose(scores[0, 0], expected[0][0], rtol=1e-5)
        best = expected[0][1]
        assert found[0, 0].tolist() == [*best, *[0] * (6 - len(best))]
        np.testing.assert_array_equal(generate(model, [[1]], 6, search=Beam(beams), end=5), found[:, 0])


@pytest.mark.parametrize("model", [ALONE[0], ALONE[2]], ids=repr)
def test_beams_carry_their_own_cache(model):
    """The score of each text is what the model says of the whole text at once."""
    params, _ = made(model, TOKENS)
    found, scores = beam_search((model, params), PROMPT, 4, search=Beam(3, 0.0))
    for row in range(3):
        text = np.concatenate([np.repeat(PROMPT[row : row + 1], 3, axis=0), found[row]], axis=1)
        logp = np.asarray(jax.nn.log_softmax(whole_of(model, params, text), axis=-1))
        total = [sum(logp[place, t, text[place, t + 1]] for t in range(1, 5)) for place in range(3)]
        np.testing.assert_allclose(scores[row], total, rtol=1e-4)


def test_beams_after_a_source_carry_its_memory():
    model = AFTER[0]
    params, _ = made(model, (SOURCE, TOKENS))
    start = np.ones((3, 1), np.int32)
    one = generate((model, params), start, 5, source=SOURCE, search=Beam(1, 0.0))
    np.testing.assert_array_equal(one, generate((model, params), start, 5, source=SOURCE))
    three, scores = beam_search((model, params), start, 5, source=SOURCE, search=Beam(3, 0.0))
    alone, best = beam_search((model, params), start[1:2], 5, source=SOURCE[1:2, :3], search=Beam(3, 0.0))
    np.testing.assert_array_equal(three[1:2], alone)
    np.testing.assert_allclose(scores[1:2], best, rtol=1e-4)


def test_a_trained_model_writes(tmp_path):
    model = thalweg.Model(ALONE[0])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    text = np.tile(np.arange(1, 6), 20)
    x = np.stack([text[i : i + 7] for i in range(60)])
    y = np.stack([text[i + 1 : i + 8] for i in range(60)])
    model.fit(x, y, epochs=30, batch_size=20, verbose=0)
    assert generate(model, [[2, 3]], 5).tolist() == [[4, 5, 1, 2, 3]]
    model.save(tmp_path / "gpt.tw")
    loaded = thalweg.load_model(tmp_path / "gpt.tw")
    assert loaded.module == model.module
    assert generate(loaded, [[2, 3]], 5).tolist() == [[4, 5, 1, 2, 3]]


def test_what_does_not_fit():
    model, _ = chain(4, 0)
    wrong = [
        (lambda: generate((thalweg.layers.Dense(3), {}), [[1]], 2), "Dense cannot continue a text"),
        (lambda: generate(model, [1, 2], 2), r"whole numbers \[rows, time\].*shape \(2,\)"),
        (lambda: generate(model, [[0.5]], 2), "whole numbers.*float64"),
        (lambda: generate(model, np.zeros((1, 0), int), 2), "at least one"),
        (lambda: generate(model, [[1]], 0), "steps must be at least 1; it is 0"),
        (lambda: generate(model, [[1, 2]], 2, lengths=[3]), r"1 numbers from 1 to 2; they are \[3\]"),
        (lambda: stream(model, [[1]], 2, search=Beam()), "knows its text at the end"),
        (lambda: stream(model, [[1]], 2, chunk=0), "chunk must be at least 1"),
        (lambda: generate((ALONE[0], {}), [[1, 2]], 7), "8 positions are needed.*context=7"),
    ]
    for call, message in wrong:
        with pytest.raises(ContractError, match=f"(?s){message}"):
            call()
