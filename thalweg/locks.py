"""A folder that one call is at work in is closed to the next, in this process and in others, as long as the call lives.

The system lets go of such a lock when a process dies, however it does: a file that a killed one leaves locks nothing.
"""

import contextlib
import errno
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from thalweg.errors import ConfigError
from thalweg.files import reason

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK = ".lock"
BUSY = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


@contextlib.contextmanager
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
        with path.open("rb") as file:
            said = file.read(80).decode(errors="replace")
    except OSError:
        return ""
    return f" ({said})" if said.startswith("process ") and said.isprintable() else ""
