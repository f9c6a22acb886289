"""Entities against seqeval, on tags that fit a scheme and on tags that fit none, and by hand."""

import warnings

import numpy as np
import pytest

from thalweg.errors import ConfigError, ContractError
from thalweg.metrics import entity_f1, entity_scores, spans, tag_names


def drawn(rng, prefixes, sentences=200):
    tags = ["O", "O", *(f"{p}-{kind}" for p in prefixes for kind in ("PER", "LOC"))]
    return [[str(tag) for tag in rng.choice(tags, rng.integers(1, 9))] for _ in range(sentences)]


def disturbed(rng, sentences, share=0.2):
    pool = sorted({tag for tags in sentences for tag in tags})
    return [[str(rng.choice(pool)) if rng.random() < share else tag for tag in tags] for tags in sentences]


@pytest.mark.parametrize("scheme", [None, "IOB1", "IOB2", "IOBES"])
def test_scores_are_seqeval_s(scheme):
    pytest.importorskip("seqeval", reason="seqeval is the oracle of the entity scores; `make test` installs it")
    from seqeval import metrics as peer
    from seqeval import scheme as schemes

    rng = np.random.default_rng(0)
    right = drawn(rng, "BIES" if scheme in (None, "IOBES") else "BI")
    found = disturbed(rng, right)
    settings = {} if scheme is None else {"mode": "strict", "scheme": getattr(schemes, scheme)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = peer.classification_report(right, found, output_dict=True, zero_division=0, **settings)
    ours = entity_scores(right, found, scheme)
    assert ours.keys() == {"LOC", "PER", "micro avg"}
    for kind, scores in ours.items():
        want = report[kind]
        assert scores == pytest.approx((want["precision"], want["recall"], want["f1-score"], want["support"]))
    assert ours["micro avg"].support > 100
    assert entity_f1(right, found, scheme) == ours["micro avg"].f1


@pytest.mark.parametrize(
    ("tags", "scheme", "want"),
    [
        ("B-A I-A O", None, [("A", 0, 2)]),
        ("I-A I-A I-B", None, [("A", 0, 2), ("B", 2, 3)]),
        ("I-A I-A I-B", "IOB2", []),
        ("I-A B-A I-A", "IOB1", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A B-A", "IOB2", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A I-B", "IOB2", [("A", 0, 1)]),
        ("S-A B-A I-A E-A", "BIOES", [("A", 0, 1), ("A", 1, 4)]),
        ("B-A I-A O", "IOBES", []),
        ("B-MISC-X I-MISC-X", "IOB2", [("MISC-X", 0, 2)]),
        ("O O", None, []),
        ("", None, []),
    ],
)
def test_spans_by_hand(tags, scheme, want):
    assert spans(tags.split(), scheme) == want


def test_exact_spans_or_nothing():
    right = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    assert entity_f1(right, right) == 1
    scores = entity_scores(right, [["B-PER", "O", "O", "B-LOC"], ["O", "O"]])
    assert scores["micro avg"] == (1 / 2, 1 / 3, 0.4, 3)
    assert scores["ORG"] == (0, 0, 0, 1)
    assert entity_f1([["O"]], [["O"]]) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ContractError, match=r"'X-PER' is none of any scheme: .*\n  Give tags of one of these"):
        spans(["X-PER"])
    with pytest.raises(ContractError, match=r"'E-PER' is none of IOB2: O, I-TYPE, B-TYPE"):
        spans(["E-PER"], "IOB2")
    with pytest.raises(ConfigError, match=r"unknown scheme 'IOB'.\n  Did you mean 'IOB"):
        spans(["O"], "IOB")
    with pytest.raises(ContractError, match=r"sentence 1 has 2 right tags and 1 predicted"):
        entity_f1([["O"], ["O", "O"]], [["O"], ["O"]])
    with pytest.raises(ContractError, match=r"1 sentences of right tags and 2"):
        entity_f1([["O"]], [["O"], ["O"]])
    with pytest.raises(ContractError, match=r"Give a list of sentences"):
        entity_f1(["O"], ["O"])


def test_names_of_numbers_leave_padding_out():
    names = ["O", "B-PER"]
    assert tag_names(np.array([[1, 0, -1], [-1, -1, -1]]), names) == [["B-PER", "O"], []]
