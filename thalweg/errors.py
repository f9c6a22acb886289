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

from collections.abc import Iterable
from difflib import get_close_matches


class ThalwegError(Exception):
    """The root: `except ThalwegError` catches all that this library raises on purpose."""


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
    names = sorted(known)
    close = get_close_matches(str(name).lower(), names, n=1, cutoff=0.5)
    if not close:
        by_lower = {n.lower(): n for n in names}
        close = [by_lower[c] for c in get_close_matches(str(name).lower(), list(by_lower), n=1, cutoff=0.5)]
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."


def missing_extra(package: str, extra: str, what: str) -> MissingExtraError:
    """The error for an optional `package` that is not there, with the command that brings it."""
    return MissingExtraError(f"{what} needs {package}, which is not installed.\n  Run: pip install 'thalweg[{extra}]'")
