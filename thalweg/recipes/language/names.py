"""names: first names, character by character, by a recurrent network that reads from a start to an end.

    characters -> embed -> LSTM -> dropout -> softmax over the next character

Karpathy 2022, "makemore", has the data and networks of many kinds.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from thalweg import datasets, optim
from thalweg.architectures import RecurrentLM
from thalweg.data.text import PADDING
from thalweg.datasets.catalog.texts import NAMES
from thalweg.layers import LSTM
from thalweg.losses import SparseCategoricalCrossentropy
from thalweg.model import Model
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.language.kind import Language
from thalweg.recipes.language.lines import Lines
from thalweg.recipes.settings import BatchSize, Context, Epochs, LearningRate, Rate, Settings, Units


class NamesSettings(Settings):
    """A recurrent network over the characters of a line."""

    epochs: Epochs = 10
    batch_size: BatchSize = 64
    learning_rate: LearningRate = 3e-3
    context: Context = 24
    embedding: Annotated[int, Field(ge=1, description="numbers that a character becomes")] = 32
    units: Units = 128
    dropout: Rate = 0.1


def load(folder: Path | None) -> dict[str, Any]:
    """The names; no test part is published."""
    return {"train": datasets.names.load_data(folder)}


def build(settings: NamesSettings, material: Material) -> Model:
    """The network; the rate falls along half a cosine over the run, and padding counts for nothing."""
    size = material.preprocessing["tokenizer"].size
    model = Model(RecurrentLM(size, [LSTM(settings.units)], settings.embedding, settings.dropout))
    optimizer = optim.Adam(optim.schedules.CosineDecay(settings.learning_rate, alpha=0.02), global_clipnorm=1.0)
    loss = SparseCategoricalCrossentropy(ignore_class=PADDING)
    model.compile(optimizer, loss, precision=settings.precision, seed=settings.seed)
    return model


RECIPE = Recipe(Language(NAMES, load, Lines(), symbols=26), NamesSettings, build)
