"""Files that survive a crash: written under another name, synced to the disk, then renamed.

A reader meets the old file or the new one, whole, whenever the process or the machine stops. A folder is sealed by a
list of digests, `SHA256SUMS`, as `sha256sum --check` reads it, so that bits that rot later are found. A folder that one
call is at work in is locked against the next.
"""

import contextlib
import errno
import hashlib
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from thalweg.errors import ConfigError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUMS = "SHA256SUMS"
LOCK = ".lock"
BUSY = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to. It takes the place of `path` when the block ends, and goes away if it fails.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "history.json"
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("[]")
    >>> path.read_text(), len(list(path.parent.iterdir()))
    ('[]', 1)
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other call, of this process or another, out of `folder` until the block ends.

    The system lets go of the lock when a process dies, however it does: a file that a killed one leaves locks nothing.

    Raises:
        ConfigError: another call is at work there, nothing can be written there, or its name is none for a checkpoint.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with alone(folder), alone(folder):
    ...     pass
    Traceback (most recent call last):
    thalweg.errors.ConfigError: another run is at work in ...
    """
    check_name(folder)
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder!s} cannot be written to: {reason(error)}.\n  Name another folder.") from error
    try:
        if not _hold(descriptor, path) or not _is_at(descriptor, path):
            raise ConfigError(
                f"another run is at work in {folder}{_who(path)}.\n  Wait until it has ended, or name another folder."
            )
        with contextlib.suppress(OSError):  # what is written here helps a message, and nothing else
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
    finally:
        os.close(descriptor)


def check_name(folder: Path) -> None:
    """Refuse a folder whose name is no UTF-8, or cannot be read as it: TensorStore, which writes checkpoints, does.

    Raises:
        ConfigError: it is such a name.
    """
    whole = str(folder.absolute())
    try:
        whole.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"the name of the folder {whole!a} is not read as UTF-8 here, so no checkpoint can be written to it.\n"
            "  Set PYTHONUTF8=1 if the name has letters such as é; else name another folder."
        ) from None


def _hold(descriptor: int, path: Path) -> bool:
    """Lock an open file without waiting; whether it could be."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 2**20, os.SEEK_SET)  # beyond what is written, so that others can read that
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in BUSY:
            return False
        why = f"{path} cannot be locked ({reason(error)}); two runs there at once would spoil each other."
        warnings.warn(f"{why}\n  Start one run alone in a folder.", stacklevel=5)
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`: its owner deletes it when it leaves."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _who(path: Path) -> str:
    try:
        said = path.read_text(encoding="utf-8", errors="replace")[:80]
    except OSError:
        return ""
    return f" ({said})" if said.startswith("process ") and said.isprintable() else ""


def is_file(path: Path) -> bool:
    """Whether a plain file is there; of any name, also one that the system does not take."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there; of any name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> str:
    """Why the system refused, without the path, which the message has."""
    return getattr(error, "strerror", None) or str(error)


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
    lines = (folder / SUMS).read_text(errors="replace").splitlines()
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
