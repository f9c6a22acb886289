"""verdict: what a tagger found in sentences, held against what is there, beside a dictionary that learns no context.

An entity is found where its type, its first and its last word are right: `metrics.entities`, seqeval's definition.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from thalweg.data.text import joined
from thalweg.metrics.entities import Scores, Span, entity_scores, spans
from thalweg.page import Measure, Passage, Passages, Piece, Table
from thalweg.recipes.tags.baseline import look_up
from thalweg.recipes.tags.files import Sentences
from thalweg.recipes.verdict import Verdict, percent

ALL = "micro avg"
SHOWN = 8  # sentences with a mistake, and as many without


def verdict(right: Sentences, tags: Sequence[Sequence[str]], dictionary: Mapping[str, str]) -> Verdict:
    """The verdict on a tagger: the F1 of whole entities, beside the dictionary's.

    Args:
        right: the sentences with their tags.
        tags: what the tagger gave each word.
        dictionary: see `baseline.commonest`.
    """
    ours, theirs = entity_scores(right.tags, tags), entity_scores(right.tags, look_up(dictionary, right.words))
    whole, words = ours[ALL], sum(map(len, right.words))
    hits = sum(a == b for rows in zip(right.tags, tags, strict=True) for a, b in zip(*rows, strict=True))
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
        sections=[_by_type(ours, theirs), *_examples(right, tags)],
        details={"types": {kind: score._asdict() for kind, score in ours.items()}},
    )


def mark(words: Sequence[str], entities: Iterable[Span], right: set[Span] | None = None) -> list[Piece]:
    """A sentence in pieces: what is no entity, and each entity with its type; of `right` it is right."""
    parts, last = [], 0
    for span in sorted(entities, key=lambda span: span.start):
        parts.append(Piece(joined(words[last : span.start])))
        sign = "" if right is None else "right" if span in right else "wrong"
        parts.append(Piece(phrase(words, span), span.type, sign))
        last = span.stop
    return [piece for piece in (*parts, Piece(joined(words[last:]))) if piece.text]


def phrase(words: Sequence[str], span: Span) -> str:
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


def _examples(right: Sentences, tags: Sequence[Sequence[str]]) -> list[Passages]:
    """The first sentences that are not all right, and the first with entities that are."""
    mistaken: list[Passage] = []
    good: list[Passage] = []
    for words, *both in zip(*right, tags, strict=True):
        truth, answer = (set(spans(row)) for row in both)
        if truth or answer:
            missed = ", ".join(f"{phrase(words, s)} ({s.type})" for s in sorted(truth - answer, key=lambda s: s.start))
            passage = Passage(mark(words, answer, truth), f"not found: {missed}" if missed else "")
            (good if truth == answer else mistaken).append(passage)
    by_title = {"Sentences with a mistake": mistaken, "Sentences with every entity found": good}
    return [Passages(title, passages[:SHOWN]) for title, passages in by_title.items() if passages]
