"""What Keras calls `keras.utils`, as far as it concerns data."""

import random as python_random

import numpy as np

from thalweg import random
from thalweg.data.text.sequences import pad_sequences

__all__ = ["pad_sequences", "set_random_seed"]


def set_random_seed(seed: int) -> None:
    """Fix a program's random numbers: those of the networks that follow, of Python's `random` and of NumPy.

    A network that is compiled with a seed of its own has that one, whatever was set here.

    >>> set_random_seed(812)
    """
    random.set_seed(seed)
    python_random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  for the program around us, which may read it; nothing here does
