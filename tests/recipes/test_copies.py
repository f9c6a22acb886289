"""Copies in a person's data: every kind that splits rows itself keeps them in one part."""

import gzip
import re
import struct
import warnings

import numpy as np
import pytest

from thalweg import recipes
from thalweg.data import equal_rows
from thalweg.recipes.settings import Settings
from thalweg.recipes.sound import clips
from thalweg.recipes.sound.clips import Clips
from thalweg.recipes.tags import files as tag_files
from thalweg.recipes.tags import kind as tags_kind
from thalweg.recipes.text import kind as text_kind
from thalweg.train.contract import LeakWarning

ROWS = 120


def shared(*parts):
    """How many rows of the later parts stand in an earlier one."""
    groups = np.split(
        equal_rows([row for part in parts for row in part]), np.cumsum([len(part) for part in parts])[:-1]
    )
    return sum(int(np.isin(b, a).sum()) for i, b in enumerate(groups) for a in groups[:i])


def test_pictures(tmp_path):
    x = np.tile(np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8), np.uint8), (2, 1, 1))
    np.savez(tmp_path / "own.npz", x=x, y=np.arange(2 * ROWS) % ROWS % 3)
    recipe = recipes.load("digits")
    material = recipe.application.gather(tmp_path / "own.npz", recipe.settings())
    parts = [part[0] for part in (material.train, material.validation, material.test)]
    assert sum(map(len, parts)) == 2 * ROWS
    assert shared(*parts) == 0


def test_texts(tmp_path, monkeypatch):
    texts = [f"w{n} is {'good' if n % 2 else 'bad'}" for n in range(ROWS)] * 2
    path = tmp_path / "own.csv"
    path.write_text("text,label\n" + "".join(f"{text},{text.split()[-1]}\n" for text in texts))
    parts = []
    monkeypatch.setattr(
        text_kind, "_rows", lambda part, *_: parts.append(part.texts) or (np.zeros((1, 4)), np.zeros(1))
    )
    recipe = recipes.load("sentiment")
    recipe.application.gather(path, recipe.settings(validation_split=0.2))
    assert (len(parts), sum(map(len, parts))) == (3, 2 * ROWS)
    assert shared(*parts) == 0


def test_sentences(tmp_path):
    rows = [f"w{n}\tO\n{'one' if n % 2 else 'two'}\tB-PER\n" for n in range(ROWS)] * 2
    (tmp_path / "train.conll").write_text("\n".join(rows))
    (tmp_path / "test.conll").write_text("someone\tB-PER\n")
    whole = tag_files.parts(tmp_path)["train"]
    parts = tags_kind._with_validation(whole, recipes.load("ner").settings(validation_split=0.2), together=True)
    words = [part.words for part in parts.values()]
    assert (len(words), sum(map(len, words))) == (2, 2 * ROWS)
    assert shared(*words) == 0


@pytest.mark.parametrize("stratified", [True, False])
def test_recordings(stratified):
    rng = np.random.default_rng(0)
    sounds = [rng.normal(size=rng.integers(50, 90)).astype(np.float32) for _ in range(ROWS)] * 2
    labels = [("yes", "no")[n % ROWS % 2] for n in range(2 * ROWS)]
    whole = Clips(sounds, labels, [f"{n}.wav" for n in range(2 * ROWS)])
    parts = clips.split_clips(whole, "test", 0.2, 0, stratified=stratified)
    parts = clips.with_validation(parts, Settings(), stratified=stratified)
    rows = [part.sounds for part in parts.values()]
    assert (len(rows), sum(map(len, rows))) == (3, 2 * ROWS)
    assert shared(*rows) == 0


def counted(name, path, **settings):
    """What the material of `name` says of copies among its test rows, and what is warned of."""
    recipe = recipes.load(name)
    material = recipe.application.gather(path, recipe.settings(**settings))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        material.copies.warn()
    return material.copies, [str(w.message) for w in caught if w.category is LeakWarning]


TEXTS = [f"w{n} v{n % 7} is {'good' if n % 2 else 'bad'}" for n in range(ROWS)]


