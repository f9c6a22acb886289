"""Forms: what a file of ours must hold, stated as a Pydantic model. What does not fit is said by the name of its key.

A person edits such a file, a disk spoils it: whoever reads one asks here before it takes the first key.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from thalweg.errors import DataError, FormatError, ThalwegError
from thalweg.files import content
from thalweg.jsontext import once

Count = Annotated[int, Field(ge=0, lt=2**63)]


def _not_nan(value: float) -> float:
    if math.isnan(value):
        raise FormatError("NaN is no number")
    return value


Number = Annotated[float, Field(allow_inf_nan=True), AfterValidator(_not_nan)]
"""A number that may be infinite, as the best of none is."""


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


def read_json(path: Path, error: type[ThalwegError] = DataError) -> Any:
    """What the JSON file at `path` holds.

    Args:
        path: the file.
        error: the class of what is raised where it is beyond the limit `record_bytes`.

    Raises:
        DataError: or what `error` says: it is beyond the limit.
        FormatError: it nests too deep, or gives a name twice.
        ValueError: it is no JSON.
        OSError: it cannot be read, or is a device, a pipe, a folder.
    """
    text = content(path, "record_bytes", error)
    try:
        return json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise FormatError("it nests too deep") from None
