"""JSON from a file that may be hostile: bounded in size, depth and names, each name once."""

import json
from typing import Any

from thalweg.errors import ModelFileError
from thalweg.jsontext import depth, once
from thalweg.limits import within

REMEDY = "The file is damaged or was made by something else: take a whole copy, or save the model again."


def dump(value: dict[str, Any], what: str) -> bytes:
    """`value` as text that `parse` takes back; a `ModelFileError` when it would not.

    >>> parse(dump({"rate": 0.5}, "preprocessing.json"), "preprocessing.json")
    {'rate': 0.5}
    """
    try:
        data = json.dumps(value, indent=1).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{what} cannot be stored: {error}.\n  Give names, numbers, lists and dicts.") from error
    parse(data, what)
    return data


def parse(data: bytes, what: str) -> dict[str, Any]:
    """The object that `data` writes out.

    Raises:
        ModelFileError: it is too long, too deep, no JSON object, or gives a name twice.
    """
    within("model_json", len(data), what, ModelFileError)
    within("model_values", data.count(b",") + data.count(b"[") + data.count(b"{"), what, ModelFileError)
    try:
        text = data.decode()
        within("model_depth", depth(text), what, ModelFileError)
        value = json.loads(text, object_pairs_hook=_named)
    except RecursionError:
        raise ModelFileError(f"{what} nests deeper than Python reads.\n  {REMEDY}") from None
    except ValueError as error:
        raise ModelFileError(f"{what} is not JSON: {error}.\n  {REMEDY}") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"{what} holds a {type(value).__name__}; an object was expected.\n  {REMEDY}")
    return value


def _named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, _ in pairs:
        within("model_name", len(name), f"the name {name:.20}...", ModelFileError)
    return once(pairs)
