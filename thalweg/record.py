"""Record: frozen hyperparameters that print, hash, compare and turn into JSON.

Every setting a user writes (a layer, an initialiser, a loss, an optimizer) is a Record. Subclassing is enough: the
subclass becomes a frozen dataclass, `repr` evaluates back to it, and `to_json` / `from_json` carry it through a file.
Loading builds only classes from the allow-list it is given, so a file can name nothing else.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, dataclass_transform

import numpy as np

from thalweg.errors import ConfigError, nearest
from thalweg.ranges import Range, check, flag

MAX_DEPTH = 64  # deeper nesting than any network; bounds the recursion on hostile files


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class Record:
    """The base of all that is data. Lists become tuples and NumPy values plain numbers, so that a record hashes.

    A field that is `bool` is True or False: "no", which Python takes for true, is an error.

    A class may set `limits`, the range of each of its numbers: see `thalweg.ranges`.
    """

    limits: ClassVar[Mapping[str, Range]] = {}

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True, repr=False)(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # pyright: ignore[reportArgumentType]
            value = getattr(self, field.name)
            plain = _own(value) if value is field.default else freeze(value)
            if field.type is bool and not isinstance(plain, bool):
                flag(field.name, plain, type(self).__name__)
            if plain is not value:
                object.__setattr__(self, field.name, plain)
        check(self, self.limits)

    def __repr__(self) -> str:
        positional = [f for f in dataclasses.fields(self) if not f.kw_only]  # pyright: ignore[reportArgumentType]
        lead = positional[0].name if positional else None
        parts = [repr(v) if k == lead else f"{k}={v!r}" for k, v in settings(self).items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def _own(default: Any) -> Any:
    """A default as an object of its own, where it is a record: a layer's arrays are known by the object."""
    if isinstance(default, Record):
        return dataclasses.replace(default)  # pyright: ignore[reportArgumentType]
    return tuple(map(_own, default)) if isinstance(default, tuple) else freeze(default)


def freeze(value: Any) -> Any:
    """`value` with lists as tuples and NumPy arrays and scalars as plain numbers."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        parts = tuple(freeze(v) for v in value)
        same = isinstance(value, tuple) and all(a is b for a, b in zip(parts, value, strict=True))
        return value if same else parts
    return value


def settings(record: Record) -> dict[str, Any]:
    """The fields of `record` that differ from their defaults, those given by position first."""
    out = {}
    for field in sorted(dataclasses.fields(record), key=lambda f: bool(f.kw_only)):  # pyright: ignore[reportArgumentType]
        value, default = getattr(record, field.name), field.default
        if default is dataclasses.MISSING or type(value) is not type(default) or value != default:
            out[field.name] = value
    return out


def to_json(value: Any) -> Any:
    """`value` as what `json.dumps` takes: a record becomes `{"type": name, field: value, ...}`."""
    if isinstance(value, Record):
        fields = {k: to_json(v) for k, v in settings(value).items()}
        if "type" in fields:
            raise ConfigError(
                f"{type(value).__name__} has a field `type`, which a file has for its class.\n  Rename it."
            )
        return {"type": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_json(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(
        f"{value!r} cannot be stored in a file: only records, names, numbers and lists of them can.\n"
        "  Write a known name (such as activation='relu') or a Record of your own that you register."
    )


def from_json(data: Any, allowed: Mapping[str, Callable[..., Any]], depth: int = 0) -> Any:
    """The value that `to_json` stored. Only the names in `allowed` are built; anything else is a `ConfigError`."""
    if depth > MAX_DEPTH:
        raise ConfigError(f"the stored description nests deeper than {MAX_DEPTH} levels.\n  It is no file of ours.")
    if isinstance(data, list):
        return tuple(from_json(v, allowed, depth + 1) for v in data)
    if not isinstance(data, dict):
        return data
    name = data.get("type")
    if not isinstance(name, str) or name not in allowed:
        raise ConfigError(
            f"the stored type {name!r:.100} is not on the allow-list.\n  {nearest(str(name)[:100], allowed)}"
        )
    fields = {k: from_json(v, allowed, depth + 1) for k, v in data.items() if k != "type"}
    try:
        return allowed[name](**fields)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"the stored {name} does not fit this version: {error}.\n  Read it with the version that wrote it."
        ) from error


def same(a: Any, b: Any) -> bool:
    """Whether two values are one setting: equal records of equal classes, part by part; NaN is NaN.

    Classes are known by name and module, as a notebook's cell may define one again.

    >>> same((1, float("nan")), (1, float("nan"))), same(1, True)
    (True, False)
    """
    if isinstance(a, Record) and isinstance(b, Record):
        kinds = [(type(v).__module__, type(v).__qualname__) for v in (a, b)]
        names = [f.name for f in dataclasses.fields(a)]  # pyright: ignore[reportArgumentType]
        return kinds[0] == kinds[1] and all(same(getattr(a, name), getattr(b, name, None)) for name in names)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    kinds = [isinstance(v, bool | float) and type(v) for v in (a, b)]
    return kinds[0] == kinds[1] and (a == b or [repr(a), repr(b)] == ["nan", "nan"])


def resolve(value: Any, table: Mapping[str, Callable[[], Any]], kind: str) -> Any:
    """A name looked up in `table` and built; anything that is not a name passes through.

    >>> resolve("sgd", {"sgd": lambda: 0.1}, "optimizer")
    0.1
    """
    if not isinstance(value, str):
        return value
    key = value.lower()
    if key not in table:
        raise ConfigError(f"unknown {kind} {value!r}.\n  {nearest(value, table)}")
    return table[key]()
