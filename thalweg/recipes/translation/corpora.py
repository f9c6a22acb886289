"""corpora: the published pairs of sentences that a translator is trained on, by the languages that are asked for."""

from pathlib import Path

from thalweg import datasets
from thalweg.datasets import store
from thalweg.datasets.catalog.texts import MULTI30K, TATOEBA
from thalweg.errors import ConfigError
from thalweg.recipes.translation.pairs import Pairs

ENTRIES = {"multi30k": MULTI30K, "tatoeba": TATOEBA}
LANGUAGES = {"multi30k": ("en", "de", "fr", "cs"), "tatoeba": ("zh", "en")}
USUAL = {"multi30k": "en-de", "tatoeba": "zh-en"}
NEEDED = {
    "multi30k": ("train.en.gz", "val.en.gz", "test_2016_flickr.en.gz"),
    "tatoeba": ("cmn.txt",),
}


def title(corpus: str, languages: str | None) -> str:
    """What a corpus is called, and the languages from which into which it is read.

    >>> title("tatoeba", None)
    'Tatoeba sentences, English and Chinese, zh-en'
    """
    return f"{ENTRIES[corpus].title}, {languages or USUAL[corpus]}"


def holds(path: Path, corpus: str) -> bool:
    """Whether a folder has the files of the corpus, or its folder."""
    return path.is_dir() and all(store.find(ENTRIES[corpus], name, path) for name in NEEDED[corpus])


def load(corpus: str, languages: str | None, folder: Path | None) -> dict[str, Pairs]:
    """The parts in which the corpus was published, by name; all of it as "train" where it has no parts.

    Raises:
        ConfigError: the corpus has no such languages.
        DataError: its files are nowhere to be had, or damaged.
    """
    offered = LANGUAGES[corpus]
    source, _, target = (languages or USUAL[corpus]).partition("-")
    if source == target or not {source, target} <= set(offered):
        raise ConfigError(
            f"languages={languages!r}: {corpus} has {', '.join(offered)}.\n"
            f"  Write two of them, such as languages={USUAL[corpus]}; or corpus={_corpus_of(source, target)}."
        )
    if corpus == "multi30k":
        parts = datasets.multi30k.load_data(source, target, data=folder)
        return {name: Pairs(*part) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
    english, chinese = datasets.tatoeba.load_data(folder)
    return {"train": Pairs(chinese, english) if source == "zh" else Pairs(english, chinese)}


def _corpus_of(source: str, target: str) -> str:
    return next((name for name, known in LANGUAGES.items() if {source, target} <= set(known)), next(iter(LANGUAGES)))
