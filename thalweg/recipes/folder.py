"""The run folder: all that is known of a run, in files a person can read.

    runs/digits-1/
      config.yaml     the recipe, the data, every setting: `thalweg train --config` repeats the run
      manifest.json   versions, device, digests of the data, seed, command, times, outcome
      checkpoints/    what `--resume` goes on from
      history.jsonl   a line an epoch
      model.tw  evaluation.json  samples.npz  report.html

Each file is written whole or not at all; those of the last line appear when the run has ended.
"""

import datetime as dt
import itertools
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import yaml

from thalweg.errors import ConfigError
from thalweg.files import replacing
from thalweg.recipes import yamlfile
from thalweg.version import __version__

CONFIG, MANIFEST, HISTORY, CHECKPOINTS = "config.yaml", "manifest.json", "history.jsonl", "checkpoints"
MODEL, EVALUATION, SAMPLES, REPORT = "model.tw", "evaluation.json", "samples.npz", "report.html"
PACKAGES = ("jax", "jaxlib", "numpy", "optax")


def fresh(name: str, path: Path | None = None) -> Path:
    """A new folder for a run: `path`, or the first of `runs/NAME-1`, `runs/NAME-2`, ... that is free.

    Raises:
        ConfigError: it holds something already, or cannot be made.
    """
    if path is None:
        numbered = (Path("runs") / f"{name}-{number}" for number in itertools.count(1))
        return next(place for place in numbered if _make(place))
    if not _make(path) and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} holds something already.\n  Name another place, or write --resume {path}.")
    return path


def _make(place: Path) -> bool:
    """Make the folder; whether it is new. The file system decides, so that two runs never share one."""
    try:
        place.mkdir(parents=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"no folder can be made at {place}: {error.strerror}.\n  Name another place.") from error
    return True


def write_text(path: Path, text: str) -> None:
    """`text` into `path`, whole or not at all."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.\n  Name another place.") from error


def write_json(path: Path, value: Any) -> None:
    """`value` as JSON into `path`."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.\n  It is no run folder, or a damaged one.") from error


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """config.yaml: what to give `--config` for the same run again."""
    text = yaml.safe_dump(dict(config), sort_keys=False, default_flow_style=False, allow_unicode=True)
    write_text(folder / CONFIG, f"# The same run again: thalweg train --config {folder / CONFIG}\n{text}")


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file: `recipe`, `data` and settings by name.

    Raises:
        ConfigError: there is no such file, or it is no list of names and values.
    """
    try:
        config = yamlfile.load(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.\n  Write the path of a .yaml file.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not YAML: {error}\n  Write lines such as `epochs: 5`.") from error
    if not isinstance(config, dict) or not all(isinstance(name, str) for name in config):
        raise ConfigError(f"{path} holds no names with values.\n  Write lines such as `epochs: 5`.")
    return config


def now() -> str:
    """The time, with its zone, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """What computed: packages, Python, the machine and its device."""
    return {
        "thalweg": __version__,
        **{package: metadata.version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": f"{jax.device_count()} {jax.devices()[0].device_kind}",
    }
