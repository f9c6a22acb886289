"""translator: sentences as rows for a translator, and its translations by beam search."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from thalweg.architectures import Beam, generate
from thalweg.data import pad
from thalweg.data.text import END, START, is_chinese
from thalweg.model import Model
from thalweg.recipes.settings import Asking
from thalweg.recipes.translation.pairs import Pairs

ROWS = 64  # sentences that are translated at a time
WIDTH = 16  # sources are filled up to a multiple of it: a few programs serve all
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


def encode(part: Pairs, records: Mapping[str, Any], length: int) -> Rows:
    """`((source, target), next)`, int32 [rows, length] each: the target from its start on, and one token later.

    The end of a text stands in `source` and `next`, not in `target`: nothing follows it. Longer texts are cut.
    """
    ids = records["target"](part.targets)
    target, later = ([row[cut] for row in ids] for cut in (slice(None, -1), slice(1, None)))
    rows = (sources(part.sources, records, length), target, later)
    x, t, y = (pad(side, length, truncate="right") for side in rows)
    return (x, t), y


def translate(model: Model, records: Mapping[str, Any], texts: Sequence[str], length: int, how: Searching) -> list[str]:
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
    search, size, texts_by_row = Beam(how.beams, how.length_penalty), min(ROWS, len(ids)), {}
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        batch = [ids[row] for row in rows] + [ids[rows[0]]] * (size - len(rows))  # so that no batch is compiled anew
        x = pad(batch, -(-max(map(len, batch)) // WIDTH) * WIDTH)
        start = np.full((size, 1), START, np.int32)
        tokens = generate(model, start, length, search=search, source=x, end=END)
        texts_by_row |= dict(zip(rows, records["target"].inverse(tokens[: len(rows)]), strict=True))
    return [texts_by_row[row] for row in range(len(ids))]
