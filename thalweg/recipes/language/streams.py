"""streams: one text of words, in pieces side by side; the state goes on where the batch before left it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data
from thalweg.data.decoding import lines_of
from thalweg.datasets.wikitext2 import END as LINE_END
from thalweg.model import Model
from thalweg.recipes.language import files, parts, states
from thalweg.recipes.language.generation import Generating, continue_text
from thalweg.recipes.language.layout import LAST, check_length
from thalweg.recipes.language.parts import Parts

WORDS = 6  # words of the test part that a first `predict` goes on from


@dataclasses.dataclass(frozen=True)
class Streams:
    """One text of words, in pieces side by side; the state goes on where the batch before left it."""

    in_order: bool = True
    end: int | None = None
    note: str = LAST

    def read(self, path: Path) -> list[list[str]]:
        """The words of each line, and a sign for its end."""
        return [cut(files.read(path))]

    def split(self, texts: list[list[str]], settings: Any, *, test: bool) -> Parts:
        """In its order: see `parts`."""
        return parts.of_one(texts[0], settings.validation_split, test=test)

    def tokenizer(self, texts: list[list[str]], settings: Any) -> data.Words:
        """The commonest words of the training text."""
        return data.Words.fit(texts, settings.vocabulary)

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Streams to learn from and to steer by; the whole text as one row to judge by."""
        if part == "test":
            check_length(ids[0], 2, part)
            return ids[0][None, :-1], ids[0][None, 1:]
        check_length(ids[0], (settings.context + 1) * settings.batch_size, part)
        return data.packed(ids[0], settings.batch_size, settings.context)

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """From a state of 0, one state over the whole text: each word is judged by all that came before it."""
        return states.loss(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The words; where there are none, the end of a line."""
        return tokenizer([cut(text)[:-1] or [LINE_END]])[0]

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The words with spaces as they are printed; a line's end ends a line."""
        return tokenizer.inverse(ids).replace(LINE_END, "\n").replace(" \n", "\n").replace("\n ", "\n")

    def page(self, model: Model, tokenizer: Any, how: Generating, training: list[Any]) -> tuple[str, str]:
        """A passage."""
        return self.text(tokenizer, continue_text(model, self.prompt(tokenizer, ""), how)), ""

    def beginning(self, texts: list[list[str]]) -> str:
        """A few words."""
        return " ".join([word for word in texts[0][: 4 * WORDS] if word != LINE_END][:WORDS])

    def alphabet(self, size: int) -> list[list[str]]:
        """Words by number."""
        return [[f"word{n}" for n in range(size)]]


def cut(text: str) -> list[str]:
    """A text as words, with a sign at the end of each line."""
    words = data.Words(())
    return [token for line in lines_of(text) for token in (*words.tokens(line), LINE_END)]
