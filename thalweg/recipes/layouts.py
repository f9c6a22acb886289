"""layouts: how texts become rows of a language model, and how one is judged on them.

    Lines     a row a line, between a start and an end token; padding does not count
    Windows   training: a window at every place of the text; judging: windows side by side, each from its own start
    Streams   training: pieces of the text side by side, the state carried on from batch to batch; judging: one state
              over the whole text

Characters in the first two, words in the last. Texts are a list: of the lines, or of one text.
"""

import dataclasses
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from thalweg import data
from thalweg.architectures import generate
from thalweg.data.encoding import lines_of
from thalweg.data.text.vocabulary import END, PADDING, START
from thalweg.datasets.wikitext2 import END as LINE_END
from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.recipes import corpus, textfiles
from thalweg.recipes.carrying import carried, evaluated
from thalweg.recipes.corpus import Parts
from thalweg.recipes.writing import Generating, continued

LAST = "the last tenth tests, the part before it validates"
LINES = 20  # that the page shows at each temperature
FIRST, WORDS = 24, 6  # characters and words of the test part that a first `predict` goes on from


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

    def parted(self, texts: list[Any], settings: Any, *, test: bool) -> Parts:
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

    def page(self, model: Model, tokenizer: Any, how: Generating, known: list[Any]) -> tuple[str, str]:
        """A text that the model writes of itself, and what is to be said of it."""
        ...

    def beginning(self, texts: list[Any]) -> str:
        """Something of these texts to go on from."""
        ...

    def alphabet(self, size: int) -> list[Any]:
        """Texts of `size` different tokens."""
        ...


