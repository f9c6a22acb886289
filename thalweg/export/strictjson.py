"""JSON from a file that may be hostile: bounded in size, depth and names, each name once."""

import json
import sys
from typing import Any

from thalweg.errors import FormatError, ModelFileError
from thalweg.export import limits

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
    limits.hold("JSON", len(data), f"the bytes of {what}")
    limits.hold("VALUES", data.count(b",") + data.count(b"[") + data.count(b"{"), f"the values of {what}")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique)
    except RecursionError:
        limits.hold("DEPTH", sys.getrecursionlimit(), f"the levels of {what}")
        raise ModelFileError(f"{what} nests deeper than Python reads.\n  {REMEDY}") from None
    except ValueError as error:
        raise ModelFileError(f"{what} is not JSON: {error}.\n  {REMEDY}") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"{what} holds a {type(value).__name__}; an object was expected.\n  {REMEDY}")
    limits.hold("DEPTH", _depth(value), f"the levels of {what}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    for name in out:
        limits.hold("NAME", len(name), f"the characters of the name {name:.20}...")
    if len(out) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise FormatError(f"the name {name!r:.100} is given twice")
    return out


def _depth(value: Any) -> int:
    """How many levels of lists and objects nest, level by level and without recursion."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, dict | list)]:
        depth += 1
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v)]
    return depth
