"""files: the series in a person's CSV file, oldest row first."""

import functools
from pathlib import Path
from typing import Any

from thalweg.data import Series, read_series
from thalweg.errors import DataError

WORDS = {
    "missing='forward'": "--set missing=forward",
    "regular=False": "--set spacing=any",
    "decimal=','": "--set decimal=,",
    "decimal='.'": "--set decimal=.",
    "thousands=','": "--set thousands=,",
    "thousands='.'": "--set thousands=.",
}
"""What an error calls an argument, and how the command line writes it."""


def read(path: Path | None, settings: Any, variables: Any = None) -> Series:
    """The series in the file at `path`; what is wrong with it is said in the words of the settings.

    Raises:
        DataError: there is no such file; see `read_series`.
    """
    if path is None or not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a .csv file with a column for each variable.")
    options = {
        "missing": "forward" if settings.missing == "forward" else None,
        "regular": settings.spacing == "even",
        "decimal": settings.decimal,
        "thousands": " " if settings.thousands == "space" else settings.thousands,
    }
    try:
        return read_series(path, settings.time, variables=variables, **options)
    except DataError as error:
        raise DataError(functools.reduce(lambda text, pair: text.replace(*pair), WORDS.items(), str(error))) from error
