"""Pairs of sentences: people's files, what belongs together, and a split in which no sentence stands in two parts."""

import gzip

import numpy as np
import pytest

from thalweg.errors import ConfigError, DataError
from thalweg.recipes.translation import corpora
from thalweg.recipes.translation import files as pairs
from thalweg.recipes.translation.files import Pairs


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_table_and_two_files_are_read_alike(tmp_path):
    wanted = {"train": Pairs(["a b", "c"], ["我", "你"])}
    one = write(tmp_path / "one", x_tsv="a b\t我\tby whom\nc\t你\n")
    two = write(tmp_path / "two", x_en="a b\nc\n", x_zh="我\n你\n", notes="of no account")
    assert pairs.read(one / "x.tsv", None) == wanted
    assert pairs.read(one, None) == wanted
    assert pairs.read(two, "en-zh") == wanted
    assert pairs.read(two, "zh-en") == {"train": Pairs(["我", "你"], ["a b", "c"])}
    (two / "x.en.gz").write_bytes(gzip.compress(b"a b\nc\n"))
    (two / "x.en").unlink()
    assert pairs.read(two, "en-zh") == wanted


def test_parts_that_are_set_apart(tmp_path):
    folder = write(tmp_path, train_tsv="a\tA\n", val_tsv="b\tB\n", test_tsv="c\tC\n")
    assert {name: part.sources for name, part in pairs.read(folder, None).items()} == {
        "train": ["a"], "validation": ["b"], "test": ["c"],
    }  # fmt: skip
    (folder / "test.tsv").unlink()
    assert pairs.read(folder, None)["test"].sources == ["b"]
    two = write(tmp_path / "two", train_en="a\n", train_de="A\n", test_en="c\n", test_de="C\n")
    assert pairs.read(two, "en-de") == {"train": Pairs(["a"], ["A"]), "test": Pairs(["c"], ["C"])}


def test_no_sentence_stands_in_two_parts():
    rng = np.random.default_rng(0)
    whole = Pairs(*([f"{side}{n}" for n in rng.integers(0, 300, 200)] for side in "st"))
    rest, chosen = pairs.apart(whole, 0.2, 1, "here")
    assert sorted(zip(*rest, strict=True)) + sorted(zip(*chosen, strict=True)) != []
    assert sorted([*zip(*rest, strict=True), *zip(*chosen, strict=True)]) == sorted(zip(*whole, strict=True))
    assert not set(rest.sources) & set(chosen.sources)
    assert not set(rest.targets) & set(chosen.targets)
    assert 10 <= len(chosen) <= 80
    assert pairs.apart(whole, 0.2, 1, "here") == (rest, chosen)
    assert pairs.apart(whole, 0.2, 2, "here")[1] != chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("a A\n", "line 1 has no tab"), ("a\tA\n\tB\n", "line 2 has no text"), ("a\t\n", "no transl")],
)
def test_a_file_that_cannot_teach_is_refused(tmp_path, text, message):
    (tmp_path / "x.tsv").write_text(text)
    with pytest.raises(DataError, match=message):
        pairs.read(tmp_path / "x.tsv", None)


def test_what_is_not_known_is_asked_for(tmp_path):
    two = write(tmp_path / "two", x_en="a\n", x_de="A\nB\n")
    with pytest.raises(DataError, match=r"x\.de, x\.en\.\n  Write --set languages=en-de"):
        pairs.read(two, None)
    with pytest.raises(DataError, match=r"end in \.en and \.fr were looked for"):
        pairs.read(two, "en-fr")
    with pytest.raises(DataError, match=r"has 1 lines, .* 2"):
        pairs.read(two, "en-de")
    with pytest.raises(DataError, match="is no file and no folder"):
        pairs.read(tmp_path / "none", None)
    (tmp_path / "x.doc").write_text("a\tA\n")
    with pytest.raises(DataError, match="none of the kinds"):
        pairs.read(tmp_path / "x.doc", None)
    (tmp_path / "gb.tsv").write_bytes("a\t我爱你\n".encode("gb18030"))
    with pytest.raises(DataError, match="is not UTF-8"):
        pairs.read(tmp_path / "gb.tsv", None)
    with pytest.raises(DataError, match="30 pairs in 1 groups"):
        pairs.apart(Pairs(["a"] * 30, [f"A{n}" for n in range(30)]), 0.1, 0, "here")


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
