"""forecast: the next rows of a series, by a linear map, a recurrent network or a Transformer over patches of the past.

    window -> its last value as zero, its spread as unit -> network -> back to the window's level and spread

    linear        one matrix from the past to the future                                     Zeng et al. 2023
    lstm, gru     patches of the past, one after another -> the last state -> a matrix
    transformer   patches of the past, each seeing all others -> a matrix                     Nie et al. 2023

Beside each but the first stands one more matrix from the past to the future, as in LSTNet (Lai et al. 2018), unless
`shortcut=none`. Unless `variables=together`, one network forecasts every target from its own past. The networks are
ours in the spirit of NLinear (arXiv:2205.13504), PatchTST (arXiv:2211.14730) and LSTNet (arXiv:1703.07015).
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from thalweg import layers, optim
from thalweg.core import Module
from thalweg.model import Model, Sequential
from thalweg.recipes.base import Material, Recipe
from thalweg.recipes.series.kind import Forecasts, SeriesSettings
from thalweg.recipes.settings import BatchSize, Epochs, LearningRate, Patience, Rate, Units

TOKENS = 24  # the past is read in at most so many patches
HEADS = 4


class ForecastSettings(SeriesSettings):
    """A network over the past."""

    network: Annotated[
        Literal["linear", "lstm", "gru", "transformer"], Field(description="linear, lstm, gru or transformer")
    ] = "lstm"
    epochs: Epochs = 10
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    patience: Patience = 3
    units: Units = 64
    blocks: Annotated[int, Field(ge=1, description="of the Transformer, or recurrent layers")] = 1
    dropout: Rate = 0.2
    shortcut: Annotated[
        Literal["none", "linear"], Field(description="a matrix from past to future beside the network, or none")
    ] = "linear"


def build(settings: ForecastSettings, material: Material) -> Model:
    """The network that is asked for, as wide as the windows are."""
    source = material.train
    history, horizon, targets = source.history, source.horizon, len(source.targets)
    variables = source.values.shape[1]
    if settings.variables == "together":
        body = layers.Sequential(_network(settings, history, horizon, targets))
    else:
        each = layers.Sequential(_network(settings, history, horizon, 1))
        body = layers.Sequential(
            [*_split_variables(history, targets), layers.TimeDistributed(each), *_join_variables(horizon, targets)]
        )
    model = Sequential([layers.WindowNormalization(body, source.targets, input_shape=(history, variables))])
    optimizer = optim.Adam(optim.schedules.CosineDecay(settings.learning_rate))  # as long as the run
    model.compile(optimizer, "mse", ["mae"], precision=settings.precision, seed=settings.seed)
    return model


def _split_variables(history: int, variables: int) -> list[Module]:
    """[batch, time, variables] -> [batch, variables, time, 1]."""
    return [layers.Permute((2, 1)), layers.Reshape((variables, history, 1))]


def _join_variables(horizon: int, variables: int) -> list[Module]:
    """[batch, variables, horizon, 1] -> [batch, horizon, variables]."""
    return [layers.Reshape((variables, horizon)), layers.Permute((2, 1))]


def _network(settings: ForecastSettings, history: int, horizon: int, targets: int) -> list[Module]:
    """[batch, history, variables] -> [batch, horizon, targets]."""
    body = [*NETWORKS[settings.network](settings, history), layers.Dense(horizon * targets)]
    if settings.shortcut == "linear" and settings.network != "linear":
        straight = layers.Sequential([layers.Flatten(), layers.Dense(horizon * targets)])
        body = [layers.Parallel([layers.Sequential(body), straight])]
    return [*body, layers.Reshape((horizon, targets))]


def linear(*_: Any) -> list[Module]:
    """All of the past at once."""
    return [layers.Flatten()]


def lstm(settings: ForecastSettings, history: int) -> list[Module]:
    """The past, patch by patch, and what is held at its end."""
    return _recurrent(layers.LSTM, settings, history)


def gru(settings: ForecastSettings, history: int) -> list[Module]:
    """The same with the simpler unit."""
    return _recurrent(layers.GRU, settings, history)


def transformer(settings: ForecastSettings, history: int) -> list[Module]:
    """The patches of the past, each seeing all others."""
    steps = history // patch(history)
    block = layers.TransformerEncoderBlock(2 * settings.units, HEADS, settings.dropout, "gelu", norm_first=True)
    return [
        *_patches(history), layers.Dense(settings.units), layers.PositionEmbedding(steps),
        *[block] * settings.blocks, layers.LayerNormalization(), layers.Flatten(), layers.Dropout(settings.dropout),
    ]  # fmt: skip


NETWORKS = {"linear": linear, "lstm": lstm, "gru": gru, "transformer": transformer}


def patch(history: int) -> int:
    """How many rows a patch has.

    >>> patch(336), patch(24), patch(25)
    (14, 1, 2)
    """
    return -(-history // TOKENS)


def _patches(history: int) -> list[Module]:
    """[batch, history, variables] -> [batch, patches, rows variables], without the oldest rows that fill no patch."""
    size = patch(history)
    cut = [layers.Cropping1D((history % size, 0))] if history % size else []
    return [*cut, layers.Reshape((history // size, -1))]


def _recurrent(kind: type, settings: ForecastSettings, history: int) -> list[Module]:
    below = [kind(settings.units, return_sequences=True) for _ in range(settings.blocks - 1)]
    return [*_patches(history), *below, kind(settings.units), layers.Dropout(settings.dropout)]


RECIPE = Recipe(Forecasts(), ForecastSettings, build)