@pytest.mark.parametrize("leaks", [3, 0])
def test_texts_set_apart(tmp_path, leaks):
    test = [*TEXTS[90:110], *TEXTS[:leaks]]
    for part, texts in (("train", TEXTS[:90]), ("test", test)):
        rows = "".join(f"{text},{text.split()[-1]}\n" for text in texts)
        (tmp_path / f"{part}.csv").write_text(f"text,label\n{rows}")
    copies, said = counted("sentiment", tmp_path, validation_split=0.2)
    assert (copies.found.number, copies.rows) == (leaks, 20 + leaks)
    assert [("3 of the 23 test rows" in text, "(test row 20 is training row 0)" in text) for text in said] == (
        [(True, True)] if leaks else []
    )


def test_short_texts_repeat_by_chance(tmp_path):
    rng = np.random.default_rng(0)
    kinds = ["good", "bad", "very good", "very bad", "so good", "so bad", "good enough", "bad enough", "not good"]
    for part, count in (("train", 900), ("test", 100)):
        rows = "".join(f"{text},{'good' in text}\n" for text in rng.choice(kinds, count))
        (tmp_path / f"{part}.csv").write_text(f"text,label\n{rows}")
    copies, said = counted("sentiment", tmp_path)
    assert copies.found.number == 100
    assert said == []


def test_sentences_set_apart(tmp_path):
    rows = [f"w{n}\tO\n{'one' if n % 2 else 'two'}\tB-PER\n" for n in range(ROWS)]
    (tmp_path / "train.conll").write_text("\n".join(rows[:100]))
    (tmp_path / "test.conll").write_text("\n".join(rows[99:]))
    _, said = counted("ner", tmp_path, least=1)
    assert "1 of the 21 test rows are also training rows (test row 0 is training row 99)" in said[0]
    assert "Take them out of the test part" in said[0]


def test_pairs_set_apart(tmp_path):
    pytest.importorskip("sacrebleu")
    rows = [f"a{n} sentence of {n * n}\tein Satz von {n}\n" for n in range(ROWS)]
    (tmp_path / "train.tsv").write_text("".join(rows[:100]))
    (tmp_path / "test.tsv").write_text("".join(rows[90:95] + rows[100:]))
    _, said = counted("translate", tmp_path, validation_split=0.01)
    assert "5 of the 25 test rows are also training rows" in said[0]


def test_recordings_set_apart(tmp_path):
    rng = np.random.default_rng(0)
    sounds = [rng.normal(size=rng.integers(4000, 5000)).astype(np.float32) / 8 for _ in range(60)]
    for part, rows in (("train", range(50)), ("test", range(44, 60))):
        for n in rows:
            folder = tmp_path / part / ("yes", "no")[n % 2]
            folder.mkdir(parents=True, exist_ok=True)
            clips.write_wav(folder / f"{part}{n}.wav", sounds[n], 8000)
    _, said = counted("speech-digits", tmp_path, validation_split=0.05)
    assert "6 of the 16 test rows are also training rows (test row " in said[0]
    a, b = re.findall(r"test row \S*test(\d+).wav is training row \S*train(\d+).wav", said[0])[0]
    assert a == b


def test_pictures_set_apart_are_counted_on_the_page(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (460, 28, 28), np.uint8)
    x[455:] = x[:5]
    for part, rows in (("train", slice(400)), ("t10k", slice(400, 460))):
        for name, array in (("images-idx3", x[rows]), ("labels-idx1", np.arange(460)[rows] % 5)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            content = gzip.compress(header + array.astype(np.uint8).tobytes())
            (tmp_path / f"{part}-{name}-ubyte.gz").write_bytes(content)
    with pytest.warns(LeakWarning, match="5 of the 60 test rows are also training rows"):
        result = recipes.run("mnist-mlp", {"epochs": 1, "units": 8}, data=tmp_path, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["copies"] == 5
    assert result.verdict.line.endswith("Copies of training rows among the test rows: 5 of 60.")
    assert "5 of 60" in (tmp_path / "run" / "report.html").read_text()
