"""files: the series in a person's CSV file, oldest row first."""

from pathlib import Path
from typing import Any

from thalweg.data import Series, read_series
from thalweg.errors import DataError


def read(path: Path | None, settings: Any, variables: Any = None) -> Series:
    """The series in the file at `path`; what is wrong with it is said in the words of the settings.

    Raises:
        DataError: there is no such file; see `read_series`.
    """
    if path is None or not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a .csv file with a column for each variable.")
    missing = "forward" if settings.missing == "forward" else None
    try:
        return read_series(
            path, settings.time, variables=variables, missing=missing, regular=settings.spacing == "even"
        )
    except DataError as error:
        raise DataError(
            str(error)
            .replace("missing='forward'", "--set missing=forward")
            .replace("regular=False", "--set spacing=any")
        ) from error
