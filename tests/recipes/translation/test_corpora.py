"""The published pairs, by their languages."""

import pytest

from thalweg.errors import ConfigError
from thalweg.recipes.translation import corpora
from thalweg.recipes.translation.pairs import Pairs


def test_each_corpus_has_its_languages(data_folder):
    parts = corpora.load("multi30k", "de-fr", data_folder)
    assert {name: len(part) for name, part in parts.items()} == {"train": 29_000, "validation": 1014, "test": 1000}
    assert parts["test"].sources[0].startswith("Ein Mann mit einem orangefarbenen Hut")
    chinese = corpora.load("tatoeba", None, data_folder)["train"]
    assert (len(chinese), chinese.sources[0], chinese.targets[0]) == (26_388, "嗨。", "Hi.")
    assert corpora.load("tatoeba", "en-zh", data_folder)["train"] == Pairs(chinese.targets, chinese.sources)
    assert corpora.holds(data_folder / "multi30k" / "raw", "multi30k")
    assert not corpora.holds(data_folder / "multi30k" / "raw", "tatoeba")
    with pytest.raises(ConfigError, match=r"multi30k has en, de, fr, cs\.\n.*corpus=tatoeba"):
        corpora.load("multi30k", "zh-en", data_folder)
