"""Entities from tags, and the F1 of exact spans, as CoNLL's evaluation script and seqeval define it.

A tag is a prefix and a type, "B-PER": B begins an entity, I is inside, E ends it, S is an entity of one word, O is
outside all. An entity counts as found where its type, its first and its last word are all right.

Two ways of reading tags are published, and they differ on tags that fit no scheme:

  lenient  (conlleval; `scheme=None`) whatever looks like an entity is one: after O, I-PER begins one too
  strict   only what a scheme allows is an entity: under IOB2 an I-PER that follows no B-PER is nothing

Each reading is a table of patterns over neighbours: the previous prefix, the own prefix, and the relation of their
types: "=" the same, "!" another, "*" any.

Tjong Kim Sang and De Meulder 2003, "Introduction to the CoNLL-2003 shared task"; Ramshaw and Marcus 1995.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from thalweg.errors import ConfigError, ContractError, nearest


class Scheme(NamedTuple):
    """A reading of tags: its prefixes, and what starts, goes on with and ends an entity."""

    prefixes: str
    starts: tuple[str, ...]
    inside: tuple[str, ...] | None  # None: all that does not end
    ends: tuple[str, ...]


IOBES = Scheme("IOBES", ("*B*", "*S*"), ("BI=", "BE=", "II=", "IE="), ("S**", "E**"))

SCHEMES: dict[str | None, Scheme] = {
    None: Scheme(
        "IOBES",
        ("*B*", "*S*", "EE*", "EI*", "SE*", "SI*", "OE*", "OI*", "*I!", "*E!"),
        None,
        ("E**", "S**", "BB*", "BS*", "BO*", "IB*", "IS*", "IO*", "B*!", "I*!"),
    ),
    "IOB1": Scheme(
        "IOB", ("OI*", "II!", "BI*", "IB=", "BB="), ("BI=", "II="), ("II!", "IO*", "IB*", "BO*", "BI!", "BB=")
    ),
    "IOB2": Scheme("IOB", ("*B*",), ("BI=", "II="), ("II!", "IO*", "IB*", "BO*", "BI!", "BB*")),
    "IOBES": IOBES,
    "BIOES": IOBES,
}
"""Each reading by name; None is the lenient one."""

OUTSIDE = ("O", "")


class Span(NamedTuple):
    """An entity: the words from `start` up to, and without, `stop`."""

    type: str
    start: int
    stop: int


class Scores(NamedTuple):
    """How well entities were found: precision, recall, their harmonic mean, and how many there were to find."""

    precision: float
    recall: float
    f1: float
    support: int


def spans(tags: Sequence[str], scheme: str | None = None) -> list[Span]:
    """The entities of one sentence.

    Args:
        tags: a tag for each word.
        scheme: "IOB1", "IOB2" or "IOBES" ("BIOES") for what that scheme allows; None for whatever looks like an entity.

    Raises:
        ContractError: a tag has a prefix that the scheme does not know.
        ConfigError: the scheme is unknown.

    >>> spans(["B-PER", "I-PER", "O", "I-LOC"])
    [Span(type='PER', start=0, stop=2), Span(type='LOC', start=3, stop=4)]
    >>> spans(["B-PER", "I-PER", "O", "I-LOC"], "IOB2")
    [Span(type='PER', start=0, stop=2)]
    """
    if scheme not in SCHEMES:
        raise ConfigError(f"unknown scheme {scheme!r}.\n  {nearest(str(scheme), filter(None, SCHEMES))}")
    reading = SCHEMES[scheme]
    entities, start, before = [], None, OUTSIDE
    for i, tag in enumerate([*(_parted(tag, reading, scheme) for tag in tags), OUTSIDE]):
        ends = _fits(reading.ends, before, tag)
        if start is not None and (ends if reading.inside is None else not _fits(reading.inside, before, tag)):
            if ends:
                entities.append(Span(before[1], start, i))
            start = None
        if start is None and _fits(reading.starts, before, tag):
            start = i
        before = tag
    return entities


def _parted(tag: str, reading: Scheme, name: str | None) -> tuple[str, str]:
    prefix, _, kind = tag.partition("-")
    if tag == "O" or (len(prefix) == 1 and prefix in reading.prefixes and prefix != "O"):
        return prefix, kind
    known = ", ".join(f"{p}-TYPE" for p in reading.prefixes if p != "O")
    raise ContractError(
        f"the tag {tag!r} is none of {name or 'any scheme'}: O, {known}.\n"
        "  Give tags of one of these forms, or the scheme that the data was written in."
    )


def _fits(patterns: tuple[str, ...], before: tuple[str, str], tag: tuple[str, str]) -> bool:
    relation = "=" if before[1] == tag[1] else "!"
    fits = ((p[0] in ("*", before[0])) and (p[1] in ("*", tag[0])) and p[2] in ("*", relation) for p in patterns)
    return any(fits)


def entity_scores(
    references: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], scheme: str | None = None
) -> dict[str, Scores]:
    """Precision, recall and F1 of exact spans over all sentences: by type, and of all types together as "micro avg".

    Args:
        references: the right tags, a sequence for each sentence.
        predictions: the tags that were found, in the same order and as long.
        scheme: see `spans`.

    Returns:
        Scores by type, sorted, then "micro avg". Where nothing was predicted, or nothing was there to be
        found, precision, recall and F1 are 0.

    Raises:
        ContractError: the lengths differ, or a tag has an unknown prefix.

    >>> right, predicted = [["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-ORG"]]
    >>> entity_scores(right, predicted)["micro avg"]
    Scores(precision=0.5, recall=0.5, f1=0.5, support=2)
    """
    _check(references, predictions)
    right, predicted = _entities(references, scheme), _entities(predictions, scheme)
    kinds = sorted({span.type for _, span in right | predicted})
    by_type = {kind: _scores(_of(right, kind), _of(predicted, kind)) for kind in kinds}
    return {**by_type, "micro avg": _scores(right, predicted)}


def entity_f1(
    references: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], scheme: str | None = None
) -> float:
    """The F1 of exact spans over all types and sentences; see `entity_scores`.

    >>> entity_f1([["B-PER", "O"]], [["B-PER", "I-PER"]])
    0.0
    """
    return entity_scores(references, predictions, scheme)["micro avg"].f1


def tag_names(tags: Any, names: Sequence[str]) -> list[list[str]]:
    """Rows of tag numbers, [batch, time], as lists of names; padding (-1) is left out.

    >>> tag_names([[1, 2, -1], [0, -1, -1]], ["O", "B-PER", "I-PER"])
    [['B-PER', 'I-PER'], ['O']]
    """
    return [[names[int(tag)] for tag in row if tag >= 0] for row in tags]


def _check(references: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]) -> None:
    if len(references) != len(predictions):
        raise ContractError(
            f"there are {len(references)} sentences of right tags and {len(predictions)} of predicted ones.\n"
            "  Give one of each for every sentence."
        )
    for i, (right, predicted) in enumerate(zip(references, predictions, strict=True)):
        if isinstance(right, str) or isinstance(predicted, str) or len(right) != len(predicted):
            raise ContractError(
                f"sentence {i} has {len(right)} right tags and {len(predicted)} predicted ones.\n"
                "  Give a list of sentences, each a list of one tag for every word."
            )


def _entities(sentences: Sequence[Sequence[str]], scheme: str | None) -> set[tuple[int, Span]]:
    return {(i, span) for i, tags in enumerate(sentences) for span in spans(tags, scheme)}


def _of(entities: set[tuple[int, Span]], kind: str) -> set[tuple[int, Span]]:
    return {(i, span) for i, span in entities if span.type == kind}


def _scores(right: set[tuple[int, Span]], predicted: set[tuple[int, Span]]) -> Scores:
    hits = len(right & predicted)
    precision, recall = (hits / len(s) if s else 0.0 for s in (predicted, right))
    return Scores(precision, recall, 2 * hits / (len(right) + len(predicted)) if hits else 0.0, len(right))
