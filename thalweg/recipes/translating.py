"""translating: sentences as rows for a translator, its translations by beam search, and how they are judged."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from thalweg.architectures import Beam, generate
from thalweg.data import pad
from thalweg.data.text import END, START, is_chinese
from thalweg.metrics import bleu
from thalweg.model import Model
from thalweg.recipes import dictionary
from thalweg.recipes.pairs import Pairs
from thalweg.recipes.settings import Asking
from thalweg.recipes.verdict import Measure, Table, Verdict

ROWS = 64  # sentences that are translated at a time
WIDTH = 16  # sources are filled up to a multiple of it: a few programs serve all
SHOWN = 16  # sentences on the page
CJK = 0.5  # the share of Chinese characters from which a language counts as Chinese

Rows = tuple[tuple[np.ndarray, np.ndarray], np.ndarray]


class Searching(Asking):
    """How `thalweg predict` looks for a translation."""

    beams: Annotated[int, Field(ge=1, le=64, description="translations followed side by side; 1 is the greedy one")] = 4
    length_penalty: Annotated[float, Field(ge=0, description="0 prefers short translations, 1 long ones")] = 0.6


def is_written_in_chinese(texts: Sequence[str]) -> bool:
    """Whether most of what is written there, spaces apart, is Chinese characters.

    >>> is_written_in_chinese(["我爱大海。"]), is_written_in_chinese(["The sea: 大海"])
    (True, False)
    """
    letters = [character for text in texts[:1000] for character in text if not character.isspace()]
    return sum(map(is_chinese, letters)) > CJK * len(letters)


def sources(texts: Sequence[str], records: Mapping[str, Any], length: int) -> list[np.ndarray]:
    """The tokens of each text with its end, at most `length`: what the encoder reads."""
    return [ids[1:][:length] for ids in records["source"](list(texts))]


def encoded(part: Pairs, records: Mapping[str, Any], length: int) -> Rows:
    """`((source, target), next)`, int32 [rows, length] each: the target from its start on, and one token later.

    The end of a text stands in `source` and `next`, not in `target`: nothing follows it. Longer texts are cut.
    """
    ids = records["target"](part.targets)
    target, later = ([row[cut] for row in ids] for cut in (slice(None, -1), slice(1, None)))
    rows = (sources(part.sources, records, length), target, later)
    x, t, y = (pad(side, length, truncate="right") for side in rows)
    return (x, t), y


def translated(
    model: Model, records: Mapping[str, Any], texts: Sequence[str], length: int, how: Searching
) -> list[str]:
    """The best translation of each text that the beam search finds, at most `length` tokens long.

    Args:
        model: a trained encoder-decoder.
        records: the tokenizers `source` and `target`.
        texts: what to translate.
        length: of the longest row in training: longer texts are cut there.
        how: the search.
    """
    ids = sources(texts, records, length)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))  # those of like length go together
    search, size, said = Beam(how.beams, how.length_penalty), min(ROWS, len(ids)), {}
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        filled = [ids[row] for row in rows] + [ids[rows[0]]] * (size - len(rows))  # so that no batch is compiled anew
        x = pad(filled, -(-max(map(len, filled)) // WIDTH) * WIDTH)
        start = np.full((size, 1), START, np.int32)
        tokens = generate(model, start, length, search=search, source=x, end=END)
        said |= dict(zip(rows, records["target"].inverse(tokens[: len(rows)]), strict=True))
    return [said[row] for row in range(len(ids))]


def judged(said: Sequence[str], test: Pairs, train: Pairs | None, *, chinese: bool, how: Searching) -> Verdict:
    """The verdict: BLEU beside copying the source and beside a dictionary learned by counting; sentences side by side.

    Args:
        said: the translations.
        test: what was to be translated, and how people did.
        train: what was learned from; None where it is not known, and then there is no dictionary.
        chinese: whether the target is Chinese, which is compared by character.
        how: the search that found them.
    """
    cut = "zh" if chinese else "13a"
    naive = {"baseline_copy": ("the source, copied", test.sources)}
    if train is not None:
        table = dictionary.learned(*train)
        naive["baseline_words"] = ("word by word", dictionary.translated(table, test.sources))
    scores = {name: bleu(test.targets, texts, cut) for name, (_, texts) in naive.items()}
    baselines = [Measure(label, scores[name], f"{scores[name]:.1f}") for name, (label, _) in naive.items()]
    score = bleu(test.targets, said, cut)
    beside = ", ".join(f"{m.name} {m.value:.2f}" for m in baselines)
    return Verdict(
        measure=Measure("test BLEU", score, f"{score:.1f}"),
        baselines=baselines,
        scores={"bleu": score, **scores, "rows": len(test), "tokenize": cut},
        line=f"Test BLEU {score:.2f} over {len(test):,} sentences (sacrebleu, {cut}). Without learning: {beside}.",
        heading=f"BLEU {score:.1f}",
        note=f"{len(test):,} test sentences, {how.beams} beams",
        facts={"BLEU as": f"sacrebleu, {cut}, cased", "test sentences": f"{len(test):,}"},
        sections=[_examples(said, test)],
        whole=100.0,
    )


def _examples(said: Sequence[str], test: Pairs) -> Table:
    """Sentences from all over the test part, chosen by their place alone."""
    rows = np.unique(np.linspace(0, len(test) - 1, SHOWN).astype(int)).tolist()
    lines = [[str(row), test.sources[row], test.targets[row], said[row]] for row in rows]
    header = ["row", "source", "reference", "translation"]
    return Table("Translations of test sentences", header, lines, numbers=(0,), prose=(1, 2, 3))
