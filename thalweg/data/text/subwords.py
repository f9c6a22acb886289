"""Parts of words, learned from the training texts: byte pairs and word pieces, by the library `tokenizers`.

A frequent word is one token, a rare one several, and no vocabulary grows without end. What was learned is kept in the
record as the library's JSON: data, of which loading makes tables and runs no code.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from thalweg.data.text.normal import is_chinese, is_punctuation, joined
from thalweg.data.text.vocabulary import SPECIAL, Ids, commonest, counted, decoded, inner, outer, rows_of, special
from thalweg.errors import ConfigError, missing_extra
from thalweg.ranges import flag
from thalweg.record import Record

CONTINUES = "##"  # marks a piece that goes on with the word before it
MARK = "\x01"  # stands before each word while pieces are learned; the normaliser leaves no such character in a text


class BytePairs(Record):
    """A text as merged bytes, and back exactly: any text, in any script, without an unknown token.

    From the 256 bytes of UTF-8 on, the commonest pair of neighbours inside a word becomes a token, again and again.
    A Chinese character, three bytes, is a token once it is common.

    Args:
        model: what the library learned, as its JSON.
        ends: whether a text is encoded between the start token 2 and the end token 3.

    Example:
        >>> pairs = BytePairs.fit(["low lower lowest"] * 9, size=280)
        >>> [pairs.inverse([i]) for i in pairs("lowest 低")]
        ['low', 'e', 'st', ' ', '\N{REPLACEMENT CHARACTER}', '\N{REPLACEMENT CHARACTER}', '\N{REPLACEMENT CHARACTER}']
        >>> pairs.inverse(pairs("lowest 低"))
        'lowest 低'

    Source:
        Sennrich, Haddow, Birch 2016, "Neural machine translation of rare words with subword units"; over bytes and with
        the cut of Radford et al. 2019 (GPT-2).
    """

    model: str
    ends: bool = False

    @classmethod
    def fit(
        cls, texts: Any, size: int = 8000, *, least: int = 2, ends: bool = False, form: str | None = None
    ) -> "BytePairs":
        """Learn from the training texts.

        Args:
            texts: a text or several.
            size: the largest number of indices, special ones and the 256 bytes included.
            least: how often a pair must be seen to be merged.
            ends: see the class.
            form: the normal form of Unicode that texts are brought to first; None keeps the way back exact.

        Raises:
            DataError: there is no text, or a row is none.
            MissingExtraError: `tokenizers` is not installed.
        """
        _check_room(size, 256 + len(special(ends)))
        library = _library("BytePairs")
        made = library.Tokenizer(library.models.BPE())
        made.normalizer = _normalizer(library, form)
        made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size, min_frequency=least, special_tokens=list(special(ends)), show_progress=False,
            initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
        rows = rows_of(texts)
        counted(rows)
        made.train_from_iterator(rows, trainer)
        return cls(made.to_str(), ends)

    @property
    def size(self) -> int:
        """How many indices there are, special ones included: what an `Embedding` takes."""
        return _loaded(self.model, "BytePairs").get_vocab_size()

    def __call__(self, texts: Any) -> Ids:
        """The indices of a text, int32 [tokens], or a list of them for several."""
        return _encoded(_loaded(self.model, "BytePairs"), texts, self.ends)

    def inverse(self, ids: Any) -> Any:
        """The text that indices stand for, or a list for several; half a character is shown as U+FFFD."""
        made = _loaded(self.model, "BytePairs")
        return decoded(ids, lambda row: made.decode(_plain(row, self.ends)), made.get_vocab_size())


class WordPieces(Record):
    """A text as pieces of its words, and back: BERT's tokens, with Chinese cut by character.

    A word is cut into the longest known pieces from the left; all but the first are marked with "##". A word with a
    character that the training texts did not have is unknown as a whole.

    Args:
        model: what the library learned, as its JSON.
        ends: whether a text is encoded between the start token 2 and the end token 3.

    Example:
        >>> pieces = WordPieces.fit(["walk walked walking talk talked talking"] * 9, size=28)
        >>> pieces.tokens("talked, 说")
        ['talk', '##ed', '<unk>', '<unk>']
        >>> pieces.inverse(pieces("talked walking"))
        'talked walking'

    Source:
        Schuster, Nakajima 2012, "Japanese and Korean voice search"; Devlin et al. 2019, "BERT".
    """

    model: str
    ends: bool = False

    @classmethod
    def fit(
        cls,
        texts: Any,
        size: int = 8000,
        *,
        least: int = 2,
        lowercase: bool = False,
        ends: bool = False,
        form: str | None = "NFC",
    ) -> "WordPieces":
        """Learn from the training texts.

        Args:
            texts: a text or several.
            size: the largest number of indices, special ones included.
            least: how often a pair of pieces must be seen to be merged.
            lowercase: whether texts are brought to small letters first (accents stay).
            ends: see the class.
            form: the normal form of Unicode that texts are brought to first.

        Raises:
            DataError: there is no text, or a row is none.
            MissingExtraError: `tokenizers` is not installed.
        """
        _check_room(size, len(special(ends)))
        library, lowercase = _library("WordPieces"), flag("lowercase", lowercase)
        normalizer = _normalizer(
            library, form, library.normalizers.BertNormalizer(strip_accents=False, lowercase=lowercase)
        )
        rows = [normalizer.normalize_str(row) for row in rows_of(texts)]
        pieces = (*special(ends), *_pieces(library, rows, size - len(special(ends)), least))
        vocabulary = {piece: i for i, piece in enumerate(pieces[:size])}
        made = library.Tokenizer(
            library.models.WordPiece(vocabulary, unk_token=SPECIAL[1], continuing_subword_prefix=CONTINUES)
        )
        made.normalizer, made.pre_tokenizer = normalizer, library.pre_tokenizers.BertPreTokenizer()
        return cls(made.to_str(), ends)

    @property
    def size(self) -> int:
        """How many indices there are, special ones included: what an `Embedding` takes."""
        return _loaded(self.model, "WordPieces").get_vocab_size()

    def tokens(self, text: str) -> list[str]:
        """The pieces of one text."""
        return _loaded(self.model, "WordPieces").encode(text, add_special_tokens=False).tokens

    def __call__(self, texts: Any) -> Ids:
        """The indices of a text, int32 [tokens], or a list of them for several; unknown words are 1."""
        return _encoded(_loaded(self.model, "WordPieces"), texts, self.ends)

    def inverse(self, ids: Any) -> Any:
        """The text that indices stand for, or a list for several; spaces are set as they are printed."""
        made = _loaded(self.model, "WordPieces")
        return decoded(ids, lambda row: joined(_merged(made.id_to_token, row, self.ends)), made.get_vocab_size())


def _library(what: str) -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise missing_extra("tokenizers", "text", what) from error
    return tokenizers


@lru_cache(8)
def _loaded(model: str, what: str) -> Any:
    try:
        made = _library(what).Tokenizer.from_str(model)
    except ImportError:
        raise
    except Exception as error:  # the library raises nothing narrower
        raise ConfigError(f"{what}: the stored model is none of `tokenizers`: {error}.\n  Fit it again.") from error
    made.encode_special_tokens = True  # "<end>" in a text is a text
    made.no_padding()
    made.no_truncation()
    return made


def _normalizer(library: Any, form: str | None, *more: Any) -> Any:
    forms = {"NFC": library.normalizers.NFC, "NFKC": library.normalizers.NFKC}
    if form is not None and form not in forms:
        raise ConfigError(f"form={form!r} is unknown.\n  Write 'NFC', 'NFKC' or None.")
    steps = [*([] if form is None else [forms[form]()]), *more]
    return library.normalizers.Sequence(steps) if steps else None


def _pieces(library: Any, rows: list[str], room: int, least: int) -> list[str]:
    # the library's own trainer of word pieces gives another order each time; that of pairs, with a mark before each
    # word, is a function of the texts, and its pairs are the same pieces
    letters = commonest(counted("".join(row.split()) for row in rows), room + 2, 1, False)
    made = library.Tokenizer(library.models.BPE())
    made.pre_tokenizer = library.pre_tokenizers.Sequence(
        [
            library.pre_tokenizers.BertPreTokenizer(),
            library.pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always", split=False),
        ]
    )
    made.train_from_iterator(
        rows,
        library.trainers.BpeTrainer(vocab_size=room + 2 * len(letters), min_frequency=least, show_progress=False),
    )
    indices = made.get_vocab()
    learned = sorted(indices, key=indices.__getitem__)
    merged = (piece.removeprefix(MARK) if piece.startswith(MARK) else CONTINUES + piece for piece in learned)
    inside = (CONTINUES + c for c in letters if not (is_chinese(c) or is_punctuation(c)))
    return [piece for piece in dict.fromkeys((*letters, *inside, *merged)) if piece][:room]


def _check_room(size: int, taken: int) -> None:
    if size <= taken:
        raise ConfigError(f"size={size} leaves no room: {taken} indices are taken already.\n  Write more.")


def _encoded(made: Any, texts: Any, ends: bool) -> Ids:
    encodings = made.encode_batch(rows_of(texts), add_special_tokens=False)
    ids = [outer(np.array(row.ids, np.int32), ends) for row in encodings]
    return ids[0] if isinstance(texts, str) else ids


def _plain(row: np.ndarray, ends: bool) -> list[int]:
    return [int(i) for i in inner(row, ends)]


def _merged(name: Callable[[int], str], row: np.ndarray, ends: bool) -> list[str]:
    words: list[str] = []
    for token in map(name, _plain(row, ends)):
        if token.startswith(CONTINUES) and words:
            words[-1] += token.removeprefix(CONTINUES)
        else:
            words.append(token)
    return words
