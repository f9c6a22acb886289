"""mnist: handwritten digits of 28 x 28 pixels, by a perceptron, a convolutional and a recurrent network.

Pixels come as they are, 0 to 255, and the network divides them, so that `predict` takes a picture as it is.
"""

from collections.abc import Sequence

from thalweg import layers
from thalweg.core import Module
from thalweg.datasets.catalog.pictures import MNIST
from thalweg.model import Model
from thalweg.recipes import classifier
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.image.kind import PictureClasses
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


def mlp(settings: MLPSettings, material: Material) -> Model:
    """Flatten, a hidden layer, dropout, softmax."""
    hidden = layers.Dense(settings.units, activation="relu")
    return _between(settings, material, [layers.Flatten(), hidden, layers.Dropout(settings.dropout)])


def cnn(settings: CNNSettings, material: Material) -> Model:
    """Convolutions of 3 x 3 with max-pooling between them; softmax on what is left of the picture."""
    x, _ = material.train
    body: list[Module] = [layers.Reshape((*x.shape[1:3], -1))]  # [height, width, channels]
    for filters in settings.filters:
        body += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D(2)]
    return _between(settings, material, [*body[:-1], layers.Flatten(), layers.Dropout(settings.dropout)])


def lstm(settings: LSTMSettings, material: Material) -> Model:
    """Two LSTM layers over the rows of the picture; softmax on the last state."""
    x, _ = material.train
    steps = layers.Reshape((x.shape[1], -1))  # [rows of the picture, its columns]
    body = [steps, layers.LSTM(settings.units, return_sequences=True), layers.LSTM(settings.units)]
    return _between(settings, material, body)


def _between(settings: Settings, material: Material, body: Sequence[Module]) -> Model:
    first = layers.Rescaling(1 / 255, input_shape=material.train[0].shape[1:])
    last = layers.Dense(len(material.classes), activation="softmax")
    return classifier.model(settings, [first, *body, last])


PICTURES = PictureClasses(MNIST)
MLP = Recipe(PICTURES, MLPSettings, mlp)
CNN = Recipe(PICTURES, CNNSettings, cnn)
RECURRENT = Recipe(PICTURES, LSTMSettings, lstm)
