"""The dictionary learned by counting, beside IBM model 1 written out pair by pair."""

from collections import defaultdict

import numpy as np

from thalweg.recipes.translation import baseline


def model_1(sources, targets, rounds):
    """The equation, word by word."""
    rows = [([None, *e.split()], f.split()) for e, f in zip(sources, targets, strict=True)]
    t = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        c, total = defaultdict(float), defaultdict(float)
        for e_words, f_words in rows:
            for f in f_words:
                whole = sum(t[f, e] for e in e_words)
                for e in e_words:
                    c[f, e] += t[f, e] / whole
                    total[e] += t[f, e] / whole
        t = {(f, e): c[f, e] / total[e] for f, e in c}
    return t


def test_it_is_model_1():
    rng = np.random.default_rng(0)
    meaning = {f"e{n}": f"f{(7 * n) % 12}" for n in range(12)}
    ours = [rng.choice(list(meaning), rng.integers(1, 6)) for _ in range(120)]
    sources = [" ".join(row) for row in ours]
    targets = [" ".join([*rng.permutation([meaning[e] for e in row]), "x"]) for row in ours]
    t = model_1(sources, targets, baseline.ROUNDS)
    found = baseline.learn(sources, targets)
    assert found.keys() == meaning.keys()
    for e, f in found.items():
        assert t[f, e] >= max(p for (_, other), p in t.items() if other == e) - 1e-12
    assert found == meaning  # which counting words that stand together would spoil: "x" stands with all
    assert baseline.translate(found, ["e3 e1, new"]) == [f"{meaning['e3']} {meaning['e1']}, new"]
