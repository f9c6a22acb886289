"""layout: how texts become rows of a language model, and how one is judged on them.

    Lines     a row a line, between a start and an end token; padding does not count
    Windows   training: a window at every place of the text; judging: windows side by side, each from its own start
    Streams   training: pieces of the text side by side, the state carried on from batch to batch; judging: one state
              over the whole text

Characters in the first two, words in the last. Texts are a list: of the lines, or of one text.
"""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.recipes.language.generation import Generating
from thalweg.recipes.language.parts import Parts

LAST = "the last tenth tests, the part before it validates"


@runtime_checkable
class Layout(Protocol):
    """Texts as rows."""

    @property
    def in_order(self) -> bool:
        """Whether training keeps the order of the rows."""
        ...

    @property
    def end(self) -> int | None:
        """The token that ends a text."""
        ...

    @property
    def note(self) -> str:
        """How a whole is parted."""
        ...

    def read(self, path: Path) -> list[Any]:
        """A person's texts."""
        ...

    def split(self, texts: list[Any], settings: Any, *, test: bool) -> Parts:
        """Texts as parts; without `test` only a validation part is cut off."""
        ...

    def tokenizer(self, texts: list[Any], settings: Any) -> Any:
        """What makes indices of texts, learned from the training part."""
        ...

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> Any:
        """A part as `fit` and `loss` take it."""
        ...

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """The mean of -log p over the targets of a test part."""
        ...

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """What a text to be continued begins with, as tokens; at least one."""
        ...

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """Tokens as people read them, up to the end."""
        ...

    def page(self, model: Model, tokenizer: Any, how: Generating, training: list[Any]) -> tuple[str, str]:
        """A text that the model writes of itself, and what is to be said of it."""
        ...

    def beginning(self, texts: list[Any]) -> str:
        """Something of these texts to go on from."""
        ...

    def alphabet(self, size: int) -> list[Any]:
        """Texts of `size` different tokens."""
        ...


def mean_loss(model: Model, x: np.ndarray, y: np.ndarray) -> float:
    """The loss that the model was compiled with: the mean over all that is no padding."""
    return float(model.evaluate(x, y, return_dict=True)["loss"])


def letters(size: int) -> str:
    """So many different characters."""
    return "".join(chr(ord("一") + n) for n in range(size))


def check_length(ids: np.ndarray, needed: int, part: str) -> None:
    """`DataError` where a part gives no row."""
    if len(ids) < needed:
        raise DataError(
            f"the {part} part has {len(ids):,} tokens; a row of it needs {needed:,}.\n"
            "  Give a longer text, or --set a smaller context or batch_size."
        )
