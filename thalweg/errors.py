"""What can go wrong, as a tree.

    ThalwegError
    |- ContractError      what you gave does not fit (shape, label, loss, name); raised before the first step
    |- DataError          a file or array cannot be read or holds what it must not
    |- CheckpointError    a checkpoint is missing, truncated or altered
    |- ModelFileError     a model file is missing, truncated, altered or asks for what is not allowed
    |- ConfigError        a setting, a recipe key or a stored description is unknown or out of range
    |- MissingExtraError  an optional dependency is not installed; the message holds the install command
    '- DivergenceError    the loss is no longer finite

A message says which argument or layer, what was expected, what came, and what to write instead.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

LINE = 1000  # characters of a line of a message
NEAR = 1000  # names that an unknown one is compared with, a hundred characters of each
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What a terminal obeys (escape sequences, changes of direction) or cannot show; not the ends of lines, nor tabs."""


def harmless(text: str) -> str:
    r"""`text` for a terminal or a page: what is no letter or sign of it is written out, as JSON writes it.

    >>> print(harmless("\x1b[31mred"))
    \u001b[31mred
    """
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _shortened(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE // 2]} ... {line[-LINE // 2 :]}"


class ThalwegError(Exception):
    """The root: `except ThalwegError` catches all that this library raises on purpose."""

    def __str__(self) -> str:
        """The message, which may quote a file: harmless on a terminal, and no line of it longer than `LINE`."""
        return "\n".join(map(_shortened, harmless(Exception.__str__(self)).split("\n")))


class ContractError(ThalwegError, ValueError):
    """What you gave does not fit what it meets."""


class DataError(ThalwegError, ValueError):
    """A file or an array cannot be read, or holds what it must not."""


class CheckpointError(ThalwegError):
    """A checkpoint is missing, truncated or altered."""


class ModelFileError(ThalwegError):
    """A model file is missing, truncated, altered, or asks for what is not allowed."""


class ConfigError(ThalwegError, ValueError):
    """A setting, a recipe's key or a stored description is unknown or out of range."""


class MissingExtraError(ThalwegError, ImportError):
    """An optional dependency is not installed."""


class DivergenceError(ThalwegError, ArithmeticError):
    """The loss is no longer finite."""


class FormatError(ValueError):
    """What is wrong with bytes or a value, as part of a sentence: who catches it says where, and adds a remedy."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known one, or the whole list.

    >>> nearest("adma", ["adam", "sgd"])
    "Did you mean 'adam'?"
    """
    names = sorted(name[:100] for name in known)[:NEAR]
    name = str(name)[:100]
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    if not close:
        by_lower = {n.lower(): n for n in names}
        close = [by_lower[c] for c in get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)]
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names) or 'none'}."


def missing_extra(package: str, extra: str, what: str) -> MissingExtraError:
    """The error for an optional `package` that is not there, with the command that brings it."""
    return MissingExtraError(f"{what} needs {package}, which is not installed.\n  Run: pip install 'thalweg[{extra}]'")
