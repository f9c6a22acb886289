"""translate: sentences into another language, by a Transformer or by LSTMs with attention.

    transformer   pieces -> attention -> attention, whose embeddings are its output's weights    Vaswani et al. 2017
    lstm          pieces -> LSTMs both ways -> an LSTM that looks back by additive attention     Bahdanau et al. 2015

Targets are smoothed; the rate climbs for a tenth of the run, then falls by half a cosine; the rows of a batch are of
like length. The translation is the best of four beams, judged by BLEU.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from thalweg import losses, optim
from thalweg.architectures import Seq2Seq, Transformer
from thalweg.core import Module
from thalweg.data import BytePairs, Characters, Words
from thalweg.model import Model
from thalweg.optim.schedules import CosineDecay
from thalweg.recipes.base import Material, Recipe, rows_of
from thalweg.recipes.settings import BatchSize, Epochs, LearningRate, Rate, Units
from thalweg.recipes.translation.kind import Translation, TranslationSettings
from thalweg.recipes.translation.translator import is_written_in_chinese

Tokenizer = BytePairs | Characters | Words


class TranslateSettings(TranslationSettings):
    """An encoder and a decoder over pieces of words."""

    network: Annotated[Literal["transformer", "lstm"], Field(description="transformer or lstm")] = "transformer"
    tokens: Annotated[
        Literal["pieces", "words", "characters"],
        Field(description="what a text is cut into: pieces, words or characters; pieces of Chinese are its characters"),
    ] = "pieces"
    epochs: Epochs = 25
    batch_size: BatchSize = 64
    learning_rate: LearningRate = 1e-3
    units: Units = 256
    layers: Annotated[int, Field(ge=1, description="of the encoder, and of the decoder")] = 3
    heads: Annotated[int, Field(ge=1, description="of attention (transformer); they divide the units")] = 8
    inner: Annotated[int, Field(ge=1, description="units between the dense layers of a block (transformer)")] = 512
    dropout: Rate = 0.2
    smoothing: Annotated[float, Field(ge=0, lt=1, description="the share of each target spread over all tokens")] = 0.1
    warmup: Annotated[float, Field(ge=0, lt=1, description="the share of the run in which the rate climbs")] = 0.1


def tokenizer(texts: Sequence[str], settings: TranslateSettings) -> Tokenizer:
    """The commonest tokens of one language's training texts. Chinese, which has no spaces, is cut by character."""
    if settings.tokens == "characters":
        return Characters.fit(texts, settings.vocabulary, ends=True)
    if settings.tokens == "words" or is_written_in_chinese(texts):
        return Words.fit(texts, settings.vocabulary, ends=True)
    return BytePairs.fit(texts, settings.vocabulary, ends=True)


def build(settings: TranslateSettings, material: Material) -> Model:
    """The network that is asked for, over the tokens of both languages."""
    source, target = (material.preprocessing[side].size for side in ("source", "target"))
    model = Model(NETWORKS[settings.network](settings, source, target))
    optimizer = optim.Adam(schedule(settings, rows_of(material.train)), beta_2=0.98, global_clipnorm=1.0)
    loss = losses.SparseCategoricalCrossentropy(label_smoothing=settings.smoothing)
    model.compile(optimizer, loss, ["accuracy"], precision=settings.precision, seed=settings.seed)
    return model


def schedule(settings: TranslateSettings, rows: int) -> CosineDecay:
    """From 0 up to the learning rate in a share of the run, then down by half a cosine to its end."""
    climb = max(1, round(settings.warmup * math.prod(settings.plan(rows))))
    return CosineDecay(0.0, warmup_target=settings.learning_rate, warmup_steps=climb)


def transformer(settings: TranslateSettings, source: int, target: int) -> Module:
    """Attention alone; norms first, which need no long warm-up."""
    return Transformer(
        source,
        target,
        num_layers=settings.layers,
        num_heads=settings.heads,
        width=settings.units,
        intermediate_dim=settings.inner,
        dropout=settings.dropout,
        tied=True,
    )


def lstm(settings: TranslateSettings, source: int, target: int) -> Module:
    """LSTMs, with additive attention from the decoder to what the encoder has read."""
    return Seq2Seq(source, target, units=settings.units, num_layers=settings.layers, dropout=settings.dropout)


NETWORKS = {"transformer": transformer, "lstm": lstm}


RECIPE = Recipe(Translation(tokenizer), TranslateSettings, build)
