"""tagged: what a tagger found in sentences, held against what is there, beside a dictionary that learns no context.

An entity is found where its type, its first and its last word are right: `metrics.entities`, seqeval's definition. The
dictionary gives each word the tag that it had most often in training, and O to a word that it does not know.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.data.buckets import BucketSource
from thalweg.data.text import joined
from thalweg.metrics.entities import Scores, Span, entity_scores, spans, tag_names
from thalweg.model import Model
from thalweg.ops.crf import PADDING, viterbi
from thalweg.page import Measure, Passage, Passages, Piece, Table
from thalweg.recipes.tags.files import Sentences
from thalweg.recipes.verdict import Verdict, percent

OUTSIDE, ALL = "O", "micro avg"
ROWS = 1024  # whose potentials are held at once
SHOWN = 8  # sentences with a mistake, and as many without


def tags_of(model: Model, source: BucketSource, names: Sequence[str]) -> list[list[str]]:
    """The tags of each row of `source`: the best path of a network that ends in a CRF, else the likeliest of each word.

    Args:
        model: the tagger.
        source: see `spelling.source`.
        names: of the tags, in the order of their numbers.
    """
    found: list[list[str]] = [[] for _ in range(len(source))]
    for k in range(source.count):
        rows, (words, letters) = np.flatnonzero(source.bucket == k), source.part(k)[0]
        for first in range(0, len(rows), ROWS):
            part = slice(first, first + ROWS)
            output = np.asarray(model.predict((words[part], letters[part])))
            path = viterbi(output) if output.ndim == 4 else np.where(words[part] > 0, output.argmax(-1), PADDING)
            for row, tags in zip(rows[part], tag_names(np.asarray(path), names), strict=True):
                found[row] = tags
    return found


def usual(sentences: Sentences) -> dict[str, str]:
    """The tag that each word had most often, of equals the first in order; words that are mostly O are left out.

    >>> usual(Sentences([["Paris", "is", "Paris"], ["Paris"]], [["B-geo", "O", "O"], ["B-geo"]]))
    {'Paris': 'B-geo'}
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in zip(*sentences, strict=True):
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    commonest = {word: min(count, key=lambda tag: (-count[tag], tag)) for word, count in counts.items()}
    return {word: tag for word, tag in commonest.items() if tag != OUTSIDE}


def verdict(right: Sentences, found: Sequence[Sequence[str]], dictionary: Mapping[str, str]) -> Verdict:
    """The verdict on a tagger: the F1 of whole entities, beside the dictionary's.

    Args:
        right: the sentences with their tags.
        found: the tags that the tagger gave.
        dictionary: see `usual`.
    """
    looked_up = [[dictionary.get(word, OUTSIDE) for word in words] for words in right.words]
    ours, theirs = entity_scores(right.tags, found), entity_scores(right.tags, looked_up)
    whole, words = ours[ALL], sum(map(len, right.words))
    hits = sum(a == b for row, tags in zip(right.tags, found, strict=True) for a, b in zip(row, tags, strict=True))
    scores: dict[str, Any] = {
        "f1": whole.f1, "precision": whole.precision, "recall": whole.recall, "baseline": theirs[ALL].f1,
        "accuracy": hits / words, "entities": whole.support, "sentences": len(right.words), "words": words,
    }  # fmt: skip
    return Verdict(
        measure=Measure("F1 of entities", whole.f1, percent(whole.f1)),
        baselines=[Measure("dictionary of words", theirs[ALL].f1, percent(theirs[ALL].f1))],
        scores=scores,
        line=f"Test F1 of whole entities {whole.f1:.4f}: precision {whole.precision:.4f}, recall {whole.recall:.4f}, "
        f"{whole.support:,} entities. Each word's commonest tag gives {theirs[ALL].f1:.4f}.",
        heading=f"F1 {percent(whole.f1)}",
        note=f"{whole.support:,} entities in {len(right.words):,} test sentences",
        facts={"precision": percent(whole.precision), "recall": percent(whole.recall), "words": f"{words:,}"},
        sections=[_by_type(ours, theirs), *_examples(right, found)],
        details={"types": {kind: score._asdict() for kind, score in ours.items()}},
    )


def marked(words: Sequence[str], entities: Iterable[Span], right: set[Span] | None = None) -> list[Piece]:
    """A sentence in pieces: what is no entity, and each entity with its type; of `right` it is right."""
    pieces, last = [], 0
    for span in sorted(entities, key=lambda span: span.start):
        pieces.append(Piece(joined(words[last : span.start])))
        sign = "" if right is None else "right" if span in right else "wrong"
        pieces.append(Piece(said(words, span), span.type, sign))
        last = span.stop
    return [piece for piece in (*pieces, Piece(joined(words[last:]))) if piece.text]


def said(words: Sequence[str], span: Span) -> str:
    """The words of an entity."""
    return joined(words[span.start : span.stop])


def _by_type(ours: Mapping[str, Scores], theirs: Mapping[str, Scores]) -> Table:
    nothing = Scores(0.0, 0.0, 0.0, 0)
    rows = [
        [kind, *(f"{number:.3f}" for number in score[:3]), f"{theirs.get(kind, nothing).f1:.3f}", f"{score.support:,}"]
        for kind, score in ours.items()
    ]
    rows[-1][0] = "all"
    header = ["type", "precision", "recall", "F1", "F1 of the dictionary", "entities"]
    return Table("Type by type", header, rows, numbers=(1, 2, 3, 4, 5))


def _examples(right: Sentences, found: Sequence[Sequence[str]]) -> list[Passages]:
    """The first sentences that are not all right, and the first with entities that are."""
    mistaken: list[Passage] = []
    good: list[Passage] = []
    for words, tags, given in zip(*right, found, strict=True):
        there, called = set(spans(tags)), set(spans(given))
        if there or called:
            missed = ", ".join(f"{said(words, s)} ({s.type})" for s in sorted(there - called, key=lambda s: s.start))
            passage = Passage(marked(words, called, there), f"not found: {missed}" if missed else "")
            (good if there == called else mistaken).append(passage)
    titled = {"Sentences with a mistake": mistaken, "Sentences with every entity found": good}
    return [Passages(title, passages[:SHOWN]) for title, passages in titled.items() if passages]
