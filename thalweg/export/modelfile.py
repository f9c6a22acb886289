"""The model file `name.tw`: a zip of four members, stored as they are, and read as if an enemy had written them.

    manifest.json         the format's version, the SHA-256 of each other member, and what the caller says of the model
    architecture.json     the network as data
    preprocessing.json    what happens to inputs before it and to outputs after it
    weights.safetensors   the arrays, by dotted name

Reading runs no code, imports nothing, and follows no path or address: it checks, and returns plain values. Nothing is
compressed, so no size that a file declares can exceed the file itself, and nothing is allocated before that is checked.
"""

import dataclasses
import errno
import hashlib
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from thalweg.errors import ModelFileError
from thalweg.export import safetensors, strictjson
from thalweg.export.strictjson import REMEDY
from thalweg.files import length, reason, replacing
from thalweg.limits import within

FORMAT = 1
MEMBERS = ("manifest.json", "architecture.json", "preprocessing.json", "weights.safetensors")
MANIFEST, ARCHITECTURE, PREPROCESSING, WEIGHTS = MEMBERS
COUNT_LIMIT, DIRECTORY_LIMIT = 64, 2**16
END, LOCATOR_SIZE = struct.Struct("<4s4H2LH"), 20  # the record that ends a zip, and the one before it in a large zip


@dataclasses.dataclass(frozen=True, eq=False)
class ModelFile:
    """What a model file holds. The weights keep their order and cannot be written to."""

    architecture: dict[str, Any]
    weights: dict[str, np.ndarray]
    preprocessing: dict[str, Any]
    manifest: dict[str, Any]


def write(
    path: str | PathLike[str],
    architecture: dict[str, Any],
    weights: Mapping[str, Any],
    preprocessing: dict[str, Any],
    manifest: dict[str, Any],
) -> None:
    """Write a model file; a reader sees the old one or the new one, whole. It has its name once it has been read back.

    Args:
        path: where; the folder must be there.
        architecture: the network, as `record.to_json` makes it.
        weights: arrays by dotted name.
        preprocessing: what is done to inputs and outputs.
        manifest: what to say of the model: version, date, data. The format and the digests are added to it.

    Raises:
        ModelFileError: a value that the file cannot hold, a disk that is full or cannot be written, or a `path` that
            is a folder, a device or a pipe.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.tw"
    >>> write(path, {"type": "Dense", "units": 2}, {"kernel": np.ones((1, 2))}, {}, {"created": "2025-01-01"})
    >>> read(path).weights
    {'kernel': array([[1., 1.]])}
    """
    members = {
        ARCHITECTURE: strictjson.dump(architecture, ARCHITECTURE),
        PREPROCESSING: strictjson.dump(preprocessing, PREPROCESSING),
        WEIGHTS: safetensors.encode(weights),
    }
    full = {**manifest, "format": FORMAT, "sha256": _digests(members)}
    members = {MANIFEST: strictjson.dump(full, MANIFEST), **members}
    try:
        with replacing(Path(path)) as temporary:
            with zipfile.ZipFile(temporary, "w") as archive:
                for name, data in members.items():
                    archive.writestr(_member(name), data)
            if read(temporary).manifest["sha256"] != full["sha256"]:
                raise OSError(errno.EIO, "what was written is not what is read back")
    except OSError as error:
        raise ModelFileError(
            f"{path} could not be written: {error}.\n"
            "  Free space on that disk or name another place; a file that was there is untouched."
        ) from error


def read(path: str | PathLike[str]) -> ModelFile:
    """Read a model file. How much it may hold is in `thalweg.limits`.

    Raises:
        ModelFileError: the file is missing, truncated, altered, too large, of a newer format, or holds anything but
            the four members as `write` makes them.
    """
    path = Path(path)
    if not os.path.isfile(path):  # noqa: PTH113  a name that no disk takes is no file either
        raise ModelFileError(f"there is no model file {path}.\n  Give the path that the model was saved to.")
    with _border(path), path.open("rb") as file:
        size = length(file)
        within("model_bytes", size, "the file", ModelFileError)
        _check_ends(file, size)
        with zipfile.ZipFile(file) as archive:
            return _content(archive, size)


