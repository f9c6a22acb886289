"""running: from a recipe and its settings to a run folder with a trained network and its report."""

import dataclasses
import shutil
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from thalweg.errors import ConfigError, ContractError, DataError
from thalweg.files import reason
from thalweg.model import Model
from thalweg.recipes import folder as run_folder
from thalweg.recipes import load, paths, report
from thalweg.recipes.base import Material, Recipe, arguments, judge, rows_of
from thalweg.recipes.settings import Settings, settle
from thalweg.recipes.verdict import Verdict
from thalweg.train.callbacks import Callback, EarlyStopping, Spared


@dataclasses.dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
        folder: the run folder.
        model: the network as it is now.
        history: each epoch's loss and metrics by name.
        verdict: on the test part: scores, baselines and more; None for a run that was stopped.
        trial: what to type after `thalweg predict MODEL` to try the model.
    """

    folder: Path
    model: Model
    history: dict[str, list[float]]
    verdict: Verdict | None
    trial: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, Any] | None:
        """The verdict's numbers by name: the result, the baselines and more."""
        return None if self.verdict is None else dict(self.verdict.scores)


@dataclasses.dataclass(frozen=True)
class Job:
    """A run that is ready to begin or to go on."""

    recipe: Recipe
    settings: Settings
    material: Material
    folder: Path
    manifest: dict[str, Any]

    def note(self, **facts: Any) -> None:
        """Add to the manifest."""
        self.manifest.update(facts)
        run_folder.write_json(self.folder / run_folder.MANIFEST, self.manifest)


