"""Forms: what a file of ours must hold, stated as a Pydantic model. What does not fit is said by the name of its key.

A person edits such a file, a disk spoils it: whoever reads one asks here before it takes the first key.
"""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thalweg.errors import FormatError
from thalweg.files import opened
from thalweg.jsontext import once

SIZE_LIMIT = 64 * 2**20  # bytes
Count = Annotated[int, Field(ge=0, lt=2**63)]


class Form(BaseModel):
    """Named values, each of its own type and none besides: a text is no number, and NaN is none."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def check(form: type[BaseModel], value: Any) -> None:
    """Hold `value`, as JSON gives it, against `form`.

    Raises:
        FormatError: the first key that is missing, unknown or of another kind.

    >>> class Row(Form):
    ...     step: Count
    >>> check(Row, {"step": 3})
    >>> check(Row, {"step": "3"})
    Traceback (most recent call last):
    thalweg.errors.FormatError: step is '3': input should be a valid integer
    """
    try:
        form.model_validate(value)
    except ValidationError as error:
        raise FormatError(_said(dict(error.errors(include_url=False)[0]))) from None


def _said(problem: dict[str, Any]) -> str:
    key, message = ".".join(map(str, problem["loc"])), str(problem["msg"])
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] == "extra_forbidden":
        return f"{key} is no key of it"
    where = f"{key} is {shown(problem['input'])}" if key else f"it is {shown(problem['input'])}"
    return f"{where}: {message[:1].lower()}{message[1:]}"


def shown(value: Any) -> str:
    """A value for a message, short: also a number of more digits than Python writes out."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a very large {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def read_json(path: Path) -> Any:
    """What the JSON file at `path` holds.

    Raises:
        FormatError: it is too large, nests too deep, or gives a name twice.
        ValueError: it is no JSON.
        OSError: it cannot be read, or is a device, a pipe, a folder.
    """
    with opened(path) as file:
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise FormatError(f"it has more than {SIZE_LIMIT} bytes")
    try:
        return json.loads(content, object_pairs_hook=once)
    except RecursionError:
        raise FormatError("it nests too deep") from None
