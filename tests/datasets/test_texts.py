"""The sets of texts: the counts that were published, first and last rows."""

import numpy as np
import pytest

from thalweg import datasets
from thalweg.data import Words
from thalweg.datasets import (
    btc_ner,
    gmb_ner,
    imdb,
    multi30k,
    names,
    rt_polarity,
    sst2,
    tatoeba,
    tinyshakespeare,
    wikitext2,
    wnut17,
)
from thalweg.datasets.catalog.texts import WIKITEXT2
from thalweg.errors import ConfigError, DataError


def test_tinyshakespeare(public_data):
    train, rest = tinyshakespeare.load_data()
    assert (len(train), len(rest)) == (1_003_854, 111_540)  # nanoGPT prints these
    assert len(set(train + rest)) == 65
    assert train.startswith("First Citizen:\nBefore we proceed")


def test_names(public_data):
    found = names.load_data()
    assert len(found) == 32_033
    assert (found[0], found[-1]) == ("emma", "zzyzx")
    assert len(set("".join(found))) == 26


def test_wikitext2(public_data, tmp_path):
    parts = wikitext2.load_data()
    assert [len(part) for part in parts] == [2_088_628, 217_646, 245_569]
    assert len(set(parts[0])) == 33_278
    words = Words.fit([parts[0]])
    assert words.size == 33_278 - 1 + 2  # `<unk>` is the unknown token
    assert (words([parts[2]])[0] == 1).sum() == parts[2].count("<unk>")  # no word of the test part is new
    for file in WIKITEXT2.files:
        name = file.name.replace(".shuffled", "")
        (tmp_path / name).write_text(" = A = \n\n b c \n")
    assert wikitext2.load_data(tmp_path)[0] == ["=", "A", "=", "<eos>", "<eos>", "b", "c", "<eos>"]


def test_imdb(public_data):
    (x, y), (xt, yt) = imdb.load_data()
    assert (len(x), len(y), sum(y)) == (10_000, 10_000, 5_000)
    assert (len(xt), len(yt), sum(yt)) == (4_000, 4_000, 2_000)
    assert x[0].startswith("Story of a man who has unnatural feelings for a pig.")
    assert datasets.load("imdb")[1][0] == xt


def reviews(folder, train, test):
    folder.mkdir(parents=True)
    for name, rows in (("imdb_train_10000.tsv", train), ("imdb_test_4000.tsv", test)):
        lines = ["label\trating\tid\ttext", *(f"{label}\t1\t{n}\t{text}" for n, (label, text) in enumerate(rows))]
        (folder / name).write_text("\n".join(lines) + "\n")


def test_imdb_by_keras_call(home, tmp_path):
    reviews(
        tmp_path / "imdb",
        [(0, "Bad, bad film!"), (1, "a good film isn't bad"), (0, 'a "dull" one')],
        [(1, "A new film"), (0, "bad")],
    )
    ranks = imdb.get_word_index(tmp_path)
    assert ranks == {"bad": 1, "a": 2, "film": 3, "dull": 4, "good": 5, "isn't": 6, "one": 7}
    (x, y), (xt, yt) = imdb.load_data(tmp_path, num_words=8)
    assert x.dtype == object
    assert y.dtype == np.int64
    expected = {(0, (1, 4, 4, 6)), (1, (1, 5, 2, 6, 2, 4)), (0, (1, 5, 7, 2))}  # 1 start, 2 beyond 8, rank + 3
    assert {(label, tuple(row)) for row, label in zip(x, y, strict=True)} == expected
    assert {(label, tuple(row)) for row, label in zip(xt, yt, strict=True)} == {(1, (1, 5, 6)), (0, (1, 4))}
    plain = imdb.load_data(tmp_path, num_words=100, start_char=None, index_from=0, oov_char=None, skip_top=2)[1][0]
    assert sorted(map(tuple, plain)) == [(), (2, 3)]
    short = imdb.load_data(tmp_path, num_words=100, maxlen=5)[0][0]
    assert sorted(map(len, short)) == [4, 4]
    with pytest.raises(ConfigError, match="maxlen=1 leaves no review"):
        imdb.load_data(tmp_path, num_words=100, maxlen=1)


