"""IMDb film reviews, good or bad (Maas et al. 2011, "Learning word vectors for sentiment analysis").

The published set is a folder `aclImdb` of 25,000 + 25,000 files, and is read where it is there
(`DATA/imdb/aclImdb/train/pos/0_9.txt`). Otherwise a part of it in two tables is: 10,000 + 4,000 reviews.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thalweg.data import permutation, read_text
from thalweg.datasets.catalog.texts import IMDB
from thalweg.datasets.store import Folder, find
from thalweg.datasets.texts import cells, codes
from thalweg.errors import ConfigError, DataError

CLASSES = IMDB.classes
FOLDER_READ = "aclImdb/README"
SEPARATORS = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\s]+""")  # Keras's, which keeps the apostrophe
Texts = tuple[list[str], list[int]]
Indices = tuple[np.ndarray, np.ndarray]


def load_data(
    path: Folder = None,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Texts, Texts] | tuple[Indices, Indices]:
    """`(x_train, y_train), (x_test, y_test)`: reviews as texts; with `num_words` as lists of indices, Keras's call.

    With `num_words` the call has Keras's arguments and gives what Keras gives: object arrays of lists. A word's index
    is its rank among the training reviews' words, plus `index_from`. The ranks are counted here, on the reviews
    that are on this machine, so that an index stands for another word than in Keras's file, and rows come in another
    order. A word that the training reviews lack is left out, as there. Use `get_word_index` of this module.

    Args:
        path: the folder that has the files; by default `THALWEG_DATA`, then the cache.
        num_words: indices from this one on become `oov_char`; None gives texts, and what follows is not read.
        skip_top: indices below this one become `oov_char`.
        maxlen: reviews of this many indices or more are left out.
        seed: the order of the rows.
        start_char: the index that begins a review.
        oov_char: stands for words too rare or too common; None leaves them out.
        index_from: what is added to a rank.

    Returns:
        Labels are 0 (bad) and 1 (good): a list beside texts, an int64 array beside indices.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
        ConfigError: `maxlen` leaves no review.
    """
    parts = load_texts(path)
    if num_words is None:
        return parts
    ranks = _ranks(parts[0][0])
    limits = range(skip_top, num_words)
    out = []
    for number, (texts, labels) in enumerate(parts):
        order = permutation(len(texts), seed, "imdb", number)
        rows = [_indices(texts[i], ranks, start_char, index_from) for i in order]
        kept = [n for n, row in enumerate(rows) if maxlen is None or len(row) < maxlen]
        if not kept:
            raise ConfigError(f"maxlen={maxlen} leaves no review.\n  Write a larger one, such as maxlen=400.")
        x = np.empty(len(kept), object)
        x[:] = [_limited(rows[n], limits, oov_char) for n in kept]
        out.append((x, np.array([labels[order[n]] for n in kept], np.int64)))
    return out[0], out[1]


def load_texts(path: Folder = None) -> tuple[Texts, Texts]:
    """`(texts, labels), (texts, labels)` of the training and the test part, as `load_data()` gives them."""
    readme = find(IMDB, FOLDER_READ, path)
    if readme is not None:
        return _folder(readme.parent / "train"), _folder(readme.parent / "test")
    return _part(IMDB.files[0].name, path), _part(IMDB.files[1].name, path)


def get_word_index(path: Folder = None) -> dict[str, int]:
    """Each word's rank among the training reviews' words, from 1: what the indices of `load_data` stand for.

    `load_data(num_words=...)` adds `index_from` to it.
    """
    return _ranks(load_texts(path)[0][0])


def _part(name: str, data: Folder) -> Texts:
    labels, texts = cells(IMDB, name, ("label", "text"), data)
    return texts, codes(IMDB, name, labels)


def _folder(folder: Path) -> Texts:
    by_label = [sorted((folder / kind).glob("*.txt")) for kind in ("neg", "pos")]
    if not all(by_label):
        raise DataError(f"{folder} holds no neg/*.txt or no pos/*.txt.\n  Unpack aclImdb_v1.tar.gz anew.")
    labels = [label for label, paths in enumerate(by_label) for _ in paths]
    return [read_text(path) for paths in by_label for path in paths], labels


def _words(text: str) -> list[str]:
    return [word for word in SEPARATORS.split(text.lower()) if word]


def _ranks(texts: Sequence[str]) -> dict[str, int]:
    counts = Counter(word for text in texts for word in _words(text))
    return {word: n for n, word in enumerate(sorted(counts, key=lambda w: (-counts[w], w)), start=1)}


def _indices(text: str, ranks: dict[str, int], start: int | None, index_from: int) -> list[int]:
    begin = [] if start is None else [start]
    return begin + [ranks[word] + index_from for word in _words(text) if word in ranks]


def _limited(row: list[int], limits: range, unknown: int | None) -> list[int]:
    if unknown is None:
        return [i for i in row if i in limits]
    return [i if i in limits else unknown for i in row]
