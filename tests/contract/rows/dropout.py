"""Rows of the layers that make noise in training; what they do there is in tests/ops/test_dropout.py."""

import keras

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers


def row(layer, shape, twin, label):
    return Row(layer, shape, lambda w, x: x, twin, random=True, id=label)


ROWS = [
    row(tw.Dropout(0.2, (None, 1, 3)), (4, 2, 3), lambda: K.Dropout(0.2, (None, 1, 3)), "Dropout"),
    row(tw.SpatialDropout1D(0.5), (4, 2, 3), lambda: K.SpatialDropout1D(0.5), "SpatialDropout1D"),
    row(tw.SpatialDropout2D(0.5), (4, 2, 2, 3), lambda: K.SpatialDropout2D(0.5), "SpatialDropout2D"),
    row(tw.SpatialDropout3D(0.5), (4, 2, 2, 2, 3), lambda: K.SpatialDropout3D(0.5), "SpatialDropout3D"),
    row(tw.AlphaDropout(0.5), (4, 5), lambda: K.AlphaDropout(0.5), "AlphaDropout"),
    row(tw.GaussianDropout(0.5), (4, 5), lambda: K.GaussianDropout(0.5), "GaussianDropout"),
    row(tw.GaussianNoise(0.5), (4, 5), lambda: K.GaussianNoise(0.5), "GaussianNoise"),
]
