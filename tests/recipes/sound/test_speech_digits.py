"""Sound classes: people's folders and tables, what is refused, and a run whose file answers alone."""

import json
import shutil
import wave

import numpy as np
import pytest

from tests.recipes.sound import tones
from thalweg import recipes
from thalweg.data import read_sound
from thalweg.errors import ConfigError, DataError, MissingExtraError
from thalweg.recipes.sound import files
from thalweg.recipes.sound.clips import write_wav
from thalweg.recipes.trained import ask, evaluate, load

RECIPE = recipes.load("speech-digits")
SMALL = {"units": 8, "bands": 16, "epochs": 12, "learning_rate": 0.02, "batch_size": 8, "dropout": 0.0}


def settings(**named):
    return RECIPE.settings(**named)


def gathered(path, **named):
    return RECIPE.application.gather(path, settings(**named))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return tones.classes(tmp_path_factory.mktemp("tones") / "own", 12)


@pytest.fixture(scope="module", params=["cnn", "lstm"])
def finished(request, own, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    return recipes.run("speech-digits", SMALL, network=request.param, data=own, run_dir=folder, verbose=0)


def test_it_learns_a_folder_of_ones_own_and_its_file_answers_alone(finished, own, tmp_path):
    assert finished.scores["accuracy"] >= 0.9 > finished.scores["baseline"]
    assert finished.verdict.sections[0].title == "Confusion matrix"
    shutil.copy(finished.folder / "model.tw", tmp_path / "m.tw")
    trained = load(tmp_path / "m.tw")
    rng = np.random.default_rng(5)
    for letter in "ABC":
        write_wav(tmp_path / f"{letter}.wav", tones.sound(letter, rng), tones.RATE)
        (said,) = ask(trained, tmp_path / f"{letter}.wav", (), {})
        assert (said["file"], said["answer"]) == (f"{letter}.wav", letter)
    for said in ask(trained, finished.folder / "samples" / "samples.csv", (), {}):
        assert said["answer"] == said["label"]
    assert evaluate(trained, None).scores == finished.scores
    assert evaluate(trained, tones.classes(tmp_path / "more", 2, seed=9)).scores["rows"] == 6


def test_a_longer_recording_and_another_rate_are_heard_as_well(finished, tmp_path):
    trained, rng = load(finished.folder), np.random.default_rng(3)
    long = np.concatenate([tones.sound("B", rng) for _ in range(12)])
    assert len(long) // 80 > trained.record("sounds").frames
    write_wav(tmp_path / "long.wav", long, tones.RATE)
    write_wav(tmp_path / "fast.wav", tones.sound("B", rng, rate=22050), 22050)
    assert [ask(trained, tmp_path / name, (), {})[0]["answer"] for name in ("long.wav", "fast.wav")] == ["B", "B"]


def test_padding_takes_no_part(finished):
    x, _ = finished.model.preprocessing["sounds"]([tones.sound("A", np.random.default_rng(1))])
    wider = np.pad(x, ((0, 0), (0, 40), (0, 0)))
    np.testing.assert_allclose(finished.model.predict(wider), finished.model.predict(x), atol=1e-5)


def test_parts_tables_and_the_share_that_tests(own, tmp_path):
    assert gathered(own).description()["rows"] == {"train": 26, "validation": 3, "test": 7}
    assert sorted(gathered(own).raw.names) != sorted(gathered(own, seed=1).raw.names)
    tones.classes(tmp_path / "parts" / "train", 6)
    tones.classes(tmp_path / "parts" / "test", 2, seed=1)
    found = gathered(tmp_path / "parts", validation_split=0.2)
    assert found.description()["rows"]["test"] == 6
    listed = tones.table(tmp_path / "t.csv", [*"ABC"] * 8, "class")
    assert gathered(listed).classes == ("A", "B", "C")


def test_a_recording_is_scaled_by_the_training_part_alone(own):
    material = gathered(own)
    real = [row[row.any(1)] for part in (material.train.x,) for row in part]
    np.testing.assert_allclose(np.concatenate(real).mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.concatenate(real).std(0), 1, atol=1e-2)


def empty(path):
    write_wav(path, np.zeros(0, np.float32), tones.RATE)


def short(path):
    write_wav(path, np.full(100, 0.1, np.float32), tones.RATE)


def long(path):
    write_wav(path, np.full(6 * tones.RATE, 0.1, np.float32), tones.RATE)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (empty, r"bad.wav is 0 seconds long"),
        (short, r"bad.wav is 0.013 seconds long; 0.05 are the least"),
        (long, r"bad.wav is 6.0 seconds long, and seconds=5.\n.*--set seconds=6"),
        (lambda path: path.write_bytes(b""), r"bad.wav is empty: it has 0 bytes"),
        (lambda path: path.write_bytes(b"no sound"), r"bad.wav is no WAV file"),
        (lambda path: path.write_bytes(b"RIFF" + b"\0" * 40), r"bad.wav is no WAV file"),
    ],
)
def test_a_recording_that_cannot_teach_is_refused_by_name(spoil, message, tmp_path):
    tones.classes(tmp_path / "own", 4)
    spoil(tmp_path / "own" / "B" / "bad.wav")
    with pytest.raises(DataError, match=message):
        recipes.run("speech-digits", data=tmp_path / "own", run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def silent(path):
    write_wav(path, np.zeros(4000, np.float32), tones.RATE)


def test_silence_is_said_and_where_there_is_no_sound_at_all_refused(tmp_path):
    tones.classes(tmp_path / "own", 4)
    silent(tmp_path / "own" / "B" / "0.wav")
    silent(tmp_path / "own" / "C" / "0.wav")
    with pytest.warns(UserWarning, match=r"B/0.wav is silence alone, every sample the same, and so are 1 more\."):
        assert gathered(tmp_path / "own").description()["rows"]["test"] == 2
    for path in (tmp_path / "own").rglob("*.wav"):
        silent(path)
    with (
        pytest.raises(DataError, match=r"own holds silence alone; there is nothing to hear"),
        pytest.warns(UserWarning, match="silence alone"),
    ):
        gathered(tmp_path / "own")


def test_silence_is_said_at_predict(finished, tmp_path):
    silent(tmp_path / "s.wav")
    with pytest.warns(UserWarning, match=r"s.wav is silence alone, every sample the same\."):
        (said,) = ask(load(finished.folder), tmp_path / "s.wav", (), {})
    assert np.isfinite([*said["probabilities"].values()]).all()


def test_what_is_no_data_is_refused(own, tmp_path):
    (tmp_path / "t.csv").write_text("path,kind\na.wav,A\n")
    (tmp_path / "u.csv").write_text("path,label\na.wav,A\n")
    (tmp_path / "n.txt").write_text("x")
    shutil.copytree(own / "A", tmp_path / "one" / "A")
    for place, message in (
        (tmp_path / "t.csv", r"no column 'label'; it has 'path', 'kind'"),
        (tmp_path / "u.csv", r"row 0: .*a.wav is not there"),
        (tmp_path / "n.txt", r"no recording, and no table"),
        (tmp_path / "one", r"one class only"),
        (own / "A", r"sounds beside its sub-folders"),
        (tmp_path / "none", r"no recording"),
    ):
        with pytest.raises(DataError, match=message):
            gathered(place)
    with pytest.raises(ConfigError, match=r"held_out='theo' is a speaker of Free Spoken Digits"):
        gathered(own, held_out="theo")


def test_a_file_that_needs_the_extra_says_so_before_the_others_are_read(own, tmp_path, monkeypatch):
    shutil.copytree(own, tmp_path / "own")
    (tmp_path / "own" / "C" / "z.flac").write_bytes(b"fLaC")
    opened_ = []
    monkeypatch.setattr(files, "read_sound", lambda path, *rate: opened_.append(path) or read_sound(path, *rate))
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'thalweg\[sound\]'"):
        gathered(tmp_path / "own")
    assert [path.name for path in opened_] == ["z.flac"]


def test_the_network_is_stated_before_there_is_data():
    for network in ("cnn", "lstm"):
        assert RECIPE.untrained_model(settings(network=network)).input_spec.shape == (1, 100, 40)


def test_samples_are_the_test_recordings(finished):
    folder = finished.folder / "samples"
    assert json.loads((finished.folder / "evaluation.json").read_text())["rows"] == 7
    with wave.open(str(folder / "0.wav")) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)


def test_the_published_parts_and_a_speaker_who_was_never_heard(data_folder, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    parts = RECIPE.application.load(None, settings())
    assert [len(parts[name].sounds) for name in ("train", "test")] == [2700, 300]
    held = RECIPE.application.load(data_folder / "fsdd", settings(held_out="jackson"))
    assert [len(held[name].sounds) for name in ("train", "test")] == [2500, 500]
    with pytest.raises(ConfigError, match="jackson"):
        RECIPE.application.load(None, settings(held_out="jakson"))


@pytest.mark.long
@pytest.mark.parametrize("network", ["cnn", "lstm"])
def test_the_published_parts_are_heard(network, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    result = recipes.run("speech-digits", network=network, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["accuracy"] >= 0.98
