"""BLEU against its definition on a small case, and what it refuses."""

import sys

import numpy as np
import pytest

from thalweg.errors import ContractError, MissingExtraError
from thalweg.metrics import bleu


def counted(words, n):
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return {gram: grams.count(gram) for gram in grams}


def by_definition(references, hypotheses):
    """Of one reference each, with a match in every order, so that nothing is smoothed."""
    logs = []
    for n in range(1, 5):
        hits = total = 0
        for right, found in zip(references, hypotheses, strict=True):
            a, b = counted(right.split(), n), counted(found.split(), n)
            hits += sum(min(count, a.get(gram, 0)) for gram, count in b.items())
            total += sum(b.values())
        logs.append(np.log(hits / total))
    r, c = (sum(len(text.split()) for text in texts) for texts in (references, hypotheses))
    return 100 * min(1, np.exp(1 - r / c)) * np.exp(np.mean(logs))


RIGHT = ["a man in a blue shirt is standing on a ladder", "two dogs run over the wet grass"]
FOUND = ["a man in a blue shirt is on a ladder", "two dogs run across the wet grass"]


def test_bleu_is_that_of_the_definition():
    pytest.importorskip("sacrebleu", reason="BLEU is sacrebleu's: pip install 'thalweg[text]'")
    np.testing.assert_allclose(bleu(RIGHT, FOUND), by_definition(RIGHT, FOUND), rtol=1e-12)
    assert bleu(RIGHT, RIGHT) == pytest.approx(100)
    several = [[text, other] for text, other in zip(RIGHT, FOUND, strict=True)]
    assert bleu(several, FOUND) == pytest.approx(100)
    assert bleu(RIGHT, [text.upper() for text in FOUND], lowercase=True) == pytest.approx(bleu(RIGHT, FOUND))
    assert bleu(["今天天气很好啊"], ["今天天气很好"], "zh") > 50


def test_sentences_that_do_not_pair_are_refused():
    pytest.importorskip("sacrebleu", reason="BLEU is sacrebleu's: pip install 'thalweg[text]'")
    for right, found in ((RIGHT, FOUND[:1]), ([], []), ([["a"], ["b", "c"]], ["a", "b"])):
        with pytest.raises(ContractError, match=r"\n  Give one row for each sentence"):
            bleu(right, found)


def test_without_sacrebleu_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'thalweg\[text\]'"):
        bleu(RIGHT, FOUND)
