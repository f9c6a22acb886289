"""Calling peers (Keras, Flax, Equinox, PyTorch) from the strict suite: they promote and broadcast as they like."""

import contextlib
import warnings

import jax


@contextlib.contextmanager
def relaxed():
    with warnings.catch_warnings(), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        warnings.simplefilter("ignore")
        yield
