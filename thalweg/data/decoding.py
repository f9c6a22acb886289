"""Bytes as text: UTF-8 unless another encoding is named; a guess is never made, only suggested."""

import codecs
import gzip
import itertools
import os
import zlib
from pathlib import Path

from thalweg.errors import DataError, FormatError
from thalweg.files import bounded, content, opened, unpacked

UTF8 = "utf-8-sig"  # with or without a byte order mark
MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: str | os.PathLike[str], *, encoding: str = UTF8) -> str:
    """The text in a file, as it stands: line ends are kept. A file that ends in `.gz` is unpacked.

    Args:
        path: the file.
        encoding: of the file: UTF-8 with or without a byte order mark, or what you name.

    Raises:
        DataError: the file is missing, empty, damaged, or in another encoding; with the place and what to write.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("深度学习", encoding="gb18030")
    >>> read_text(path, encoding="gb18030")
    '深度学习'
    """
    path = Path(path)
    text = decoded(read_bytes(path), path, encoding)
    if not text.strip():
        raise DataError(f"{path} is empty.\n  Look at how it was written.")
    return text


def read_lines(path: str | os.PathLike[str], *, encoding: str = UTF8) -> list[str]:
    r"""The lines of a file, one text each, without their ends (\n, \r\n or \r); empty lines are left out.

    Args:
        path: the file.
        encoding: of the file.

    Raises:
        DataError: see `read_text`.
    """
    return [line for line in lines_of(read_text(path, encoding=encoding)) if line.strip()]


def class_of(folder: Path) -> str:
    """The name of a folder that stands for a class.

    Raises:
        DataError: its bytes are not UTF-8: no file could hold it as a text.
    """
    try:
        folder.name.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the name of the folder {folder} is not UTF-8.\n  Give it another name.") from error
    return folder.name


def lines_of(text: str) -> list[str]:
    r"""The lines of `text`; \n, \r\n and \r end one, and no other sign does.

    >>> lines_of("a\r\nb\x0cc\n")
    ['a', 'b\x0cc']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked where its name ends in `.gz`."""
    try:
        if path.suffix != ".gz":
            return content(path, "file_bytes")
        with opened(path) as file:
            return bounded(unpacked(file, path), "unpacked_bytes", path)
    except (FormatError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}.\n  Copy it anew.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.\n  Write the path of a file.") from error
    except MemoryError as error:
        raise _too_large(path) from error


def decoded(data: bytes, path: Path, encoding: str) -> str:
    """`data` as text; `DataError` with the place of the first byte that is wrong, and what to write."""
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise DataError(f"encoding={encoding!r} is unknown.\n  Write 'utf-8', 'gb18030', 'latin-1', ...") from error
    except MemoryError as error:
        raise _too_large(path) from error
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise DataError(
            f"{path} is not {'UTF-8' if encoding == UTF8 else encoding}: byte {start} is {data[start]:#04x}.\n"
            f"  Save it as UTF-8, or write encoding={_likely(data)} or what it was written in, where it is read."
        ) from error
    if "\0" in text:
        raise DataError(
            f"{path} holds the character NUL, at {text.index(chr(0))}; no text does.\n"
            "  Save it as UTF-8, or write encoding='utf-16-le' or 'utf-16-be' if it was written in that."
        )
    return text


def _too_large(path: Path) -> DataError:
    return DataError(f"{path} is larger than the memory.\n  Cut it into parts, or free some memory.")


def _likely(data: bytes) -> str:
    # Chinese has bytes above 127 in pairs, a Western encoding one here and there
    marked = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if marked is not None:
        return f"{marked!r}"
    high = [byte > 127 for byte in data[: 2**16]]
    pairs = sum(a and b for a, b in itertools.pairwise(high))
    return "'gb18030', 'big5'" if 2 * pairs > sum(high) else "'latin-1', 'cp1252'"
