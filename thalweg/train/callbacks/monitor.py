"""Monitor: one name in the logs, and which way it should go."""

import math
import re
from typing import Any

from thalweg.errors import ConfigError, ContractError, nearest

UP = re.compile(
    r"\b(acc|accuracy|auc|f1|fbeta|iou|kappa|mcc|precision|r2|recall|score|sensitivity|similarity|specificity)\b"
)
DOWN = re.compile(r"\b(crossentropy|divergence|error|hinge|logcosh|loss|mae|mape|mse|msle|perplexity|poisson|rmse)\b")
USUAL = ("accuracy", "loss", "val_accuracy", "val_loss")


class Monitor:
    """Whether a number in the logs has improved.

    Args:
        name: the name in the logs: "loss", "val_accuracy".
        mode: "min", "max", or "auto", which goes by the name.
        min_delta: how much better is better.

    Raises:
        ConfigError: an unknown mode, or a name that does not tell which way it goes.

    >>> Monitor("val_accuracy").improves(0.9, 0.8)
    True
    """

    def __init__(self, name: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        self.name, self.min_delta = name, abs(min_delta)
        if mode not in ("auto", "min", "max"):
            raise ConfigError(f"mode is 'auto', 'min' or 'max'; it is {mode!r}.\n  Leave it out for 'auto'.")
        self.up = goes_up(name) if mode == "auto" else mode == "max"

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; NaN never is, and None is the worst."""
        if reference is None:
            return not math.isnan(value)
        return value - self.min_delta > reference if self.up else value + self.min_delta < reference

    def read(self, logs: dict[str, Any] | None, who: str) -> float:
        """The number in `logs`, for the callback `who`."""
        check(self.name, logs or {}, who)
        value = (logs or {})[self.name]
        if getattr(value, "ndim", 0):
            raise ContractError(
                f"{who} watches {self.name!r}, which is an array of shape {value.shape}.\n"
                "  Watch a single number, such as 'loss'."
            )
        return float(value)


def check(name: str, known: Any, who: str = "a callback") -> None:
    """Refuse a monitor that the logs will not hold.

    Raises:
        ContractError: `name` is not among the `known` names; the remedy is the nearest of them.
    """
    if name in known:
        return
    remedy = nearest(name, known)
    if name.startswith("val_") and not any(k.startswith("val_") for k in known):
        remedy = f"Give fit validation_data= or validation_split=, or write monitor={name.removeprefix('val_')!r}."
    raise ContractError(f"{who} watches {name!r}, which this run does not report.\n  {remedy}")


def goes_up(name: str) -> bool:
    """Whether larger is better, by the words of the name."""
    words = name.lower().replace("_", " ")
    if DOWN.search(words):
        return False
    if UP.search(words):
        return True
    raise ConfigError(
        f"the name {name!r} does not tell whether larger is better.\n"
        f"  {nearest(name, USUAL)} For a number of your own write mode='max' or mode='min'."
    )
