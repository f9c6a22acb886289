"""The run folder: all that is known of a run, in files a person can read.

    runs/digits-1/
      config.yaml     the recipe, the data, every setting: `thalweg train --config` repeats the run
      manifest.json   versions, device, digests of the data, seed, command, times, outcome
      checkpoints/    what `--resume` goes on from
      history.jsonl   a line an epoch
      model.tw  evaluation.json  samples.npz  report.html

Each file is written whole or not at all; those of the last line appear when the run has ended. `config.yaml` gets its
name after `manifest.json`: a folder without it holds no run, whatever a kill or a full disk left there.
"""

import contextlib
import datetime as dt
import itertools
import json
import platform
import re
import warnings
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import jax
import yaml
from pydantic import Field

from thalweg import forms
from thalweg.errors import ConfigError, FormatError
from thalweg.files import is_file, reason, replacing
from thalweg.locks import LOCK, alone, check_name
from thalweg.recipes import yamlfile
from thalweg.version import __version__

CONFIG, MANIFEST, HISTORY, CHECKPOINTS = "config.yaml", "manifest.json", "history.jsonl", "checkpoints"
MODEL, EVALUATION, SAMPLES, REPORT = "model.tw", "evaluation.json", "samples.npz", "report.html"
PACKAGES = ("jax", "jaxlib", "numpy", "optax")
TEMPORARY = re.compile(r"\..+\.\d+\.tmp")


class Data(forms.Form):
    """What the manifest says of the data."""

    source: str
    rows: dict[str, forms.Count]
    sha256: dict[str, str]


class Manifest(forms.Form):
    """What `manifest.json` holds."""

    recipe: str
    command: str
    seed: int
    started: str
    versions: dict[str, str]
    data: Data
    config: dict[str, Any]
    resumed: Annotated[list[str], Field(default_factory=list)]
    seconds: Annotated[float, Field(ge=0)] = 0.0
    stopped: str = ""
    finished: str = ""
    result: Annotated[dict[str, Any], Field(default_factory=dict)]


def fresh(name: str, path: Path | None = None) -> Path:
    """A folder for a new run: `path`, or the first of `runs/NAME-1`, `runs/NAME-2`, ... that is free.

    Raises:
        ConfigError: it holds something already, or cannot be made.
    """
    if path is None:
        numbered = (Path("runs") / f"{name}-{number}" for number in itertools.count(1))
        return next(place for place in numbered if _make(place))
    check_name(path)
    if not _make(path):
        check_free(path)
    return path


def check_free(path: Path) -> None:
    """Refuse a folder that holds more than the beginnings of a run that was cut before it began.

    Raises:
        ConfigError: it does, or it is none.
    """
    try:
        names = {entry.name for entry in path.iterdir() if entry.name != LOCK}
    except OSError as error:
        raise ConfigError(f"{path} is no folder for a run: {reason(error)}.\n  Name another place.") from error
    if not names:
        return
    beginnings = {name for name in names if TEMPORARY.fullmatch(name)}
    if names - beginnings == {MANIFEST} and _is_manifest(path / MANIFEST):
        beginnings.add(MANIFEST)
    if names - beginnings:
        raise ConfigError(f"{path} holds something already.\n  Name another place, or write --resume {path}.")
    warnings.warn(f"{path} holds a run that was cut before it began; it begins anew there.", stacklevel=4)


def _is_manifest(path: Path) -> bool:
    try:
        read_manifest(path)
    except ConfigError:
        return False
    return True


def _make(place: Path) -> bool:
    """Make the folder; whether it is new. The file system decides, so that two runs never share one."""
    try:
        place.mkdir(parents=True)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        raise ConfigError(f"no folder can be made at {place}: {reason(error)}.\n  Name another place.") from error
    return True


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other runs out of `folder`, and take away what a killed one left half written.

    Raises:
        ConfigError: another run is at work there, or nothing can be written there.
    """
    with alone(folder):
        for path in folder.iterdir():
            if TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)
        yield


def begin(folder: Path, config: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Write what makes a folder a run: the configuration and the manifest, both before either has its name."""
    with contextlib.ExitStack() as written:  # names are given in reverse, so that of the configuration is the last
        for name, text in ((CONFIG, _config(config)), (MANIFEST, _json(manifest))):
            written.enter_context(_writing(folder / name, text))


def is_run(folder: Path) -> bool:
    """Whether a run has begun in `folder`."""
    return is_file(folder / CONFIG)


def write_text(path: Path, text: str) -> None:
    """`text` into `path`, whole or not at all."""
    with _writing(path, text):
        pass


@contextlib.contextmanager
def _writing(path: Path, text: str) -> Iterator[None]:
    """`text` beside `path`, in its place when the block ends."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
            yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {reason(error)}.\n  Name another place.") from error


def write_json(path: Path, value: Any) -> None:
    """`value` as JSON into `path`."""
    write_text(path, _json(value))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def read_manifest(path: Path) -> dict[str, Any]:
    """What `manifest.json` says, every key of it of its own kind.

    Raises:
        ConfigError: it is missing or damaged, or a key was edited to what it cannot be.
    """
    try:
        manifest = forms.read_json(path, ConfigError)
        forms.check(Manifest, manifest)
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {reason(error)}.\n"
            f"  Undo what was edited or bring it back from a copy; or begin anew:\n"
            f"  thalweg train --config {path.with_name(CONFIG)}"
        ) from error
    return manifest


def _config(config: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(dict(config), sort_keys=False, default_flow_style=False, allow_unicode=True)
    return f"# The same run again: thalweg train --config THIS_FILE\n{text}"


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file: `recipe`, `data` and settings by name.

    Raises:
        ConfigError: there is no such file, or it is no list of names and values.
    """
    try:
        config = yamlfile.load(path)
        if not isinstance(config, dict):
            raise FormatError("it holds no names with values")
    except ConfigError:
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {reason(error)}.\n  Write the path of a .yaml file.") from error
    except ValueError as error:
        raise ConfigError(
            f"{path} is no configuration in YAML: {error}.\n  Write lines such as `epochs: 5`."
        ) from error
    for name in ("recipe", "data"):
        if not isinstance(config.get(name, ""), str) and (name, config[name]) != ("data", None):
            raise ConfigError(
                f"{path}: {name} is {forms.shown(config[name])}; a text was expected.\n"
                f"  Write {'recipe: digits' if name == 'recipe' else 'data: PATH, or leave the line out'}."
            )
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
