"""Owner: which arrays belong to a layer object, though no module holds any.

    base = Model(x, f(x))          base and top are two trees of paths over one object f,
    top = Model(x, head(f(x)))     and f has one owner: what base learns, top starts from.

A layer *object* is known by identity. When a model first builds it, it gets its owner: the place where its newest
arrays are, and the path at which they stand there. A place is a model's whole tree, in training or at rest
(`thalweg.train.owned`). Equal layers are different objects, and `dataclasses.replace` makes a new one, without arrays.

Programs are compiled for a `plain` network: the same layers as data alone, without owners, each told whether it learns.
"""

from collections.abc import Mapping
from typing import Any

from thalweg.core.module import Module, children

Path = tuple[str, ...]


class Owner:
    """Where the newest arrays of one layer object are.

    Args:
        place: the tree that has them.
        path: the layer's place in that tree.
    """

    __slots__ = ("path", "place")

    def __init__(self, place: Any, path: Path) -> None:
        self.place, self.path = place, path

    def __repr__(self) -> str:
        return f"Owner({'.'.join(self.path)!r})"


def owner(module: Module) -> Owner | None:
    """The owner of a layer's arrays; None before it was first built."""
    return vars(module).get("_owner")


def own(module: Module, place: Any, path: Path) -> Owner:
    """Give a layer its owner."""
    made = Owner(place, path)
    object.__setattr__(module, "_owner", made)
    return made


def holder(layers: Mapping[Path, Module], path: Path) -> Path:
    """The place of the layer, among `layers` by place, that an array at `path` belongs to."""
    return next(path[:n] for n in range(len(path) - 1, -1, -1) if path[:n] in layers)


def plain(module: Module) -> Module:
    """`module` as data alone: without owners, and each part told whether it learns."""
    return _plain(module, {})


def _plain(module: Module, done: dict[int, Module]) -> Module:
    if id(module) not in done:  # one object stays one
        parts = {path: _plain(child, done) for path, child in children(module)}
        new = object.__new__(type(module))
        vars(new).update({name: value for name, value in vars(module).items() if name not in Module.face})
        for name in dict.fromkeys(path[0] for path in parts):
            value = getattr(module, name)
            if isinstance(value, tuple):
                value = tuple(parts.get((name, str(i)), part) for i, part in enumerate(value))
            else:
                value = parts[(name,)]
            object.__setattr__(new, name, value)
        if not module.trainable and "_said" in vars(module) and any(map(_learns, parts.values())):
            object.__setattr__(new, "trainable", True)  # its parts say it, each for itself
        done[id(module)] = new
    return done[id(module)]


def _learns(module: Module) -> bool:
    parts = [child for _, child in children(module)]
    return module.trainable and (not parts or any(map(_learns, parts)))
