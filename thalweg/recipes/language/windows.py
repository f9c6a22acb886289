"""windows: one text, seen `context` characters at a time."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data
from thalweg.model import Model
from thalweg.recipes.language import files, parts
from thalweg.recipes.language.generation import Generating, continue_text
from thalweg.recipes.language.layout import LAST, check_length, letters, mean_loss
from thalweg.recipes.language.parts import Parts

FIRST = 24  # characters of the test part that a first `predict` goes on from


@dataclasses.dataclass(frozen=True, eq=False)
class Everywhere:
    """A source of all windows of a text: row i begins at token i, and its target is the same moved on by one."""

    ids: np.ndarray
    context: int

    def __len__(self) -> int:
        return len(self.ids) - self.context

    def __getitem__(self, rows: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        tokens = self.ids[np.asarray(rows)[:, None] + np.arange(self.context + 1)]  # [rows, context + 1]
        return tokens[:, :-1], tokens[:, 1:]


@dataclasses.dataclass(frozen=True)
class Windows:
    """One text, seen `context` characters at a time."""

    in_order: bool = False
    end: int | None = None
    note: str = LAST

    def read(self, path: Path) -> list[str]:
        """See `files`."""
        return [files.read(path)]

    def split(self, texts: list[str], settings: Any, *, test: bool) -> Parts:
        """In its order: see `parts`."""
        return parts.of_one(texts[0], settings.validation_split, test=test)

    def tokenizer(self, texts: list[str], settings: Any) -> data.Characters:
        """Every character of the training text."""
        return data.Characters.fit(texts)

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> Any:
        """A window at every place to learn from; windows side by side to judge by."""
        check_length(ids[0], settings.context + 1, part)
        return Everywhere(ids[0], settings.context) if part == "train" else data.windows(ids[0], settings.context)

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """The mean over all windows, as nanoGPT estimates it by a sample of them."""
        return mean_loss(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The text; where there is none, the end of a line."""
        return tokenizer(text or "\n")

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The characters as they are."""
        return tokenizer.inverse(ids)

    def page(self, model: Model, tokenizer: Any, how: Generating, training: list[str]) -> tuple[str, str]:
        """A passage."""
        return self.text(tokenizer, continue_text(model, self.prompt(tokenizer, ""), how)), ""

    def beginning(self, texts: list[str]) -> str:
        """A line's first characters."""
        lines = [line for line in texts[0].splitlines() if line.strip()]
        return next((line for line in lines if len(line) >= FIRST), max(lines, key=len, default=""))[:FIRST]

    def alphabet(self, size: int) -> list[str]:
        """See `letters`."""
        return [letters(size)]
