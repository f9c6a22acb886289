"""Parts that are set apart: which file or folder is which part, in every kind, and what is said of it."""

import wave
from pathlib import Path

import numpy as np
import pytest

from thalweg import recipes
from thalweg.errors import DataError
from thalweg.recipes import paths
from thalweg.recipes.sound.features import SoundSettings
from thalweg.recipes.sound.files import own as own_sounds
from thalweg.recipes.tags import files as tags
from thalweg.recipes.text.files import own as own_texts
from thalweg.recipes.translation import files as translation


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train.csv", "train"),
        ("training", "train"),
        ("trainData.csv", "train"),
        ("trainset-2.txt", "train"),
        ("train2014", "train"),
        ("TRAIN.TXT", "train"),
        ("device_train.csv", "train"),
        ("device_test.csv", "test"),
        ("protest_2019_train.csv", "train"),
        ("x_test.csv.gz", "test"),
        ("test_of_training.csv", "test"),
        ("valid.csv", "validation"),
        ("validation", "validation"),
        ("val.tsv", "validation"),
        ("dev-en.txt", "validation"),
        ("invalid.csv", None),
        ("pretrain.txt", None),
        ("pretrained", None),
        ("strain", None),
        ("protest", None),
        ("device.csv", None),
        ("latest.csv", None),
        ("valley.en", None),
        ("devil.txt", None),
        ("trainer.csv", None),
        ("détrain.csv", None),
        ("2019.csv", None),
    ],
)
def test_a_part_is_a_whole_word(name, part):
    assert paths.part_of(name) == part


def folder(tmp_path, *names):
    for name in names:
        (tmp_path / name).write_text("text,label\n")
    return tmp_path


def named(found):
    return {part: place.name for part, place in found.items()}


def test_the_parts_of_a_folder(tmp_path):
    device = folder(tmp_path, "device_test.csv", "device_train.csv", "device.csv", ".train.csv")
    assert named(paths.parts(device)) == {"train": "device_train.csv", "test": "device_test.csv"}
    folder(tmp_path, "train.csv", "valid.csv")
    found = paths.parts(device)
    assert named(found) == {"train": "train.csv", "validation": "valid.csv", "test": "device_test.csv"}
    assert paths.roles(found) == (
        "train.csv trains, valid.csv validates, device_test.csv tests, device.csv, device_train.csv are no part"
    )
    assert paths.judged(device) == device / "device_test.csv"
    assert paths.judged(device / "train.csv") == device / "train.csv"
    (device / "device_test.csv").unlink()
    assert named(paths.parts(device)) == {"train": "train.csv", "test": "valid.csv"}
    folder(tmp_path, "train_b.csv")
    with pytest.raises(DataError, match=r"several for the part 'train': train\.csv, train_b\.csv\.\n  Leave one"):
        paths.parts(device)


@pytest.mark.parametrize("names", [("invalid.csv", "pretrain.csv"), ("protest.csv", "strain.csv"), ("train.csv",)])
def test_what_is_no_part_is_not_set_apart(tmp_path, names):
    assert paths.parts(folder(tmp_path, *names)) == {}


def classes(place):
    """Classes called `strain` and `protest`: no parts."""
    for name in ("strain", "protest"):
        (place / name).mkdir(parents=True)
    return place


def test_texts(tmp_path):
    for part, label in (("train", "good"), ("test", "bad")):
        (tmp_path / f"device_{part}.csv").write_text(f"text,label\n{part},{label}\n{part} too,{label}\n")
    assert {part: texts.labels[0] for part, texts in own_texts(tmp_path).items()} == {"train": "good", "test": "bad"}
    for place in (classes(tmp_path / "c") / "strain", tmp_path / "c" / "protest"):
        (place / "1.txt").write_text("a text")
    assert own_texts(tmp_path / "c")["train"].labels == ["protest", "strain"]


def test_tags(tmp_path):
    for part in ("train", "test"):
        (tmp_path / f"device_{part}.conll").write_text(f"{part} B-PER\n")
    assert {part: found.words for part, found in tags.parts(tmp_path).items()} == {
        "train": [["train"]],
        "test": [["test"]],
    }
    (tmp_path / "device_test.conll").rename(tmp_path / "protest.conll")
    with pytest.raises(DataError, match="no files named train"):
        tags.parts(tmp_path)


