"""baseline: a dictionary of words, which learns no context.

It gives each word the tag that it had most often in training, and O to a word that it does not know.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from thalweg.recipes.tags.files import OUTSIDE, Sentences


def commonest(sentences: Sentences) -> dict[str, str]:
    """The tag that each word had most often, of equals the first in order; words that are mostly O are left out.

    >>> commonest(Sentences([["Paris", "is", "Paris"], ["Paris"]], [["B-geo", "O", "O"], ["B-geo"]]))
    {'Paris': 'B-geo'}
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in zip(*sentences, strict=True):
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    tags = {word: min(count, key=lambda tag: (-count[tag], tag)) for word, count in counts.items()}
    return {word: tag for word, tag in tags.items() if tag != OUTSIDE}


def look_up(dictionary: Mapping[str, str], sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """The tag of each word of each sentence."""
    return [[dictionary.get(word, OUTSIDE) for word in words] for words in sentences]
