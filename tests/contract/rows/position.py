"""Rows of the positions: the equations place by place; Keras has them in another package, torch has none."""

import numpy as np

from tests.contract.row import Row
from tests.contract.rows.attention import turned
from thalweg import layers as tw


def sinusoid(x, base):
    y = x.copy()
    for t, i in np.ndindex(x.shape[1:]):
        angle = t * base ** (-2 * (i // 2) / x.shape[-1])
        y[:, t, i] += np.cos(angle) if i % 2 else np.sin(angle)
    return y


ROWS = [
    Row(
        tw.SinusoidalPosition(),
        (4, 5, 6),
        lambda w, x: sinusoid(x, 10000.0),
        why="Keras has it in keras_hub",
        id="SinusoidalPosition",
    ),
    Row(
        tw.SinusoidalPosition(50.0),
        (4, 3, 5),
        lambda w, x: sinusoid(x, 50.0),
        why="Keras has it in keras_hub",
        id="SinusoidalPosition, odd, other wavelength",
    ),
    Row(
        tw.PositionEmbedding(7),
        (4, 5, 6),
        lambda w, x: np.stack([x[:, t] + w["embeddings"][t] for t in range(5)], axis=1),
        why="Keras has it in keras_hub",
        id="PositionEmbedding",
    ),
    Row(
        tw.RotaryEmbedding(),
        (4, 5, 2, 6),
        lambda w, x: turned(x),
        why="Keras has it in keras_hub",
        id="RotaryEmbedding",
    ),
]
