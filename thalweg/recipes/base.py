"""What a recipe is, and the seam between what all recipes share and what sets one kind of application apart.

    Recipe       one application: its kind and data, its settings, its network
    Application  a kind (picture classes, text classes, a language model, ...): six functions, no state
    Material     what a kind gathers: three parts, each as `Model.fit` takes it, and how a person's data became them
    Verdict      what a kind says of a trained model (`verdict.py`); it cannot be made without a baseline

Settings, run folder, resume, manifest, digests, history, page, `predict` and `evaluate` know these and nothing else.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np

from thalweg import data, forms
from thalweg.errors import ConfigError
from thalweg.model import Model
from thalweg.recipes.copies import Counted
from thalweg.recipes.settings import Asking, Settings, settle
from thalweg.recipes.verdict import Verdict
from thalweg.train.callbacks import Callback

Answer = dict[str, Any]
"""What is said of one row, by column; JSON holds it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """What a network learns from, what steers the training, and what it is judged by.

    Args:
        train: `(x, y)`, `(x, y, weight)` or a `data.Source`.
        validation: the same.
        test: the same.
        source: where the data is from, in words.
        classes: the names of the classes, where there are some.
        preprocessing: records by name (a tokenizer, a scaler), kept in the model file as `model.preprocessing`.
        facts: what else the model file's manifest says, for `predict`; JSON holds it.
        raw: the test part as people have it (texts, sentences, sounds), for the report.
        copies: how many test rows are training rows too; None where that is not looked for.
        in_order: whether training keeps the order of the rows, as where a state is carried from batch to batch.
    """

    train: Any
    validation: Any
    test: Any
    source: str
    classes: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    raw: Any = None
    in_order: bool = False
    copies: Counted | None = None

    @property
    def line(self) -> str:
        """Where the data is from, as a terminal may show it: a file's name may hold any sign."""
        return f"Data: {''.join(sign if sign.isprintable() else '?' for sign in self.source)}"

    def description(self) -> dict[str, Any]:
        """Where the data is from, its sizes, and the digests of its parts."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            "source": self.source,
            "rows": {name: rows_of(part) for name, part in parts.items()},
            "sha256": {name: data.digest(part) for name, part in parts.items()},
        }


class Asked(NamedTuple):
    """What `thalweg predict` was given: a file, or texts; and how to answer."""

    file: Path | None = None
    texts: tuple[str, ...] = ()
    how: Asking = Asking()

    def only_file(self) -> Path:
        """The file; `ConfigError` where texts were given instead."""
        if self.file is None:
            raise ConfigError("this model does not read texts.\n  Write thalweg predict MODEL FILE, without --text.")
        return self.file


class Config(forms.Form, extra="allow"):
    """What `config.yaml` said, as a model file's manifest repeats it; the settings beside it are the recipe's."""

    data: str | None = None


class Facts(forms.Form, extra="allow"):
    """What a model file's manifest says, as far as all recipes read it. A kind that reads more adds it."""

    recipe: str | None = None
    config: Config | None = None
    classes: list[str | int] | None = None


class Trained(NamedTuple):
    """A trained model, what its file's manifest says, and the recipe that made it; None where no recipe did."""

    model: Model
    manifest: Mapping[str, Any]
    recipe: "Recipe | None" = None

    @property
    def config(self) -> Mapping[str, Any]:
        """What `config.yaml` said: the recipe, the place of the data, the settings."""
        if self.recipe is None or not isinstance(self.manifest.get("config"), dict):
            raise ConfigError("the model is no recipe's, so its test data is not known.\n  Write --data FILE.")
        return self.manifest["config"]

    @property
    def settings(self) -> Any:
        """The settings that it was trained with."""
        config = self.config
        assert self.recipe is not None
        return self.recipe.settings_of(config)

    @property
    def shape(self) -> tuple[int, ...]:
        """One row of the input."""
        return self.model.input_spec.shape[1:]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes: the manifest's, the model's, or numbers."""
        names = self.manifest.get("classes") or self.model.classes
        return tuple(map(str, names or range(self.model.summary(print_fn=None).rows[-1].output[0][-1])))

    def record(self, name: str) -> Any:
        """The preprocessing of that name."""
        if name not in self.model.preprocessing:
            raise ConfigError(f"the model's file holds no preprocessing {name!r}.\n  Train it with thalweg train.")
        return self.model.preprocessing[name]


@runtime_checkable
class Application(Protocol):
    """A kind of application. What a person types is checked here, before any work is lost."""

    @property
    def asking(self) -> type[Asking]:
        """What `thalweg predict --set` may set."""
        ...

    @property
    def facts(self) -> type[Facts]:
        """What the manifest of a model file must say: see `Material.facts`."""
        ...

    def gather(self, path: Path | None, settings: Any) -> Material:
        """The named data set, or a person's own file or folder at `path`; a function of its arguments."""
        ...

    def blank(self, settings: Any) -> Material:
        """Material of the right shapes without any data, for `thalweg summary NAME`."""
        ...

    def exam(self, trained: Trained, path: Path) -> Material:
        """A person's labelled file, all of it as the test part, prepared as the model's own data was."""
        ...

    def judge(self, model: Model, material: Material) -> Verdict:
        """The model held against the test part, beside what needs no learning."""
        ...

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """Write something to try the model on into `folder`; what to type after `thalweg predict MODEL`."""
        ...

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says, a record a row."""
        ...


def _none(settings: Any) -> Sequence[Callback]:
    del settings
    return ()


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What `thalweg train NAME` runs.

    Args:
        application: the kind, with the data set that the recipe is written for.
        settings: what may be set, with its defaults and bounds.
        build: `build(settings, material)` is the compiled network for that material.
        callbacks: `callbacks(settings)` take part in the training, beside those that every run has.
    """

    application: Application
    settings: type[Settings]
    build: Callable[[Any, Material], Model]
    callbacks: Callable[[Any], Sequence[Callback]] = _none

    def settings_of(self, config: Mapping[str, Any]) -> Settings:
        """The settings that a run's `config.yaml` or manifest says."""
        return settle(self.settings, {name: value for name, value in config.items() if name not in ("recipe", "data")})

    def model(self, settings: Settings, material: Material) -> Model:
        """The compiled network, with the preprocessing that its file will hold."""
        model = self.build(settings, material)
        model.preprocessing = dict(material.preprocessing)
        return model

    def untrained_model(self, settings: Settings) -> Model:
        """The network for the named data set, before it has seen any of it."""
        material = self.application.blank(settings)
        model = self.model(settings, material)
        x, *_ = arguments(material.train)
        row = data.take(x, np.arange(1))[0] if data.is_source(x) else x
        model.build_for(jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape[1:]), a.dtype), row))
        return model


def arguments(part: Any) -> tuple[Any, ...]:
    """A part of the material as `fit`, `evaluate` and `validation_data` take it."""
    return tuple(part) if isinstance(part, tuple | list) else (part,)


def rows_of(part: Any) -> int:
    """How many rows a part has."""
    return len(part) if data.is_source(part) else len(jax.tree.leaves(part)[0])


def judge(kind: Application, model: Model, material: Material) -> Verdict:
    """The verdict, which says how many of the test rows are training rows too, where there are any."""
    verdict = kind.judge(model, material)
    return verdict if material.copies is None else material.copies.told(verdict)
