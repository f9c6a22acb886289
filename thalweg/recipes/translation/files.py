"""files: texts and their translations as people keep them.

    FILE.tsv, FILE.txt    a pair a line: source TAB target
    FOLDER/               two files, such as news.en and news.de: line n of one translates line n of the other
    FOLDER/               parts set apart: `train...`, `test...`, perhaps `val...` or `dev...`, each as one of the above

Where parts are set apart and none is called test, the one called `dev` or `val` judges. A name may end in `.gz`.
"""

from collections.abc import Sequence
from pathlib import Path

from thalweg import data
from thalweg.errors import DataError
from thalweg.files import below
from thalweg.recipes import paths
from thalweg.recipes.paths import VERBS
from thalweg.recipes.translation.pairs import Pairs

TABLES = (".tsv", ".tab", ".txt")


def read(path: Path, languages: str | None) -> dict[str, Pairs]:
    """The parts that a file or folder holds, by name; where none are set apart, all of it is "train".

    Args:
        path: the file or folder.
        languages: the endings of two files that belong together, the source's first: "en-de".

    Raises:
        DataError: there is no such file, a line has no translation, or it is not known which files belong together.
    """
    if path.is_file():
        return {"train": _table(path)}
    if not path.is_dir():
        raise DataError(f"{path} is no file and no folder.\n  Write the path of a .tsv file, source TAB target.")
    found = set_apart(path)
    if not found:
        return {"train": _together(_files(path), languages, path)}
    return {part: _together(of_part, languages, path) for part, of_part in found.items()}


def set_apart(path: Path) -> dict[str, list[Path]]:
    """The files of each part in a folder, where parts are set apart."""
    return paths.by_part(_files(path)) if path.is_dir() else {}


def roles(path: Path) -> str:
    """What was taken for what, in words, and what for none; nothing where no parts are set apart."""
    found = set_apart(path)
    taken = [f"{' and '.join(file.name for file in files)} {VERBS[part]}" for part, files in found.items()]
    return ", ".join([*taken, *paths.left_out([file for files in found.values() for file in files])])


def _files(folder: Path) -> list[Path]:
    return [file for file in below(folder) if file.is_file() and not file.name.startswith(".")]


def _table(path: Path) -> Pairs:
    if _ending(path) not in TABLES:
        raise DataError(f"{path} is none of the kinds read here.\n  Write a .tsv file, source TAB target in each line.")
    return Pairs(*data.read_parallel(path))


def _together(files: Sequence[Path], languages: str | None, folder: Path) -> Pairs:
    """The pairs of one part: those of a table, or of two files with the languages' endings."""
    tables = [file for file in files if _ending(file) in TABLES]
    if len(tables) == 1:
        return _table(tables[0])
    endings = [f".{name}" for name in (languages or "").split("-")]
    sides = [[file for file in files if _ending(file) == ending] for ending in endings]
    if [len(side) for side in sides] != [1, 1]:
        names = ", ".join(file.name for file in files[:6]) or "nothing"
        missing = f" Files that end in {' and '.join(endings)} were looked for." if languages else ""
        raise DataError(
            f"{folder}: which files belong together is not known; it holds {names}.{missing}\n"
            "  Write --set languages=en-de for files that end in .en and .de, or give one .tsv file for each part."
        )
    return Pairs(*data.read_parallel(sides[0][0], sides[1][0]))


def _ending(path: Path) -> str:
    return next((suffix for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "").lower()
