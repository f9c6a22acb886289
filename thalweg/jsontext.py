"""What Python's JSON reader lets through: an object that gives a name twice, and nesting without end."""

import re
from typing import Any

from thalweg.errors import FormatError

BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A bracket, or a string whole: one that is never closed ends with the text, so that no sign is looked at twice."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which each name is given once: of two, `json.loads` takes the last without a word.

    Raises:
        FormatError: a name is given twice.

    >>> import json
    >>> json.loads('{"a": 1, "b": 2}', object_pairs_hook=once)
    {'a': 1, 'b': 2}
    """
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise FormatError(f"the name {name!r:.80} is given twice")
        out[name] = value
    return out


def depth(text: str) -> int:
    """How many lists and objects nest in `text`, without building any, in a time that grows as the text does.

    >>> depth('[{"a": "[[["}]')
    2
    """
    deepest = now = 0
    for match in BRACKETS.finditer(text):
        now += 1 if match[0] in "[{" else -1 if match[0] in "]}" else 0
        deepest = max(deepest, now)
    return deepest