def test_language(tmp_path):
    for name in ("pretrain", "device_train", "device_test"):
        (tmp_path / f"{name}.txt").write_text(f"{name} " * 400)
    recipe = recipes.load("char-lm")
    material = recipe.application.gather(tmp_path, recipe.settings(context=8, batch_size=4))
    assert material.raw["train"][0].startswith("device_train ")
    assert material.raw["test"][0].startswith("device_test ")
    assert material.source == f"{tmp_path}, device_train.txt trains, device_test.txt tests, pretrain.txt is no part"


def test_translations(tmp_path):
    for part in ("train", "test"):
        for language in ("en", "de"):
            (tmp_path / f"device_{part}.{language}").write_text(f"{part} {language}\n")
    found = translation.read(tmp_path, "en-de")
    assert {part: pairs.sources for part, pairs in found.items()} == {"train": ["train en"], "test": ["test en"]}
    assert translation.roles(tmp_path) == (
        "device_train.de and device_train.en trains, device_test.de and device_test.en tests"
    )
    (tmp_path / "train2.en").write_text("more\n")
    with pytest.raises(DataError, match="which files belong together is not known"):
        translation.read(tmp_path, "en-de")
    place = tmp_path / "whole"
    place.mkdir()
    for language in ("en", "de"):
        (place / f"valley_strain_protest.{language}").write_text(f"{language}\n")
    assert list(translation.read(place, "en-de")) == ["train"]


def tone(path: Path, pitch: float):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(pitch * np.arange(4000))).astype("<i2").tobytes())


def test_sounds(tmp_path):
    for part in ("train", "test"):
        for pitch, label in enumerate(("strain", "protest"), start=1):
            tone(tmp_path / f"device_{part}" / label / f"{part}.wav", pitch)
    settings = SoundSettings(sampling_rate=8000)
    found = own_sounds(tmp_path, settings, ("label",), stratified=True)
    assert {part: clips.names for part, clips in found.items()} == {
        "train": ["train.wav"] * 2,
        "test": ["test.wav"] * 2,
    }
    whole = own_sounds(tmp_path / "device_train", settings, ("label",), stratified=False)
    assert sorted(text for clips in whole.values() for text in clips.texts) == ["protest", "strain"]


def test_a_run_says_what_it_took(tmp_path, capsys):
    for part in ("train", "dev", "test"):
        lines = [f"{part} {'good' if n % 2 else 'bad'} {n},{'good' if n % 2 else 'bad'}" for n in range(20)]
        (tmp_path / f"my_{part}.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    result = recipes.run(
        "sentiment", epochs=1, batch_size=10, length=4, data=tmp_path, run_dir=tmp_path / "run", verbose=1
    )
    said = "my_train.csv trains, my_dev.csv validates, my_test.csv tests"
    assert f"Data: {tmp_path}, {said}" in capsys.readouterr().out
    assert said in (result.folder / "report.html").read_text()


def test_what_was_taken_for_no_part_is_named(tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("text,label\na,b\n")
    assert paths.roles(paths.parts(tmp_path)) == "train.csv trains, test.csv tests"
    (tmp_path / "protest_notes.csv").write_text("text,label\na,b\n")
    (tmp_path / ".hidden.csv").write_text("")
    assert paths.roles(paths.parts(tmp_path)) == "train.csv trains, test.csv tests, protest_notes.csv is no part"
    for name in ("a.csv", "my_train.csv", "z.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "clips").mkdir()
    assert paths.roles(paths.parts(tmp_path)) == (
        "train.csv trains, test.csv tests, a.csv, clips, my_train.csv, protest_notes.csv and 1 more are no part"
    )


def test_what_was_taken_for_no_part_is_named_of_parallel_files(tmp_path):
    for name in ("train.en", "train.de", "test.en", "test.de", "protest.en"):
        (tmp_path / name).write_text("a\n")
    assert translation.roles(tmp_path).endswith(" tests, protest.en is no part")
