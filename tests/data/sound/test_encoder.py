"""Features of recordings, padded and kept; folders and tables of recordings as sources."""

import json

import jax
import numpy as np
import pytest
import scipy.io.wavfile

from tests.ops.test_spectrum import DB, DELTA, MFCC, SOUND, picked
from thalweg import data, ops
from thalweg.data import LogMel, PerUtterance, SoundEncoder, SoundSource, Standardize, list_sounds, read_sound_table
from thalweg.errors import ConfigError, ContractError, DataError
from thalweg.record import from_json, to_json

MEL = LogMel(256, 80, 200, "hann", 8000, 20, 50.0, 3800.0, 60.0)
LENGTHS = (2000, 900, 1500)
SOUNDS = [(0.1 + 0.1 * i) * SOUND[:n].astype(np.float32) for i, n in enumerate(LENGTHS)]


def test_librosa_agrees():
    cepstra = data.MFCC(MEL, orders=1)(SOUND)
    assert cepstra.shape == (26, data.MFCC(MEL, orders=1).features) == (26, 26)
    np.testing.assert_allclose(picked(MEL(SOUND)), DB, rtol=1e-6)
    np.testing.assert_allclose(picked(cepstra[:, :13]), MFCC, rtol=1e-5)
    np.testing.assert_allclose(picked(cepstra[:, 13:]), DELTA, rtol=1e-5)


def test_pre_emphasis_comes_first():
    emphasised = LogMel(256, 80, 200, "hann", 8000, 20, 50.0, 3800.0, 60.0, pre_emphasis=0.97)(SOUND)
    np.testing.assert_allclose(emphasised, MEL(ops.pre_emphasis(SOUND, 0.97)))


def test_features_run_in_a_compiled_program():
    x = np.stack([SOUND, -SOUND[::-1]]).astype(np.float32)
    for features in (MEL, data.MFCC(MEL, orders=2)):
        compiled = jax.jit(features)(x)
        np.testing.assert_allclose(np.asarray(compiled), features(x), rtol=1e-3, atol=1e-2)


def test_padding_enters_no_number():
    encoder = SoundEncoder.fit(SOUNDS, MEL)
    x, lengths = encoder(SOUNDS)
    assert (x.dtype, x.shape, lengths.tolist()) == (np.float32, (3, 26, 20), [26, 12, 19])
    real = np.concatenate([x[i, :n] for i, n in enumerate(lengths)])
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(real.std(0), 1, rtol=1e-4)
    rows = [MEL(sound) for sound in SOUNDS]
    for i, n in enumerate(lengths):
        flat = np.concatenate(rows).astype(np.float64)
        np.testing.assert_allclose(x[i, :n], (rows[i] - flat.mean(0)) / flat.std(0), atol=1e-3)
        assert not x[i, n:].any()
    mask = data.frame_mask(lengths, 26)
    assert mask.sum(1).tolist() == lengths.tolist()
    assert (np.abs(x).sum(-1) > 0)[mask].all()


def test_an_utterance_at_a_time():
    x, lengths = SoundEncoder.fit(SOUNDS, MEL, scale=PerUtterance())(SOUNDS)
    for i, n in enumerate(lengths):
        np.testing.assert_allclose(x[i, :n].mean(0), 0, atol=1e-5)
    louder, _ = SoundEncoder(MEL, 26, PerUtterance())([3 * SOUNDS[0]])
    np.testing.assert_allclose(louder[0], x[0], atol=1e-3)  # loudness is gone


def test_the_model_file_keeps_an_encoder():
    for encoder in (
        SoundEncoder.fit(SOUNDS, MEL),
        SoundEncoder.fit(SOUNDS, data.MFCC(MEL, 12, orders=2), scale=PerUtterance()),
        SoundEncoder(MEL, 9, Standardize((1.0,), (2.0,))),
    ):
        stored = json.loads(json.dumps(to_json(encoder)))
        assert from_json(stored, data.ALLOWED) == encoder
        assert eval(repr(encoder), dict(vars(data))) == encoder


