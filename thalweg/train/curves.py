"""The curves of a run as a picture."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from thalweg.errors import ConfigError, ContractError, nearest
from thalweg.files import reason, replacing
from thalweg.train.callbacks.monitor import goes_up

COLUMNS, WIDTH, HEIGHT = 3, 4.6, 3.4  # inches a panel
TRAIN, VALIDATION, INK = "#1f5fa8", "#c8501e", "#555555"
Row = Mapping[str, Any]


def draw(rows: Sequence[Row], path: str | PathLike[str] | None = None) -> Figure:
    """A panel for the loss and for each metric.

    Args:
        rows: an epoch each: `{"epoch": 0, "loss": 0.5, "val_loss": 0.6}`.
        path: where to save the picture; the suffix says how.

    Returns:
        The figure.

    Raises:
        ContractError: there is no epoch to draw.
        ConfigError: `path` cannot be written, or its suffix is of no picture.
    """
    names = dict.fromkeys(
        name.removeprefix("val_") for row in rows for name in row if name != "epoch" and _number(row[name])
    )
    if not names:
        raise ContractError("there is nothing to draw: no epoch has ended.\n  Train with model.fit(...) first.")
    columns = min(len(names), COLUMNS)
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * lines), layout="constrained", dpi=120)
    for place, name in enumerate(names, 1):
        _panel(figure.add_subplot(lines, columns, place), rows, name)
    if path is not None:
        _save(figure, Path(path))
    return figure


def _save(figure: Figure, path: Path) -> None:
    path = path if path.suffix else path.with_name(f"{path.name}.png")
    form, known = path.suffix[1:].lower(), figure.canvas.get_supported_filetypes()
    if form not in known:
        raise ConfigError(f"{path}: no picture is written as .{form}.\n  {nearest(form, known)}")
    try:
        with replacing(path) as temporary:
            figure.savefig(temporary, format=form)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be written: {reason(error)}.\n  Name another place.") from error


def _panel(axes: Axes, rows: Sequence[Row], name: str) -> None:
    train, validation = _points(rows, name), _points(rows, f"val_{name}")
    marker = "o" if len(rows) == 1 else None
    if train:
        axes.plot(*zip(*train, strict=True), color=TRAIN, label="training", marker=marker)
    if validation:
        axes.plot(*zip(*validation, strict=True), color=VALIDATION, label="validation", linestyle="--", marker=marker)
    _mark_best(axes, validation or train, name)
    axes.set_title(name.replace("_", " "), loc="left", fontweight="bold")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")


def _mark_best(axes: Axes, points: list[tuple[int, float]], name: str) -> None:
    try:
        best = max(points, key=lambda p: p[1]) if goes_up(name) else min(points, key=lambda p: p[1])
    except ConfigError:  # a name that does not tell which way is better
        return
    axes.axvline(best[0], color=INK, linewidth=0.8, linestyle=":")
    axes.plot(*best, marker="o", color=INK, linestyle="none", label=f"best: {best[1]:.4g}, epoch {best[0]}")


def _points(rows: Sequence[Row], name: str) -> list[tuple[int, float]]:
    """(epoch counted from 1, value) of each epoch that has a finite one."""
    return [(row["epoch"] + 1, row[name]) for row in rows if name in row and _number(row[name])]


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and abs(value) < float("inf")
