"""mnist: handwritten digits of 28 x 28 pixels, by a perceptron, a convolutional and a recurrent network.

Pixels come as they are, 0 to 255, and the network divides them, so that `predict` takes a picture as it is.
"""

from collections.abc import Sequence

import numpy as np

from thalweg import layers
from thalweg.core import Module
from thalweg.datasets.catalog import MNIST
from thalweg.model import Model
from thalweg.recipes.base import Recipe, classifier
from thalweg.recipes.settings import BatchSize, Epochs, Filters, LearningRate, Rate, Settings, Units


class MLPSettings(Settings):
    """A perceptron with one hidden layer."""

    units: Units = 128
    dropout: Rate = 0.2


class CNNSettings(Settings):
    """Convolutions with pooling between them, then one hidden layer's worth of dropout."""

    epochs: Epochs = 5
    batch_size: BatchSize = 64
    filters: Filters = (32, 64, 128)
    dropout: Rate = 0.3


class LSTMSettings(Settings):
    """Two recurrent layers that read a picture row by row."""

    epochs: Epochs = 5
    batch_size: BatchSize = 128
    learning_rate: LearningRate = 2e-3
    units: Units = 64


def mlp(settings: MLPSettings, x: np.ndarray, classes: int) -> Model:
    """Flatten, a hidden layer, dropout, softmax."""
    hidden = layers.Dense(settings.units, activation="relu")
    return _between(settings, x, [layers.Flatten(), hidden, layers.Dropout(settings.dropout)], classes)


def cnn(settings: CNNSettings, x: np.ndarray, classes: int) -> Model:
    """Convolutions of 3 x 3 with max-pooling between them; softmax on what is left of the picture."""
    body: list[Module] = [layers.Reshape((*x.shape[1:3], -1))]  # [height, width, channels]
    for filters in settings.filters:
        body += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D(2)]
    return _between(settings, x, [*body[:-1], layers.Flatten(), layers.Dropout(settings.dropout)], classes)


def lstm(settings: LSTMSettings, x: np.ndarray, classes: int) -> Model:
    """Two LSTM layers over the rows of the picture; softmax on the last state."""
    steps = layers.Reshape((x.shape[1], -1))  # [rows of the picture, its columns]
    body = [steps, layers.LSTM(settings.units, return_sequences=True), layers.LSTM(settings.units)]
    return _between(settings, x, body, classes)


def _between(settings: Settings, x: np.ndarray, body: Sequence[Module], classes: int) -> Model:
    first, last = layers.Rescaling(1 / 255, input_shape=x.shape[1:]), layers.Dense(classes, activation="softmax")
    return classifier(settings, [first, *body, last])


MLP = Recipe(MNIST, MLPSettings, mlp)
CNN = Recipe(MNIST, CNNSettings, cnn)
RECURRENT = Recipe(MNIST, LSTMSettings, lstm)
