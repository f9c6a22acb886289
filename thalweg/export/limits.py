"""How much a model file may ask for. Each limit is raised by an environment variable that its error names.

    THALWEG_LIMIT_LAYERS=20000 thalweg predict large.tw rows.csv

A file that says more than fits its own size or these numbers is refused before anything is allocated or built for it.
"""

import os

from thalweg.errors import ConfigError, ModelFileError

DEFAULTS = {
    "SIZE": 64 * 2**30,  # bytes of a file
    "JSON": 16 * 2**20,  # bytes of a description
    "DEPTH": 128,  # levels of a description
    "VALUES": 2**20,  # values of a description
    "NAME": 1000,  # characters of a name in it
    "ARRAYS": 2**12,  # arrays of weights
    "RECORDS": 15_000,  # records and words that describe the network, or how it was trained
    "LAYERS": 1500,  # of the network, and calls of them
    "METRICS": 256,
    "WINDOW": 2**15,  # places that all windows of pooling and convolution read, each for one of its outputs
    "ROW": 2**28,  # numbers of one row of the inputs, or of what a layer makes of it; of what a metric adds up
    "COPIES": 256,  # numbers that the optimizer keeps for each weight
}


def limit(name: str) -> int:
    """The limit `name`: its default, or what the environment says.

    Raises:
        ConfigError: the environment says no number.
    """
    text = os.environ.get(f"THALWEG_LIMIT_{name}")
    if text is None:
        return DEFAULTS[name]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ConfigError(f"THALWEG_LIMIT_{name}={text!r:.100} is no number.\n  Write digits, or unset it.")
    return int(text)


def hold(name: str, value: int, what: str) -> None:
    """Refuse `value`, the size of `what`, above the limit `name`.

    Raises:
        ModelFileError: it is above.
    """
    most = limit(name)
    if value > most:
        raise ModelFileError(
            f"{what}: {_short(value)}, and at most {most:,} are taken.\n"
            f"  If you trust the file, set the environment variable THALWEG_LIMIT_{name}={_short(value, '')}."
        )


def _short(value: int, comma: str = ",") -> str:
    return f"{value:{comma}}" if value < 10**18 else f"{float(min(value, 10**300)):.3g}"
