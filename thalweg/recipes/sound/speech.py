"""speech: what is said in a recording, letter by letter, by convolutions and a bidirectional LSTM with CTC.

    frames -> hide bands and stretches -> two convolutions, each half the steps -> BiLSTM -> BiLSTM -> letters

Graves, Fernandez, Gomez and Schmidhuber 2006, "Connectionist temporal classification"; the shape of the network is
that of Amodei et al. 2015, "Deep Speech 2", arXiv:1512.02595, small; what is hidden, Park et al. 2019, "SpecAugment".
"""

from thalweg import layers, optim
from thalweg.core import Module
from thalweg.datasets import an4
from thalweg.datasets.catalog.sounds import AN4
from thalweg.model import Model, Sequential
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.settings import BatchSize, Epochs, LearningRate, Rate, Share, Units
from thalweg.recipes.sound.transcripts import SpeechSettings, Transcripts


class ListenSettings(SpeechSettings):
    """Two convolutions, two bidirectional LSTM layers."""

    epochs: Epochs = 60
    batch_size: BatchSize = 16
    learning_rate: LearningRate = 3e-3
    validation_split: Share = 0.05
    filters: Units = 128
    units: Units = 128
    dropout: Rate = 0.3


def build(settings: ListenSettings, material: Material) -> Model:
    """The network: a step of its output stands for four frames, 40 ms."""
    encoder, letters = material.preprocessing["sounds"], material.preprocessing["letters"]
    body: list[Module] = [
        layers.Masking(input_shape=(encoder.frames, encoder.features.features)),
        layers.SpecAugment(frequency_width=settings.bands // 5, time_width=25, time_share=0.15),
    ]
    for _ in range(2):
        body += [layers.Conv1D(settings.filters, 5, strides=2, padding="same", use_bias=False)]
        body += [layers.BatchNormalization(), layers.ReLU()]
    for _ in range(2):
        body += [layers.Dropout(settings.dropout)]
        body += [layers.Bidirectional(layers.LSTM(settings.units, return_sequences=True))]
    body += [layers.Dropout(settings.dropout), layers.Dense(letters.size, activation="softmax")]
    model = Sequential(body)
    optimizer = optim.Adam(optim.schedules.OneCycle(settings.learning_rate), global_clipnorm=1.0)
    model.compile(optimizer, "ctc", ["label_error_rate"], precision=settings.precision, seed=settings.seed)
    return model


RECIPE = Recipe(Transcripts(AN4, an4.load_data, an4.SAMPLING_RATE, stride=4), ListenSettings, build)
