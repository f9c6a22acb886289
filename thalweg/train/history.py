"""History: what each epoch of a run reported."""

import importlib
import json
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from thalweg.train.callbacks.logs import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History:
    """The logs of each epoch. `history.history["val_loss"]` is a list with a number an epoch, as people know it.

    Args:
        params: `epochs` and `steps` of the run.

    >>> history = History()
    >>> history.append(0, {"loss": 0.5})
    >>> history.append(1, {"loss": 0.25})
    >>> history.history
    {'loss': [0.5, 0.25]}
    >>> history
    History(2 epochs, loss 0.5 -> 0.25)
    """

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.params = dict(params or {})
        self.rows: list[dict[str, Any]] = []

    def append(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Add an epoch."""
        self.rows.append({"epoch": epoch, **{name: plain(value) for name, value in logs.items()}})

    @property
    def epoch(self) -> list[int]:
        """The epochs' numbers, counted from 0."""
        return [row["epoch"] for row in self.rows]

    @property
    def history(self) -> dict[str, list[Any]]:
        """Each name's values, an entry an epoch that reported it."""
        out: dict[str, list[Any]] = {}
        for row in self.rows:
            for name, value in row.items():
                out.setdefault(name, []).append(value)
        out.pop("epoch", None)
        return out

    def to_json(self) -> str:
        """A line of JSON an epoch, as `history.jsonl` holds them."""
        return "".join(json.dumps(row) + "\n" for row in self.rows)

    @classmethod
    def from_json(cls, lines: str, params: Mapping[str, Any] | None = None) -> "History":
        """The history that `to_json` wrote.

        >>> History.from_json('{"epoch": 0, "loss": 0.5}').epoch
        [0]
        """
        history = cls(params)
        history.rows = [json.loads(line) for line in lines.splitlines() if line]
        return history

    def plot(self, path: str | PathLike[str] | None = None) -> "Figure":
        """The loss and each metric against the epoch: training solid, validation dashed, the best epoch marked.

        Args:
            path: where to save the picture; the suffix (.png, .svg, .pdf) says how.

        Returns:
            The Matplotlib figure. No window is opened.

        Raises:
            ConfigError: `path` cannot be written, or its suffix is of no picture.
        """
        curves = importlib.import_module("thalweg.train.curves")  # Matplotlib costs a run that draws nothing too much
        return curves.draw(self.rows, path)

    def __repr__(self) -> str:
        values = {n: [v for v in row if isinstance(v, float | int)] for n, row in self.history.items()}
        parts = [f"{n} {v[0]:.4g} -> {v[-1]:.4g}" for n, v in values.items() if v and n != "learning_rate"]
        return f"History({', '.join([f'{len(self.rows)} epochs', *parts])})"
