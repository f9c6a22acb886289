"""Limits: how much a file may ask for, so that a damaged or hostile one is refused before its words become work.

Each is generous for what people have, and has a name. `THALWEG_LIMIT_PICTURE_PIXELS=1000000000` in the environment
raises the one called `picture_pixels`; the error that names a limit says so.
"""

import os
from types import MappingProxyType
from typing import NamedTuple

from thalweg.errors import ConfigError, DataError, ThalwegError

PREFIX = "THALWEG_LIMIT_"


class Limit(NamedTuple):
    """The most that is taken, and of what."""

    most: int
    what: str


LIMITS = MappingProxyType(
    {
        "checkpoint_bytes": Limit(2**35, "bytes of a checkpoint"),
        "csv_bytes": Limit(2**30, "bytes of a table"),
        "csv_cells": Limit(10**8, "cells of a table"),
        "csv_characters": Limit(2**17, "characters"),
        "csv_columns": Limit(2**17, "columns of a table"),
        "file_bytes": Limit(2**32, "bytes"),
        "folder_files": Limit(10**6, "files and folders"),
        "json_depth": Limit(64, "levels of lists and objects"),
        "json_names": Limit(2**12, "names in an object"),
        "line_columns": Limit(2**10, "columns of a line"),
        "model_arrays": Limit(2**12, "arrays of weights"),
        "model_bytes": Limit(2**34, "bytes"),
        "model_copies": Limit(256, "numbers for each weight"),
        "model_depth": Limit(128, "levels of lists and objects"),
        "model_json": Limit(2**24, "bytes of a description"),
        "model_layers": Limit(1500, "layers, and calls of them"),
        "model_metrics": Limit(256, "metrics"),
        "model_name": Limit(1000, "characters of a name"),
        "model_records": Limit(15_000, "records and words"),
        "model_row": Limit(2**28, "numbers"),
        "model_values": Limit(2**20, "values of a description"),
        "model_windows": Limit(2**15, "places of all windows of pooling and convolution, each for one output"),
        "picture_bytes": Limit(2**29, "bytes of a picture"),
        "picture_pixels": Limit(2**26, "pixels"),
        "record_bytes": Limit(2**26, "bytes of a record"),
        "sound_channels": Limit(64, "channels"),
        "sound_chunks": Limit(2**12, "chunks"),
        "sound_rate": Limit(768_000, "samples a second"),
        "sound_samples": Limit(2**28, "samples"),
        "sound_stretch": Limit(64, "samples for each that is there, once it is resampled"),
        "unpacked_bytes": Limit(2**30, "bytes once it is unpacked"),
        "yaml_aliases": Limit(16, "aliases"),
        "yaml_bytes": Limit(2**16, "bytes of YAML"),
        "yaml_depth": Limit(16, "levels of lists and mappings"),
        "zip_directory": Limit(2**20, "bytes in its list of members"),
    }
)


def limit(name: str) -> int:
    """The most that the limit called `name` lets through: what the environment says, or the table.

    Raises:
        ConfigError: the environment's value is no whole number from 1.

    >>> limit("yaml_aliases")
    16
    """
    variable = PREFIX + name.upper()
    stated = os.environ.get(variable)
    if stated is None:
        return LIMITS[name].most
    if not (stated.isascii() and stated.isdigit() and len(stated) < 20 and int(stated)):
        raise ConfigError(f"{variable}={stated!r:.40} is no limit.\n  Write a whole number from 1 to 10**19 - 1.")
    return int(stated)


def within(name: str, found: int, where: object, error: type[ThalwegError] = DataError) -> None:
    """Nothing, where `found` is at most the limit called `name`.

    Args:
        name: of the limit.
        found: what a file asks for, as far as it is known.
        where: the file, and the place in it.
        error: the class of what is raised.

    Raises:
        DataError: or what `error` says, with the limit's name and how to raise it.

    >>> within("sound_channels", 2, "a.wav")
    """
    if found > limit(name):
        raise beyond(name, where, error, found)


def beyond(name: str, where: object, error: type[ThalwegError] = DataError, found: int | None = None) -> ThalwegError:
    """The error of a file that asks for more than the limit called `name`; `found` is how much, where that is known.

    >>> print(beyond("sound_channels", "a.wav"))
    a.wav has more than 64 channels; that is the limit sound_channels.
      Leave it out if that is not what it should hold; else set THALWEG_LIMIT_SOUND_CHANNELS to a higher number.
    """
    enough = " to a higher number" if found is None or found >= 10**19 else f"={found}"
    return error(
        f"{where} has more than {limit(name):,} {LIMITS[name].what}; that is the limit {name}.\n"
        f"  Leave it out if that is not what it should hold; else set {PREFIX}{name.upper()}{enough}."
    )
