"""answers: what a model says, one record a row, as a table and into files.

A classifier's record has the likeliest class and every probability; another model's has its numbers.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.errors import ConfigError, nearest
from thalweg.recipes.base import Answer, Trained
from thalweg.recipes.folder import write_text

COLUMNS = 8  # numbers a row that the table shows, for a model that gives no probabilities
WIDTH = 160  # characters of a text that the table shows
WHOLE = ("written",)  # texts that the table shows to their end: what a model was asked to write
WIDE = ("probabilities", "values")  # what has a column for each of its numbers


def of_rows(trained: Trained, x: Any, columns: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """What the model says of each row of its input `x`; the `columns` of a row stand before it."""
    output = np.asarray(trained.model.predict(x))
    if output.ndim == 2 and getattr(trained.model.network, "activation", None) == "softmax":
        classes = trained.classes
        answers = [_likeliest(p, classes) for p in output.tolist()]
    else:
        answers = [{"values": values} for values in output.tolist()]
    return [{"row": row, **columns[row], **answer} for row, answer in enumerate(answers)]


def _likeliest(p: list[float], classes: tuple[str, ...]) -> Answer:
    k = int(np.argmax(p))
    return {"answer": classes[k], "probability": p[k], "probabilities": dict(zip(classes, p, strict=True))}


def flat(answer: Answer) -> Answer:
    """A line of a table: what is a text or a number; of several numbers the next likeliest, or the first."""
    plain = {name: value for name, value in answer.items() if not isinstance(value, dict | list)}
    line = {name: value if name in WHOLE else _short(value) for name, value in plain.items()}
    if "values" in answer:
        line |= {f"value {i}": v for i, v in enumerate(np.ravel(answer["values"])[:COLUMNS].tolist())}
    ranked = sorted(answer.get("probabilities", {}).items(), key=lambda pair: -pair[1])
    return line | ({"then": " ".join(f"{name} {p:.4f}" for name, p in ranked[1:2])} if ranked else {})


def _short(value: Any) -> Any:
    return f"{value[:WIDTH]}..." if isinstance(value, str) and len(value) > WIDTH + 3 else value


def writer(path: Path) -> Callable[[Path, list[Answer]], None]:
    """How a file of that name is written.

    Raises:
        ConfigError: no kind of file that is written here has this ending.
    """
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"{path}: answers are written as {' or '.join(WRITERS)}.\n  {nearest(path.suffix, WRITERS)}")
    return WRITERS[path.suffix.lower()]


def _json(path: Path, answers: list[Answer]) -> None:
    write_text(path, json.dumps(answers, indent=2, ensure_ascii=False) + "\n")


def _csv(path: Path, answers: list[Answer]) -> None:
    lines = [_wide(answer) for answer in answers]
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, list(lines[0]))
    table.writeheader()
    table.writerows(lines)
    write_text(path, file.getvalue())


def _wide(answer: Answer) -> Answer:
    line = {name: _cell(value) for name, value in answer.items() if name not in WIDE}
    numbers = answer.get("probabilities") or dict(enumerate(np.ravel(answer.get("values", ())).tolist()))
    return line | {f"p({name})" if "answer" in answer else f"value {name}": p for name, p in numbers.items()}


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


WRITERS: dict[str, Callable[[Path, list[Answer]], None]] = {".json": _json, ".csv": _csv}
