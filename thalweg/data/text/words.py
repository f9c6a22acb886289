"""Words: spaces, punctuation marks and Chinese characters cut a text; each word that is common enough gets an index."""

from typing import Any

import numpy as np

from thalweg.data.text.normal import joined, normal, words
from thalweg.data.text.vocabulary import (
    UNKNOWN,
    Ids,
    commonest,
    counted,
    decoded,
    encoded,
    inner,
    outer,
    places,
    rows_of,
    special,
)
from thalweg.record import Record

KINDS = (str, list, tuple, np.ndarray)


class Words(Record):
    """A text as its words, and back.

    A text that is a list of tokens already (a CoNLL file, WikiText) is taken as it is cut.

    Args:
        vocabulary: the words that have an index, in its order (the commonest first), after the special tokens.
        lowercase: whether texts are brought to small letters first.
        ends: whether a text is encoded between the start token 2 and the end token 3.
        form: the normal form of Unicode that texts are brought to first: "NFC", "NFKC" or None.

    Example:
        >>> record = Words.fit(["The sea, the sea!", "我爱大海"], lowercase=True)
        >>> record.vocabulary
        ('sea', 'the', '!', ',', '大', '我', '海', '爱')
        >>> record("The sea: 大海")
        array([3, 2, 1, 6, 8], dtype=int32)
        >>> record.inverse([3, 2, 4, 7, 9, 6, 8])
        'the sea! 我爱大海'

    Source:
        The cut is the basic tokenizer of Devlin et al. 2019, "BERT", without its stripping of accents.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool = False
    ends: bool = False
    form: str | None = "NFC"

    @classmethod
    def fit(
        cls,
        texts: Any,
        size: int | None = None,
        *,
        least: int = 1,
        lowercase: bool = False,
        ends: bool = False,
        form: str | None = "NFC",
    ) -> "Words":
        """The words of the training texts.

        Args:
            texts: texts, or lists of tokens.
            size: the largest number of indices, special ones included; the commonest words are kept.
            least: how often a word must be seen.
            lowercase: see the class.
            ends: see the class.
            form: see the class.

        Raises:
            DataError: there is no text, or a row is none.
        """
        cut = cls((), lowercase, ends, form)
        counts = counted(cut.tokens(text) for text in rows_of(texts, KINDS))
        return cls(tuple(commonest(counts, size, least, ends)), lowercase, ends, form)

    @property
    def size(self) -> int:
        """How many indices there are, special ones included: what an `Embedding` takes."""
        return len(special(self.ends)) + len(self.vocabulary)

    def tokens(self, text: Any) -> list[str]:
        """The words of one text, known or not."""
        if isinstance(text, str):
            return words(normal(text, self.form, self.lowercase))
        return [normal(str(token), self.form, self.lowercase) for token in text]

    def __call__(self, texts: Any) -> Ids:
        """The indices of a text, int32 [words], or a list of them for several; unknown words are 1."""
        place = places(self.vocabulary, len(special(self.ends)))

        def encode(text: Any) -> np.ndarray:
            ids = [place.get(token, UNKNOWN) for token in self.tokens(text)]
            return outer(np.array(ids, np.int32), self.ends)

        return encoded(texts, encode, KINDS)

    def inverse(self, ids: Any) -> Any:
        """The text that indices stand for, or a list for several; an unknown word is shown as "<unk>".

        Spaces are set as they are printed, not as they were: before no comma, between no two Chinese characters.
        """
        table = (*special(self.ends), *self.vocabulary)
        return decoded(ids, lambda row: joined(table[i] for i in inner(row, self.ends)), self.size)
