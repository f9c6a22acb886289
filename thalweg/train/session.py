"""Session: what is behind a model: its network, how it is trained, its weights, and where its training stands.

    nothing --build--> weights --build, once compiled--> training --compile or freeze--> weights

The weights stand in one place at a time: here, or in the state of the training that has taken them over. Whoever reads
them asks for `lent`, whoever changes them from outside calls `replace`; a run leaves those of its last step.

Several threads may read while one trains: they see the weights of the last finished chunk. A training has one run.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg import compilation, tree
from thalweg.core import FLOAT32, Module, ModuleNetwork, Network, Policy, children, replace_at, walk
from thalweg.core.summary import Summary, summary
from thalweg.errors import ContractError, nearest
from thalweg.train import leaves
from thalweg.train.given import Given, given
from thalweg.train.predict import Ready
from thalweg.train.training import Settings, Training
from thalweg.train.weights import fitted, initial, named, order, replaced
from thalweg.types import Spec, Tree, row_spec


class Weights(NamedTuple):
    """What a network has learned: its parameters and its state."""

    params: Tree
    state: Tree


class Session:
    """A network from its first build to its last step.

    Args:
        module: a module of ours, or a network of another library.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.precision: Policy = FLOAT32
        self.seed = 0
        self.settings: Settings | None = None
        self.input_spec: Spec = None  # a row of the inputs that it was last built for
        self.classes: tuple[Any, ...] | None = None  # the texts that integer labels stand for
        self.columns: tuple[str, ...] | None = None  # of the frame that it was last trained on
        self.ready: Ready | None = None  # the inputs of the last prediction, where the next need no looking at
        self._weights: Weights | None = None
        self._paths: tuple[str, ...] = ()  # of the weights of layers, as the first build made them
        self._training: Training | None = None
        self._unlock()

    def _unlock(self) -> None:
        self._run, self._building = threading.Lock(), threading.RLock()
        self._runner: int | None = None  # the thread whose `fit` has the training

    def __getstate__(self) -> dict[str, Any]:
        own = {"ready", "_run", "_building", "_runner"}  # of this process: programs and locks
        kept = {name: value for name, value in vars(self).items() if name not in own}
        return kept | {"_weights": leaves.stored(self._weights)}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept, ready=None, _weights=leaves.restored(kept["_weights"]))
        self._unlock()

    @property
    def network(self) -> Network:
        """The network as the programs know it."""
        return ModuleNetwork(self.module, self.precision) if isinstance(self.module, Module) else self.module

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Where the precision is in force."""
        compilation.refuse_fork()
        return self.precision.scope()

    # How it is trained ------------------------------------------------------------------------------------------------

    def compile(self, settings: Settings, precision: Policy, seed: int) -> None:
        """Train by these settings from now on. Nothing is computed yet; the weights stay."""
        self._end("compile")
        self.settings, self.precision, self.seed = settings, precision, seed

    def require_compiled(self) -> Settings:
        """The settings.

        Raises:
            ContractError: there are none.
        """
        if self.settings is None:
            raise ContractError("the model is not compiled.\n  Write model.compile(optimizer=..., loss=...) first.")
        return self.settings

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Where one `fit` has the training.

        Raises:
            ContractError: another one has it.
        """
        if not self._run.acquire(blocking=False):
            self._refuse("fit")
        self._runner = threading.get_ident()
        try:
            yield
        finally:
            self._runner = None
            self._run.release()

    def require_idle(self, call: str) -> None:
        """Refuse `call` in another thread than that of a `fit` which runs.

        Raises:
            ContractError: one does.
        """
        if self._runner not in (None, threading.get_ident()):
            self._refuse(call)

    def _refuse(self, call: str) -> None:
        raise ContractError(
            f"{call}: a fit of this model runs, and a model has one training at a time.\n"
            "  Wait until it ends, or train another model: copy.copy(model) has weights of its own."
        )

    def freeze(self, *paths: str, trainable: bool = False) -> None:
        """Whether the parameters below each dotted path learn.

        Raises:
            ContractError: the network has no layer there.
        """
        module = self.module
        for path in paths:
            place, layers = tuple(path.split(".")), dict(walk(module))
            if place not in layers:
                known = (".".join(p) for p in layers if p)
                raise ContractError(f"the network has no layer at {path!r}.\n  {nearest(path, known)}")
            module = replace_at(module, place, dataclasses.replace(layers[place], trainable=trainable))
        self._end("freeze")
        self.module = module

    def become(self, module: Module) -> None:
        """Take another network.

        Raises:
            ContractError: this one has weights.
        """
        if self._weights is not None or self._training is not None:
            raise ContractError("the network has weights already.\n  Add layers before build, fit or predict.")
        self.module, self.ready = module, None

    # What it was given, built and learned -----------------------------------------------------------------------------

    def brought(self, x: Any, y: Any = None, weight: Any = None) -> Given:
        """What a call brought, as this network takes it; the classes of texts are the same from the first call on."""
        stated = getattr(self.module, "input_spec", None)
        spec = self.input_spec if stated is None else stated
        loss = None if self.settings is None else self.settings.loss
        brought = given(x, y, weight, spec=spec, loss=loss, classes=self.classes, dtype=self.precision.param)
        self.classes = brought.classes
        return brought

    @property
    def spec(self) -> Spec:
        """A row of the inputs: what it was last built for, or what the network itself states."""
        return declared(self.module) if self.input_spec is None else self.input_spec

    def build(self, spec: Spec = None) -> None:
        """Make what is not there yet for inputs like `spec`: the weights; once compiled, the training.

        Raises:
            ContractError: the shape of the inputs is not known, or a layer does not take it.
        """
        spec = self.spec if spec is None else spec
        with self.scope():
            if self._training is not None:
                self._training.outputs(spec)
            else:
                with self._building:
                    self._begin(spec)
        self.input_spec = spec

    def _begin(self, spec: Spec) -> None:
        if self._training is not None:
            return  # another thread has
        if self._weights is None:
            self._weights = Weights(*initial(self.network, self.seed, spec))
            self._paths = order(*self._weights) if isinstance(self.module, Module) else ()
        if self.settings is not None:
            self._training = Training.begin(self.network, self.settings, self.seed, spec, self._weights)
            self._weights = None

    def take(self, spec: Spec, weights: Mapping[str, Any]) -> None:
        """Build for inputs like `spec` with `weights` by dotted path, which the layers are held against one by one.

        Raises:
            ContractError: other names, or another shape.
        """
        assert isinstance(self.module, Module)
        with self.scope():
            self._weights = Weights(*fitted(ModuleNetwork(self.module, self.precision), spec, weights))
            self._paths = order(*self._weights)
        self.build(spec)

    @property
    def training(self) -> Training:
        """The training, begun where it has not yet.

        Raises:
            ContractError: the model is not compiled, or the shape of its inputs is not known.
        """
        self.require_compiled()
        if self._training is None:
            self.build()
        assert self._training is not None
        return self._training

    def lent(self) -> contextlib.AbstractContextManager[Any]:
        """Where `params` and `state` as they are now, built where they are not there yet, stay whole."""
        if self._training is None and self._weights is None:
            self.build()
        return contextlib.nullcontext(self._weights) if self._training is None else self._training.held

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of the weights in the order in which the layers made them; of another library, as its trees are."""
        if self._paths:
            return self._paths
        with self.lent() as weights:
            return order(weights.params, weights.state)

    def named(self) -> dict[str, np.ndarray]:
        """The weights by dotted path, layer by layer, as copies."""
        with self.lent() as weights:
            return named(weights.params, weights.state, self.paths)

    def replace(self, weights: Sequence[Any] | Mapping[str, Any]) -> None:
        """Put other numbers in: a list in the order of the layers, or a dict by dotted path.

        Raises:
            ContractError: other names, another number of arrays, or another shape.
        """
        with self.scope(), self.lent() as old:
            params, state = replaced(old.params, old.state, self.paths, weights)
        if self._training is None:
            self._weights = Weights(params, state)
        else:
            self._training.held.change(lambda ts: ts._replace(params=params, state=state))

    def summary(self) -> Summary:
        """The layers, their parameters, and what the optimizer keeps beside them."""
        numbers = 0 if self._training is None else tree.size(self._training.ts.optimizer)
        with self.scope():
            return summary(self.module, self.spec, optimizer=numbers, policy=self.precision)

    def _end(self, call: str) -> None:
        """End the training, whose task is no longer what is wanted, and keep its weights."""
        if self._runner is not None:
            self._refuse(call)
        if self._training is not None:
            ts = self._training.ts
            self._weights, self._training = Weights(ts.params, ts.state), None
        self.ready = None


def declared(module: Any) -> Spec:
    """The inputs that the network itself states: a graph's inputs, or `input_shape` of its first layer."""
    stated = getattr(module, "input_spec", None)
    if stated is not None:
        return stated
    first = module
    while isinstance(first, Module):
        if first.input_shape is not None:
            indices = getattr(module, "indices", None)
            return row_spec(first.input_shape, "int32" if indices and indices(0) else "float32")
        first = next((child for _, child in children(first)), None)
    raise ContractError(
        "the shape of the inputs is not known yet.\n"
        "  Give the first layer input_shape=(...), call model.build((None, ...)), or fit first."
    )