class HistoryFile(Callback):
    """Keeps `history.jsonl` up to the last finished epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._spared = Spared(f"the history to {path}", "Free space on that disk; the next epoch writes all of it.")

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the epochs before this one."""
        del epoch
        self.on_train_end(logs)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Write all epochs."""
        del logs
        with self._spared:
            run_folder.write_text(self.path, self.model.history.to_json())


def run(
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    data: str | Path | None = None,
    run_dir: str | Path | None = None,
    command: str | None = None,
    verbose: int | str = "auto",
    **named: Any,
) -> Result:
    """Train the recipe `name`, judge it on its test part, and write the run folder.

    Args:
        name: "digits", "mnist-mlp", ...: see `RECIPES`.
        settings: epochs, batch_size, learning_rate, seed and what else the recipe has, by name.
        data: a folder with the data set's files, or a file or folder of your own, as the recipe's kind reads it.
        run_dir: the run folder; by default `runs/NAME-1` or the next number that is free.
        command: what the manifest says was typed.
        verbose: as in `Model.fit`.
        named: settings once more, which go before those of the dict.

    Raises:
        ConfigError: an unknown recipe or setting, a value out of its bounds, a folder that cannot be written.
        DataError: data that is not there or is damaged.
    """
    recipe = load(name)
    chosen = settle(recipe.settings, settings or {}, named)
    path = None if data is None else paths.given(data).resolve()
    material = recipe.application.gather(path, chosen)
    _say(material, verbose)
    folder = run_folder.fresh(name, None if run_dir is None else Path(run_dir))
    config = {"recipe": name, "data": None if path is None else str(path), **chosen.model_dump(mode="json")}
    facts = {
        "recipe": name,
        "command": command or f"recipes.run({name!r}, ...)",
        "seed": chosen.seed,
        "started": run_folder.now(),
        "versions": run_folder.versions(),
        "data": material.description(),
        "config": config,
    }
    with run_folder.held(folder):
        run_folder.check_free(folder)  # again, now that nobody else can come
        try:
            run_folder.begin(folder, config, facts)
            return _train(Job(recipe, chosen, material, folder, facts), verbose, again=False)
        except (ConfigError, ContractError, DataError):
            if not any((folder / run_folder.CHECKPOINTS).glob("*")):  # refused before the first step
                shutil.rmtree(folder, ignore_errors=True)
            raise


def resume(run_dir: str | Path, *, data: str | Path | None = None, verbose: int | str = "auto") -> Result:
    """Go on with the run in `run_dir` from its newest good checkpoint; it ends in the bits it would have had.

    Args:
        run_dir: the run folder. In its config.yaml `epochs`, `patience` and `data` may have been changed, which is
            said; another change is refused.
        data: where the data is now, if it was moved.
        verbose: as in `Model.fit`.

    Raises:
        ConfigError: there is no run, another process is at work in it, or its files were edited to what cannot be.
        DataError: the data is not what the run began with.
        CheckpointError: none of its checkpoints is good.
    """
    folder = Path(run_dir)
    if not run_folder.is_run(folder):
        raise ConfigError(
            f"{folder} is no run folder: it has no {run_folder.CONFIG}.\n"
            "  Write --resume runs/NAME; a run that was cut before it began is begun anew by its own command."
        )
    with run_folder.held(folder):
        config = run_folder.read_config(folder / run_folder.CONFIG)
        manifest = run_folder.read_manifest(folder / run_folder.MANIFEST)
        if data is not None:
            config["data"] = str(paths.given(data).resolve())
        recipe, settings = _same_settings(folder, config, manifest)
        place = config.get("data")
        try:
            material = recipe.application.gather(Path(place) if place else None, settings)
        except DataError as error:
            raise DataError(f"{folder / run_folder.CONFIG}, data: {error}") from error
        _say(material, verbose)
        described = material.description()
        _check_same(manifest, described["sha256"])
        job = Job(recipe, settings, material, folder, manifest)
        followed = {"recipe": manifest["recipe"], "data": place, **settings.model_dump(mode="json")}
        for outcome in ("stopped", "finished", "result"):
            manifest.pop(outcome, None)
        again = [*manifest.get("resumed", ()), run_folder.now()]
        job.note(resumed=again, config=followed, data=described, seed=settings.seed)
        return _train(job, verbose, again=True)


def _say(material: Material, verbose: int | str) -> None:
    """What the run learns from, before it begins: which file was taken for which part."""
    if verbose:
        Console().print(material.line, soft_wrap=True, highlight=False, markup=False)
    if material.copies is not None:
        material.copies.warn()


def _same_settings(folder: Path, config: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[Recipe, Settings]:
    """The recipe and the settings that the run began with, but for those that only say when it ends."""
    file = folder / run_folder.CONFIG
    if config.get("recipe") != manifest["recipe"]:
        raise ConfigError(
            f"{file} names the recipe {config.get('recipe')!r}, and {run_folder.MANIFEST} {manifest['recipe']!r}.\n"
            "  Undo that: a run keeps the recipe that it began with."
        )
    recipe = load(manifest["recipe"])
    now, then = (
        _settled(recipe, path, values)
        for path, values in ((file, config), (folder / run_folder.MANIFEST, manifest["config"]))
    )
    changed = {name: value for name, value in now.model_dump().items() if value != getattr(then, name)}
    told = ", ".join(
        f"{name}: {value} ({getattr(then, name)} in {run_folder.MANIFEST})" for name, value in changed.items()
    )
    if changed.keys() - {"epochs", "patience"}:
        raise ConfigError(
            f"{file} does not say what the run began with: {told}.\n"
            f"  Undo that; or begin another run: thalweg train --config {file} --run-dir ANOTHER."
        )
    if changed:
        warnings.warn(f"{file} was changed, and the run goes on by it: {told}.", stacklevel=4)
    return recipe, now


def _settled(recipe: Recipe, path: Path, values: Mapping[str, Any]) -> Settings:
    try:
        return recipe.settings_of(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _check_same(manifest: dict[str, Any], now: dict[str, str]) -> None:
    then = manifest["data"]["sha256"]
    if now != then:
        raise DataError(
            f"the {' and '.join(k for k in now if now[k] != then.get(k))} part of the data is not the run's.\n"
            "  Write --data PATH for the place of the same data, or start a new run."
        )
    here, there = run_folder.versions(), manifest["versions"]
    changed = ", ".join(f"{name} {there.get(name)} -> {now}" for name, now in here.items() if there.get(name) != now)
    if changed:
        warnings.warn(f"the run began with other versions, so its last bits may differ: {changed}", stacklevel=3)


def _train(job: Job, verbose: int | str, *, again: bool) -> Result:
    settings, material, began = job.settings, job.material, time.perf_counter()
    model = job.recipe.model(settings, material)
    epochs, steps = settings.plan(rows_of(material.train))
    hooks = [HistoryFile(job.folder / run_folder.HISTORY), *job.recipe.callbacks(settings)]
    history = model.fit(
        *arguments(material.train),
        batch_size=settings.batch_size,
        epochs=epochs,
        verbose=verbose,
        callbacks=[*hooks, EarlyStopping(patience=settings.patience)] if settings.patience else hooks,
        validation_data=arguments(material.validation),
        shuffle=not material.in_order,
        steps_per_epoch=steps if settings.steps else None,
        run_dir=job.folder,
        resume=again,
    )
    seconds = round(job.manifest.get("seconds", 0) + time.perf_counter() - began, 1)
    if len(history.epoch) < epochs and not model.stop_training:
        job.note(stopped=run_folder.now(), seconds=seconds)
        return Result(job.folder, model, history.history, None)
    job.note(finished=run_folder.now(), seconds=seconds)
    verdict, trial = _publish(job, model, history.history)
    return Result(job.folder, model, history.history, verdict, trial)


def _publish(job: Job, model: Model, history: dict[str, list[float]]) -> tuple[Verdict, tuple[str, ...]]:
    """Judge the model, and write all that a finished run leaves."""
    material, folder, kind = job.material, job.folder, job.recipe.application
    verdict = judge(kind, model, material)
    job.note(result=dict(verdict.scores))
    run_folder.write_json(folder / run_folder.EVALUATION, {**verdict.scores, **verdict.details})
    model.save(folder / run_folder.MODEL, {**job.manifest, **material.facts, "classes": list(material.classes)})
    try:
        trial = kind.samples(material, folder)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written: {reason(error)}.\n  Free space there; the model is in {run_folder.MODEL}."
        ) from error
    page = report.render(job.manifest, history=history, network=model.summary(print_fn=None), verdict=verdict)
    run_folder.write_text(folder / run_folder.REPORT, page)
    return verdict, trial