def test_imdb_as_it_was_published(home, tmp_path):
    for part in ("train", "test"):
        for kind in ("neg", "pos"):
            folder = tmp_path / "imdb" / "aclImdb" / part / kind
            folder.mkdir(parents=True)
            (folder / "0_1.txt").write_text(f"{part} {kind}")
    (tmp_path / "imdb" / "aclImdb" / "README").touch()
    assert imdb.load_data(tmp_path) == ((["train neg", "train pos"], [0, 1]), (["test neg", "test pos"], [0, 1]))
    (tmp_path / "imdb" / "aclImdb" / "test" / "pos" / "0_1.txt").unlink()
    with pytest.raises(DataError, match=r"test holds no .*\n.*Unpack"):
        imdb.load_data(tmp_path)


def test_sst2(public_data):
    (x, y), (xt, yt) = sst2.load_data()
    assert (len(x), sum(y), len(xt), sum(yt)) == (67_349, 37_569, 872, 444)
    assert (xt[0], yt[0]) == ("it 's a charming and often affecting journey .", 1)


def test_rt_polarity(public_data):
    x, y = rt_polarity.load_data()
    assert (len(x), sum(y)) == (10_662, 5_331)
    assert x[0].startswith("simplistic , silly and tedious")
    assert x[5_331].startswith("the rock is destined to be the 21st century's")


def test_multi30k(public_data):
    parts = multi30k.load_data()
    assert [(len(a), len(b)) for a, b in parts] == [(29_000,) * 2, (1_014,) * 2, (1_000,) * 2]
    assert parts[0][0][0] == "Two young, White males are outside near many bushes."
    assert parts[0][1][0] == "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche."
    assert [len(multi30k.load_data("de", "fr", test)[2][0]) for test in ("test_2017_flickr", "test_2017_mscoco")] == [
        1000,
        461,
    ]
    assert len(multi30k.load_data("en", "cs", "test_2018_flickr")[2][1]) == 1_071
    with pytest.raises(ConfigError, match=r"no test_2017_flickr\.cs\.\n"):
        multi30k.load_data("en", "cs", "test_2017_flickr")


def test_tatoeba(public_data):
    english, chinese = tatoeba.load_data()
    assert (len(english), len(chinese)) == (26_388, 26_388)
    assert (english[0], chinese[0]) == ("Hi.", "嗨。")


def tags_are_iob(tags, kinds):
    known = {"O", *(f"{b}-{kind}" for b in "BI" for kind in kinds)}
    return {tag for row in tags for tag in row} == known


def test_gmb_ner(public_data):
    tokens, tags = gmb_ner.load_data()
    assert (len(tokens), sum(map(len, tokens))) == (47_959, 1_048_575)
    assert [len(row) for row in tokens] == [len(row) for row in tags]
    assert (tokens[0][6], tags[0][6]) == ("London", "B-geo")
    assert tags_are_iob(tags, gmb_ner.KINDS)


def test_wnut17(public_data):
    parts = wnut17.load_data()
    assert [len(tokens) for tokens, _ in parts] == [3_394, 1_009, 1_287]
    assert [sum(map(len, tokens)) for tokens, _ in parts] == [62_730, 15_733, 23_394]
    assert all(tags_are_iob(tags, wnut17.KINDS) for _, tags in parts)


def test_btc_ner(public_data):
    parts = btc_ner.load_data()
    assert [len(tokens) for tokens, _ in parts] == [6_339, 1_000, 2_001]
    assert sum(len(tokens) for tokens, _ in parts) == 9_340
    assert all(tags_are_iob(tags, btc_ner.KINDS) for _, tags in parts)


def test_a_table_that_was_altered(home, tmp_path):
    (tmp_path / "train.tsv").write_text("sentence\tlabel\na\n")
    with pytest.raises(DataError, match=r"train\.tsv is not as it was published"):
        sst2.load_data(tmp_path)


@pytest.mark.parametrize("label", ["-1", "2", "x", "", "1.0", "²", "9" * 5000])
def test_a_label_that_is_no_class(home, tmp_path, label):
    (tmp_path / "train.tsv").write_text(f"sentence\tlabel\na\t1\nb\t{label}\n")
    with pytest.raises(DataError, match=r"train\.tsv, row 1: the label is .*; the classes are 0 to 1\.\n  "):
        sst2.load_data(tmp_path)
    reviews(tmp_path / "imdb", [(1, "a"), (label, "b")], [(1, "c"), (0, "d")])
    with pytest.raises(DataError, match=r"row 1: the label is .*; the classes are 0 to 1\.\n  "):
        imdb.load_data(tmp_path)
