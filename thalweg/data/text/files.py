"""Texts in people's files: tables, lines, folders of a class each, columns of tokens and tags, parallel texts."""

import os
from pathlib import Path
from typing import Any

from thalweg.data.decoding import UTF8, class_of, lines_of, read_lines, read_text
from thalweg.data.table.files import read_csv
from thalweg.data.text.json_lines import parsed
from thalweg.errors import DataError, nearest
from thalweg.files import below
from thalweg.limits import within
from thalweg.ranges import flag

DELIMITERS = {".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
PathLike = str | os.PathLike[str]
Labelled = tuple[list[str], list[str]]


def read_labelled(
    path: PathLike,
    text: str = "text",
    label: str = "label",
    *,
    delimiter: str | None = None,
    encoding: str = UTF8,
    quotes: bool = True,
) -> Labelled:
    """Texts and their labels, from a folder with a sub-folder a class, or from a CSV, TSV or JSON-lines file.

    Args:
        path: the folder or file.
        text: the name of the column of texts.
        label: the name of the column of labels.
        delimiter: what separates the cells of a table; found in the first line by default, a tab in a `.tsv` file.
        encoding: of the files.
        quotes: whether cells of a table may stand in double quotes.

    Returns:
        `(texts, labels)`, as many of each.

    Raises:
        DataError: there is no such file or column, a label is missing, or there is one class only.
    """
    path, quotes = Path(path), flag("quotes", quotes)
    if path.is_dir():
        return read_classes(path, encoding=encoding)
    table = _table(path, delimiter, encoding, quotes)
    for name in (text, label):
        if name not in table:
            raise DataError(
                f"{path} has no column {name!r}; it has {', '.join(map(repr, table))}.\n  {nearest(name, table)}"
                f" Write text=... and label=... as the file names them."
            )
    texts, labels = (["" if cell is None else str(cell) for cell in table[name]] for name in (text, label))  # null
    gap = next((row for row, value in enumerate(labels) if not value.strip()), None)
    if gap is not None:
        raise DataError(f"{path}: the label of row {gap} is missing.\n  Fill it, or remove the row.")
    return texts, _several(labels, path)


def _table(path: Path, delimiter: str | None, encoding: str, quotes: bool) -> dict[str, list[Any]]:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    suffix = suffixes[-1].lower() if suffixes else ""
    if suffix in JSON_LINES:
        return read_jsonl(path, encoding=encoding)
    return dict(read_csv(path, delimiter=delimiter or DELIMITERS.get(suffix), encoding=encoding, quotes=quotes))


def read_jsonl(path: PathLike, *, encoding: str = UTF8) -> dict[str, list[Any]]:
    """The columns of a file with a JSON object a line: `{"text": ["...", ...], "label": [...]}`.

    Args:
        path: the file.
        encoding: of the file.

    Raises:
        DataError: a line is no object, or has other names than the first.
    """
    rows: list[dict[str, Any]] = []
    for n, line in enumerate(lines_of(read_text(path, encoding=encoding)), start=1):
        if not line.strip():
            continue
        row = parsed(line, f"{path}: line {n}")
        if not isinstance(row, dict) or (rows and row.keys() != rows[0].keys()):
            names = f"the names {sorted(rows[0])}" if rows else "an object with names"
            raise DataError(f"{path}: line {n} has not {names}: {line[:80]}.\n  Give every line the same names.")
        rows.append(row)
    return {name: [row[name] for row in rows] for name in rows[0]}


def read_classes(folder: PathLike, *, encoding: str = UTF8) -> Labelled:
    """The `.txt` files of a folder with a sub-folder for each class, named like it: `reviews/good/17.txt`.

    Args:
        folder: the folder; hidden sub-folders are passed over.
        encoding: of the files.

    Returns:
        `(texts, labels)`, sorted by class and name.

    Raises:
        DataError: there is no such folder, there are not two classes, or one is empty.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.\n  Write the path of a folder with a sub-folder for each class.")
    texts: list[str] = []
    labels: list[str] = []
    for kind in [path for path in below(folder) if path.is_dir() and not path.name.startswith(".")]:
        paths = below(kind, "*.txt")
        if not paths:
            raise DataError(f"{kind} holds no .txt file.\n  Remove the folder, or put the texts of the class into it.")
        texts += [read_text(path, encoding=encoding) for path in paths]
        labels += [class_of(kind)] * len(paths)
    if not labels:
        raise DataError(f"{folder} has no sub-folder.\n  Put the .txt files of each class into one: {folder}/CLASS/.")
    return texts, _several(labels, folder)


def read_conll(path: PathLike, *, token: int = 0, tag: int = -1, encoding: str = UTF8) -> tuple[list[list[str]], ...]:
    """Tokens and tags of a CoNLL file: a token a line, columns set apart by tabs or spaces, sentences by empty lines.

    Args:
        path: the file.
        token: which column holds the token, from 0.
        tag: which column holds the tag (such as `B-PER`, `I-PER`, `O`); -1 is the last.
        encoding: of the file.

    Returns:
        `(tokens, tags)`: for each sentence a list of tokens, and one of as many tags.

    Raises:
        DataError: a line has another number of columns than the first, or not the one asked for.
    """
    sentences: list[list[list[str]]] = [[]]
    separator, width = None, 0
    for n, line in enumerate(lines_of(read_text(path, encoding=encoding)), start=1):
        if not line.strip():
            sentences.append([])
            continue
        separator = separator or ("\t" if "\t" in line else " ")
        cells = line.split("\t") if separator == "\t" else [cell for cell in line.split(" ") if cell]
        width = width or len(cells)
        within("line_columns", len(cells), f"{path}: line {n}")
        if len(cells) != width or not all(-width <= column < width for column in (token, tag)):
            raise DataError(
                f"{path}: line {n} has {len(cells)} columns, {line[:60]!r}; expected {width}, with columns {token} and"
                f" {tag} among them.\n  Separate all lines alike, by tabs or by spaces; or write token=... and tag=..."
            )
        sentences[-1].append(cells)
    kept = [rows for rows in sentences if rows and rows[0][0] != "-DOCSTART-"]
    return [[row[token] for row in rows] for rows in kept], [[row[tag] for row in rows] for rows in kept]


def read_parallel(source: PathLike, target: PathLike | None = None, *, encoding: str = UTF8) -> Labelled:
    """A text and its translation, line by line: two files, or one whose lines are `source TAB target`.

    Args:
        source: the file of the texts, or of both.
        target: the file of the translations.
        encoding: of the files.

    Returns:
        `(sources, targets)`, as many of each. Columns after the second are passed over.

    Raises:
        DataError: the files differ in their number of lines, or a side of a pair is empty.
    """
    if target is not None:
        first, second = (lines_of(read_text(path, encoding=encoding)) for path in (source, target))
        if len(first) != len(second):
            raise DataError(
                f"{source} has {len(first)} lines, {target} {len(second)}.\n  Line n of one must translate line n of"
                " the other: look for a line that is missing."
            )
        pairs = list(zip(first, second, strict=True))
    else:
        pairs = [_halves(line, n, source) for n, line in enumerate(read_lines(source, encoding=encoding), start=1)]
    for n, pair in enumerate(pairs, start=1):
        if not all(side.strip() for side in pair):
            raise DataError(f"{source}: line {n} has no {'translation' if pair[0].strip() else 'text'}.\n  Remove it.")
    return [a for a, _ in pairs], [b for _, b in pairs]


def _halves(line: str, n: int, path: PathLike) -> tuple[str, str]:
    cells = line.split("\t")
    if len(cells) < 2:
        raise DataError(f"{path}: line {n} has no tab: {line[:60]!r}.\n  Write source TAB target, or name two files.")
    return cells[0], cells[1]


def _several(labels: list[str], path: Path) -> list[str]:
    if len(set(labels)) < 2:
        raise DataError(f"{path} holds one class only, {labels[0]!r}; there is nothing to learn.\n  Add another.")
    return labels
