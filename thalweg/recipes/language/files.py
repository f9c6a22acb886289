"""files: the text that a person's .txt files hold.

    FILE.txt        one text
    FOLDER/         its .txt files one after another, by name, sub-folders among them

A name may end in `.gz`. For parts set apart, see `recipes.paths`.
"""

from pathlib import Path

from thalweg import data
from thalweg.errors import DataError
from thalweg.files import below

ENDINGS = (".txt", ".txt.gz")


def read(path: Path) -> str:
    """The text in a file, or in all .txt files of a folder.

    Raises:
        DataError: it is missing, empty, in another encoding, or no text.
    """
    if path.is_dir():
        files = [p for p in below(path, "**/*") if p.is_file() and p.name.lower().endswith(ENDINGS)]
        if not files:
            raise DataError(f"{path} holds no .txt file.\n  Write the path of a .txt file, or of a folder of them.")
        return "\n".join(data.read_text(p) for p in files)
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a .txt file, or of a folder of them.")
    if not path.name.lower().endswith((*ENDINGS, ".tokens")):
        raise DataError(f"{path} is no .txt file.\n  Save the text as UTF-8 in a file whose name ends in .txt.")
    return data.read_text(path)
