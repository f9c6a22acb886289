"""ner: the names of people, places, organisations and more in a sentence, by a BiLSTM-CRF.

    word    -> its vector
    letters -> their vectors -> convolution, or LSTM there and back -> a vector of the spelling
    both    -> dropout -> LSTM there and back -> dropout -> a score for each tag -> CRF

The CRF (`--set network=crf`) chooses the best path of tags; `network=softmax` the best tag of each word, to compare.

Ma and Hovy 2016, arXiv:1603.01354, with letters by convolution; Lample et al. 2016, arXiv:1603.01360, with letters by
LSTM (`--set letters=lstm`); both with vectors that begin at random.
"""

# pyright: reportCallIssue=false
# Layers called on nodes write a graph down; the types know their call on arrays.

from typing import Annotated, Literal

from pydantic import Field

from thalweg import layers, optim
from thalweg.core import Module
from thalweg.datasets.catalog.texts import BTC_NER, GMB_NER, WNUT17
from thalweg.model import Model
from thalweg.optim.schedules import CosineDecay
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.settings import BatchSize, Epochs, LearningRate, Patience, Rate, Units
from thalweg.recipes.tags.kind import TagSettings, TokenTags

CLIP = 5.0


class NerSettings(TagSettings):
    """A network over words and their letters."""

    corpus: Annotated[Literal["gmb", "wnut17", "btc"], Field(description="gmb, wnut17 or btc")] = "gmb"
    network: Annotated[Literal["crf", "softmax"], Field(description="crf or softmax: how tags are chosen")] = "crf"
    letters: Annotated[Literal["cnn", "lstm"], Field(description="cnn or lstm: how the letters are read")] = "cnn"
    epochs: Epochs = 5
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 3e-3
    patience: Patience = 2
    embedding: Annotated[int, Field(ge=1, description="numbers that a word becomes")] = 100
    units: Units = 100
    dropout: Rate = 0.5


def build(settings: NerSettings, material: Material) -> Model:
    """The network that is asked for, over the words and letters that training has."""
    records, tags = material.preprocessing, len(material.classes)
    words, letters = (layers.Input((None,), "int32", name) for name in ("words", "letters"))
    vectors = layers.Embedding(records["tokenizer"].size, settings.embedding, mask_zero=True)(words)
    spelling = layers.TimeDistributed(reader(settings, records["letters"].size))
    x = layers.Concatenate()([vectors, spelling(layers.Reshape((-1, settings.width))(letters))])
    x = layers.Bidirectional(layers.LSTM(settings.units, return_sequences=True))(layers.Dropout(settings.dropout)(x))
    x = layers.Dropout(settings.dropout)(x)
    crf = settings.network == "crf"
    model = Model([words, letters], layers.CRF()(layers.Dense(tags)(x)) if crf else layers.Dense(tags, "softmax")(x))
    loss = "crf" if crf else "sparse_categorical_crossentropy"
    optimizer = optim.Adam(CosineDecay(settings.learning_rate), global_clipnorm=CLIP)
    model.compile(optimizer, loss, ["accuracy"], precision=settings.precision, seed=settings.seed)
    return model


def reader(settings: NerSettings, size: int) -> Module:
    """What makes a vector of the letters of one word."""
    vectors = layers.Embedding(size, 25, padding_index=0)
    return layers.Sequential([vectors, *LETTERS[settings.letters]()])


def cnn() -> list[Module]:
    """Patterns of three letters, wherever they stand."""
    return [layers.Conv1D(30, 3, padding="same", activation="relu"), layers.GlobalMaxPooling1D()]


def lstm() -> list[Module]:
    """The letters read in both directions."""
    return [layers.Bidirectional(layers.LSTM(25))]


LETTERS = {"cnn": cnn, "lstm": lstm}

RECIPE = Recipe(TokenTags({"gmb": GMB_NER, "wnut17": WNUT17, "btc": BTC_NER}), NerSettings, build)
