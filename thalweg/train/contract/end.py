"""Rules on the network's end: what it ends in, against the loss."""

from typing import Any

import numpy as np

from thalweg.core import Module, Slot, children
from thalweg.train.contract.facts import Facts, Rule

OUTPUTS: dict[str, tuple[float, float]] = {
    "exponential": (0.0, np.inf),
    "hard_sigmoid": (0.0, 1.0),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "softplus": (0.0, np.inf),
    "softsign": (-1.0, 1.0),
    "tanh": (-1.0, 1.0),
}
"""What each final activation can give, where that is not everything."""

SWAPPED = {
    ("softmax", "sigmoid"): (
        "means classes that exclude each other",
        "Write activation='softmax' in the last layer; for several labels at once loss='binary_crossentropy'",
    ),
    ("sigmoid", "softmax"): (
        "asks each unit on its own",
        "Write activation='sigmoid' in the last layer; for exclusive classes loss='sparse_categorical_crossentropy'",
    ),
}
"""What is meant and what to write, by (link of the loss, end of the network)."""


def activation_name(value: Any) -> str | None:
    """The name of an activation that is a name, a function or None.

    >>> activation_name("ReLU")
    'relu'
    """
    if value is None or isinstance(value, str):
        return value and value.lower()
    return getattr(value, "__name__", type(value).__name__).lower()


def hidden_activation(module: Module, slots: tuple[Slot, ...]) -> str | None:
    """The activation that feeds a final layer without weights: "relu" in `Dense(10, "relu"), Softmax()`, else None."""
    path, parent = _end(module)
    if parent is None or len(path) < 2 or any(slot.path[: len(path)] == path for slot in slots):
        return None
    inside = dict(children(parent))
    final, previous = (inside.get((path[-2], str(int(path[-1]) - back))) for back in (0, 1))
    if final is None or previous is None or final.ending()[1] is None:
        return None
    below, owner = _end(previous)
    last = previous if owner is None else dict(children(owner))[below[-2:]]
    return activation_name(last.ending()[1])


def _end(module: Module) -> tuple[tuple[str, ...], Module | None]:
    """The path of the layer that makes the output of a chain, and the chain that holds it."""
    path, parent = (), None
    while (outlet := module.outlet()) is not None and len(outlet) == 2:
        path, parent, module = path + outlet, module, dict(children(module))[outlet]
    return path, parent


def one_softmax_unit(f: Facts) -> str | None:
    """A softmax over one unit is 1 whatever comes in."""
    if f.units > 1 or "softmax" not in (f.final, f.loss.link):
        return None
    return (
        f"the network ends in one unit, and a softmax over one unit is always 1 ({f.loss_name}).\n"
        "  For two classes write Dense(1, activation='sigmoid') with loss='binary_crossentropy', "
        "or Dense(2, activation='softmax') with loss='sparse_categorical_crossentropy'."
    )


def activation_before_cross_entropy(f: Facts) -> str | None:
    """A loss of logits needs a network that ends in its link, or in nothing."""
    link = f.loss.link
    if link is None or f.final in (None, "linear", link, f"log_{link}"):
        return None
    if (link, f.final) in SWAPPED:
        meant, remedy = SWAPPED[link, f.final]
        return f"the network ends in {f.final!r} over {f.units} units, but {f.loss_name} {meant}.\n  {remedy}."
    return (
        f"the network ends in {f.final!r} before {f.loss_name}, whose logits must be free to take any value.\n"
        f"  Write activation={link!r} in the last layer, or no activation."
    )


def activation_before_link(f: Facts) -> str | None:
    """What feeds a softmax or sigmoid is free to take any value."""
    if f.loss.link is None or f.final != f.loss.link or f.before in (None, "linear"):
        return None
    return (
        f"the layer before the final {f.final!r} has activation {f.before!r}, which limits the logits.\n"
        "  Leave that activation out: the layer before a softmax or a sigmoid has none."
    )


def from_logits_conflict(f: Facts) -> str | None:
    """`from_logits` is never needed; where a listing gives it, it must be true."""
    said, logits = getattr(f.loss, "from_logits", None), f.final in (None, "linear")
    if said is None or said == logits:
        return None
    end = "no activation, so its outputs are logits" if logits else f"{f.final!r}, so its outputs are probabilities"
    return (
        f"{f.loss_name}(from_logits={said}) was given, but the network ends in {end}.\n"
        "  Leave from_logits out: the loss is always taken from the logits."
    )


def signs_reachable(f: Facts) -> str | None:
    """A hinge parts -1 from 1, so the output must be able to be negative."""
    low, _ = OUTPUTS.get(f.final or "", (-np.inf, np.inf))
    if f.loss.target != "signs" or low < 0:
        return None
    return (
        f"{f.loss_name} parts outputs of -1 from outputs of 1, but the network ends in {f.final!r}, which is never "
        "negative.\n  Write no activation in the last layer, or 'tanh'; or loss='binary_crossentropy'."
    )


RULES: tuple[Rule, ...] = (
    one_softmax_unit,
    activation_before_cross_entropy,
    activation_before_link,
    from_logits_conflict,
    signs_reachable,
)
