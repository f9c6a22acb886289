"""Owned: a model's tree of arrays, and what other models over the same layers have made of it since.

    place     the tree itself: a `Rest` between trainings, a `Held` in one
    follow    fetch what a layer has learned elsewhere, before anything here is read
    claim     from now on the newest arrays of each layer that learns are here

A layer's owner (`thalweg.core.face`) names one place. Whoever reads follows first, and has copies of its own, so that
no program takes an array from under another model; whoever trains claims. A model whose layers no other model has seen
compares a pointer for each layer, and copies nothing.
"""

import itertools
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from thalweg import tree
from thalweg.core import Module, Variable, walk
from thalweg.core.face import Owner, holder, plain, renewed
from thalweg.errors import ContractError
from thalweg.train import leaves
from thalweg.train.weights import order, replaced
from thalweg.types import Tree

TURN = threading.RLock()  # one model at a time changes whose the newest arrays are

Path = tuple[str, ...]


class Weights(NamedTuple):
    """What a network has learned: its parameters and its state."""

    params: Tree
    state: Tree


class Rest:
    """The weights of a network that is not being trained. Its arrays are never taken over, so that readers share them.

    Args:
        now: the weights.
    """

    runner: int | None = None  # no run moves it

    def __init__(self, now: Weights) -> None:
        self.now, self.version = now, 0

    def __enter__(self) -> Weights:
        return self.now

    def __exit__(self, *_: object) -> None:
        pass

    def change(self, to: Callable[[Weights], Weights]) -> None:
        """Put `to(weights)` in their place."""
        self.now, self.version = to(self.now), self.version + 1

    def __getstate__(self) -> Any:
        return leaves.stored(self.now)

    def __setstate__(self, stored: Any) -> None:
        Rest.__init__(self, leaves.restored(stored))


class Part(NamedTuple):
    """A layer that has arrays: its path, itself, and the places of its parameters and its statistics below it."""

    path: Path
    layer: Module
    params: tuple[Path, ...]
    variables: tuple[Path, ...]

    @property
    def owner(self) -> Owner:
        """Where its newest arrays are."""
        known = self.layer.owner
        assert known is not None
        return known


