"""Settings: what a recipe lets you set, typed and with bounds; from its defaults, a file and flags, later ones first.

An unknown name, a wrong type or a number out of its bounds is an error before any work is done.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from thalweg.errors import ConfigError, nearest


def _listed(value: Any) -> Any:
    """`8,16` as people type it, as a list."""
    return value.strip("[]()").split(",") if isinstance(value, str) else value


Epochs = Annotated[int, Field(ge=1, description="how often the training part is gone through")]
BatchSize = Annotated[int, Field(ge=1, description="rows of one step")]
LearningRate = Annotated[float, Field(gt=0, description="the optimizer's step length at the start")]
Share = Annotated[float, Field(gt=0, lt=1, description="the share of the training part that validates")]
Seed = Annotated[int, Field(ge=0, lt=2**31, description="fixes the split, the first weights and the order of the rows")]
Precision = Annotated[Literal["float32", "bfloat16", "float64"], Field(description="in which the network computes")]
Units = Annotated[int, Field(ge=1, description="units of the hidden layer")]
Filters = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    BeforeValidator(_listed),
    Field(min_length=1, description="of each convolution"),
]
Rate = Annotated[float, Field(ge=0, lt=1, description="the share of the hidden units dropped in training")]


class Settings(BaseModel):
    """What every recipe has; a recipe's own class adds its keys and sets its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: Epochs = 10
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    validation_split: Share = 0.1
    seed: Seed = 0
    precision: Precision = "float32"

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_not_flags(cls, value: Any) -> Any:
        if isinstance(value, bool):  # YAML reads `epochs: yes` as True, and Pydantic reads True as 1
            raise ValueError("a yes or no does not fit here")  # noqa: TRY004  (Pydantic collects ValueError only)
        return value


AnySettings = TypeVar("AnySettings", bound=Settings)


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


def _line(kind: type[Settings], problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    said = problem["msg"].removeprefix("Value error, ")
    default = kind.model_fields[name].default
    return f"{name}={problem['input']!r}: {said[:1].lower()}{said[1:]}.\n  Write, for example, {name}={default}."


def table(kind: type[Settings]) -> list[tuple[str, str, str]]:
    """Each setting's name, default and meaning, for a listing."""
    return [(name, str(field.default), field.description or "") for name, field in kind.model_fields.items()]
