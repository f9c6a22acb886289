"""lines: a row a line, between a start and an end token, for names, words, verses."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data
from thalweg.architectures import generate
from thalweg.data.text.vocabulary import END, PADDING, START
from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.recipes import textfiles
from thalweg.recipes.language import parts
from thalweg.recipes.language.generation import Generating
from thalweg.recipes.language.layout import letters, mean_loss
from thalweg.recipes.language.parts import Parts

LINES = 20  # that the page shows at each temperature


@dataclasses.dataclass(frozen=True)
class Lines:
    """A row a line: names, words, verses."""

    in_order: bool = False
    end: int | None = END
    note: str = "a tenth of the lines, drawn, tests"

    def read(self, path: Path) -> list[str]:
        """See `textfiles.read`."""
        return textfiles.read(path).texts

    def split(self, texts: list[str], settings: Any, *, test: bool) -> Parts:
        """Lines are shuffled first: lists of names are sorted, by name or by how common they are."""
        whole: Parts = {"train": texts}
        if test:
            whole = parts.shuffle(texts, parts.TENTH, ("train", "test"), settings.seed)
        names = "train", "validation"
        return whole | parts.shuffle(whole["train"], settings.validation_split, names, settings.seed)

    def tokenizer(self, texts: list[str], settings: Any) -> data.Characters:
        """Every character of the training lines."""
        return data.Characters.fit(texts, ends=True)

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Rows of `context` tokens; a longer line is an error, so that none is cut unsaid."""
        longest = max(map(len, ids)) - 1
        if longest > settings.context:
            raise DataError(
                f"a line of the {part} part has {longest - 1} characters; context={settings.context} holds "
                f"{settings.context - 1} and an end.\n  Write --set context={longest}, or shorten the line."
            )
        return data.pad([row[:-1] for row in ids], settings.context), data.pad([r[1:] for r in ids], settings.context)

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """Each character and each end counts once."""
        return mean_loss(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The start token, then the text."""
        return tokenizer(text)[:-1] if text else np.array([START], np.int32)

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The line, without its end."""
        return tokenizer.inverse(until(ids, END))

    def page(self, model: Model, tokenizer: Any, how: Generating, training: list[str]) -> tuple[str, str]:
        """Lines, and how many of them stand among the training lines."""
        start = np.full((LINES, 1), START)
        ids = generate(model, start, how.length, search=how.search, end=END, seed=how.seed)
        lines = [self.text(tokenizer, row) for row in ids]
        return "\n".join(lines), f"{len(set(lines) & set(training))} of {LINES} are training lines" if training else ""

    def beginning(self, texts: list[str]) -> str:
        """The first characters of a line."""
        return texts[0][:2]

    def alphabet(self, size: int) -> list[str]:
        """See `letters`."""
        return [letters(size)]


def until(ids: np.ndarray, end: int) -> np.ndarray:
    """The tokens before the first `end`, without padding."""
    places = np.flatnonzero(ids == end)
    before = ids[: places[0]] if len(places) else ids
    return before[before != PADDING]
