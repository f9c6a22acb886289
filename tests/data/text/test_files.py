"""Texts in people's files: what is read, and what each kind of bad file is told."""

import gzip
import json

import pytest

from thalweg.data import (
    read_classes,
    read_conll,
    read_csv,
    read_jsonl,
    read_labelled,
    read_lines,
    read_parallel,
    read_text,
)
from thalweg.errors import DataError

CHINESE = "深度学习是机器学习的一个分支。"


def write(tmp_path, content, name="file.txt"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5"])
def test_an_encoding_that_is_named(tmp_path, encoding):
    text = "今天\r\n天氣很好\n"
    path = write(tmp_path, text.encode(encoding))
    named = {} if encoding.startswith("utf-8") else {"encoding": encoding}
    assert read_text(path, **named) == text
    assert read_lines(path, **named) == ["今天", "天氣很好"]


def test_lines_end_where_a_line_ends(tmp_path):
    path = write(tmp_path, "a\x0cb\r\n\r\n  c\x85d\u2028e \rlast")
    assert read_lines(path) == ["a\x0cb", "  c\x85d\u2028e ", "last"]


def test_a_packed_file(tmp_path):
    assert read_text(write(tmp_path, gzip.compress(b"abc"), "a.txt.gz")) == "abc"
    with pytest.raises(DataError, match=r"b\.txt\.gz is damaged"):
        read_text(write(tmp_path, gzip.compress(b"abc")[:-3], "b.txt.gz"))
    with pytest.raises(DataError, match=r"c\.txt\.gz is damaged"):
        read_text(write(tmp_path, b"abc", "c.txt.gz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (
            ("abc " + CHINESE).encode("gb18030"),
            r"is not UTF-8: byte 4 is 0xc9\.\n  Save it as UTF-8, or write encoding='gb18030'",
        ),
        ("Grüße, café".encode("latin-1"), r"byte 2 is 0xfc\.\n  Save it as UTF-8, or write encoding='latin-1'"),
        (CHINESE.encode("utf-16"), r"byte 0 is 0xff\.\n  Save it as UTF-8, or write encoding='utf-16'"),
        ("abc".encode("utf-16-le"), r"the character NUL, at 1; .*\n  Save it as UTF-8, or write encoding='utf-16-le'"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, message):
    path = write(tmp_path, content)
    for read in (read_text, read_lines, read_jsonl, read_conll, read_parallel):
        with pytest.raises(DataError, match=message):
            read(path)


def test_no_file_and_no_encoding(tmp_path):
    with pytest.raises(DataError, match="cannot be opened: No such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"encoding='gbk2' is unknown\.\n  Write"):
        read_text(write(tmp_path, "a"), encoding="gbk2")


TABLE = 'text,label\n"good, very",1\n坏,0\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TABLE),
        ("a.CSV", "\ufeff" + TABLE.replace("\n", "\r\n")),
        ("a.tsv", "id\ttext\tlabel\n1\tgood, very\t1\n2\t坏\t0\n"),
        ("a.jsonl", '{"text": "good, very", "label": 1}\n\n{"label": 0, "text": "坏"}\n'),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
    ],
)
def test_tables_of_texts_and_labels(tmp_path, name, content):
    path = write(tmp_path, content, name)
    assert read_labelled(path) == (["good, very", "坏"], ["1", "0"])


def test_columns_by_name_and_quotes_that_are_letters(tmp_path):
    path = write(tmp_path, 'stars\treview\n5\t"Great" he said\n1\t"dull\n', "a.tsv")
    assert read_labelled(path, "review", "stars", quotes=False) == (['"Great" he said', '"dull'], ["5", "1"])
    assert read_csv(path, quotes=False)["review"] == ['"Great" he said', '"dull']


def test_a_column_that_is_missing_lists_those_there(tmp_path):
    path = write(tmp_path, "text,labels\na,1\nb,0\n", "a.csv")
    with pytest.raises(DataError, match=r"no column 'label'; it has 'text', 'labels'\.\n  Did you mean 'labels'"):
        read_labelled(path)
    path = write(tmp_path, json.dumps({"body": "a", "label": 1}), "a.jsonl")
    with pytest.raises(DataError, match=r"no column 'text'; it has 'body', 'label'"):
        read_labelled(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\na,1\nb,1\n", "one class only, '1'"),
        ("a.csv", "text,label\na,1\nb,\n", "label of row 1 is missing"),
        ("a.csv", "text,label\na,1\nb\n", "row 1 has 1 cells; the table has 2 columns"),
        ("a.csv", "text,label\n", "a line of names and no data"),
        ("a.jsonl", '{"text": "a"}\n{"label": 1}\n', r"line 2 has not the names \['text'\]"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": null}\n', "label of row 1 is missing"),
        ("a.jsonl", '["a"]\n', "line 1 has not an object"),
        ("a.jsonl", '{"text": "a"}\n{"text": ', "line 2 is no JSON"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_labelled(write(tmp_path, content, name))


def test_a_folder_with_a_class_each(tmp_path):
    for name, text in (("pos/2.txt", "gut\r\n"), ("pos/10.txt", "好"), ("neg/1.txt", "bad"), (".git/x.txt", "no")):
        write(tmp_path, text, name)
    write(tmp_path, "not one of them", "README.txt")
    expected = (["bad", "好", "gut\r\n"], ["neg", "pos", "pos"])
    assert read_classes(tmp_path) == read_labelled(tmp_path) == expected
    write(tmp_path, "好".encode("gb18030"), "neg/2.txt")
    with pytest.raises(DataError, match=r"neg/2\.txt is not UTF-8: byte 0"):
        read_classes(tmp_path)


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        read_classes(tmp_path / "none")
    with pytest.raises(DataError, match=r"has no sub-folder\.\n  Put"):
        read_classes(tmp_path)
    write(tmp_path, "a", "pos/1.txt")
    with pytest.raises(DataError, match="one class only, 'pos'"):
        read_classes(tmp_path)
    (tmp_path / "neg").mkdir()
    with pytest.raises(DataError, match=r"neg holds no \.txt file"):
        read_classes(tmp_path)


def test_columns_of_tokens_and_tags(tmp_path):
    expected = ([["EU", "rejects"], ["#"]], [["B-ORG", "O"], ["O"]])
    space = "-DOCSTART- -X- O\n\nEU NNP B-ORG\r\nrejects VBZ O\n\n\n# SYM O"
    assert read_conll(write(tmp_path, space)) == expected
    assert read_conll(write(tmp_path, "EU\tB-ORG\nrejects\tO\n \t\n#\tO\n")) == expected
    assert read_conll(write(tmp_path, "1\tEU\tB-ORG\tx\n2\trejects\tO\ty\n\n1\t#\tO\tz"), token=1, tag=2) == expected


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("EU B-ORG\nrejects\n", {}, "line 2 has 1 columns, 'rejects'; expected 2"),
        ("EU\tB-ORG\nNew York\tO\tx\n", {}, "line 2 has 3 columns"),
        ("EU B-ORG\n", {"tag": 2}, "line 1 has 2 columns, .* with columns 0 and 2 among them"),
    ],
)
def test_columns_that_are_ragged(tmp_path, content, options, message):
    with pytest.raises(DataError, match=message):
        read_conll(write(tmp_path, content), **options)


def test_parallel_texts(tmp_path):
    left, right = write(tmp_path, "Hi.\nRun!\n", "en"), write(tmp_path, "嗨。\n跑！", "zh")
    both = write(tmp_path, "Hi.\t嗨。\tCC-BY\nRun!\t跑！\n", "pairs.tsv")
    assert read_parallel(left, right) == read_parallel(both) == (["Hi.", "Run!"], ["嗨。", "跑！"])
    with pytest.raises(DataError, match=r"en has 2 lines, .*zh 3\.\n  Line n"):
        read_parallel(left, write(tmp_path, "嗨。\n\n跑！", "zh"))
    with pytest.raises(DataError, match="line 2 has no translation"):
        read_parallel(left, write(tmp_path, "嗨。\n \n", "zh"))
    with pytest.raises(DataError, match=r"line 1 has no tab: 'Hi\.'"):
        read_parallel(left)
