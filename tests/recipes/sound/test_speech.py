"""Speech: a run that reads tones as letters, its decodings, baselines and rates, and what is refused."""

import shutil

import jax
import numpy as np
import pytest

from tests.recipes.sound import tones
from thalweg import ops, recipes
from thalweg.data import Characters
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.sound.clips import write_wav
from thalweg.recipes.sound.transcripts import decode
from thalweg.recipes.sound.verdict import verdict
from thalweg.recipes.trained import ask, evaluate, load

RECIPE = recipes.load("speech")
SMALL = {
    "units": 12,
    "filters": 16,
    "bands": 16,
    "sampling_rate": tones.RATE,
    "dropout": 0.0,
    "seconds": 3,
    "epochs": 24,
    "batch_size": 8,
    "learning_rate": 0.02,
    "validation_split": 0.1,
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return tones.table(tmp_path_factory.mktemp("said") / "own.csv", tones.sentences(48, longest=2))


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    return recipes.run("speech", SMALL, data=own, run_dir=tmp_path_factory.mktemp("run") / "run", verbose=0)


def test_it_learns_to_write_down_tones(finished):
    scores = finished.scores
    assert scores["cer"] < 0.2
    assert scores["wer"] < 0.5 < min(scores["baseline"], scores["baseline_word"])
    page = (finished.folder / "report.html").read_text()
    assert "words wrong" in page
    assert finished.verdict.details["said"][0] in page


def test_the_model_file_alone_writes_down_a_recording(finished, tmp_path):
    shutil.copy(finished.folder / "model.tw", tmp_path / "m.tw")
    trained, rng = load(tmp_path / "m.tw"), np.random.default_rng(4)
    write_wav(tmp_path / "ab.wav", tones.sound("AB", rng), tones.RATE)
    write_wav(tmp_path / "fast.wav", tones.sound("AB", rng, rate=16000), 16000)
    for name in ("ab.wav", "fast.wav"):
        for how in ({}, {"beam": "1"}):
            (said,) = ask(trained, tmp_path / name, (), how)
            assert (said["file"], said["heard"]) == (name, "AB")
    with pytest.raises(ConfigError, match="beam"):
        ask(trained, tmp_path / "ab.wav", (), {"beam": "0"})
    rows = ask(trained, finished.folder / "samples" / "samples.csv", (), {})
    assert [row["said"] for row in rows] == finished.verdict.details["said"][:5]
    assert [row["heard"] for row in rows] == finished.verdict.details["heard"][:5]


def test_padding_takes_no_part(finished):
    encoder = finished.model.preprocessing["sounds"]
    assert encoder.frames % 8 == 0
    x, _ = encoder([tones.sound("AB", np.random.default_rng(1))])
    narrow, wide = finished.model.predict(x), finished.model.predict(np.pad(x, ((0, 0), (0, 40), (0, 0))))
    steps = -(-int(x.any(2).sum()) // 4)
    np.testing.assert_allclose(wide[:, :steps], narrow[:, :steps], atol=1e-5)


def test_evaluate_reads_the_same_data_and_a_table_of_ones_own(finished, tmp_path):
    trained = load(finished.folder)
    assert evaluate(trained, None).scores == finished.scores
    more = evaluate(trained, tones.table(tmp_path / "more.csv", ["A", "AB", "B", "B"], seed=3))
    assert (more.scores["rows"], more.scores["cer"] < 0.3) == (4, True)


def test_the_loss_sees_real_frames_only(own):
    material = RECIPE.application.gather(own, RECIPE.settings(**SMALL))
    part, model = material.train, RECIPE.model(RECIPE.settings(**SMALL), material)
    x, y = part.x[:8], part.y[:8]
    model.build_for(jax.ShapeDtypeStruct((1, *x.shape[1:]), x.dtype))
    lengths = -(-x.any(2).sum(1) // 4)
    p = model.predict(x)
    want = np.mean([float(_loss(p[n, : lengths[n]], y[n])) for n in range(8)])
    assert model.evaluate(x, y, return_dict=True)["loss"] == pytest.approx(want, rel=1e-4)


def _loss(p, labels):
    torch = pytest.importorskip("torch", reason="PyTorch's CTC is the oracle")
    labels = torch.tensor(labels[labels > 0][None].astype("int64"))
    log_p = torch.tensor(np.log(p))[:, None]
    return torch.nn.functional.ctc_loss(
        log_p, labels, torch.tensor([len(p)]), torch.tensor([labels.shape[1]]), blank=0, reduction="sum"
    )


def test_decoding_agrees_with_the_operations():
    rng, letters = np.random.default_rng(0), Characters.fit(["AB"])
    steps, lengths = np.log(rng.dirichlet(np.ones(4) * 0.3, (3, 6)) + 1e-9), np.array([6, 4, 5])
    greedy = np.asarray(ops.ctc_greedy(steps.astype("float32"), lengths))
    best = ops.ctc_beam(steps, lengths, 50)[0][:, 0]
    for beam, rows in ((1, greedy), (50, best)):
        assert decode(steps, lengths, letters, beam) == [letters.inverse(row[row > 0]) for row in rows]


def test_the_rates_and_the_guesses_are_counted_by_hand():
    said, heard = ["GO ON", "STOP"], ["GO IN", "STOP IT"]
    found = verdict(said, heard, said, ["GO", "GO", "ON ON ON ON ON ON ON"], ["a", "b"])
    assert found.scores["wer"] == pytest.approx(2 / 3)
    assert found.scores["cer"] == pytest.approx(4 / 9)
    assert (found.scores["wer_greedy"], found.scores["whole"]) == (0.0, 0)
    assert found.scores["baseline"] == pytest.approx(2 / 3)  # GO of GO ON, GO for STOP
    assert found.scores["baseline_word"] == pytest.approx(5 / 3)  # ON ON ON: two edits from GO ON, three from STOP
    assert found.scores["baseline_nothing"] == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,text\n", "no data"),
        ("path,label\nown/0.wav,A\n", r"no column 'text'"),
        ("path,text\nown/0.wav,A\nown/99.wav,B\n", r"row 1: .*99.wav is not there"),
        ("path,text\nown/0.wav,\n", r"row 0: 0.wav has no 'text'"),
        ("path,text\n" + "".join(f"own/{k}.wav,{'AB' * 13}\n" for k in range(30)), r"\d.wav: its text needs 26 steps"),
        ("path,text\nown/0.wav,A\n", r"too few"),
    ],
)
def test_a_table_that_cannot_teach_is_refused(content, message, own):
    place = own.parent / "bad.csv"
    place.write_text(content)
    with pytest.raises(DataError, match=message):
        RECIPE.application.gather(place, RECIPE.settings(**SMALL))


def test_silence_is_said_and_nothing_is_heard_in_it(finished, own, tmp_path):
    write_wav(tmp_path / "s.wav", np.zeros(tones.RATE, np.float32), tones.RATE)
    with pytest.warns(UserWarning, match=r"s.wav is silence alone, every sample the same\."):
        (said,) = ask(load(finished.folder), tmp_path / "s.wav", (), {})
    assert set(said["heard"]) <= set("AB ")
    place = own.parent / "quiet.csv"
    place.write_text("path,text\n" + f"{tmp_path}/s.wav,AB\n" * 30)
    with (
        pytest.raises(DataError, match=r"quiet.csv holds silence alone; there is nothing to hear"),
        pytest.warns(UserWarning, match="and so are 29 more"),
    ):
        RECIPE.application.gather(place, RECIPE.settings(**SMALL))


def test_the_network_is_stated_before_there_is_data():
    assert RECIPE.untrained_model(RECIPE.settings(units=4, filters=4)).input_spec.shape == (1, 200, 40)


def test_scale_by_recording_or_by_the_training_part(own):
    by_each = RECIPE.application.gather(own, RECIPE.settings(**SMALL)).train.x
    real = by_each[0][by_each[0].any(1)]
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-4)
    whole = RECIPE.application.gather(own, RECIPE.settings(**SMALL, scale="global")).train.x
    np.testing.assert_allclose(whole[whole.any(2)].mean(0), 0, atol=1e-3)
    assert abs(whole[0][whole[0].any(1)].mean(0)).max() > 0.01


@pytest.mark.long
def test_the_published_parts_are_written_down(data_folder, tmp_path, monkeypatch):
    pytest.importorskip("soundfile", reason="AN4 is FLAC: pip install 'thalweg[sound]'")
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    assert recipes.run("speech", run_dir=tmp_path / "run", verbose=0).scores["wer"] <= 0.40
