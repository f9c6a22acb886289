"""speech-digits: which digit is spoken, by convolutions over time or by a bidirectional LSTM.

    cnn   frames -> hide bands and stretches -> three convolutions with pooling -> the mean over time -> softmax
    lstm  frames -> hide bands and stretches -> a convolution -> BiLSTM -> the mean over time -> softmax

The published parts share their speakers, so they say how well the digits of known voices are heard;
`--set held_out=jackson` leaves a speaker out of the training and tests on all that he says.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from thalweg import layers, optim
from thalweg.core import Module
from thalweg.datasets import fsdd
from thalweg.datasets.catalog.sounds import FSDD
from thalweg.model import Model
from thalweg.recipes import classifier
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.settings import Epochs, LearningRate, Rate, Units
from thalweg.recipes.sound.classes import SoundClasses
from thalweg.recipes.sound.clips import Clips, of_rows
from thalweg.recipes.sound.features import SoundSettings

HeldOut = Annotated[str | None, Field(description="a speaker who tests and is not heard in training")]


class SpokenSettings(SoundSettings):
    """A network over the frames of short recordings."""

    network: Annotated[Literal["cnn", "lstm"], Field(description="cnn or lstm")] = "cnn"
    held_out: HeldOut = None
    epochs: Epochs = 25
    learning_rate: LearningRate = 2e-3
    sampling_rate: Annotated[int, Field(ge=1000, description="to which every recording is brought, in hertz")] = 8000
    seconds: Annotated[float, Field(gt=0, description="the longest recording that trains or tests")] = 5.0
    units: Units = 96
    dropout: Rate = 0.3


def load(folder: Path | None, settings: SpokenSettings) -> Mapping[str, Clips]:
    """The published parts, or those of a speaker who was never heard."""
    speaker = settings.held_out
    parts = fsdd.load_data(folder) if speaker is None else fsdd.load_held_out(speaker, folder)
    rates = fsdd.SAMPLING_RATE, settings.sampling_rate
    pairs = zip(("train", "test"), parts, strict=True)
    return {part: of_rows(sounds, [str(digit) for digit in digits], *rates) for part, (sounds, digits) in pairs}


def build(settings: SpokenSettings, material: Material) -> Model:
    """The network that is asked for; padding takes no part in it."""
    encoder = material.preprocessing["sounds"]
    body = [
        layers.Masking(input_shape=(encoder.frames, encoder.features.features)),
        layers.SpecAugment(frequency_width=settings.bands // 5, time_width=10, time_share=0.2),
        *NETWORKS[settings.network](settings),
        layers.GlobalAveragePooling1D(),
        layers.Dropout(settings.dropout),
        layers.Dense(len(material.classes), activation="softmax"),
    ]
    return classifier.model(settings, body, optim.schedules.CosineDecay(settings.learning_rate))


def cnn(settings: SpokenSettings) -> list[Module]:
    """Three convolutions, half as many steps after each of the first two."""
    body = _convolution(settings.units)
    for _ in range(2):
        body += [layers.MaxPooling1D(2), *_convolution(settings.units)]
    return body


def lstm(settings: SpokenSettings) -> list[Module]:
    """A convolution that halves the steps, and both ways through what is left."""
    read = layers.LSTM(settings.units, return_sequences=True)
    return [*_convolution(settings.units, strides=2), layers.Dropout(settings.dropout), layers.Bidirectional(read)]


def _convolution(units: int, strides: int = 1) -> list[Module]:
    """What each of `units` patterns of five frames finds."""
    width = layers.Conv1D(units, 5, strides=strides, padding="same", use_bias=False)
    return [width, layers.BatchNormalization(), layers.ReLU()]


NETWORKS = {"cnn": cnn, "lstm": lstm}


RECIPE = Recipe(SoundClasses(FSDD, load), SpokenSettings, build)
