"""char-lm: a text, character by character, by a GPT or by LSTM layers; the defaults are nanoGPT's setting for a CPU.

    gpt    characters -> embed + places -> 4 blocks of attention and dense layers -> softmax
    lstm   characters -> embed -> LSTM layers -> softmax

nanoGPT (Karpathy 2022) trains 4 layers, 4 heads, 128 wide on windows of 64 characters of tiny Shakespeare, 12 at a
time, 2000 steps, to a validation loss of 1.88. AdamW with a second moment of 0.99, weight decay 0.1, the whole
gradient's norm at most 1; the rate climbs for 100 steps and falls along half a cosine to a tenth. Its dense layers and
norms have no biases, its vectors no decay, and its output is tied to the embedding (`tied=true` does it).
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from thalweg import datasets, optim
from thalweg.architectures import GPT, RecurrentLM
from thalweg.core import Module
from thalweg.datasets.catalog.texts import TINYSHAKESPEARE
from thalweg.errors import ConfigError
from thalweg.layers import LSTM
from thalweg.model import Model
from thalweg.recipes.base import Material, Recipe, rows_of
from thalweg.recipes.language.kind import Language
from thalweg.recipes.language.windows import Windows
from thalweg.recipes.settings import (
    BatchSize,
    Context,
    Depth,
    Epochs,
    LearningRate,
    Rate,
    Settings,
    Steps,
    Tied,
)


class CharSettings(Settings):
    """A network over windows of characters."""

    network: Annotated[Literal["gpt", "lstm"], Field(description="gpt or lstm")] = "gpt"
    epochs: Epochs = 8
    steps: Steps = 2000
    batch_size: BatchSize = 12
    learning_rate: LearningRate = 1e-3
    warmup: Annotated[int, Field(ge=0, description="steps in which the rate climbs, a tenth of all at most")] = 100
    context: Context = 64
    depth: Depth = 4
    heads: Annotated[int, Field(ge=1, description="heads of attention; they divide the width")] = 4
    width: Annotated[int, Field(ge=1, description="numbers that a character becomes, and units of a layer")] = 128
    dropout: Rate = 0.0
    tied: Tied = False


def load(folder: Path | None) -> dict[str, Any]:
    """Tiny Shakespeare, as nanoGPT parts it."""
    train, rest = datasets.tinyshakespeare.load_data(folder)
    return {"train": [train], "test": [rest]}


def build(settings: CharSettings, material: Material) -> Model:
    """The network that is asked for."""
    model = Model(NETWORKS[settings.network](settings, material.preprocessing["tokenizer"].size))
    total = math.prod(settings.plan(rows_of(material.train)))
    warmup = min(settings.warmup, total // 10)
    rate = optim.schedules.CosineDecay(
        0.0, max(1, total - warmup), alpha=0.1, warmup_target=settings.learning_rate, warmup_steps=warmup
    )
    optimizer = optim.AdamW(rate, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", precision=settings.precision, seed=settings.seed)
    return model


def gpt(s: CharSettings, size: int) -> Module:
    """Blocks of causal attention."""
    if s.width % s.heads:
        fitting = next(n for n in range(s.heads, 0, -1) if s.width % n == 0)
        raise ConfigError(f"heads={s.heads} does not divide width={s.width}.\n  Write --set heads={fitting}.")
    return GPT(size, s.context, s.depth, s.heads, s.width, dropout=s.dropout, tied=s.tied)


def lstm(s: CharSettings, size: int) -> Module:
    """LSTM layers, from a state of 0 at the beginning of each window."""
    return RecurrentLM(size, [LSTM(s.width)] * s.depth, dropout=s.dropout, tied=s.tied)


NETWORKS = {"gpt": gpt, "lstm": lstm}

RECIPE = Recipe(Language(TINYSHAKESPEARE, load, Windows()), CharSettings, build)
