"""paths: what lies at a path that a person names: the files of a named data set, or data in parts set apart.

    FOLDER/         `train...`, `test...`, perhaps `valid...` or `dev...`: files, or folders

Where none is called test, the one called `dev` or `valid` judges. A name may end in `.gz`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from thalweg.datasets import Entry, store
from thalweg.errors import DataError, ThalwegError
from thalweg.files import below
from thalweg.recipes.textfiles import KINDS

PARTS = {"train": ("train",), "validation": ("valid", "dev"), "test": ("test",)}
"""The signs in the names of files, by part."""


def given(path: str | os.PathLike[str], error: type[ThalwegError] = DataError) -> Path:
    """A path that a person typed; whether anything is there is the reader's to say.

    Raises:
        DataError: or what `error` says: the system cannot even look, as in a circle of links.
    """
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as reason:
        why = reason.strerror if isinstance(reason, OSError) else reason
        raise error(f"{path} cannot be looked at: {why}.\n  Write the path of a file or folder.") from reason
    return Path(path)


def holds(path: Path, entry: Entry) -> bool:
    """Whether a file of the named data set is there."""
    return any(store.find(entry, file.name, path) for file in entry.files)


def parts(path: Path, endings: Sequence[str] = KINDS) -> dict[str, Path]:
    """The parts that are set apart in a folder, by name: `{"train": ..., "test": ...}`; nothing where none are.

    Args:
        path: the folder.
        endings: how the names of files end.
    """
    places = [p for p in below(path) if p.is_dir() or _ends(p, endings)] if path.is_dir() else []
    by_part = {part: _first_with(places, signs) for part, signs in PARTS.items()}
    if by_part["test"] is None:
        by_part = {"train": by_part["train"], "test": by_part["validation"]}
    complete = by_part["train"] and by_part["test"]
    return {part: place for part, place in by_part.items() if place} if complete else {}


def source(title: str | None, path: Path | None, note: str | None = "") -> str:
    """Where data is from, in words: the title of the named set, the path, a note; what is not there is left out.

    >>> source("MNIST", None, "in parts")
    'MNIST, in parts'
    """
    return ", ".join(filter(None, (title, path and str(path), note)))


def _first_with(places: Sequence[Path], signs: Sequence[str]) -> Path | None:
    return next((p for p in places if any(sign in p.name.lower() for sign in signs)), None)


def _ends(path: Path, endings: Sequence[str]) -> bool:
    return any(suffix.lower() in endings for suffix in path.suffixes)
