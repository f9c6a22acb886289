"""Rows of the CRF."""

import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw


def potentials(w, x):
    """Step by step, pair by pair."""
    batch, time, tags = x.shape
    psi = np.zeros((batch, time, tags, tags))
    for b, t, i, j in np.ndindex(psi.shape):
        psi[b, t, i, j] = x[b, t, j] + (w["start"][j] if t == 0 else w["transitions"][i, j])
        psi[b, t, i, j] += w["end"][j] if t == time - 1 else 0
    return psi


ROWS = [
    Row(
        tw.CRF(),
        (4, 5, 3),
        potentials,
        why="Keras and PyTorch have no CRF",
        id="CRF",
    ),
    Row(
        tw.CRF("orthogonal", transitions_regularizer="l2"),
        (4, 1, 2),
        potentials,
        why="Keras and PyTorch have no CRF",
        id="CRF of one step",
    ),
]
