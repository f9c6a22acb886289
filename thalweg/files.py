"""Files that survive a crash: written under another name, synced to the disk, then renamed.

A reader meets the old file or the new one, whole, whenever the process or the machine stops. A folder is sealed by a
list of digests, `SHA256SUMS`, as `sha256sum --check` reads it, so that bits that rot later are found.
"""

import errno
import gzip
import hashlib
import io
import itertools
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from thalweg.errors import DataError, FormatError, ThalwegError
from thalweg.limits import limit, within

SUMS = "SHA256SUMS"
PART = 2**20  # bytes that are read at once
PADDED = 2**12  # zeros behind a packed file, as a tape leaves some
AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe is not waited for


def opened(path: Path) -> BinaryIO:
    """`path` to be read, where it is a regular file: a pipe may wait for ever, and a device never end.

    Raises:
        OSError: there is none, it may not be read, or it is a folder, a pipe, a device.
    """
    descriptor = os.open(path, AT_ONCE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def content(path: Path, name: str, error: type[ThalwegError] = DataError) -> bytes:
    """All of the regular file at `path`, whose size is looked at before any of it is read.

    Args:
        path: the file.
        name: of the limit for its bytes.
        error: the class of what is raised beyond it.

    Raises:
        DataError: or what `error` says: it is beyond the limit.
        OSError: see `opened`.
    """
    with opened(path) as file:
        within(name, length(file), path, error)
        return bounded(file, name, path, error)


def bounded(file: Any, name: str, path: Path, error: type[ThalwegError] = DataError) -> bytes:
    """All of the open `file`, read part by part, so that no more is held than the limit called `name` lets through."""
    out = io.BytesIO()
    while part := file.read(PART):
        out.write(part)
        within(name, out.tell(), path, error)
    return out.getvalue()


def unpacked(file: BinaryIO, path: Path) -> gzip.GzipFile:
    """What gzip packed into `file`, the open file at `path`.

    Raises:
        DataError: it is packed, and yet beyond the limit for what is unpacked.
        FormatError: it ends in zeros: gzip would pass over them one by one, for hours.
    """
    within("unpacked_bytes", length(file), path)
    file.seek(max(0, length(file) - PADDED))
    tail = file.read(PADDED)
    file.seek(0)
    if len(tail) == PADDED and not any(tail):
        raise FormatError("it ends in zeros")
    return gzip.GzipFile(fileobj=file)


def length(file: BinaryIO) -> int:
    """How many bytes an open file has."""
    return os.fstat(file.fileno()).st_size


def below(folder: Path, pattern: str = "*") -> list[Path]:
    """What lies in `folder` and fits `pattern`, sorted ("**/*": below it too; links to folders are not followed).

    Raises:
        DataError: it cannot be listed, or holds more than the limit `folder_files`.
    """
    try:
        found = list(itertools.islice(folder.glob(pattern), limit("folder_files") + 1))
    except (OSError, RecursionError) as error:
        raise DataError(f"{folder} cannot be listed: {error}.\n  Write the path of another folder.") from error
    within("folder_files", len(found), folder)
    return sorted(found)


def sync(*paths: Path) -> None:
    """Return only when the files and folders at `paths` are on the disk (of a folder: the names it lists).

    They are asked for at once, because a journal commits in one go what waits for it together.
    """
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(_sync, paths))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place(path: Path) -> Path:
    """Where writing to `path` leads: links are followed to the file that they mean, there already or not.

    Raises:
        OSError: a folder, a device, a pipe or a socket lies there, or a file that may not be written.
    """
    end = Path(os.path.realpath(path))
    if not os.path.lexists(end):
        return end
    if not stat.S_ISREG(end.stat().st_mode):  # a circle of links is an OSError here
        raise OSError(errno.EISDIR if end.is_dir() else errno.EINVAL, "it is no regular file", str(path))
    if not os.access(end, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return end


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to. It takes the place of `path` when the block ends, and goes away if it fails.

    A symbolic link stays: the file that it leads to is replaced. A file that was there keeps its permissions.

    Raises:
        OSError: the disk cannot be written, or `path` is no regular file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "history.json"
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("[]")
    >>> path.read_text(), len(list(path.parent.iterdir()))
    ('[]', 1)
    """
    path = place(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def is_file(path: Path) -> bool:
    """Whether a plain file is there; of any name, also one that the system does not take."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> str:
    """Why the system refused, without the path, which the message has."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def seal(folder: Path) -> None:
    """Write the digests of all that `folder` holds into it, and bring it to the disk."""
    (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in _digests(folder).items()))
    sync(*folder.rglob("*"), folder)


def broken(folder: Path) -> list[str]:
    """The names of the files of a sealed folder that are missing, altered or not on its list.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "meta.json").write_text("{}")
    >>> broken(folder)
    ['SHA256SUMS']
    >>> seal(folder)
    >>> broken(folder)
    []
    """
    if not (folder / SUMS).is_file():
        return [SUMS]
    lines = content(folder / SUMS, "record_bytes").decode(errors="replace").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    actual = _digests(folder)
    return sorted(name for name in listed.keys() | actual.keys() if listed.get(name) != actual.get(name))


def _digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below `folder` but the list itself, by name."""
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / SUMS):
        with path.open("rb") as file:
            out[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return out
