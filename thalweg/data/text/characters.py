"""Characters: each code point of Unicode that the training texts hold gets an index."""

from typing import Any

import numpy as np

from thalweg.data.text.normal import normal
from thalweg.data.text.vocabulary import (
    UNKNOWN,
    Ids,
    commonest,
    counted,
    decoded,
    encoded,
    inner,
    outer,
    rows_of,
    special,
)
from thalweg.record import Record

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # shown where a character is unknown


class Characters(Record):
    """A text as its characters (code points), and back.

    With `form=None` and all characters known, `inverse` gives the text back exactly, line ends included.

    Args:
        characters: those that have an index, in its order, after the special tokens.
        ends: whether a text is encoded between the start token 2 and the end token 3.
        form: the normal form of Unicode that texts are brought to first: "NFC", "NFKC" or None.

    Example:
        >>> letters = Characters.fit(["abba", "cab"])
        >>> letters
        Characters('abc')
        >>> letters("cabs")
        array([4, 2, 3, 1], dtype=int32)
        >>> letters.inverse([4, 2, 3, 1])
        'cab\N{REPLACEMENT CHARACTER}'
    """

    characters: str
    ends: bool = False
    form: str | None = "NFC"

    @classmethod
    def fit(
        cls, texts: Any, size: int | None = None, *, least: int = 1, ends: bool = False, form: str | None = "NFC"
    ) -> "Characters":
        """The characters of the training texts, in Unicode's order.

        Args:
            texts: a text or several.
            size: the largest number of indices, special ones included; the commonest are kept.
            least: how often a character must be seen.
            ends: see the class.
            form: see the class.

        Raises:
            DataError: there is no text, or a row is none.
        """
        kept = commonest(counted(normal(text, form) for text in rows_of(texts)), size, least, ends)
        return cls("".join(sorted(kept)), ends, form)

    @property
    def size(self) -> int:
        """How many indices there are, special ones included: what an `Embedding` takes."""
        return len(special(self.ends)) + len(self.characters)

    def __call__(self, texts: Any) -> Ids:
        """The indices of a text, int32 [characters], or a list of them for several; unknown characters are 1."""
        known = _codes(self.characters)
        rank = np.argsort(known, kind="stable")

        def encode(text: str) -> np.ndarray:
            codes = _codes(normal(text, self.form))
            if not known.size:
                return outer(np.full(len(codes), UNKNOWN), self.ends)
            place = rank[np.minimum(np.searchsorted(known, codes, sorter=rank), len(known) - 1)]
            return outer(np.where(known[place] == codes, place + len(special(self.ends)), UNKNOWN), self.ends)

        return encoded(texts, encode)

    def inverse(self, ids: Any) -> Any:
        """The text that indices stand for, or a list for several; an unknown character is shown as U+FFFD."""
        table = (*(REPLACEMENT for _ in special(self.ends)), *self.characters)
        return decoded(ids, lambda row: "".join(table[i] for i in inner(row, self.ends)), self.size)


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
