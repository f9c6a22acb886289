"""Texts of a person's own: files and folders."""

import gzip

import pytest

from thalweg.errors import DataError
from thalweg.recipes.language import files


def test_a_folder_is_its_texts_by_name(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("two", encoding="utf-8")
    (tmp_path / "a.txt").write_text("深度学习", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not this", encoding="utf-8")
    (tmp_path / "sub" / "c.txt.gz").write_bytes(gzip.compress(b"three"))
    assert files.read(tmp_path) == "深度学习\ntwo\nthree"
    assert files.read(tmp_path / "a.txt") == "深度学习"


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
            files.read(tmp_path / name)