@dataclasses.dataclass(frozen=True)
class Lines:
    """A row a line: names, words, verses."""

    in_order: bool = False
    end: int | None = END
    note: str = "a tenth of the lines, drawn, tests"

    def read(self, path: Path) -> list[str]:
        """See `textfiles.read`."""
        return textfiles.read(path).texts

    def parted(self, texts: list[str], settings: Any, *, test: bool) -> Parts:
        """Lines are shuffled first: lists of names are sorted, by name or by how common they are."""
        found: Parts = {"train": texts}
        if test:
            found = corpus.shuffled(texts, corpus.TENTH, ("train", "test"), settings.seed)
        return found | corpus.shuffled(
            found["train"], settings.validation_split, ("train", "validation"), settings.seed
        )

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
        return evaluated(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The start token, then the text."""
        return tokenizer(text)[:-1] if text else np.array([START], np.int32)

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The line, without its end."""
        return tokenizer.inverse(until(ids, END))

    def page(self, model: Model, tokenizer: Any, how: Generating, known: list[str]) -> tuple[str, str]:
        """Lines, and how many of them stand among the training lines."""
        start = np.full((LINES, 1), START)
        ids = generate(model, start, how.length, search=how.search, end=END, seed=how.seed)
        lines = [self.text(tokenizer, row) for row in ids]
        return "\n".join(lines), f"{len(set(lines) & set(known))} of {LINES} are training lines" if known else ""

    def beginning(self, texts: list[str]) -> str:
        """The first characters of a line."""
        return texts[0][:2]

    def alphabet(self, size: int) -> list[str]:
        """See `letters`."""
        return [letters(size)]


@dataclasses.dataclass(frozen=True)
class Windows:
    """One text, seen `context` characters at a time."""

    in_order: bool = False
    end: int | None = None
    note: str = LAST

    def read(self, path: Path) -> list[str]:
        """See `corpus.text`."""
        return [corpus.text(path)]

    def parted(self, texts: list[str], settings: Any, *, test: bool) -> Parts:
        """See `corpus`."""
        return in_order(texts[0], settings.validation_split, test)

    def tokenizer(self, texts: list[str], settings: Any) -> data.Characters:
        """Every character of the training text."""
        return data.Characters.fit(texts)

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> Any:
        """A window at every place to learn from; windows side by side to judge by."""
        long_enough(ids[0], settings.context + 1, part)
        return (
            corpus.Everywhere(ids[0], settings.context) if part == "train" else data.windows(ids[0], settings.context)
        )

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """The mean over all windows, as nanoGPT estimates it by a sample of them."""
        return evaluated(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The text; where there is none, the end of a line."""
        return tokenizer(text or "\n")

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The characters as they are."""
        return tokenizer.inverse(ids)

    def page(self, model: Model, tokenizer: Any, how: Generating, known: list[str]) -> tuple[str, str]:
        """A passage."""
        return self.text(tokenizer, continued(model, self.prompt(tokenizer, ""), how)), ""

    def beginning(self, texts: list[str]) -> str:
        """A line's first characters."""
        lines = [line for line in texts[0].splitlines() if line.strip()]
        return next((line for line in lines if len(line) >= FIRST), max(lines, key=len, default=""))[:FIRST]

    def alphabet(self, size: int) -> list[str]:
        """See `letters`."""
        return [letters(size)]


@dataclasses.dataclass(frozen=True)
class Streams:
    """One text of words, in pieces side by side; the state goes on where the batch before left it."""

    in_order: bool = True
    end: int | None = None
    note: str = LAST

    def read(self, path: Path) -> list[list[str]]:
        """The words of each line, and a sign for its end."""
        return [cut(corpus.text(path))]

    def parted(self, texts: list[list[str]], settings: Any, *, test: bool) -> Parts:
        """See `corpus`."""
        return in_order(texts[0], settings.validation_split, test)

    def tokenizer(self, texts: list[list[str]], settings: Any) -> data.Words:
        """The commonest words of the training text."""
        return data.Words.fit(texts, settings.vocabulary)

    def rows(self, ids: list[np.ndarray], settings: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Streams to learn from and to steer by; the whole text as one row to judge by."""
        if part == "test":
            long_enough(ids[0], 2, part)
            return ids[0][None, :-1], ids[0][None, 1:]
        long_enough(ids[0], (settings.context + 1) * settings.batch_size, part)
        return data.packed(ids[0], settings.batch_size, settings.context)

    def loss(self, model: Model, x: np.ndarray, y: np.ndarray) -> float:
        """From a state of 0, one state over the whole text: each word is judged by all that came before it."""
        return carried(model, x, y)

    def prompt(self, tokenizer: Any, text: str) -> np.ndarray:
        """The words; where there are none, the end of a line."""
        return tokenizer([cut(text)[:-1] or [LINE_END]])[0]

    def text(self, tokenizer: Any, ids: np.ndarray) -> str:
        """The words with spaces as they are printed; a line's end ends a line."""
        return tokenizer.inverse(ids).replace(LINE_END, "\n").replace(" \n", "\n").replace("\n ", "\n")

    def page(self, model: Model, tokenizer: Any, how: Generating, known: list[Any]) -> tuple[str, str]:
        """A passage."""
        return self.text(tokenizer, continued(model, self.prompt(tokenizer, ""), how)), ""

    def beginning(self, texts: list[list[str]]) -> str:
        """A few words."""
        return " ".join([word for word in texts[0][: 4 * WORDS] if word != LINE_END][:WORDS])

    def alphabet(self, size: int) -> list[list[str]]:
        """Words by number."""
        return [[f"word{n}" for n in range(size)]]


def letters(size: int) -> str:
    """So many different characters."""
    return "".join(chr(ord("一") + n) for n in range(size))


def cut(text: str) -> list[str]:
    """A text as words, with a sign at the end of each line."""
    words = data.Words(())
    return [token for line in lines_of(text) for token in (*words.tokens(line), LINE_END)]


def in_order(text: Any, validation: float, test: bool) -> Parts:
    """The parts of one text, each a list of it alone."""
    found = corpus.in_order(text, validation) if test else corpus.before(text, validation)
    return {name: [part] for name, part in found.items()}


def long_enough(ids: np.ndarray, needed: int, part: str) -> None:
    """`DataError` where a part gives no row."""
    if len(ids) < needed:
        raise DataError(
            f"the {part} part has {len(ids):,} tokens; a row of it needs {needed:,}.\n"
            "  Give a longer text, or --set a smaller context or batch_size."
        )


def until(ids: np.ndarray, end: int) -> np.ndarray:
    """The tokens before the first `end`, without padding."""
    found = np.flatnonzero(ids == end)
    kept = ids[: found[0]] if len(found) else ids
    return kept[kept != PADDING]
