"""Recordings on disk: a folder for each class, or a table of paths and texts; read when they are asked for.

digits/zero/a.wav          path,text
digits/zero/b.wav          clips/a.wav,turn left
digits/one/c.flac          clips/b.wav,stop
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.decoding import class_of
from thalweg.data.labels import Labels
from thalweg.data.sound.encoder import SoundEncoder
from thalweg.data.sound.files import Name, read_sound
from thalweg.data.table.files import read_csv
from thalweg.errors import ContractError, DataError, nearest
from thalweg.files import below

SUFFIXES = frozenset({".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wave"})


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Files, and what is said of each: its class or its text."""

    paths: tuple[Path, ...]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def labels(self) -> Labels:
        """The classes that the texts are; `DataError` where there is only one."""
        return Labels.fit(np.array(self.texts), "the recordings")


def list_sounds(folder: Name) -> Recordings:
    """The sound files in the sub-folders of `folder`, by name; the sub-folder is the class.

    Files that are no sound by their ending, and hidden ones, are passed over.

    Raises:
        DataError: there is no such folder, it has no sub-folder with sounds, or sounds that are in none.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "one").mkdir(), (folder / "one" / "a.wav").touch()
    (None, None)
    >>> list_sounds(folder).texts
    ('one',)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.\n  Write the folder that has a sub-folder of sounds for each class.")
    paths = tuple(path for path in below(folder, "**/*") if _is_sound(path, folder))
    loose = [path for path in paths if path.parent == folder]
    if loose or not paths:
        fault = f"holds sounds beside its sub-folders, such as {loose[0].name}" if loose else "holds no sounds"
        raise DataError(
            f"{folder} {fault}.\n  Put the sounds of each class into a sub-folder of its name"
            f" ({', '.join(sorted(SUFFIXES))}), or write read_sound_table(path) for a table of paths and texts."
        )
    return Recordings(paths, tuple(class_of(folder / path.relative_to(folder).parts[0]) for path in paths))


def _is_sound(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def read_sound_table(path: Name, sound: str = "path", text: str = "text", **options: Any) -> Recordings:
    """The recordings that a CSV or TSV file lists.

    Args:
        path: the table; paths in it are taken from its folder.
        sound: the column of paths.
        text: the column of what is said, or of classes.
        **options: what `read_csv` takes: `names`, `delimiter`, `encoding`.

    Raises:
        DataError: see `read_csv`; a column or a listed file is missing, or a text is empty.
    """
    path = Path(path)
    table = read_csv(path, **options)
    for name in (sound, text):
        if name not in table:
            raise DataError(f"{path} has no column {name!r}.\n  {nearest(name, table)}")
    files = tuple(path.parent / cell for cell in table[sound])
    for row, (file, said) in enumerate(zip(files, table[text], strict=True)):
        if not os.path.isfile(file) or not said:  # noqa: PTH113  a Path raises over a name that is too long
            what = f"{file} is not there" if said else f"{file.name} has no {text!r}"
            raise DataError(f"{path}: row {row}: {what}.\n  Mend the table, or leave the row out.")
    return Recordings(files, tuple(table[text]))


@dataclasses.dataclass(frozen=True, eq=False)
class SoundSource:
    """A source that reads and encodes the recordings of the rows asked for: for more than memory holds.

    It gives (x, y), x [rows, frames, features]. Recordings at another sampling rate are brought to the encoder's.
    """

    paths: tuple[Path, ...]
    y: np.ndarray
    encoder: SoundEncoder
    clipped: float = 0.01

    def __post_init__(self) -> None:
        if len(self.paths) != len(self.y):
            raise ContractError(f"{len(self.paths)} recordings and {len(self.y)} targets.\n  Write one for each.")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        rate = self.encoder.features.sampling_rate
        sounds = (read_sound(self.paths[i], rate, clipped=self.clipped).samples for i in indices)
        return self.encoder(sounds).x, self.y[indices]
