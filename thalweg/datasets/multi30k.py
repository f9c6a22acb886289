"""Multi30k: captions of pictures in English, German, French and Czech (Elliott, Frank, Sima'an, Specia 2016)."""

from thalweg.datasets.catalog.texts import MULTI30K
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import lines
from thalweg.errors import ConfigError, DataError

Pairs = tuple[list[str], list[str]]
KNOWN = frozenset(file.name for file in MULTI30K.files)


def load_data(
    source: str = "en", target: str = "de", test: str = "test_2016_flickr", *, data: Folder = None
) -> tuple[Pairs, Pairs, Pairs]:
    """`(sources, targets)` of the training, the validation and a test part: 29,000, 1,014 and 1,000 captions.

    Args:
        source: the language to translate from: "en", "de", "fr" or "cs".
        target: the language to translate into.
        test: "test_2016_flickr", "test_2017_flickr", "test_2017_mscoco" (461) or "test_2018_flickr" (1,071).
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        ConfigError: there is no such language or test part.
        DataError: the files are nowhere to be had, or damaged.
    """
    first, second, third = (_pair(part, source, target, data) for part in ("train", "val", test))
    return first, second, third


def load_english_german(data: Folder = None) -> tuple[Pairs, Pairs, Pairs]:
    """What `load_data()` gives, from a folder."""
    return load_data(data=data)


def _pair(part: str, source: str, target: str, data: Folder) -> Pairs:
    names = [f"{part}.{language}.gz" for language in (source, target)]
    for name in names:
        if name not in KNOWN:
            raise ConfigError(f"Multi30k has no {name.removesuffix('.gz')}.\n  It has {', '.join(sorted(KNOWN))}.")
    left, right = (lines(MULTI30K, name, data) for name in names)
    if len(left) != len(right):
        raise DataError(f"{names[0]} has {len(left)} lines, {names[1]} {len(right)}.\n  Copy both files anew.")
    return left, right
