"""Face: what a layer object is to the one who wrote it: whether it learns, its arrays, and what it was called on.

A module is frozen data and holds no arrays. The *object* has, beside its fields, three things that no copy by
`dataclasses.replace`, no file and no program sees:

    owner     which tree has its newest arrays, and at which path: made when a model first builds it
    told      the last word on whether it learns
    calls     the nodes that it made when a graph was wired

    base = Model(x, f(x))          base and top are two trees of paths over one object f, which has one owner:
    top = Model(x, head(f(x)))     what base learns, top starts from
"""

import dataclasses
import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import tree
from thalweg.errors import ContractError

Path = tuple[str, ...]

_serial = itertools.count()


class Owner:
    """Where the newest arrays of one layer object are.

    Args:
        place: the tree that has them: at rest or in training (`thalweg.train.owned`).
        path: the layer's place in that tree.
        params: the places of its parameters below it.
        variables: those of its statistics.
    """

    def __init__(self, place: Any, path: Path, params: Sequence[Path] = (), variables: Sequence[Path] = ()) -> None:
        self.place, self.path, self.params, self.variables = place, path, tuple(params), tuple(variables)
        self.serial = next(_serial)  # layers are listed in the order in which they were built

    def read(self, name: Path) -> np.ndarray:
        """A copy of the newest array at `name` below the layer."""
        with self.place as now:
            arrays = now.params if name in self.params else now.state["variables"]
            return np.array(tree.get(arrays, self.path + name))

    def write(self, news: dict[Path, np.ndarray]) -> None:
        """Put other numbers in, by name; the shapes are those of the old ones."""

        def changed(now: Any) -> Any:
            params = {self.path + name: value for name, value in news.items() if name in self.params}
            variables = {self.path + name: value for name, value in news.items() if name in self.variables}
            return now._replace(**renewed(now, params, variables))

        self.place.change(changed)


def renewed(now: Any, params: Mapping[Path, Any], variables: Mapping[Path, Any]) -> dict[str, Any]:
    """The parameters and the state of a place, each array given by its path put in its place, in its own dtype."""

    def put(arrays: Any, news: Mapping[Path, Any]) -> Any:
        with jax.enable_x64(any(jnp.dtype(tree.get(arrays, path).dtype).itemsize == 8 for path in news)):
            return tree.merged(arrays, {p: jnp.asarray(a, tree.get(arrays, p).dtype) for p, a in news.items()})

    changed = {"params": put(now.params, params)}
    if variables:
        changed["state"] = now.state | {"variables": put(now.state["variables"], variables)}
    return changed


class Variable:
    """One array of a layer object, by name: `layer.kernel`. It has no numbers of its own, and shows the newest.

    Args:
        layer: the layer that it belongs to.
        place: where it is below it.
    """

    __slots__ = ("layer", "place")

    def __init__(self, layer: "Face", place: Path) -> None:
        self.layer, self.place = layer, place

    @property
    def owner(self) -> Owner:
        """Where its numbers are."""
        known = self.layer.owner
        assert known is not None  # its layer is built
        return known

    name = property(lambda self: self.place[-1], doc="Its name, such as `kernel`.")
    value = property(lambda self: self.numpy(), doc="A copy of its numbers.")
    shape = property(lambda self: self.numpy().shape, doc="Its shape.")
    dtype = property(lambda self: self.numpy().dtype.name, doc="Its dtype, as a text.")

    @property
    def path(self) -> str:
        """The name of its layer, or that of its class, and its own."""
        return "/".join((self.layer.name or type(self.layer).__name__, *self.place))

    @property
    def trainable(self) -> bool:
        """Whether it is a parameter of a layer that learns."""
        return self.layer.trainable and self.place in self.owner.params

    def numpy(self) -> np.ndarray:
        """A copy of its numbers."""
        return self.owner.read(self.place)

    def assign(self, value: Any) -> None:
        """Put other numbers in, for every model over its layer.

        Raises:
            ContractError: another shape, or a `fit` in another thread is moving them.
        """
        written([self], [value])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy().astype(dtype or self.dtype)

    def __repr__(self) -> str:
        return f"<Variable {self.path}, shape {self.shape}, {self.dtype}>"


