"""Rules on targets that are sequences: CTC's labels, which are shorter than the output, and a CRF's tags."""

import numpy as np

from thalweg.train.contract.facts import Facts, Rule
from thalweg.train.contract.scan import Failing, failing

PADDING = -1


def labels_shape(f: Facts) -> str | None:
    """Labels are one row of integers for each sequence, and the network gives classes for each step."""
    if not f.takes("labels"):
        return None
    if len(f.output.shape) != 3:
        return (
            f"{f.loss_name} reads classes for each step, [batch, time, classes]; the network gives "
            f"{_shape(f.output.shape)}.\n  Keep the time axis: return_sequences=True, and no Flatten or global pooling."
        )
    if f.target.ndim == 2:
        return None
    return (
        f"{f.loss_name} takes labels [rows, n], shorter rows filled up with -1; the {f.where}targets have shape "
        f"{f.target.shape}.\n  Give the numbers of the labels, in their order."
    )


def blank_there(f: Facts) -> str | None:
    """The blank is a class of the network, beside those of the labels."""
    blank = getattr(f.loss, "blank", 0)
    if f.loss.target != "labels" or blank < f.units:
        return None
    return (
        f"{f.loss_name}(blank={blank}) is none of the network's {f.units} classes.\n"
        f"  Write one unit more than there are labels in the last layer, and blank={f.units - 1} or 0."
    )


def tags_shape(f: Facts) -> str | None:
    """A CRF's loss reads potentials, and one tag for each step."""
    if not f.takes("tags"):
        return None
    if len(f.output.shape) != 4 or f.output.shape[2] != f.output.shape[3]:
        return (
            f"{f.loss_name} reads the potentials of a CRF, [batch, time, tags, tags]; the network gives "
            f"{_shape(f.output.shape)}.\n  End the network in Dense(tags) and CRF()."
        )
    steps = f.output.shape[1:2]
    if f.target.shape[1:] in (steps, (*steps, 1)):
        return None
    return (
        f"{f.loss_name} takes one tag for each step, ({len(f.y)}, {steps[0]}); the {f.where}targets have shape "
        f"{f.target.shape}.\n  Give the number of each step's tag, shorter rows filled up with -1."
    )


def whole_numbers(f: Facts) -> str | None:
    """Labels and tags are whole numbers of classes that the network has, or -1 where a row is filled up."""
    if not f.takes("labels", "tags"):
        return None
    bad = failing(f.target, lambda part: (part != np.rint(part)) | (part < PADDING) | (part >= f.units))
    if bad is None:
        return None
    values = ", ".join(f"{v:g}" for v in bad.values)
    units = f"{int(np.ceil(f.target.max())) + 1} units in the last {'Dense' if f.loss.target == 'tags' else 'layer'}"
    remedy = f"Write {units}, or number from 0" if bad.values[-1] >= f.units else "Give whole numbers from 0"
    return (
        f"{f.loss_name} takes numbers from 0 to {f.units - 1}, and -1 to fill rows up; {_which(f, bad)} "
        f"holds {values}.\n  {remedy}."
    )


def labels_first(f: Facts) -> str | None:
    """What fills a row of labels up stands at its end, and the blank is no label."""
    if not f.takes("labels"):
        return None
    blank = getattr(f.loss, "blank", 0)
    bad = failing(f.target, lambda part: _after_padding((part < 0) | (part == blank)))
    if bad is None:
        return None
    return (
        f"in {_which(f, bad)} a label stands after -1 or after {blank}, the blank, which ends a row of labels.\n"
        f"  Number the labels {'from 1' if blank == 0 else f'without {blank}'}, or write {f.loss_name}(blank="
        f"{f.units - 1 if blank == 0 else 0}); fill rows up at the end."
    )


def tags_together(f: Facts) -> str | None:
    """The tags of a row stand together: only before them or after them is -1."""
    bad = failing(f.target, lambda part: _parted(part >= 0)) if f.takes("tags") else None
    if bad is None:
        return None
    return (
        f"in {_which(f, bad)} a tag of -1 stands between others; its step would be left out of the chain.\n"
        "  Give each step of a row its tag, such as that of 'O', and -1 at the row's end."
    )


def something_to_learn(f: Facts) -> str | None:
    """Some row has a label or a tag."""
    if not f.whole or not f.takes("labels", "tags"):
        return None
    blank = getattr(f.loss, "blank", PADDING)
    some = failing(f.target, lambda part: (part >= 0) & (part != blank))
    if some is not None:
        return None
    return f"no {f.where}row has a label: all are -1{' or the blank' if blank >= 0 else ''}.\n  Give the labels."


def labels_fit(f: Facts) -> str | None:
    """A row of labels has a step for each, and one for the blank between two that are equal."""
    if not f.takes("labels"):
        return None
    blank, steps = getattr(f.loss, "blank", 0), f.output.shape[1]
    bad = failing(f.target, lambda part: _needed(part, blank) > steps)
    if bad is None:
        return None
    row = f.target[bad.first : bad.first + 1]
    return (
        f"{_which(f, bad)} has more labels than steps: it needs {int(_needed(row, blank)[0])} (one for each label, "
        f"one between equal labels), and the network gives {steps}.\n"
        "  Shorten time less (smaller strides, less pooling), or leave these rows out."
    )


def _needed(part: np.ndarray, blank: int) -> np.ndarray:
    label = (part >= 0) & (part != blank)
    again = label[:, 1:] & (part[:, 1:] == part[:, :-1])
    return label.sum(axis=1) + again.sum(axis=1)


def _after_padding(padding: np.ndarray) -> np.ndarray:
    """The rows where something follows padding, [rows]."""
    return np.any(padding[:, :-1] & ~padding[:, 1:], axis=1)


def _parted(real: np.ndarray) -> np.ndarray:
    """The rows whose real steps stand in more than one piece, [rows]."""
    starts = np.diff(real.astype(np.int8), axis=1, prepend=0) == 1
    return starts.sum(axis=1) > 1


def _which(f: Facts, bad: Failing) -> str:
    return f"{f.where}row {bad.first}{f' (and {bad.total - 1} more)' if bad.total > 1 else ''}"


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(['batch', *map(str, shape[1:])])}]"


RULES: tuple[Rule, ...] = (
    labels_shape,
    blank_there,
    tags_shape,
    whole_numbers,
    labels_first,
    tags_together,
    something_to_learn,
    labels_fit,
)
