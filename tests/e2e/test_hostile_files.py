"""Files written by an enemy or by a dying disk: an error of ours, or the content as it was; never anything else."""

import contextlib
import hashlib
import json
import os
import random
import stat
import struct
import sys
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from thalweg import layers
from thalweg.data import Labels
from thalweg.errors import ModelFileError
from thalweg.export import modelfile
from thalweg.model import Sequential, load_model

ARCHITECTURE = {"type": "Sequential", "layers": [{"type": "Dense", "units": 3}] * 4}
WEIGHTS = {"layers.0.kernel": np.arange(12, dtype=np.float32).reshape(4, 3), "layers.0.bias": np.ones(3)}
MEMBERS = ("manifest.json", "architecture.json", "preprocessing.json", "weights.safetensors")


def members(path: Path, **changes: bytes | dict) -> dict[str, bytes]:
    """The members of a good file with `changes` (by the name before the dot), and a manifest whose digests are true."""
    modelfile.write(path, ARCHITECTURE, WEIGHTS, {"mean": 0.5}, {"created": "2025-01-01"})
    with zipfile.ZipFile(path) as archive:
        good = {name: archive.read(name) for name in MEMBERS}
    changed = {name: changes.get(name.partition(".")[0], data) for name, data in good.items()}
    if "manifest" not in changes:
        digests = {name: hashlib.sha256(changed[name]).hexdigest() for name in MEMBERS[1:]}
        changed["manifest.json"] = json.dumps({"format": 1, "sha256": digests}).encode()
    return changed


def zipped(path: Path, parts, compression: int = zipfile.ZIP_STORED) -> Path:
    """`parts`, a dict or pairs of (name or ZipInfo, bytes), as a zip."""
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, data)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def patched(path: Path, field: int, code: str, value: int, mark: bytes = b"PK\x01\x02") -> Path:
    """A number replaced, `field` bytes after the last `mark`: of the directory's last entry, if nothing is said."""
    data = bytearray(path.read_bytes())
    struct.pack_into(code, data, data.rindex(mark) + field, value)
    path.write_bytes(data)
    return path


