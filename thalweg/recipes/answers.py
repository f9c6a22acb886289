"""answers: what a model says of rows, one record a row, and into files.

A classifier's record has the likeliest class and every probability; another model's has its numbers.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.errors import ConfigError, nearest
from thalweg.recipes import rows
from thalweg.recipes.trained import Trained

COLUMNS = 8  # numbers a row that the table shows, for a model that gives no probabilities
Answer = dict[str, Any]
"""What is said of one row, by column."""


def answers(trained: Trained, file: Path) -> list[Answer]:
    """What the model says of each row in `file`; a label that the file has stands beside it.

    Raises:
        DataError: the file is missing, damaged, or does not fit the model's input.
    """
    x, labels = rows.read(file, trained.shape, trained.manifest.get("brightest", 255))
    output = np.asarray(trained.model.predict(x))
    known = [{} if labels is None else {"label": labels[row].item()} for row in range(len(output))]
    if output.ndim == 2 and getattr(trained.model.network, "activation", None) == "softmax":
        said = [_chosen(p, trained.classes) for p in output.tolist()]
    else:
        said = [{"values": values} for values in output.tolist()]
    return [{"row": row, **known[row], **record} for row, record in enumerate(said)]


def _chosen(p: list[float], classes: tuple[str, ...]) -> Answer:
    k = int(np.argmax(p))
    return {"answer": classes[k], "probability": p[k], "probabilities": dict(zip(classes, p, strict=True))}


def flat(answer: Answer) -> Answer:
    """A line of a table: the answer and the next likeliest, or the first numbers."""
    line = {name: value for name, value in answer.items() if name not in ("probabilities", "values")}
    if "values" in answer:
        return line | {f"value {i}": v for i, v in enumerate(np.ravel(answer["values"])[:COLUMNS].tolist())}
    ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])
    return line | {"then": " ".join(f"{name} {p:.4f}" for name, p in ranked[1:2])}


def writer(path: Path) -> Callable[[Path, list[Answer]], None]:
    """How a file of that name is written.

    Raises:
        ConfigError: no kind of file that is written here has this ending.
    """
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"{path}: answers are written as {' or '.join(WRITERS)}.\n  {nearest(path.suffix, WRITERS)}")
    return WRITERS[path.suffix.lower()]


def _json(path: Path, said: list[Answer]) -> None:
    path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def _csv(path: Path, said: list[Answer]) -> None:
    lines = [_wide(answer) for answer in said]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(lines[0]))
        table.writeheader()
        table.writerows(lines)


def _wide(answer: Answer) -> Answer:
    line = {name: value for name, value in answer.items() if name not in ("probabilities", "values")}
    given = answer.get("probabilities") or dict(enumerate(np.ravel(answer.get("values", ())).tolist()))
    return line | {f"p({name})" if "answer" in answer else f"value {name}": p for name, p in given.items()}


WRITERS: dict[str, Callable[[Path, list[Answer]], None]] = {".json": _json, ".csv": _csv}
