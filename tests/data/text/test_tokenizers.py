"""Tokenizers: there and back, what is unknown, what is kept; against loops and BERT's own cut."""

import builtins
import itertools
import json
import unicodedata

import numpy as np
import pytest
import tokenizers

from thalweg import data
from thalweg.data import BytePairs, Characters, WordPieces, Words
from thalweg.data.text import joined, subwords
from thalweg.data.text.normal import words
from thalweg.errors import ConfigError, DataError, MissingExtraError
from thalweg.export import strictjson
from thalweg.record import from_json, to_json

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # three people joined to one emoji
TEXTS = [
    "To be, or not to be: that is the question.",
    "我爱深度学习，也爱大海。",
    "naïve café, Ångström; e\u0301 and é",
    f"good \U0001f600 {FAMILY} day",
    "one\r\ntwo\n\tthree  ",
    "",
    "नमस्ते 𠀀 ﬁ Ｔ",
]
KINDS = [Characters, Words, BytePairs, WordPieces]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", [False, True])
def test_a_tokenizer_survives_the_model_file(kind, ends):
    record = kind.fit(TEXTS, 400, ends=ends)
    stored = strictjson.parse(strictjson.dump({"text": to_json(record)}, "preprocessing.json"), "preprocessing.json")
    again = from_json(stored["text"], data.ALLOWED)
    assert again == record
    assert record.size <= 400
    for mine, theirs in zip(record(TEXTS), again(TEXTS), strict=True):
        assert mine.dtype == np.int32
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", [Characters, BytePairs])
@pytest.mark.parametrize("ends", [False, True])
def test_what_keeps_all_comes_back_exactly(kind, ends):
    record = kind.fit(TEXTS, form=None, ends=ends)
    assert record.inverse(record(TEXTS)) == TEXTS
    padded = data.pad(record(TEXTS), 100)
    assert record.inverse(padded) == TEXTS
    for text in TEXTS:
        assert record.inverse(record(text)) == text


@pytest.mark.parametrize("kind", [Words, WordPieces])
def test_printed_words_are_the_same_words(kind):
    record = kind.fit(TEXTS, 1000, least=1)
    ids = record(TEXTS)
    again = record(record.inverse(ids))
    for mine, theirs in zip(ids, again, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_start_and_end_stand_around(kind):
    record = kind.fit(TEXTS, 400, ends=True)
    plain = kind.fit(TEXTS, 400)
    for text in TEXTS:
        ids = record(text)
        assert (ids[0], ids[-1]) == (2, 3)
        assert not np.isin(ids[1:-1], (0, 2, 3)).any()
        assert not (plain(text) == 0).any()
    first = record(TEXTS[0])
    assert record.inverse([*first, 9, 9, 9]) == record.inverse(first)  # nothing after the end is read
    assert record.inverse(np.zeros((2, 5), np.int32)) == ["", ""]
    assert record.inverse([]) == []


def test_characters_are_looked_up_one_by_one():
    record = Characters.fit(TEXTS)
    assert record.characters == "".join(sorted(set("".join(unicodedata.normalize("NFC", t) for t in TEXTS))))
    text = "to 学é?\U0001f600Zq"
    place = {c: i + 2 for i, c in enumerate(record.characters)}
    assert record(text).tolist() == [place.get(c, 1) for c in text]
    assert 1 in record(text)
    np.testing.assert_array_equal(Characters("ba")("abc"), [3, 2, 1])  # any order will do
    assert Characters("")("ab").tolist() == [1, 1]


def test_one_letter_however_it_is_written():
    assert Characters.fit(["e\u0301"]).characters == "é"
    assert Characters.fit(["e\u0301"], form=None).characters == "e\u0301"
    record = Words.fit(["ＡＢ café"], form="NFKC", lowercase=True)
    np.testing.assert_array_equal(record("ab CAFE\u0301"), [2, 3])
    with pytest.raises(ConfigError, match=r"form='nfc' is no normal form"):
        Words.fit(["a"], form="nfc")
    with pytest.raises(ConfigError, match="form='nfc'"):
        BytePairs.fit(["a"], form="nfc")


def test_words_are_those_of_bert():
    normalize = tokenizers.normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    cut = tokenizers.pre_tokenizers.BertPreTokenizer()
    old = unicodedata.ucd_3_2_0  # the library's tables are older than Python's; compare what has not changed since
    kept = [c for c in map(chr, [*range(32, 0xD800), *range(0xF900, 0x10000), 0x20000, 0x2F800])
            if old.category(c) == unicodedata.category(c) != "Cn"]  # fmt: skip
    texts = TEXTS + ["a" + "b".join(kept[i : i + 40]) + "c" for i in range(0, len(kept), 40)]
    wrong = [
        (mine, theirs)
        for text in texts
        for mine, theirs in [(words(text), [w for w, _ in cut.pre_tokenize_str(normalize.normalize_str(text))])]
        if mine != theirs
    ]
    assert len(kept) > 40_000
    assert not wrong, wrong[:2]


def test_words_by_rank_by_count_and_by_size():
    record = Words.fit(["b b b a a c c d"], least=2)
    assert record.vocabulary == ("b", "a", "c")
    assert Words.fit(["b b b a a c c d"], 4).vocabulary == ("b", "a")
    assert Words.fit(["b b b a a c c d"], 6, ends=True).vocabulary == ("b", "a")
    assert Characters.fit("bbbaaccd", 4).characters == "ab"
    np.testing.assert_array_equal(record("d c <unk> <pad>"), [1, 4, 1, 1, 1, 1, 1, 1])


def test_lists_of_tokens_are_taken_as_they_are_cut():
    sentences = [["U.S.", "<unk>", "don't"], ["don't"]]
    record = Words.fit(sentences)
    assert record.vocabulary == ("don't", "U.S.")
    assert [ids.tolist() for ids in record(sentences)] == [[3, 1, 2], [2]]
    assert record.tokens(["U.S."]) == ["U.S."]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["Hello", ",", "world", "!"], "Hello, world!"),
        (["it", "'", "s", "(", "a", ")", "well", "-", "known", "one"], "it's (a) well-known one"),
        (["我", "爱", "你", "，", "真", "的", "。"], "我爱你，真的。"),
        (["GPT", "很", "大"], "GPT很大"),
        ([], ""),
    ],
)
def test_words_are_printed_as_people_do(tokens, text):
    assert joined(tokens) == text
    assert words(text) == tokens


