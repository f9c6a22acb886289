"""Texts of a person's own: files and folders, parts in order, and windows at every place."""

import gzip

import numpy as np
import pytest

from thalweg import data
from thalweg.errors import DataError
from thalweg.recipes.language import files as corpus


def test_a_folder_is_its_texts_by_name(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("two", encoding="utf-8")
    (tmp_path / "a.txt").write_text("深度学习", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not this", encoding="utf-8")
    (tmp_path / "sub" / "c.txt.gz").write_bytes(gzip.compress(b"three"))
    assert corpus.text(tmp_path) == "深度学习\ntwo\nthree"
    assert corpus.text(tmp_path / "a.txt") == "深度学习"


def test_what_is_no_text_is_refused_with_a_remedy(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "gb.txt").write_text("深度学习", encoding="gb18030")
    (tmp_path / "a.doc").write_text("text")
    (tmp_path / "folder").mkdir()
    for name, said in {
        "empty.txt": "is empty",
        "gb.txt": "encoding='gb18030'",
        "a.doc": "Save the text as UTF-8",
        "folder": "holds no .txt file",
        "missing.txt": "is no file",
    }.items():
        with pytest.raises(DataError, match=said):
            corpus.text(tmp_path / name)


def test_parts_in_order_are_the_whole():
    parts = corpus.in_order(list(range(1000)), 0.2)
    assert {name: len(part) for name, part in parts.items()} == {"train": 720, "validation": 180, "test": 100}
    assert parts["train"] + parts["validation"] + parts["test"] == list(range(1000))


def test_drawn_parts_share_nothing_and_follow_the_seed():
    texts = [f"text {n}" for n in range(50)]
    one, two = (corpus.shuffled(texts, 0.1, ("train", "test"), seed) for seed in (0, 1))
    assert sorted(one["train"] + one["test"]) == sorted(texts)
    assert len(one["test"]) == 5
    assert one["test"] != two["test"]
    with pytest.raises(DataError, match="cannot be parted"):
        corpus.shuffled(texts[:1], 0.1, ("train", "test"), 0)


def test_windows_everywhere_are_those_of_a_stride_of_one():
    ids = np.random.default_rng(0).integers(0, 9, 40).astype(np.int32)
    source, (x, y) = corpus.Everywhere(ids, 6), data.windows(ids, 6, stride=1)
    assert data.is_source(source)
    found = source[np.arange(len(source))]
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[1], y)
