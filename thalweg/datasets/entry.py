"""What the catalogue says of a data set: what it holds, in which published files, from which mirrors."""

from thalweg.record import Record


class Published(Record):
    """A file as its authors published it. `sha256` is empty for what comes inside an archive."""

    name: str
    size: int
    sha256: str = ""


class Entry(Record):
    """A named data set. `folder` is its place below a data folder; each mirror is an address that ends in a slash."""

    name: str
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