def test_byte_pairs_are_merged_by_rank():
    record = BytePairs.fit([*TEXTS[:4], "the sea the seal the seas " * 5], 300, ends=True)
    model = json.loads(record.model)["model"]
    rank = {tuple(pair): n for n, pair in enumerate(model["merges"])}
    assert rank
    assert sum(len(piece) == 1 for piece in model["vocab"]) == 256
    letters = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in TEXTS:
        expected = []
        for word, _ in letters.pre_tokenize_str(text):
            parts = list(word)
            while pairs := [(rank[p], i) for i, p in enumerate(itertools.pairwise(parts)) if p in rank]:
                _, i = min(pairs)
                parts[i : i + 2] = [parts[i] + parts[i + 1]]
            expected += [model["vocab"][part] for part in parts]
        assert record(text).tolist() == [2, *expected, 3]


def test_word_pieces_are_the_longest_from_the_left():
    record = WordPieces.fit(["walk walked walking talk talked talking 我爱大海"] * 3, 40)
    vocabulary = json.loads(record.model)["model"]["vocab"]

    def pieces(word):
        out, start = [], 0
        while start < len(word):
            for stop in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:stop]
                if piece in vocabulary:
                    break
            else:
                return [1]
            out.append(vocabulary[piece])
            start = stop
        return out

    for text in ("walked talkwing", "我爱 talk", "zebra walk", ""):
        assert record(text).tolist() == [i for word in words(text) for i in pieces(word)]
    assert record.inverse(record("talkwing 大海")) == "talkwing大海"
    assert WordPieces.fit(["Über"], 40, least=1, lowercase=True).tokens("ÜBER") == ["über"]


@pytest.mark.parametrize("kind", [BytePairs, WordPieces])
def test_training_depends_on_the_texts_alone(kind):
    texts = [f"number {n * n} of {n}" for n in range(300)]
    assert kind.fit(texts, 320) == kind.fit(iter(texts), 320)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_can_write_a_special_token(kind):
    record = kind.fit([*TEXTS, "<end>"], 400, ends=True)
    ids = record("a<end>b<pad>")
    assert not np.isin(ids[1:-1], (0, 2, 3)).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no token to learn from"),
        (["", ""], "no token to learn from"),
        (["a", None], r"row 1 holds None, which is no text\.\n  Fill it"),
        (["a", float("nan")], "row 1 holds nan"),
        (None, r"texts is NoneType; .*\n  Write \[text"),
        (b"a", "texts is bytes"),
        (7, "texts is int"),
    ],
)
def test_texts_that_are_none(kind, texts, message):
    with pytest.raises(DataError, match=message):
        kind.fit(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_indices_that_are_none(kind):
    record = kind.fit(TEXTS, 400)
    with pytest.raises(DataError, match=rf"place 1 holds {record.size}; the vocabulary has 0 to {record.size - 1}"):
        record.inverse([2, record.size])
    with pytest.raises(DataError, match="place 0 holds -1"):
        record.inverse([-1])
    with pytest.raises(DataError, match=r"ids are float64.*\n?.*argmax"):
        record.inverse([0.5])


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_that_leave_no_room(kind):
    with pytest.raises(ConfigError, match=r"size=2 leaves no room"):
        kind.fit(TEXTS, 2)


def test_a_count_that_no_word_has():
    with pytest.raises(ConfigError, match=r"least=9: no token is seen so often \(at most 2 times\)"):
        Words.fit(["a b a"], least=9)


def test_a_stored_model_that_is_none():
    for model in ("", "{}", '{"model": {"type": "BPE", "vocab": {}, "merges": [["a", "b"]]}}'):
        with pytest.raises(ConfigError, match=r"BytePairs: the stored model is none of `tokenizers`"):
            BytePairs(model)("a")


def test_without_the_library_the_command_is_named(monkeypatch):
    given = builtins.__import__

    def refused(name, *arguments, **more):
        if name == "tokenizers":
            raise ImportError(name)
        return given(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", refused)
    subwords._loaded.cache_clear()
    for act in (lambda: BytePairs.fit(TEXTS), lambda: WordPieces.fit(TEXTS), lambda: BytePairs("{}")("a")):
        with pytest.raises(MissingExtraError, match=r"tokenizers, which is not installed.\n.*'thalweg\[text\]'"):
            act()
