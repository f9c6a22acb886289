"""Settings: what a recipe lets you set, typed and with bounds; from its defaults, a file and flags, later ones first.

An unknown name, a wrong type or a number out of its bounds is an error before any work is done.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from thalweg.errors import ConfigError, FormatError, nearest
from thalweg.forms import shown


def _as_list(value: Any) -> Any:
    """`8,16` as people type it, as a list."""
    return value.strip("[]()").split(",") if isinstance(value, str) else value


Epochs = Annotated[int, Field(ge=1, description="how often the training part is gone through")]
BatchSize = Annotated[int, Field(ge=1, description="rows of one step")]
LearningRate = Annotated[float, Field(gt=0, description="the optimizer's step length at the start")]
Share = Annotated[float, Field(gt=0, lt=1, description="the share of the training part that validates")]
Steps = Annotated[int | None, Field(ge=1, description="at most so many training steps, an equal part in each epoch")]
Patience = Annotated[
    int | None, Field(ge=1, description="epochs without a better validation loss; the best weights are kept")
]
Seed = Annotated[int, Field(ge=0, lt=2**31, description="fixes the split, the first weights and the order of the rows")]
Precision = Annotated[Literal["float32", "bfloat16", "float64"], Field(description="in which the network computes")]
Units = Annotated[int, Field(ge=1, description="units of the hidden layer")]
Filters = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    BeforeValidator(_as_list),
    Field(min_length=1, description="of each convolution"),
]
Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...] | None,
    BeforeValidator(_as_list),
    Field(description="the variables to predict, as a,b; all of them by default"),
]
Fold = Annotated[int, Field(ge=0, le=9, description="which tenth tests, where no test part is set apart")]
Length = Annotated[int, Field(ge=1, description="tokens of a row; longer ones are cut")]
Context = Annotated[int, Field(ge=1, description="tokens of a row that a language model sees")]
Depth = Annotated[int, Field(ge=1, description="layers, one above the other")]
Tied = Annotated[bool, Field(description="whether the output's weights are those of the embedding")]
Vocabulary = Annotated[int, Field(ge=1, description="how many tokens are known, the commonest ones")]
Rate = Annotated[float, Field(ge=0, lt=1, description="the share of the hidden units dropped in training")]


EXAMPLES = {
    "languages": "en-de",
    "steps": 2000,
    "patience": 3,
    "history": 96,
    "horizon": 24,
    "period": 24,
    "target": "price",
    "time": "date",
    "decimal": ",",
    "thousands": "space",
    "top_k": 40,
    "top_p": 0.9,
}  # of the settings that are nothing unless they are set


class Asking(BaseModel):
    """What `thalweg predict --set` may set: nothing, unless a kind of application adds keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_not_flags(cls, value: Any, info: Any) -> Any:
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind is not bool:  # YAML reads `epochs: yes` as True, Pydantic that as 1
            raise FormatError("a yes or no does not fit here")
        return value


class Settings(Asking):
    """What every recipe has; a recipe's own class adds its keys and sets its defaults."""

    epochs: Epochs = 10
    steps: Steps = None
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    patience: Patience = None
    validation_split: Share = 0.1
    seed: Seed = 0
    precision: Precision = "float32"

    def plan(self, rows: int) -> tuple[int, int]:
        """The epochs that a run over `rows` rows has, and the steps of each.

        >>> Settings(epochs=3, batch_size=32).plan(100)
        (3, 4)
        >>> Settings(epochs=3, batch_size=32, steps=6).plan(100)
        (3, 2)
        """
        whole = -(-rows // self.batch_size)
        if self.steps is None:
            return self.epochs, whole
        epochs = min(self.epochs, self.steps)
        return epochs, min(whole, self.steps // epochs)


AnySettings = TypeVar("AnySettings", bound=Asking)


def settle(kind: type[AnySettings], *layers: Mapping[str, Any]) -> AnySettings:
    """The settings that `layers` say, each over those before it.

    Args:
        kind: a recipe's class of settings.
        layers: values by name, such as those of a file and then those of the command line; texts are converted.

    Raises:
        ConfigError: an unknown name, with the nearest known one; a value of the wrong type or out of its bounds.

    >>> settle(Settings, {"epochs": 3, "seed": 1}, {"epochs": "5"}).epochs
    5
    """
    values = {name: value for layer in layers for name, value in layer.items()}
    unknown = [name for name in values if name not in kind.model_fields]
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0]!r}.\n  {nearest(unknown[0], kind.model_fields)}")
    try:
        return kind(**values)
    except ValidationError as error:
        lines = [_line(kind, dict(problem)) for problem in error.errors(include_url=False)]
        raise ConfigError("\n".join(lines)) from error


def _line(kind: type[Asking], problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    message = problem["msg"].removeprefix("Value error, ")
    default = kind.model_fields[name].default
    example = EXAMPLES.get(name) if default is None else default
    said = f"{name}={shown(problem['input'])}: {message[:1].lower()}{message[1:]}"
    return f"{said}.\n  Write, for example, {name}={example}."


def table(kind: type[Asking]) -> list[tuple[str, str, str]]:
    """Each setting's name, default and meaning, for a listing."""
    fields = kind.model_fields.items()
    return [(name, "" if f.default is None else str(f.default), f.description or "") for name, f in fields]
