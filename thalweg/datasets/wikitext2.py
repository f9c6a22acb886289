"""WikiText-2: two million words of Wikipedia's good articles (Merity, Xiong, Bradbury, Socher 2016).

The published training text is `wiki.train.tokens`. Where only `wiki.train.shuffled.tokens` is there, the same articles
come in another order; a perplexity on it is near but not equal to one on the published order.
"""

from thalweg.data import read_text
from thalweg.data.decoding import lines_of
from thalweg.datasets.catalog.texts import WIKITEXT2
from thalweg.datasets.store import Folder, find
from thalweg.datasets.texts import text

END = "<eos>"  # after each line, as published perplexities count it


def load_data(data: Folder = None) -> tuple[list[str], list[str], list[str]]:
    """`train, validation, test`: the tokens of each text: 2,088,628, 217,646 and 245,569, `<eos>` after each line.

    Rare words are `<unk>` in the published files; `data.Words` gives that the index of an unknown word.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, then the cache.

    Raises:
        DataError: a file is nowhere to be had, or is damaged.
    """
    whole = find(WIKITEXT2, "wiki.train.tokens", data)
    train = text(WIKITEXT2, "wiki.train.shuffled.tokens", data) if whole is None else read_text(whole)
    rest = (text(WIKITEXT2, f"wiki.{part}.tokens", data) for part in ("valid", "test"))
    first, second, third = (_tokens(part) for part in (train, *rest))
    return first, second, third


def _tokens(part: str) -> list[str]:
    return [token for line in lines_of(part) for token in (*line.split(), END)]
