"""paths: what lies at a path that a person names: the files of a named data set, or data in parts set apart.

    FOLDER/         `train...`, `test...`, perhaps `valid...` or `dev...`: files, or folders

A name is read by its words, and the first word that is a part's says which: `train.csv`, `test-2016.txt`, `valid/`, and
`device_train.csv` trains; `invalid.csv`, `pretrain.txt` and `strain/` are no parts. Where none is called test, the one
called `dev` or `valid` judges. A name may end in `.gz`. `roles` says what was taken for what, and what for none.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from thalweg.datasets import Entry, store
from thalweg.errors import DataError, ThalwegError
from thalweg.files import below
from thalweg.recipes.textfiles import KINDS

PARTS = {
    "train": ("train", "training"),
    "validation": ("valid", "validation", "val", "dev", "development"),
    "test": ("test", "testing"),
}
"""The words in the names of files and folders, by part; `set` or `data` may hang on one, as in `trainset`."""

NAMED = 4  # of what was left out
VERBS = {"train": "trains", "validation": "validates", "test": "tests"}
WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")


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


def part_of(name: str) -> str | None:
    """The part that a file or folder is, by the first word of its name that is a part's.

    >>> part_of("device_train.csv"), part_of("testData.csv"), part_of("protest_2019.csv"), part_of("val/")
    ('train', 'test', None, 'validation')
    """
    words = (re.sub("(?:set|data)$", "", word.lower()) for word in WORD.findall(name))
    return next((part for word in words for part, signs in PARTS.items() if word in signs), None)


def by_part(places: Sequence[Path]) -> dict[str, list[Path]]:
    """What is set apart for each part; nothing where no part trains, or none judges."""
    out = {part: [place for place in places if part_of(place.name) == part] for part in PARTS}
    if not out["test"]:
        out = {"train": out["train"], "test": out["validation"]}
    return {part: found for part, found in out.items() if found} if out["train"] and out["test"] else {}


def parts(path: Path, endings: Sequence[str] = KINDS) -> dict[str, Path]:
    """The parts that are set apart in a folder, by name: `{"train": ..., "test": ...}`; nothing where none are.

    Args:
        path: the folder.
        endings: how the names of files end.

    Raises:
        DataError: two files or folders are the same part.
    """
    places = [p for p in below(path) if p.is_dir() or _ends(p, endings)] if path.is_dir() else []
    return {
        part: _one(part, found) for part, found in by_part([p for p in places if not p.name.startswith(".")]).items()
    }


def judged(path: Path, endings: Sequence[str] = KINDS) -> Path:
    """What judges a model: the test part of a folder that has parts, else all that is at `path`."""
    return parts(path, endings).get("test", path)


def roles(places: Mapping[str, Path]) -> str:
    """What was taken for what, in words, and what beside it for nothing.

    >>> roles({"train": Path("a/train.csv"), "test": Path("a/dev.csv")})
    'train.csv trains, dev.csv tests'
    """
    taken = [f"{place.name} {VERBS[part]}" for part, place in places.items()]
    return ", ".join([*taken, *left_out([*places.values()])])


def left_out(places: Sequence[Path]) -> list[str]:
    """What lies beside `places` and was taken for no part, in words; nothing where all was taken."""
    folders = sorted({place.parent for place in places})
    names = [p.name for folder in folders for p in below(folder) if p not in places and not p.name.startswith(".")]
    more = f" and {len(names) - NAMED} more" if names[NAMED:] else ""
    return [f"{', '.join(names[:NAMED])}{more} {'are' if names[1:] else 'is'} no part"] if names else []


def source(title: str | None, path: Path | None, note: str | None = "") -> str:
    """Where data is from, in words: the title of the named set, the path, a note; what is not there is left out.

    >>> source("MNIST", None, "in parts")
    'MNIST, in parts'
    """
    return ", ".join(filter(None, (title, path and str(path), note)))


def _one(part: str, found: Sequence[Path]) -> Path:
    """The one whose name begins with the part's word; else the only one."""
    first = [place for place in found if part_of(WORD.findall(place.name)[0])] or found
    if len(first) > 1:
        names = ", ".join(place.name for place in first[:4])
        raise DataError(
            f"{first[0].parent} holds several for the part {part!r}: {names}.\n"
            f"  Leave one there, or call the others by names without the word {PARTS[part][0]}."
        )
    return first[0]


def _ends(path: Path, endings: Sequence[str]) -> bool:
    return any(suffix.lower() in endings for suffix in path.suffixes)
