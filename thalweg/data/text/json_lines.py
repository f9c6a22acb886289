"""A line of JSON that may be damaged or hostile: bounded in depth and names, each name once, all of it text."""

import json
from typing import Any

from thalweg.errors import DataError, FormatError
from thalweg.jsontext import depth, once
from thalweg.limits import beyond, limit, within


def parsed(line: str, name: str) -> Any:
    """The value that `line` writes out; `name` says which line it is.

    Raises:
        DataError: it is no JSON, nests too deep, gives a name twice, or holds half a character.

    >>> parsed('{"text": "a", "label": 1}', "line 1")
    {'text': 'a', 'label': 1}
    """
    if line.count("[") + line.count("{") > limit("json_depth") and depth(line) > limit("json_depth"):
        raise beyond("json_depth", name)

    def named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        within("json_names", len(pairs), name)
        return once(pairs)

    try:
        value = json.loads(line, object_pairs_hook=named, parse_constant=_refuse)
        if "\\ud" in line.lower():  # an escaped surrogate, which stands for a character only beside another
            json.dumps(value, ensure_ascii=False).encode()
    except DataError:
        raise
    except UnicodeEncodeError as error:
        raise DataError(f"{name} holds a lone surrogate, half a character.\n  Write the character whole.") from error
    except ValueError as error:
        raise DataError(f"{name} is no JSON: {error}.\n  Write one object a line, each name once.") from error
    return value


def _refuse(constant: str) -> Any:
    raise FormatError(f"{constant} is no number of JSON's; write null for what is missing")
