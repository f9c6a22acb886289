"""Files of 50 GB that hold almost nothing: each reader looks at the size before it reads, and names its limit."""

import gzip
import io
import struct
import time
import tracemalloc
import wave
import zipfile

import numpy as np
import pytest
from PIL import Image

from thalweg import data, forms
from thalweg.data.files import from_npy, from_npz
from thalweg.datasets import cifar10, idx
from thalweg.errors import CheckpointError, ThalwegError
from thalweg.export import modelfile
from thalweg.files import seal
from thalweg.layers import Dense
from thalweg.locks import LOCK, alone
from thalweg.model import Sequential, load_model
from thalweg.recipes import folder, trained
from thalweg.recipes.image import pictures
from thalweg.train import checkpoint

SIZE = 50 * 10**9
SECONDS, BYTES = 1.0, 2**25


def picture(form):
    out = io.BytesIO()
    Image.new("L", (8, 8), 5).save(out, form)
    return out.getvalue()


def sound():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 800)
    return out.getvalue()


def npy(count):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "|i1", "fortran_order": False, "shape": (count,)})
    return out.getvalue()


def read_picture(path):
    return pictures.read(path, (8, 8), colours=False)


def read_idx(path):
    return idx.read_idx(path, 3)


IDX = struct.pack(">HBBIII", 0, 8, 3, 10**6, 50, 1000)
READERS = {
    "yaml": ("a.yaml", b"recipe: digits\n", folder.read_config, "yaml_bytes"),
    "manifest": ("manifest.json", b"{}", folder.read_manifest, "record_bytes"),
    "json": ("a.json", b"{}", forms.read_json, "record_bytes"),
    "npy": ("a.npy", npy(SIZE - 128), from_npy, "file_bytes"),
    "csv": ("a.csv", b"a,b\n1,2\n", data.read_csv, "csv_bytes"),
    "text": ("a.txt", b"a", data.read_text, "file_bytes"),
    "packed text": ("a.txt.gz", gzip.compress(b"a"), data.read_text, "unpacked_bytes"),
    "json lines": ("a.jsonl", b"{}", data.read_jsonl, "file_bytes"),
    "columns": ("a.conll", b"a b\n", data.read_conll, "file_bytes"),
    "series": ("s.csv", b"a\n1\n", data.read_series, "csv_bytes"),
    "wav": ("a.wav", sound(), data.read_sound, "file_bytes"),
    "flac": ("a.flac", b"fLaC", data.read_sound, "file_bytes"),
    "idx": ("a", IDX, read_idx, "file_bytes"),
    "packed idx": ("a.gz", gzip.compress(IDX), read_idx, "unpacked_bytes"),
    "model": ("a.tw", b"PK\x03\x04", load_model, "model_bytes"),
    "model of a recipe": ("a.tw", b"PK\x03\x04", trained.load, "model_bytes"),
    "safetensors": ("a.safetensors", b"\x10\0\0\0\0\0\0\0", load_model, "model_bytes"),
    **{form: (f"a.{form.lower()}", picture(form), read_picture, "picture_bytes")
       for form in ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")},
}  # fmt: skip


def sparse(path, head, size=SIZE):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def refused(call, path, said):
    """At once, without memory to speak of, with the name and a remedy."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(ThalwegError, match=rf"{said}(.|\n)*\n  "):
            call(path)
        taken, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize("name", READERS)
def test_the_size_is_looked_at_before_a_file_is_read(tmp_path, name):
    file, head, call, limit = READERS[name]
    refused(call, sparse(tmp_path / file, head), f"that is the limit {limit}")


def test_the_batches_of_cifar(tmp_path):
    path = sparse(tmp_path / "data_batch_1.bin", b"", SIZE // cifar10.RECORD * cifar10.RECORD)
    refused(cifar10.read_batches, [path], "limit file_bytes")


def test_an_array_that_is_stored_as_it_is_in_an_archive(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=np.zeros(1000))
    monkeypatch.setenv("THALWEG_LIMIT_FILE_BYTES", "1000")
    refused(lambda path: from_npz(path, y=None), tmp_path / "a.npz", "limit file_bytes")


@pytest.mark.parametrize("read", [data.read_text, read_idx])
def test_zeros_behind_a_packed_file_are_not_passed_over_one_by_one(tmp_path, read):
    packed = gzip.compress(struct.pack(">HBBIII", 0, 8, 3, 1, 1, 1) + b"a")
    refused(read, sparse(tmp_path / "a.gz", packed, 2**29), "ends in zeros")


def test_a_checkpoint(tmp_path):
    path = checkpoint.save(tmp_path, 1, {"w": np.ones(2)}, {})
    sparse(path / "SHA256SUMS", (path / "SHA256SUMS").read_bytes())
    refused(checkpoint.meta, path, "limit checkpoint_bytes")
    sparse(path / "SHA256SUMS", b"", 2**30)
    refused(checkpoint.meta, path, "limit record_bytes")
    (path / "meta.json").unlink()
    seal(path)
    sparse(path / "meta.json", b"", 2**30)
    with pytest.raises(CheckpointError, match="missing, truncated or altered"):
        checkpoint.meta(path)


def test_who_holds_a_lock_is_said_in_few_words(tmp_path):
    with alone(tmp_path):
        sparse(tmp_path / LOCK, b"process 1 ", 2**32)

        def again(path):
            with alone(path):
                pass

        refused(again, tmp_path, "another run is at work")


def crafted(path, size):
    """A model file whose list of members is right, and whose weights are `size` bytes of nothing."""
    Sequential([Dense(1, input_shape=(2,))]).save(path)
    with zipfile.ZipFile(path) as whole:
        members = {name: whole.read(name) for name in modelfile.MEMBERS[:3]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        with archive.open(zipfile.ZipInfo(modelfile.WEIGHTS), "w", force_zip64=True) as weights:
            del weights
    with zipfile.ZipFile(path) as archive:
        infos, start = archive.infolist(), archive.infolist()[-1].header_offset
    infos[-1].file_size = infos[-1].compress_size = size
    with path.open("r+b") as file:
        file.truncate(start)
        file.seek(start)
        file.write(infos[-1].FileHeader(zip64=True))
        end = file.tell() + size
        file.truncate(end)
        directory = zipfile.ZipFile(io.BytesIO(), "w")
        file.seek(end)
        vars(directory).update(fp=file, filelist=infos, start_dir=end, _didModify=True)
        directory.close()
    return path


def test_a_header_is_looked_at_before_the_weights_are_read(tmp_path):
    refused(load_model, crafted(tmp_path / "a.tw", 10**10), "the header of weights.safetensors")
    refused(load_model, crafted(tmp_path / "a.tw", SIZE), "limit model_bytes")
