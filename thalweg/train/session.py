"""Session: what is behind a model: its network, how it is trained, its weights, and where its training stands.

    nothing --build--> weights --build, once compiled--> training --compile or freeze--> weights

The weights stand in one place at a time: at rest, or in the state of the training that has taken them over. Whoever
reads them asks for `lent`, whoever changes them from outside calls `replace`; a run leaves those of its last step. What
other models over the same layers learn is fetched before anything is read (`train/owned.py`).

Several threads may read while one trains: they see the weights of the last finished chunk. A training has one run.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from thalweg import compilation, random, tree
from thalweg.core import FLOAT32, Module, ModuleNetwork, Network, Policy, walk
from thalweg.core.face import plain
from thalweg.core.summary import Summary, summary
from thalweg.errors import ContractError, nearest
from thalweg.ranges import flag
from thalweg.train import stated
from thalweg.train.given import Given, given
from thalweg.train.owned import TURN, Owned, Rest, Weights, known, say_untold
from thalweg.train.predict import Ready
from thalweg.train.training import Settings, Training
from thalweg.train.weights import fitted, initial, named
from thalweg.types import Spec


class Session:
    """A network from its first build to its last step.

    Args:
        module: a module of ours, or a network of another library.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.precision: Policy = FLOAT32
        self._seed: int | None = None  # None until it is asked for
        self.split_seed = random.SEEDS.base  # of which rows validate: the same for all networks that are given no seed
        self.settings: Settings | None = None
        self.input_spec: Spec = None  # a row of the inputs that it was last built for
        self.classes: tuple[Any, ...] | None = None  # the texts that integer labels stand for
        self.columns: tuple[str, ...] | None = None  # of the frame that it was last trained on
        self.ready: Ready | None = None  # the inputs of the last prediction, where the next need no looking at
        self._owned: Owned | None = None  # the weights, once there are any
        self._plain: Any = None  # the network as data, each layer told whether it learns
        self._told = 0  # how often any layer had been told, when this network was looked at
        self._look()
        self._training: Training | None = None
        self._unlock()

    def _unlock(self) -> None:
        self._run, self._building = threading.Lock(), threading.RLock()
        self._runner: int | None = None  # the thread whose `fit` has the training

    def __getstate__(self) -> dict[str, Any]:
        own = {"ready", "_run", "_building", "_runner"}  # of this process: programs and locks
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept, ready=None)
        self._unlock()

    @property
    def network(self) -> Network:
        """The network as the programs know it."""
        return ModuleNetwork(self._plain, self.precision) if isinstance(self._plain, Module) else self._plain

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Where the precision is in force."""
        compilation.refuse_fork()
        return self.precision.scope()

    # How it is trained ------------------------------------------------------------------------------------------------

    @property
    def seed(self) -> int:
        """Fixes every random number: the one given, or the next of `random.SEEDS`."""
        if self._seed is None:
            self._seed = next(random.SEEDS)
        return self._seed

    def compile(self, settings: Settings, precision: Policy, seed: int | None) -> None:
        """Train by these settings from now on. Nothing is computed yet; the weights stay."""
        self._end("compile")
        self.settings, self.precision = settings, precision
        if seed is not None:
            self.seeded(seed, seed)

    def seeded(self, seed: int, split_seed: int) -> None:
        """Draw by `seed` from now on, and which rows validate by `split_seed`."""
        self._seed, self.split_seed = seed, split_seed

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
            if self._training is not None:
                self._training.held.runner = None
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
        layers, trainable = dict(walk(self.module)), flag("trainable", trainable)
        places = [tuple(path.split(".")) for path in paths]
        for path, place in zip(paths, places, strict=True):
            if place not in layers:
                known = (".".join(p) for p in layers if p)
                raise ContractError(f"the network has no layer at {path!r}.\n  {nearest(path, known)}")
        self._end("freeze")
        for place in places:
            layers[place].trainable = trainable  # type: ignore[misc]
        self._look()

    def become(self, module: Module) -> None:
        """Take another network. Layers that are there keep what they have learned."""
        self._end("add")
        self.module, self._owned = module, None
        self._look()

    # What it was given, built and learned -----------------------------------------------------------------------------

    def brought(self, x: Any, y: Any = None, weight: Any = None) -> Given:
        """What a call brought, as this network takes it; the classes of texts are the same from the first call on."""
        own = getattr(self.module, "input_spec", None)
        spec = self.input_spec if own is None else own
        loss = None if self.settings is None else self.settings.loss
        brought = given(x, y, weight, spec=spec, loss=loss, classes=self.classes, dtype=self.precision.param)
        self.classes = brought.classes
        return brought

    @property
    def spec(self) -> Spec:
        """A row of the inputs: what it was last built for, or what the network itself states."""
        return stated.declared(self.module) if self.input_spec is None else self.input_spec

    def build(self, spec: Spec = None) -> None:
        """Make what is not there yet for inputs like `spec`: the weights; once compiled, the training.

        Raises:
            ContractError: the shape of the inputs is not known, is another than the network states, or a layer does
                not take it. Once there are weights the layers alone say what they take.
        """
        spec = self.spec if spec is None else spec
        with self.scope():
            if self._training is not None:
                self._training.outputs(spec)
            else:
                with self._building, TURN:
                    self._begin(spec)
        self.input_spec = spec

    def _begin(self, spec: Spec) -> None:
        if self._training is not None:
            return  # another thread has
        if self._owned is None:
            with stated.held(self.module, self.network, spec):
                self._owned = Owned(self.module, *initial(self.network, self.seed, spec, known(self.module)))
        if self.settings is not None:
            self._owned.follow()
            self._training = Training.begin(self.network, self.settings, self.seed, spec, self._owned.place.now)
            self._training.claim = self._owned.claim
            self._owned.move(self._training.held, self._plain)

    def take(self, spec: Spec, weights: Mapping[str, Any]) -> None:
        """Build for inputs like `spec` with `weights` by dotted path, which the layers are held against one by one.

        Raises:
            ContractError: other names, or another shape.
        """
        with self.scope():
            self._owned = Owned(self.module, *fitted(self.network, spec, weights))  # type: ignore[arg-type]
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
        if self._told != Module.told:
            self._told = Module.told
            say_untold(self.module, self._plain)
        with self.scope():
            self.owned.follow()
        return self._training

    @property
    def owned(self) -> Owned:
        """The weights, built where they are not there yet."""
        if self._owned is None:
            self.build()
        assert self._owned is not None
        return self._owned

    def lent(self) -> contextlib.AbstractContextManager[Any]:
        """Where `params` and `state` as they are now stay whole."""
        owned = self.owned
        with self.scope():
            owned.follow()
        return owned.place

    def named(self) -> dict[str, np.ndarray]:
        """The weights by dotted path, layer by layer, as copies."""
        with self.lent() as weights:
            return named(weights.params, weights.state, self.owned.paths)

    def replace(self, weights: Sequence[Any] | Mapping[str, Any]) -> None:
        """Put other numbers in; see `Owned.replace`."""
        with self.scope():
            self.owned.replace(weights)

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
            ts, self._training = self._training.ts, None
            self.owned.move(Rest(Weights(ts.params, ts.state)))
        self.ready = None
        self._look()

    def _look(self) -> None:
        """Take the network as it is now: which of its layers learn is asked here, and no later."""
        self._plain, self._told = plain(self.module) if isinstance(self.module, Module) else self.module, Module.told
