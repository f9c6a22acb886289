"""Copies in a person's data: every kind that splits rows itself keeps them in one part."""

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
