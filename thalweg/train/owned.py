"""Owned: a model's tree of arrays, and what other models over the same layers have made of it since.

    place     the tree itself: a `Rest` between trainings, a `Held` in one
    follow    fetch what a layer has learned elsewhere, before anything here is read
    claim     from now on the newest arrays of each layer that learns are here

A layer's owner (`thalweg.core.owner`) names one place. Whoever reads follows first, and has copies of its own, so that
no program takes an array from under another model; whoever trains claims. A model whose layers no other model has seen
compares a pointer for each layer, and copies nothing.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from thalweg import tree
from thalweg.core import Module, walk
from thalweg.core.owner import Owner, holder, own, owner
from thalweg.errors import ContractError
from thalweg.train import leaves
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
        known = owner(self.layer)
        assert known is not None
        return known


class Owned:
    """The tree of one model.

    Args:
        place: the tree.
        parts: its layers that have arrays; none of a network of another library.
    """

    def __init__(self, place: Any, parts: Sequence[Part] = ()) -> None:
        self.place, self.parts = place, tuple(parts)
        self.frozen: frozenset[Path] = frozenset()  # the layers that the training leaves as they are
        self._seen: dict[Path, tuple[Any, int]] = {}  # what was fetched: of which place, and how old
        with TURN:
            for part in self.parts:
                if owner(part.layer) is None:
                    own(part.layer, place, part.path)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_seen": {}}

    def move(self, place: Any, plain: Any = None) -> None:
        """Go on in another place, which has copies of the arrays; where it is a training, `plain` is what it trains."""
        with TURN:
            self.follow()
            self.frozen = frozenset() if plain is None else frozen(plain, self.parts)
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
                        f"{'.'.join(part.path)} {part.layer!r:.100} is a layer of another model too, of which a fit runs.\n"
                        "  Wait until it ends, or train a copy: copy.deepcopy(model) has weights of its own."
                    )
            self.follow()
            for part in wanted:
                part.owner.place, part.owner.path = self.place, part.path

    def _behind(self, part: Part) -> bool:
        place = part.owner.place
        return place is not self.place and self._seen.get(part.path) != (place, place.version)

    def _fetch(self, parts: Sequence[Part]) -> None:
        params, variables = {}, {}
        for part in parts:
            place = part.owner.place
            self._seen[part.path] = place, place.version  # before it is read: what comes meanwhile is fetched again
            found = fetched(part.owner, part.params, part.variables)
            params |= {part.path + name: value for name, value in found[0].items()}
            variables |= {part.path + name: value for name, value in found[1].items()}
        self.place.change(lambda now: now._replace(**_with(now, params, variables)))


def fetched(there: Owner, *names: Sequence[Path]) -> list[dict[Path, np.ndarray]]:
    """Copies of a layer's newest parameters and statistics, by their places below it."""
    with there.place as now:
        known = now.params, now.state.get("variables", {})
        return [
            {name: np.array(tree.get(arrays, there.path + name)) for name in wanted}
            for arrays, wanted in zip(known, names, strict=True)
        ]


def _with(now: Any, params: Mapping[Path, Any], variables: Mapping[Path, Any]) -> dict[str, Tree]:
    def merged(arrays: Tree, news: Mapping[Path, Any]) -> Tree:
        return tree.merged(arrays, {p: jnp.asarray(a, tree.get(arrays, p).dtype) for p, a in news.items()})

    changed: dict[str, Tree] = {"params": merged(now.params, params)}
    if variables:
        changed["state"] = now.state | {"variables": merged(now.state["variables"], variables)}
    return changed


def parts_of(module: Module, params: Sequence[Path], variables: Sequence[Path]) -> list[Part]:
    """The layers of `module` that have the arrays at these paths."""
    layers = dict(walk(module))
    out = []
    for place in dict.fromkeys(holder(layers, path) for path in (*params, *variables)):
        below = (
            tuple(path[len(place) :] for path in paths if holder(layers, path) == place)
            for paths in (params, variables)
        )
        out.append(Part(place, layers[place], *below))
    return out


def frozen(plain: Module, parts: Sequence[Part]) -> frozenset[Path]:
    """The places of the parts that do not learn.

    Raises:
        ContractError: a layer was frozen that has parameters of its own, and a part of it that learns.
    """
    still = [path for path, layer in walk(plain) if not layer.trainable]
    out = frozenset(part.path for part in parts if any(part.path[: len(path)] == path for path in still))
    for part in parts:
        if part.params and not part.layer.trainable and part.path not in out:
            raise ContractError(
                f"{part.layer!r:.200} is frozen and has parameters of its own, while a part of it learns.\n"
                "  Set trainable on its parts alone, or on the whole."
            )
    return out