def _member(name: str) -> zipfile.ZipInfo:
    """A plain file of a fixed date, so that the same model is the same bytes whenever it is written."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    return info


@contextmanager
def _border(path: Path) -> Iterator[None]:
    """Whatever the parsers raise on a hostile file leaves here as one `ModelFileError` that names the file."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error.__cause__
    except MemoryError as error:
        raise ModelFileError(f"{path} is larger than the memory.\n  Free some memory, or load it elsewhere.") from error
    except Exception as error:  # nobody knows all that parsers raise
        raise ModelFileError(f"{path} cannot be read: {reason(error)}.\n  {REMEDY}") from error


def _check_ends(file: IO[bytes], size: int) -> None:
    """The file begins and ends like a zip of few members: a parser allocates for each that the directory lists."""
    start = file.read(4)
    file.seek(max(0, size - LOCATOR_SIZE - END.size))
    tail = file.read()
    if start != b"PK\x03\x04":
        raise ModelFileError(f"not a model file: it does not begin like a zip.\n  {REMEDY}")
    if len(tail) < LOCATOR_SIZE + END.size or tail[LOCATOR_SIZE:][:4] != b"PK\x05\x06":
        raise ModelFileError(f"truncated, or with something added: it does not end like a zip.\n  {REMEDY}")
    *_, count, directory, _, _ = END.unpack(tail[LOCATOR_SIZE:])
    is_large = tail[:4] == b"PK\x06\x07"  # its true directory is described elsewhere; only a large file needs that
    if count > COUNT_LIMIT or directory > DIRECTORY_LIMIT or (is_large and size <= zipfile.ZIP64_LIMIT):
        raise ModelFileError(f"it lists too many members; a model file has {len(MEMBERS)}.\n  {REMEDY}")


def _content(archive: zipfile.ZipFile, size: int) -> ModelFile:
    """The four members of an open archive of `size` bytes: sizes first, then the version, then the digests."""
    infos = archive.infolist()
    for info in infos:
        _check_plain(info)
    if sum(info.file_size for info in infos) > size:
        raise ModelFileError(f"truncated, or made to deceive: its members are larger than itself.\n  {REMEDY}")
    names = [info.orig_filename for info in infos]
    if MANIFEST not in names:
        raise ModelFileError(f"it holds no {MANIFEST}.\n  {REMEDY}")
    manifest = strictjson.parse(archive.read(MANIFEST), MANIFEST)
    _check_format(manifest.get("format"))
    if sorted(names) != sorted(MEMBERS):
        raise ModelFileError(f"it holds {', '.join(names):.200}; {', '.join(MEMBERS)} were expected.\n  {REMEDY}")
    with archive.open(WEIGHTS) as weights:
        safetensors.layout(weights, archive.getinfo(WEIGHTS).file_size)
    members = {name: archive.read(name) for name in MEMBERS if name != MANIFEST}
    _check_digests(members, manifest.get("sha256"))
    return ModelFile(
        architecture=strictjson.parse(members[ARCHITECTURE], ARCHITECTURE),
        weights=safetensors.decode(members[WEIGHTS]),
        preprocessing=strictjson.parse(members[PREPROCESSING], PREPROCESSING),
        manifest=manifest,
    )


def _check_plain(info: zipfile.ZipInfo) -> None:
    """A member is stored as it is, so what it declares is what the file holds; and it is a plain file."""
    faults = {
        "is encrypted, or has flags that a model file does not use": info.flag_bits,
        "is a link": stat.S_ISLNK(info.external_attr >> 16),
        "is compressed": info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size,
    }
    if info.orig_filename.endswith(".json"):
        within("model_json", info.file_size, f"{info.orig_filename:.100}", ModelFileError)
    if declared := [fault for fault, holds in faults.items() if holds]:
        raise ModelFileError(f"its member {info.orig_filename!r:.100} {declared[0]}.\n  {REMEDY}")


def _check_format(version: Any) -> None:
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{MANIFEST} names the format {version!r:.100}; a number was expected.\n  {REMEDY}")
    if version > FORMAT:
        raise ModelFileError(
            f"it is of format {version}, and this version of Thalweg reads up to {FORMAT}.\n"
            "  Run: pip install --upgrade thalweg"
        )


def _check_digests(members: dict[str, bytes], listed: Any) -> None:
    digests = _digests(members)
    if listed != digests:
        known = listed if isinstance(listed, dict) else {}
        wrong = [name for name, digest in digests.items() if known.get(name) != digest]
        raise ModelFileError(f"{', '.join(wrong or known)} is not what {MANIFEST} lists (SHA-256).\n  {REMEDY}")


def _digests(members: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
