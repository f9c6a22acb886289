"""baseline: a translation word by word, learned by counting: what a translator has to beat.

    t(f | e)  the chance that word e of the source becomes word f of the target      IBM model 1

    t(f | e) = c(f, e) / sum_f c(f, e)
    c(f, e)  = sum over pairs of sentences with f at some place, e at some other, of  t(f | e) / sum_e' t(f | e')

again and again, from equal chances on. Each source sentence has one empty word beside its own, which words that
translate nothing come from. A text becomes the likeliest target of each of its words, in their order.

Brown, Della Pietra, Della Pietra, Mercer 1993, "The mathematics of statistical machine translation".
"""

from collections.abc import Sequence

import numpy as np

from thalweg.data.text.normal import joined, words

ROUNDS = 5
PAIRS = 30_000  # more teach single words little


def learn(sources: Sequence[str], targets: Sequence[str]) -> dict[str, str]:
    """The likeliest target word of each source word, from pairs of sentences (the first `PAIRS` of them).

    >>> learn(["the house", "the sea", "a house"], ["das Haus", "das Meer", "ein Haus"])["sea"]
    'Meer'
    """
    left, ours = _number_words(sources[:PAIRS], empty=True)
    right, theirs = _number_words(targets[:PAIRS], empty=False)
    sizes = [(len(e), len(f)) for e, f in zip(ours, theirs, strict=True)]
    e = np.concatenate([np.tile(ids, n) for ids, (_, n) in zip(ours, sizes, strict=True)])
    f = np.concatenate([np.repeat(ids, n) for ids, (n, _) in zip(theirs, sizes, strict=True)])
    place = np.repeat(np.arange(sum(n for _, n in sizes)), np.concatenate([[n] * m for n, m in sizes]).astype(int))
    kinds, kind = np.unique(e * len(right) + f, return_inverse=True)  # a pair of words each
    source = kinds // len(right)
    t = np.ones(len(kinds))
    for _ in range(ROUNDS):
        share = t[kind]
        share /= np.bincount(place, share)[place]
        count = np.bincount(kind, share)
        t = count / np.bincount(source, count)[source]
    order = np.lexsort((kinds, -t, source))
    words_left, first = np.unique(source[order], return_index=True)
    best = kinds[order][first] % len(right)
    return {left[a]: right[b] for a, b in zip(words_left.tolist(), best.tolist(), strict=True) if a}


def translate(table: dict[str, str], texts: Sequence[str]) -> list[str]:
    """Each text with its words replaced; a word that is not in the table stays."""
    return [joined(table.get(word, word) for word in words(text)) for text in texts]


def _number_words(texts: Sequence[str], *, empty: bool) -> tuple[list[str], list[np.ndarray]]:
    """The words, and each text as their numbers; where `empty`, word 0 is none and stands in every text."""
    numbers: dict[str, int] = {"": 0} if empty else {}
    rows = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in texts]
    return list(numbers), [np.array([0, *row] if empty else row, np.int64) for row in rows]
