"""A model file gives back what was written, bit for bit, and holds to the formats it is made of."""

import errno
import hashlib
import json
import os
import time
import zipfile
from pathlib import Path

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from thalweg.errors import ModelFileError
from thalweg.export import modelfile
from thalweg.export import safetensors as ours
from thalweg.limits import limit

ARCHITECTURE = {"type": "Sequential", "layers": [{"type": "Dense", "units": 3, "rate": 0.1, "name": "Größe"}]}
PREPROCESSING = {"mean": [0.1, -1e-30, float("inf")], "labels": ["a", "b"], "nothing": None}
MANIFEST = {"thalweg": "0.1.0", "created": "2025-01-01T00:00:00Z"}


def weights():
    r = np.random.default_rng(0)
    return {
        "layers.0.kernel": r.normal(size=(4, 3)).astype(np.float32),
        "layers.0.bias": r.normal(size=3).astype(ml_dtypes.bfloat16),
        "a.count": np.int32(5),
        "flags": np.array([True, False, True]),
        "double": r.normal(size=(2, 2)),
        "turned": r.normal(size=(3, 2)).astype(np.float32).T,
        "every second": np.arange(10, dtype=np.int64)[::2],
        "empty": np.zeros((0, 7), np.uint8),
        "quarter": np.ones(5, ml_dtypes.float8_e4m3fn),
        "half": np.float16([1, 2]),
        "words": np.uint32([1, 2**32 - 1]),
        "complex": np.complex64([1 + 2j]),
        "jax": jnp.asarray([np.nan, -0.0], jnp.bfloat16),
    }


def same(read, written) -> bool:
    return list(read) == list(written) and all(
        read[k].dtype == np.asarray(v).dtype
        and read[k].shape == np.shape(v)
        and read[k].tobytes() == np.asarray(v).tobytes()
        for k, v in written.items()
    )


def write(path: Path, **changes) -> Path:
    parts = {"architecture": ARCHITECTURE, "weights": weights(), "preprocessing": PREPROCESSING, "manifest": MANIFEST}
    modelfile.write(path, **(parts | changes))
    return path


def test_what_is_written_is_read_bit_for_bit_and_in_order(tmp_path):
    file = modelfile.read(write(tmp_path / "m.tw"))
    assert file.architecture == ARCHITECTURE
    assert file.preprocessing == PREPROCESSING
    assert same(file.weights, weights())
    assert all(not array.flags.writeable for array in file.weights.values())
    assert {k: file.manifest[k] for k in MANIFEST} == MANIFEST
    assert file.manifest["format"] == 1


def test_a_model_without_weights(tmp_path):
    assert modelfile.read(write(tmp_path / "m.tw", weights={}, architecture={}, preprocessing={})).weights == {}


def test_the_same_model_is_the_same_bytes(tmp_path, monkeypatch):
    one = write(tmp_path / "one.tw").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert write(tmp_path / "two.tw").read_bytes() == one


def test_the_file_is_a_zip_that_others_read(tmp_path):
    """Python's zipfile, the safetensors package and hashlib agree with the file, and the digests are true."""
    kept = {k: v for k, v in weights().items() if np.asarray(v).dtype in safetensors.numpy._TYPES.values()}
    with zipfile.ZipFile(write(tmp_path / "m.tw", weights=kept)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json", "architecture.json", "preprocessing.json", "weights.safetensors"]
        members = {name: archive.read(name) for name in archive.namelist()}
    theirs = safetensors.numpy.load(members["weights.safetensors"])
    assert same({name: theirs[name] for name in kept}, kept)
    assert json.loads(members["architecture.json"]) == ARCHITECTURE
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "manifest.json"}
    assert json.loads(members["manifest.json"])["sha256"] == digests


def test_what_the_safetensors_package_writes_is_read():
    arrays = {name: np.ascontiguousarray(v) for name, v in weights().items() if name != "a.count"}
    read = ours.decode(safetensors.numpy.save(arrays, metadata={"format": "np"}))
    assert same({name: read[name] for name in arrays}, arrays)


def test_a_large_file_uses_the_large_zip_format(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 200)
    path = write(tmp_path / "m.tw")
    assert b"PK\x06\x07" in path.read_bytes()
    assert same(modelfile.read(path).weights, weights())


@pytest.mark.parametrize("target", ["os.fsync", "zipfile.ZipFile.writestr", "pathlib.Path.replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, target):
    path = write(tmp_path / "m.tw")
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(target, full)
        with pytest.raises(ModelFileError, match=r"could not be written: .*No space left on device.*\n  Free space"):
            write(path, weights={})
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]
    write(path, weights={})
    assert modelfile.read(path).weights == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"w": np.array(["text"])}}, "cannot hold 'w' of dtype <U4"),
        ({"weights": {"w": np.zeros(2, ">f4")}}, "cannot hold 'w' of dtype >f4"),
        ({"weights": {"__metadata__": np.zeros(2)}}, "cannot hold '__metadata__'"),
        ({"architecture": {"f": len}}, "architecture.json cannot be stored"),
        ({"preprocessing": {"x": "y" * limit("model_json")}}, "preprocessing.json has more than .* model_json"),
        ({"manifest": {"x": {1: 1, "1": 2}}}, "manifest.json is not JSON: the name '1' is given twice"),
    ],
)
def test_what_a_model_file_does_not_hold(tmp_path, changes, message):
    with pytest.raises(ModelFileError, match=message):
        write(tmp_path / "m.tw", **changes)
    assert not list(tmp_path.iterdir())
