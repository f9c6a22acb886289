"""Pairs of sentences: people's files, what belongs together, and a split in which no sentence stands in two parts."""

import gzip

import pytest

from thalweg.errors import DataError
from thalweg.recipes.translation import files
from thalweg.recipes.translation.pairs import Pairs


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_table_and_two_files_are_read_alike(tmp_path):
    wanted = {"train": Pairs(["a b", "c"], ["我", "你"])}
    one = write(tmp_path / "one", x_tsv="a b\t我\tby whom\nc\t你\n")
    two = write(tmp_path / "two", x_en="a b\nc\n", x_zh="我\n你\n", notes="of no account")
    assert files.read(one / "x.tsv", None) == wanted
    assert files.read(one, None) == wanted
    assert files.read(two, "en-zh") == wanted
    assert files.read(two, "zh-en") == {"train": Pairs(["我", "你"], ["a b", "c"])}
    (two / "x.en.gz").write_bytes(gzip.compress(b"a b\nc\n"))
    (two / "x.en").unlink()
    assert files.read(two, "en-zh") == wanted


def test_parts_that_are_set_apart(tmp_path):
    folder = write(tmp_path, train_tsv="a\tA\n", val_tsv="b\tB\n", test_tsv="c\tC\n")
    assert {name: part.sources for name, part in files.read(folder, None).items()} == {
        "train": ["a"], "validation": ["b"], "test": ["c"],
    }  # fmt: skip
    (folder / "test.tsv").unlink()
    assert files.read(folder, None)["test"].sources == ["b"]
    two = write(tmp_path / "two", train_en="a\n", train_de="A\n", test_en="c\n", test_de="C\n")
    assert files.read(two, "en-de") == {"train": Pairs(["a"], ["A"]), "test": Pairs(["c"], ["C"])}


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("a A\n", "line 1 has no tab"), ("a\tA\n\tB\n", "line 2 has no text"), ("a\t\n", "no transl")],
)
def test_a_file_that_cannot_teach_is_refused(tmp_path, text, message):
    (tmp_path / "x.tsv").write_text(text)
    with pytest.raises(DataError, match=message):
        files.read(tmp_path / "x.tsv", None)


def test_what_is_not_known_is_asked_for(tmp_path):
    two = write(tmp_path / "two", x_en="a\n", x_de="A\nB\n")
    with pytest.raises(DataError, match=r"x\.de, x\.en\.\n  Write --set languages=en-de"):
        files.read(two, None)
    with pytest.raises(DataError, match=r"end in \.en and \.fr were looked for"):
        files.read(two, "en-fr")
    with pytest.raises(DataError, match=r"has 1 lines, .* 2"):
        files.read(two, "en-de")
    with pytest.raises(DataError, match="is no file and no folder"):
        files.read(tmp_path / "none", None)
    (tmp_path / "x.doc").write_text("a\tA\n")
    with pytest.raises(DataError, match="none of the kinds"):
        files.read(tmp_path / "x.doc", None)
    (tmp_path / "gb.tsv").write_bytes("a\t我爱你\n".encode("gb18030"))
    with pytest.raises(DataError, match="is not UTF-8"):
        files.read(tmp_path / "gb.tsv", None)
