"""sentiment: whether a review speaks for or against a film, by convolution, by recurrence or by attention.

    cnn          words -> embed -> widths 3, 4, 5 -> the largest over the text -> dropout -> softmax      Kim 2014
    lstm         words -> embed -> LSTM there and back -> the mean over the text -> dropout -> softmax
    transformer  words -> embed sqrt(d) + position -> Transformer block -> the mean over the text -> dropout -> softmax

Kim, "Convolutional neural networks for sentence classification" (EMNLP 2014), with word vectors that begin at random.
As there, the weights of a class have a norm of at most 3.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from thalweg import layers
from thalweg.core import Module
from thalweg.data import Words
from thalweg.datasets.catalog.texts import IMDB, RT_POLARITY, SST2
from thalweg.model import Model
from thalweg.ops.constraints import MaxNorm
from thalweg.recipes import classifier
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.settings import BatchSize, Epochs, Length, Patience, Rate, Units
from thalweg.recipes.text.kind import TextClasses, TextSettings

NORM = 3.0


class SentimentSettings(TextSettings):
    """A network over embedded words."""

    corpus: Annotated[Literal["rt_polarity", "sst2", "imdb"], Field(description="rt_polarity, sst2 or imdb")] = (
        "rt_polarity"
    )
    network: Annotated[Literal["cnn", "lstm", "transformer"], Field(description="cnn, lstm or transformer")] = "cnn"
    epochs: Epochs = 10
    batch_size: BatchSize = 50
    patience: Patience = 2
    length: Length = 400
    embedding: Annotated[int, Field(ge=1, description="numbers that a word becomes")] = 128
    units: Units = 100
    heads: Annotated[int, Field(ge=1, description="of the transformer; a divisor of embedding")] = 4
    dropout: Rate = 0.5


def tokenizer(texts: Sequence[str], settings: SentimentSettings) -> Words:
    """Words in small letters, the commonest of the training texts."""
    return Words.fit(texts, settings.vocabulary, lowercase=True)


def build(settings: SentimentSettings, material: Material) -> Model:
    """The network that is asked for, over the words that the training texts had."""
    length, words = material.train[0].shape[1], material.preprocessing["tokenizer"].size
    body = [
        layers.Embedding(words, settings.embedding, mask_zero=True, input_shape=(length,)),
        layers.Dropout(settings.dropout),
        *NETWORKS[settings.network](settings),
        layers.Dropout(settings.dropout),
        layers.Dense(len(material.classes), activation="softmax", kernel_constraint=MaxNorm(NORM)),
    ]
    return classifier.model(settings, body)


def cnn(settings: SentimentSettings) -> list[Module]:
    """Patterns of three, four and five words, wherever they stand."""
    return [layers.Parallel([pattern(settings.units, words) for words in (3, 4, 5)], merge="concatenate")]


def pattern(units: int, words: int) -> Module:
    """How well each of `units` patterns fits the `words` words where it fits best."""
    width = layers.Conv1D(units, words, padding="same", activation="relu")
    return layers.Sequential((width, layers.GlobalMaxPooling1D()))


def lstm(settings: SentimentSettings) -> list[Module]:
    """A text read word by word in both directions, and the mean of what was held after each."""
    return [
        layers.Bidirectional(layers.LSTM(settings.units, return_sequences=True)),
        layers.GlobalAveragePooling1D(),
    ]


def transformer(settings: SentimentSettings) -> list[Module]:
    """Each word looks at all the others; the mean of what they found."""
    scale = settings.embedding**0.5  # else the positions, as large as 1, hide the words for an epoch
    block = layers.TransformerEncoderBlock(2 * settings.embedding, settings.heads, settings.dropout / 2)
    return [layers.Rescaling(scale), layers.SinusoidalPosition(), block, layers.GlobalAveragePooling1D()]


NETWORKS = {"cnn": cnn, "lstm": lstm, "transformer": transformer}


RECIPE = Recipe(TextClasses((RT_POLARITY, SST2, IMDB), tokenizer), SentimentSettings, build)
