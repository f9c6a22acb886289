"""What the sets of recordings share: thousands of files each, which you place yourself, as no mirror has them."""

from pathlib import Path

from thalweg.datasets.entry import Entry
from thalweg.datasets.store import Folder, folders
from thalweg.errors import DataError


def folder_with(entry: Entry, part: str, where: str, data: Folder = None) -> Path:
    """The folder of a set, known by the folder `part` in it.

    Raises:
        DataError: it is not on this machine; the message says to put what lies at `where` into which folder.
    """
    tried = folders(entry, data)
    holder = next((folder for folder in tried if (folder / part).is_dir()), None)
    if holder is None:
        looked = "".join(f"\n    looked in {folder}" for folder in tried)
        raise DataError(
            f"{entry.title}: {part}/ is not on this machine, and no mirror is known.{looked}\n"
            f"  Unpack {where} so that its {part}/ lies in DATA/{entry.folder}/, and set THALWEG_DATA=DATA."
        )
    return holder