def tensors(header, data: bytes = b"\0" * 8, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def row(dtype="F32", shape=(2,), place=(0, 8), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": place, **more}


def refused(path: Path, message: str) -> None:
    """Reading raises one error that names the file, says what is wrong and what to do, and allocates little."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=message) as caught:
            modelfile.read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert "\n  " in str(caught.value)
    assert peak < 2**20 + 6 * (path.stat().st_size if path.is_file() else 0)


def test_the_helpers_make_files_that_are_read(tmp_path):
    path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw"))
    assert modelfile.read(path).architecture == ARCHITECTURE
    assert list(modelfile.read(path).weights) == list(WEIGHTS)


def test_what_is_no_model_file_at_all(tmp_path):
    refused(tmp_path / "absent.tw", "there is no model file")
    refused(tmp_path, "there is no model file")
    for name, data in {
        "empty": b"",
        "text": b"hello " * 100,
        "pickle": b"\x80\x04cos\nsystem\n",
        "pk": b"PK\x03\x04",
    }.items():
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, "like a zip")
    os.mkfifo(tmp_path / "fifo")
    refused(tmp_path / "fifo", "there is no model file")


def test_a_file_above_the_limit(tmp_path, monkeypatch):
    path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw"))
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_BYTES", "100")
    refused(path, r"more than 100 bytes; that is the limit model_bytes.\n.* THALWEG_LIMIT_MODEL_BYTES=")
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_BYTES", str(path.stat().st_size))
    assert modelfile.read(path).architecture == ARCHITECTURE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: {**parts, "extra.py": b"import os"}, "it holds .*extra.py; .* were expected"),
        (lambda parts: {**parts, "../../evil": b""}, r"it holds .*\.\./\.\./evil"),
        (lambda parts: {**parts, "/etc/passwd": b""}, "it holds .*/etc/passwd"),
        (lambda parts: {k: v for k, v in parts.items() if k != "preprocessing.json"}, "were expected"),
        (lambda parts: {k: v for k, v in parts.items() if k != "manifest.json"}, "no manifest.json"),
        (lambda parts: [*parts.items(), ("weights.safetensors", b"other")], "weights.safetensors; .* were expected"),
        (lambda parts: [*parts.items(), ("manifest.json", parts["manifest.json"])], "were expected"),
        (lambda parts: [*list(parts.items())[:3], (link("weights.safetensors"), b"/etc/passwd")], "is a link"),
        (lambda parts: {**parts, **{f"{i}": b"" for i in range(100)}}, "too many members"),
        (lambda parts: {**parts, "x" * 40_000: b"", "y" * 40_000: b""}, "too many members"),
    ],
)
def test_members_that_do_not_belong(tmp_path, change, message):
    refused(zipped(tmp_path / "m.tw", change(members(tmp_path / "m.tw"))), message)


def test_a_zip_bomb(tmp_path):
    parts = members(tmp_path / "m.tw", weights=tensors({}, bytes(50_000_000)))
    path = zipped(tmp_path / "m.tw", parts, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    refused(path, "is compressed")


@pytest.mark.parametrize(
    ("field", "code", "value", "message"),
    [
        (24, "<I", 2**31, "is compressed"),
        (20, "<II", None, "larger than itself"),
        (8, "<H", 1, "is encrypted"),
        (8, "<H", 8, "has flags"),
        (6, "<B", 99, "cannot be read: zip file version"),
        (10, "<H", 12, "is compressed"),
        (42, "<I", 2**31, "cannot be read"),
        (46, "<B", ord("W"), "were expected"),
    ],
    ids=["size", "both sizes", "encrypted", "flags", "version", "method", "place", "name"],
)
def test_a_directory_that_lies(tmp_path, field, code, value, message):
    path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw"))
    if value is None:
        patched(patched(path, 20, "<I", 2**31), 24, "<I", 2**31)
    else:
        patched(path, field, code, value)
    refused(path, message)


def test_a_member_that_begins_behind_the_end(tmp_path):
    path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw"))
    refused(patched(path, 28, "<H", 60_000, mark=b"PK\x03\x04"), "cannot be read")


def test_a_name_cut_by_a_zero(tmp_path):
    parts = members(tmp_path / "m.tw")
    parts["weights.safetensorsX"] = parts.pop("weights.safetensors")
    path = zipped(tmp_path / "m.tw", parts)
    path.write_bytes(path.read_bytes().replace(b"weights.safetensorsX", b"weights.safetensors\0"))
    refused(path, "were expected")


def test_many_entries_behind_a_large_directory(tmp_path, monkeypatch):
    """The record of the large zip format would bring any number of entries past the count in the last one."""
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 100)
        path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw"))
    refused(path, "too many members")


@pytest.mark.parametrize("name", ["architecture", "preprocessing", "manifest"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[1, 2]", "holds a list"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "the limit model_depth"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "the limit model_depth"),
        (b'{"a": "' + b"x" * 2**24 + b'"}', "the limit model_json"),
    ],
    ids=["list", "cut", "utf-16", "twice", "number", "deepest", "deep", "large"],
)
def test_json_that_is_none_of_ours(tmp_path, name, data, message):
    refused(zipped(tmp_path / "m.tw", members(tmp_path / "m.tw", **{name: data})), message)


@pytest.mark.parametrize(
    "records",
    [
        {"t": {"type": "os.system", "command": "id"}},
        {"t": {"type": "Dense", "units": 3}},  # a layer is no preprocessing
        {"t": {"type": "Labels"}},
        {"t": {"type": "Labels", "classes": ["a"], "path": "/etc/passwd"}},
        {"t": {"type": "Standardize", "mean": "x", "std": {"type": "Sequential"}}},
        {"t": 3},
        {"t": ["Labels"]},
        [1, 2],
        "text",
        None,
    ],
    ids=str,
)
def test_preprocessing_that_asks_for_what_is_not_allowed(tmp_path, records):
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.preprocessing = {"labels": Labels(("a", "b"))}
    model.save(tmp_path / "m.tw")
    assert load_model(tmp_path / "m.tw").preprocessing == model.preprocessing
    file = modelfile.read(tmp_path / "m.tw")
    modelfile.write(tmp_path / "m.tw", file.architecture, file.weights, {"records": records}, {})
    with pytest.raises(ModelFileError, match=r"m\.tw"):
        load_model(tmp_path / "m.tw")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"format": 2, "sha256": {}}, r"of format 2, .* reads up to 1.\n  Run: pip install --upgrade"),
        ({"format": True}, "names the format True"),
        ({"format": "1"}, "names the format '1'"),
        ({}, "names the format None"),
        ({"format": 1}, "architecture.json, preprocessing.json, weights.safetensors is not what manifest.json lists"),
        ({"format": 1, "sha256": ["a"]}, "is not what manifest.json lists"),
        ({"format": 1, "sha256": {"weights.safetensors": "0" * 64}}, "is not what manifest.json lists"),
    ],
)
def test_manifests_that_do_not_hold(tmp_path, manifest, message):
    parts = members(tmp_path / "m.tw", manifest=json.dumps(manifest).encode())
    refused(zipped(tmp_path / "m.tw", parts), message)


def test_a_newer_format_is_told_even_when_its_members_differ(tmp_path):
    refused(zipped(tmp_path / "m.tw", {"manifest.json": b'{"format": 7}', "all.new": b""}), "of format 7")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "header of 0 bytes does not fit"),
        (b"\0" * 7, "does not fit"),
        (tensors({}, length=2**63), "does not fit"),
        (tensors({}, length=100), "does not fit"),
        (tensors(b" " * (2**24 + 1)), "the header of .* model_json"),
        (tensors(b"[]"), "holds a list"),
        (tensors(b'{"a": {}, "a": {}}'), "given twice"),
        (tensors({"w": row()}, b"\0" * 7), "truncated"),
        (tensors({"w": row()}, b"\0" * 9), "too long"),
        (tensors({"w": row("F4")}), "the dtype 'F4' is unknown"),
        (tensors({"w": row("object")}), "the dtype 'object' is unknown"),
        (tensors({"w": row(place=(0, 16))}), "do not fit"),
        (tensors({"w": row(place=(-8, 0))}), "not made of sizes"),
        (tensors({"w": row(place=(8, 0))}), "do not fit"),
        (tensors({"w": row(place=(2**62, 2**62 + 8))}), "not made of sizes"),
        (tensors({"w": row(), "v": row()}), "do not fit"),
        (tensors({"w": row(), "v": row(place=(4, 12))}, b"\0" * 12), "do not fit"),
        (tensors({"w": row(), "v": row(place=(9, 17))}, b"\0" * 17), "do not fit"),
        (tensors({"w": row(shape=[3])}), "do not fit"),
        (tensors({"w": row(shape=[-1, -2])}), "not made of sizes"),
        (tensors({"w": row(shape=[True, 2])}), "not made of sizes"),
        (tensors({"w": row(shape=[2.0])}), "not made of sizes"),
        (tensors({"w": row(shape=[1] * 33 + [2])}), "not made of sizes"),
        (tensors({"w": row(shape=[0, 2**50], place=(0, 0))}, b""), "not made of sizes"),
        (tensors({"w": row(shape=2)}), "needs dtype, shape and data_offsets"),
        (tensors({"w": row(place=[0])}), "needs dtype, shape and data_offsets"),
        (tensors({"w": row(path="/etc/passwd")}), "and nothing else"),
        (tensors({"w": [1]}), "needs dtype, shape and data_offsets"),
    ],
)
def test_tensors_that_lie(tmp_path, data, message):
    refused(zipped(tmp_path / "m.tw", members(tmp_path / "m.tw", weights=data)), message)


def test_empty_arrays_with_large_axes_are_read_or_refused(tmp_path):
    data = tensors({"w": row(shape=[0, 2**40, 2**40], place=(0, 0))}, b"")
    path = zipped(tmp_path / "m.tw", members(tmp_path / "m.tw", weights=data))
    with contextlib.suppress(ModelFileError):
        assert modelfile.read(path).weights["w"].size == 0


# An audit hook cannot be taken away, so it listens only while a list is there.
HOOK: list[list] = []
WATCHED = (
    "open",
    "import",
    "exec",
    "compile",
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "ctypes.dl",
    "pickle.",
)
sys.addaudithook(lambda event, args: HOOK and event.startswith(WATCHED) and HOOK[0].append((event, args)))


def test_reading_opens_one_file_and_runs_nothing(tmp_path):
    path = zipped(
        tmp_path / "m.tw", members(tmp_path / "m.tw", architecture=b'{"type": "os.system", "path": "http://x/y"}')
    )
    modelfile.read(path)
    seen = []
    HOOK.append(seen)
    try:
        modelfile.read(path)
    finally:
        HOOK.clear()
    assert [event for event, _ in seen if event != "open"] == []
    assert [args[0] for _, args in seen] == [str(path)]


def spoil(data: bytes, r: random.Random) -> bytes:
    """One random accident: a bit, a byte, a run of zeros, a cut, a piece lost, doubled or added."""
    i, j = sorted(r.randrange(len(data)) for _ in range(2))
    flipped = bytearray(data)
    flipped[i] ^= 1 << r.randrange(8)
    return r.choice(
        [
            bytes(flipped),
            data[:i] + bytes([r.randrange(256)]) + data[i + 1 :],
            data[:i] + bytes(j - i) + data[j:],
            data[:i],
            data[:i] + data[j:],
            data[:j] + data[i:],
            data[:i] + r.randbytes(8) + data[i:],
            data + r.randbytes(8),
        ]
    )


def content(file: modelfile.ModelFile):
    weights = {name: (array.dtype, array.shape, array.tobytes()) for name, array in file.weights.items()}
    return file.architecture, file.preprocessing, file.manifest, weights


def fuzz(tmp_path: Path, cases: int) -> tuple[int, int]:
    """Spoil a good file in so many ways; how many were refused, and how many read as they were."""
    path = tmp_path / "m.tw"
    modelfile.write(path, ARCHITECTURE, WEIGHTS, {"mean": 0.5}, {"created": "2025-01-01"})
    good, data = modelfile.read(path), path.read_bytes()
    refusals = 0
    for case in range(cases):
        path.write_bytes(spoil(data, random.Random(case)))
        try:
            read = modelfile.read(path)
        except ModelFileError:
            refusals += 1
            continue
        assert content(read) == content(good)
    return refusals, cases - refusals


def test_a_spoiled_file_is_refused_or_reads_as_it_was(tmp_path):
    refusals, unharmed = fuzz(tmp_path, 500)
    assert refusals > 400
    assert unharmed > 0


@pytest.mark.long
def test_fifty_thousand_spoiled_files(tmp_path):
    assert fuzz(tmp_path, 50_000)[0] > 40_000
