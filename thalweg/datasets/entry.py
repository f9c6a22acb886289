"""What the catalog says of a data set: its files, as they were published, and what they hold."""

from thalweg.record import Record


class Published(Record):
    """A file as its authors published it. `sha256` is empty for what comes inside an archive."""

    name: str
    size: int
    sha256: str = ""


class Entry(Record):
    """A named data set.

    `place` is the function that loads it, `module:function`, of a folder of data; the module is its public face.
    `folder` is where its files lie in a data folder; each mirror is an address that ends in a slash.
    """

    name: str
    place: str
    title: str
    task: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    folder: str = ""
    files: tuple[Published, ...] = ()
    mirrors: tuple[str, ...] = ()
    archive: Published | None = None
    validation: int = 0
