"""Losses: Keras's names; one number for each row; from logits wherever a probability is meant."""

from typing import Any

from thalweg.errors import ConfigError
from thalweg.losses.base import Custom, Loss
from thalweg.losses.classification import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)
from thalweg.losses.crf import CRFNegativeLogLikelihood
from thalweg.losses.ctc import CTC
from thalweg.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalFocalCrossentropy,
)
from thalweg.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from thalweg.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
from thalweg.losses.triplet import TripletHard, TripletSemiHard
from thalweg.record import resolve

ALIASES: dict[type[Loss], tuple[str, ...]] = {
    BinaryCrossentropy: ("binary_crossentropy", "bce"),
    BinaryFocalCrossentropy: ("binary_focal_crossentropy",),
    CRFNegativeLogLikelihood: ("crf_negative_log_likelihood", "crf"),
    CTC: ("ctc",),
    CategoricalCrossentropy: ("categorical_crossentropy", "cce"),
    CategoricalFocalCrossentropy: ("categorical_focal_crossentropy",),
    CategoricalHinge: ("categorical_hinge",),
    CosineSimilarity: ("cosine_similarity",),
    Hinge: ("hinge",),
    Huber: ("huber", "huber_loss"),
    KLDivergence: ("kl_divergence", "kld"),
    LogCosh: ("log_cosh",),
    MeanAbsoluteError: ("mean_absolute_error", "mae"),
    MeanAbsolutePercentageError: ("mean_absolute_percentage_error", "mape"),
    MeanSquaredError: ("mean_squared_error", "mse"),
    MeanSquaredLogarithmicError: ("mean_squared_logarithmic_error", "msle"),
    Poisson: ("poisson",),
    SparseCategoricalCrossentropy: ("sparse_categorical_crossentropy", "scce"),
    SparseCategoricalFocalCrossentropy: ("sparse_categorical_focal_crossentropy",),
    SquaredHinge: ("squared_hinge",),
    TripletHard: ("triplet_hard",),
    TripletSemiHard: ("triplet_semi_hard", "triplet"),
}
"""Every loss, with its names beside that of the class."""

LOSSES: dict[str, type[Loss]] = {
    name: kind for kind, names in ALIASES.items() for name in (kind.__name__.lower(), *names)
}
"""Every loss by name, in lower case."""

ALLOWED: dict[str, type[Loss]] = {kind.__name__: kind for kind in ALIASES}
"""What a stored description may name."""


def loss(value: Any) -> Loss:
    """The loss of a name, a record, its class, or a function of (target, output).

    Raises:
        ConfigError: the name is unknown, or the value is none of these.

    >>> loss("mse")
    MeanSquaredError()
    >>> loss("mean_square_error")
    Traceback (most recent call last):
    thalweg.errors.ConfigError: unknown loss 'mean_square_error'.
      Did you mean 'mean_squared_error'?
    """
    named = resolve(value, LOSSES, "loss")
    made = named() if isinstance(named, type) else named
    if isinstance(made, Loss):
        return made
    if callable(made):
        return Custom(made)
    raise ConfigError(f"a loss is a name, a Loss or a function; it is {value!r}.\n  Write loss='mse', for example.")


__all__ = [
    "ALIASES",
    "ALLOWED",
    "CTC",
    "LOSSES",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CRFNegativeLogLikelihood",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Custom",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SparseCategoricalFocalCrossentropy",
    "SquaredHinge",
    "TripletHard",
    "TripletSemiHard",
    "loss",
]