class Owned:
    """The tree of one model.

    Args:
        module: the network; that of another library has no layers of ours, and shares nothing.
        params: its parameters, as they were made.
        state: its state.
    """

    def __init__(self, module: Any, params: Tree, state: Tree) -> None:
        self.place: Any = Rest(Weights(params, state))
        of_layers = isinstance(module, Module)
        self._paths = order(params, state) if of_layers else ()
        self.parts = parts_of(module, params, state) if of_layers else ()
        self.frozen: frozenset[Path] = frozenset()  # the layers that the training leaves as they are
        self._seen: dict[Path, tuple[Any, int]] = {}  # what was fetched: of which place, and how old
        with TURN:
            for part in self.parts:
                if part.layer.owner is None:
                    part.layer.own(Owner(self.place, *part[:1], *part[2:]))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_seen": {}}

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of the arrays in the order in which the layers made them; of another library, as its trees are."""
        return self._paths or order(self.place.now.params, self.place.now.state)

    @property
    def variables(self) -> list[Variable]:
        """The arrays of layers, in the order of `paths`."""
        named = {
            ".".join(part.path + name): Variable(part.layer, name)
            for part in self.parts
            for name in (*part.params, *part.variables)
        }
        return [named[path] for path in self.paths if path in named]

    def move(self, place: Any, network: Any = None) -> None:
        """Go on in another place, which has copies of the arrays; where that is a training, of the plain `network`."""
        with TURN:
            self.follow()
            self.frozen = frozen(network, self.parts) if self.parts and network is not None else frozenset()
            for part in self.parts:
                if part.owner.place is self.place:
                    part.owner.place = place
            self.place = place

    def follow(self) -> None:
        """Fetch what other models have made of these layers since."""
        if any(self._behind(part) for part in self.parts):
            with TURN:
                self._fetch([part for part in self.parts if self._behind(part)])

    def claim(self, *, all_parts: bool = False) -> None:
        """Have the newest arrays of each layer that learns, or of all.

        Raises:
            ContractError: a `fit` of another model is moving them.
        """
        wanted = [p for p in self.parts if p.owner.place is not self.place and (all_parts or p.path not in self.frozen)]
        if not wanted:
            self.follow()
            return
        with TURN:
            for part in wanted:
                if part.owner.place.runner not in (None, threading.get_ident()):
                    raise ContractError(
                        f"{'.'.join(part.path)} {part.layer!r:.100} is a layer of another model, of which a fit runs.\n"
                        "  Wait until it ends, or train a copy: copy.deepcopy(model) has weights of its own."
                    )
            self.follow()
            for part in wanted:
                part.owner.place, part.owner.path = self.place, part.path

    def replace(self, weights: Sequence[Any] | Mapping[str, Any]) -> None:
        """Put other numbers in: a list in the order of the layers, or a dict by dotted path.

        Raises:
            ContractError: other names, another number of arrays, or another shape; or a `fit` is moving them.
        """
        self.follow()
        with self.place as old:
            params, state = replaced(old.params, old.state, self.paths, weights)
        self.claim(all_parts=True)
        self.place.change(lambda now: now._replace(params=params, state=state))

    def _behind(self, part: Part) -> bool:
        place = part.owner.place
        return place is not self.place and self._seen.get(part.path) != (place, place.version)

    def _fetch(self, parts: Sequence[Part]) -> None:
        params, variables = {}, {}
        for part in parts:
            place = part.owner.place
            self._seen[part.path] = place, place.version  # before it is read: what comes meanwhile is fetched again
            there = part.owner
            params |= {part.path + name: there.read(name) for name in there.params}
            variables |= {part.path + name: there.read(name) for name in there.variables}
        self.place.change(lambda now: now._replace(**renewed(now, params, variables)))


def parts_of(module: Module, params: Tree, state: Tree) -> tuple[Part, ...]:
    """The layers of `module` that have arrays."""
    layers = dict(walk(module))
    trees = [[path for path, _ in tree.flatten(arrays)] for arrays in (params, state.get("variables", {}))]

    def part(place: Path) -> Part:
        below = (tuple(p[len(place) :] for p in paths if holder(layers, p) == place) for paths in trees)
        return Part(place, layers[place], *below)

    return tuple(map(part, dict.fromkeys(holder(layers, path) for path in itertools.chain(*trees))))


def known(module: Any) -> dict[Path, Owner]:
    """The owners of layers that some model has built, by place."""
    layers = walk(module) if isinstance(module, Module) else ()
    return {path: found for path, layer in layers if (found := layer.owner) is not None}


def say_untold(module: Any, plain_one: Any) -> None:
    """Say which layers were told to learn, or not to, since their network was compiled as `plain_one`."""
    if not isinstance(module, Module):
        return
    pairs = zip(walk(plain(module)), walk(plain_one), strict=True)
    other = [".".join(path) or "the network" for (path, now), (_, was) in pairs if now.trainable != was.trainable]
    if other:
        warnings.warn(
            f"{', '.join(other[:5])}: trainable was set after compile, and this training goes on as it was compiled.\n"
            "  Call model.compile(...) again where that is wanted.",
            stacklevel=5,
        )


def frozen(network: Module, parts: Sequence[Part]) -> frozenset[Path]:
    """The places of the parts that do not learn.

    Raises:
        ContractError: a layer was frozen that has parameters of its own, and a part of it that learns.
    """
    layers = dict(walk(network))
    for part in parts:
        if part.params and "_raised" in vars(layers[part.path]):
            raise ContractError(
                f"{part.layer!r:.200} is frozen and has parameters of its own, while a part of it learns.\n"
                "  Set trainable on its parts alone, or on the whole."
            )
    still = [path for path, layer in layers.items() if not layer.trainable]
    return frozenset(part.path for part in parts if any(part.path[: len(path)] == path for path in still))