def written(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Put other numbers in.

    Raises:
        ContractError: another number of arrays, another shape, or a `fit` in another thread is moving them.
    """
    if len(variables) != len(values):
        names = ", ".join(v.path for v in variables) or "none, as it is not built yet"
        raise ContractError(f"the layer has {len(variables)} arrays; {len(values)} were given.\n  In order: {names}.")
    news: dict[int, tuple[Owner, dict[Path, np.ndarray]]] = {}
    for variable, value in zip(variables, values, strict=True):
        if np.shape(value) != variable.shape:
            raise ContractError(
                f"{variable.path} has shape {variable.shape}; the given array has {np.shape(value)}.\n"
                "  Give an array of its shape."
            )
        there = variable.owner
        if there.place.runner not in (None, threading.get_ident()):
            raise ContractError(
                f"{variable.path}: a fit of a model that has this layer runs in another thread.\n"
                "  Wait until it ends, or set it in a callback."
            )
        news.setdefault(id(there), (there, {}))[1][variable.place] = np.asarray(value)
    for there, named in news.values():
        there.write(named)


class Listed:
    """What has `variables`, some of which learn."""

    variables: Any

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of `variables` that learn."""
        return [v for v in self.variables if v.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Those of `variables` that do not learn."""
        return [v for v in self.variables if not v.trainable]

    trainable_weights = property(lambda self: self.trainable_variables, doc="Its `trainable_variables`.")
    non_trainable_weights = property(lambda self: self.non_trainable_variables, doc="Its `non_trainable_variables`.")


class Face(Listed):
    """The base of modules: what the object has beside its fields, which are data."""

    face: ClassVar[frozenset[str]] = frozenset({"_owner", "_told", "_calls"})
    told: ClassVar[int] = 0  # how often any layer was told whether it learns

    name: str | None
    trainable: bool

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_calls"}

    def __getattr__(self, name: str) -> Any:
        """An array by its name: `layer.kernel`."""
        if name in ("input", "output"):
            return self._call()  # which raises: that is why Python asks here
        there = vars(self).get("_owner")
        found = [] if there is None else [p for p in (*there.params, *there.variables) if p[-1] == name]
        if len(found) == 1:
            return Variable(self, found[0])
        raise AttributeError(
            f"{type(self).__name__} has no {name!r}.\n  It has arrays once a model that has it is built."
        )

    @property
    def owner(self) -> Owner | None:
        """Where its arrays are; None before it was first built, and where it has none but those of its parts."""
        return vars(self).get("_owner")

    def own(self, owner: Owner) -> None:
        """Give the object its owner."""
        object.__setattr__(self, "_owner", owner)

    @property
    def variables(self) -> list[Variable]:
        """Its arrays and those of its parts, layer by layer, or as they were made; none before it is built."""
        line = [part for part in vars(self).get("layers", ()) if isinstance(part, Face)]
        if line:  # of which one may be older than the one before it
            return list({(id(v.layer), v.place): v for part in line for v in part.variables}.values())
        built = {id(part): part for _, part in walk(self) if part.owner is not None}
        inside = sorted(built.values(), key=lambda part: part.owner.serial)  # type: ignore[union-attr]
        return [Variable(part, place) for part in inside for place in (*part.owner.params, *part.owner.variables)]  # type: ignore[union-attr]

    weights = property(lambda self: self.variables, doc="Its `variables`.")

    def get_weights(self) -> list[np.ndarray]:
        """Copies of its arrays."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put other numbers in, for every model over this layer; see `written`."""
        written(self.variables, list(weights))

    @property
    def output(self) -> Any:
        """The node that it made when it was first called on one."""
        return self._call()

    @property
    def input(self) -> Any:
        """The node that it was first called on, or the list of them."""
        args = self._call().args
        return args[0] if len(args) == 1 else list(args)

    def _call(self) -> Any:
        calls = vars(self).get("_calls")
        if calls:
            return calls[0]
        raise AttributeError(
            f"{type(self).__name__} has not been called on a node of a graph, and has no input and output.\n"
            "  Write y = layer(x) with x = Input(shape), or take the layer from a model: model.get_layer(name)."
        )


def children(module: Face) -> Iterator[tuple[Path, Any]]:
    """Each module among the fields of `module`, with its path: `("first",)`, `("layers", "0")`."""
    for f in dataclasses.fields(module):  # type: ignore[arg-type]
        value = getattr(module, f.name)
        if isinstance(value, Face):
            yield (f.name,), value
        elif isinstance(value, tuple):
            yield from (((f.name, str(i)), v) for i, v in enumerate(value) if isinstance(v, Face))


def walk(module: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """`module` and everything below it, with paths."""
    yield path, module
    for part, child in children(module):
        yield from walk(child, path + part)


def tell(module: Face, name: str, value: Any) -> None:
    """`layer.trainable = False`, for the layer and all that it is made of, until a part is told otherwise."""
    if name != "trainable" or not isinstance(value, bool):
        raise ContractError(
            f"{type(module).__name__}.{name} cannot be set to {value!r:.100}: a layer's settings are fixed.\n"
            "  Write them when the layer is made; layer.trainable = True or False can be set at any time."
        )
    Face.told += 1
    object.__setattr__(module, "trainable", value)
    object.__setattr__(module, "_told", Face.told)
    for _, child in children(module):
        child.trainable = value


def plain(module: Any) -> Any:
    """`module` as data alone, which programs are compiled for: each part told whether it learns, and no owners."""
    return _plain(module, {})


def _plain(module: Any, done: dict[int, Any]) -> Any:
    if id(module) not in done:  # one object stays one
        new = object.__new__(type(module))
        vars(new).update({name: value for name, value in vars(module).items() if name not in Face.face})
        parts = {path: _plain(child, done) for path, child in children(module)}
        for name in dict.fromkeys(path[0] for path in parts):
            old = getattr(module, name)
            many = isinstance(old, tuple)
            value = tuple(parts.get((name, str(i)), v) for i, v in enumerate(old)) if many else parts[(name,)]
            object.__setattr__(new, name, value)
        if not module.trainable and "_told" in vars(module) and any(map(_learns, parts.values())):
            vars(new).update(trainable=True, _raised=True)  # its parts say it, each for itself
        done[id(module)] = new
    return done[id(module)]


def _learns(module: Any) -> bool:
    parts = [child for _, child in children(module)]
    return module.trainable and (not parts or any(map(_learns, parts)))


def holder(layers: Mapping[Path, Any], path: Path) -> Path:
    """The place of the layer, among `layers` by place, that an array at `path` belongs to."""
    return next(path[:n] for n in range(len(path) - 1, -1, -1) if path[:n] in layers)
