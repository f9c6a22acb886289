"""word-lm: a text word by word, by LSTM layers whose state goes on from batch to batch.

    words -> embed -> dropout -> LSTM -> dropout -> LSTM -> dropout -> softmax, tied to the embedding or not

Truncated backpropagation through time: the text lies in `batch_size` pieces side by side; each step reads the next
`context` words of each, from the states that the step before it left, and no gradient goes further back. Plain
gradient descent at a rate of 20 with the gradient's norm held at 0.25, the setting of PyTorch's example of a word
language model; but the rate falls to 0 over the run, where the example's waits for an epoch that brings nothing. The
example's users report a test perplexity of 130 for these six epochs (github.com/pytorch/examples, issue 415).

Mikolov et al. 2010, "Recurrent neural network based language model"; Zaremba et al. 2014, arXiv:1409.2329, has the
dropout; Press and Wolf 2017, arXiv:1608.05859, the tied weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thalweg import datasets, optim
from thalweg.architectures import RecurrentLM
from thalweg.datasets.catalog.texts import WIKITEXT2
from thalweg.layers import LSTM
from thalweg.model import Model
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.language.kind import Language
from thalweg.recipes.language.states import FreshStates
from thalweg.recipes.language.streams import Streams
from thalweg.recipes.language.verdict import PERPLEXITY
from thalweg.recipes.settings import (
    BatchSize,
    Context,
    Depth,
    Epochs,
    LearningRate,
    Patience,
    Rate,
    Settings,
    Tied,
    Units,
    Vocabulary,
)
from thalweg.train.callbacks import Callback

WORDS = 33_277  # different words of WikiText-2


class WordSettings(Settings):
    """LSTM layers over streams of words."""

    epochs: Epochs = 6
    batch_size: BatchSize = 20
    learning_rate: LearningRate = 20.0
    patience: Patience = 6
    vocabulary: Vocabulary = 50_000
    context: Context = 35
    depth: Depth = 2
    units: Units = 200
    dropout: Rate = 0.2
    tied: Tied = True


def load(folder: Path | None) -> dict[str, Any]:
    """WikiText-2 in its three parts."""
    parts = zip(("train", "validation", "test"), datasets.wikitext2.load_data(folder), strict=True)
    return {name: [tokens] for name, tokens in parts}


def build(settings: WordSettings, material: Material) -> Model:
    """The network, its layers stateful."""
    layer = LSTM(settings.units, stateful=True, batch_size=settings.batch_size)
    size = material.preprocessing["tokenizer"].size
    model = Model(RecurrentLM(size, [layer] * settings.depth, dropout=settings.dropout, tied=settings.tied))
    optimizer = optim.SGD(optim.schedules.CosineDecay(settings.learning_rate), global_clipnorm=0.25)
    model.compile(optimizer, "sparse_categorical_crossentropy", precision=settings.precision, seed=settings.seed)
    return model


def callbacks(settings: WordSettings) -> Sequence[Callback]:
    """States of 0 where the text begins again."""
    del settings
    return (FreshStates(),)


RECIPE = Recipe(
    Language(WIKITEXT2, load, Streams(), PERPLEXITY, order=1, symbols=WORDS), WordSettings, build, callbacks
)