def test_what_does_not_fit():
    encoder = SoundEncoder.fit(SOUNDS[1:2], MEL)
    with pytest.raises(DataError, match=r"recording 0 has 26 frames; there is room for 12.\n  Write frames=26"):
        encoder(SOUNDS)
    assert SoundEncoder.fit(SOUNDS[1:2], MEL, frames=30)(SOUNDS).x.shape == (3, 30, 20)
    with pytest.raises(DataError, match=r"recording 1: x has 0 samples"):
        encoder([SOUNDS[1], SOUNDS[1][:0]])
    with pytest.raises(DataError, match="recording 0: x has 100 samples; a centred frame of 256"):
        encoder([SOUNDS[1][:100]])
    with pytest.raises(DataError, match="recording 0 holds NaN"):
        encoder([np.full(900, np.nan, np.float32)])
    with pytest.raises(ContractError, match=r"it is int16.\n  Write x.astype"):
        MEL(np.zeros(900, np.int16))
    with pytest.raises(DataError, match="there are no recordings"):
        encoder([])
    with pytest.raises(ConfigError, match="pre_emphasis must be"):
        LogMel(pre_emphasis=1.5)


@pytest.fixture
def folder(tmp_path):
    for i, sound in enumerate(SOUNDS):
        name = tmp_path / "sounds" / ("yes" if i else "no") / f"{i}.wav"
        name.parent.mkdir(parents=True, exist_ok=True)
        scipy.io.wavfile.write(name, 8000, sound)
    (tmp_path / "sounds" / "README.md").write_text("about")
    (tmp_path / "sounds" / "yes" / ".hidden.wav").write_text("")
    return tmp_path / "sounds"


def test_a_folder_is_a_source(folder):
    found = list_sounds(folder)
    assert [p.name for p in found.paths] == ["0.wav", "1.wav", "2.wav"]
    assert found.texts == ("no", "yes", "yes")
    labels = found.labels()
    encoder = SoundEncoder.fit(SOUNDS, MEL)
    source = SoundSource(found.paths, labels(found.texts), encoder)
    assert data.is_source(source)
    x, y = source[np.array([2, 0])]
    np.testing.assert_allclose(x, encoder(SOUNDS).x[[2, 0]], atol=1e-4)
    assert (len(source), y.tolist()) == (3, [1, 0])


def test_a_table_is_a_source(folder):
    table = folder / "clips.tsv"
    table.write_text("path\ttext\nno/0.wav\tturn left\nyes/1.wav\tstop\n")
    found = read_sound_table(table)
    assert found.texts == ("turn left", "stop")
    assert found.paths[1] == folder / "yes" / "1.wav"
    with pytest.raises(DataError, match=r"no column 'label'\.\n"):
        read_sound_table(table, text="label")
    table.write_text("path\ttext\nno/0.wav\tleft\nyes/9.wav\tstop\n")
    with pytest.raises(DataError, match=r"row 1: .*9\.wav is not there"):
        read_sound_table(table)
    table.write_text("path\ttext\nno/0.wav\t\nyes/1.wav\tstop\n")
    with pytest.raises(DataError, match=r"row 0: 0\.wav has no 'text'"):
        read_sound_table(table)


def test_folders_without_classes(folder, tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        list_sounds(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no sounds\.\n  Put the sounds of each class into a sub-folder"):
        list_sounds(tmp_path / "empty")
    with pytest.raises(DataError, match=r"sounds beside its sub-folders, such as 0\.wav"):
        list_sounds(folder / "no")
    one = data.Recordings(list_sounds(folder).paths[1:], ("yes", "yes"))
    with pytest.raises(DataError, match="one class only"):
        one.labels()
    with pytest.raises(ContractError, match="2 recordings and 3 targets"):
        SoundSource(one.paths, np.zeros(3), SoundEncoder(MEL, 30))
