"""digits: scanned digits of 8 x 8 pixels, by a small convolutional network, in seconds.

    x -> (x - mean) / std -> conv 32 -> conv 64 -> halve -> dense 64 -> softmax

The learning rate falls along a cosine to 0 at the last step: the last epochs settle, and every seed ends well.
"""

import math

from thalweg import layers, optim
from thalweg.datasets.catalog.pictures import DIGITS
from thalweg.model import Model
from thalweg.recipes import classifier
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.image.kind import PictureClasses
from thalweg.recipes.settings import Epochs, Filters, LearningRate, Rate, Settings, Units


class DigitsSettings(Settings):
    """Two convolutions and a hidden layer."""

    epochs: Epochs = 20
    learning_rate: LearningRate = 2e-3
    filters: Filters = (32, 64)
    units: Units = 64
    dropout: Rate = 0.4


def build(settings: DigitsSettings, material: Material) -> Model:
    """The network, with the mean and the deviation of the training pictures inside it."""
    x, _ = material.train
    steps = math.prod(settings.plan(len(x)))
    convolutions = [layers.Conv2D(f, 3, padding="same", activation="relu") for f in settings.filters]
    body = [
        layers.Reshape((*x.shape[1:3], -1), input_shape=x.shape[1:]),  # [height, width, channels]
        layers.Normalization(mean=float(x.mean()), variance=float(x.var()) or 1.0),
        *convolutions,
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(settings.dropout),
        layers.Dense(settings.units, activation="relu"),
        layers.Dropout(settings.dropout),
        layers.Dense(len(material.classes), activation="softmax"),
    ]
    return classifier.model(settings, body, optim.schedules.CosineDecay(settings.learning_rate, steps))


RECIPE = Recipe(PictureClasses(DIGITS), DigitsSettings, build)
