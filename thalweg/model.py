"""Model: a network with its training: compile, fit, evaluate, predict, save, load.

Keras's names, argument order and hooks, so that a Keras listing runs when its import line changes. What is here is the
facade; the work is done in the rooms: `core` for the network, `train` for the runs, `export` for the file.
"""

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import jax
import numpy as np

from thalweg import compilation, layers
from thalweg.core import Module, Variable, policy
from thalweg.core.face import Listed
from thalweg.core.summary import Summary
from thalweg.errors import ContractError
from thalweg.export import archive
from thalweg.ranges import flag
from thalweg.record import Record
from thalweg.train import History, Plan, Session, Settings, asked, calls
from thalweg.train.callbacks import Callback
from thalweg.train.evaluate import listed
from thalweg.train.optimizer import RunningOptimizer
from thalweg.train.stated import row, shape, states
from thalweg.types import Spec

compilation.keep_programs()
compilation.answer_at_once()
compilation.keep_memory()


class Model(Listed):
    """A network that can be trained.

    Args:
        inputs: a module (`layers.Sequential`, one of your own), a network of another library (`bridge/`), or the input
            node or nodes of a graph.
        outputs: the output node or nodes, when `inputs` are nodes.
        name: shown in `repr`.
        trainable: whether its layers learn.

    Example:
        >>> import numpy as np, thalweg
        >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        >>> model = thalweg.Sequential([thalweg.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> history = model.fit(x, x.sum(axis=1), epochs=20, verbose=0)
        >>> history.history["loss"][-1] < history.history["loss"][0]
        True
    """

    def __init__(self, inputs: Any, outputs: Any = None, *, name: str | None = None, trainable: bool = True) -> None:
        self.session = Session(module_of(inputs) if outputs is None else layers.graph(inputs, outputs, name=name))
        self._nodes = None if outputs is None else (list(jax.tree.leaves(inputs)), outputs)
        self.name, self.stop_training = name, False
        self.history: History | None = None
        self.preprocessing: dict[str, Record] = {}  # what makes inputs of what people have; its file holds it
        if not trainable:
            self.trainable = False

    module = property(attrgetter("session.module"), doc="The network.")
    network = property(attrgetter("session.network"), doc="The network as the programs know it.")
    input_spec = property(attrgetter("session.input_spec"), doc="A row of the inputs; None before the first build.")
    settings = property(attrgetter("session.settings"), doc="What `compile` was told; None before.")
    precision = property(attrgetter("session.precision"), doc="In which dtypes it is kept and computes.")
    seed = property(attrgetter("session.seed"), doc="Fixes every random number.")
    classes = property(attrgetter("session.classes"), doc="The texts that labels were, in the order of their codes.")

    def __repr__(self) -> str:
        return f"Model({self.module!r})"

    @property
    def trainable(self) -> bool:
        """Whether its layers learn. Set it, for all of them, before `compile`; a layer alone by its own `trainable`."""
        return self.module.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(self.module, Module):
            raise ContractError("the layers of another library's network are told there.\n  Write it in that library.")
        self.module.trainable = value  # type: ignore[misc]

    def __copy__(self) -> "Model":
        """A model with weights and a training of its own, as in Keras."""
        return copy.deepcopy(self)

    def __call__(self, x: Any) -> Any:
        """The output for a batch; with a node of a graph, the network becomes one of its layers."""
        return self.module(x) if layers.is_node(x) else self.predict(x)

    # The network ------------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Module, ...]:
        """The layers of a sequence or a graph; they have an `input` and `output` once the inputs' shape is known."""
        known = self.input_spec is not None or states(self.module)
        if known and self._nodes is None and isinstance(self.module, Module):
            _ = self._wired
        return tuple(getattr(self.module, "layers", (self.module,)))

    def get_layer(self, name: str | None = None, index: int | None = None) -> Module:
        """A layer by its name, or by its place.

        A layer without a name has that of its class, numbered in this model: `dense`, `dense_1`.

        Raises:
            ContractError: none is there.
        """
        named = layers.names(self.layers)
        if index is not None and -len(named) <= index < len(named):
            return self.layers[index]
        if name in named:
            return self.layers[named.index(name)]
        raise ContractError(
            f"the model has no layer {name if index is None else index!r}.\n  It has {', '.join(named)}."
        )

    @property
    def _wired(self) -> tuple[list[Any], Any]:
        if self._nodes is None:
            spec = self.session.spec
            rows = shape(self.module) or getattr(spec, "shape", (1,))[1:]
            self._nodes = layers.opened(self.module, rows, str(getattr(spec, "dtype", "float32")))
        return self._nodes

    inputs = property(lambda self: self._wired[0], doc="The nodes where its batches come in.")
    outputs = property(lambda self: jax.tree.leaves(self._wired[1]), doc="The nodes that come out.")
    output = property(lambda self: self._wired[1], doc="The node that comes out, or what has the shape of several.")

    @property
    def input(self) -> Any:
        """The node where its batches come in, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    def add(self, layer: Any) -> None:
        """Append a layer to a sequence; the others keep their weights."""
        new, nodes = module_of(layer), self._nodes
        self.session.become(dataclasses.replace(self.module, layers=(*self.module.layers, new)))
        self._nodes = None if nodes is None else (nodes[0], new(nodes[1]))

    def pop(self) -> None:
        """Take the last layer off a sequence; the others keep their weights."""
        self.session.become(dataclasses.replace(self.module, layers=self.module.layers[:-1]))
        self._nodes = None

    def freeze(self, *paths: str, trainable: bool = False) -> None:
        """Keep the parameters below each dotted path as they are; then compile.

        `model.freeze("layers.0")` is `model.layers[0].trainable = False`: for every model over that layer, from its
        next `compile` on.
        """
        self.session.freeze(*paths, trainable=trainable)

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the parameters; `input_shape` has the batch axis in front, as None."""
        self.session.build(None if input_shape is None else row(self.module, input_shape[1:]))

    def build_for(self, spec: Spec) -> None:
        """Make the parameters for inputs like `spec`, a row with its batch axis."""
        self.session.build(spec)

    def summary(self, print_fn: Callable[[str], Any] | None = print) -> Summary:
        """A table of the layers: path, type, output shape, parameters, FLOPs, memory; and the totals."""
        table = self.session.summary()
        if print_fn is not None:
            print_fn(str(table))
        return table

    def count_params(self) -> int:
        """How many numbers the parameters and the statistics have."""
        table = self.session.summary()
        return table.trainable + table.non_trainable

    # Training ---------------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        *,
        precision: Any = "float32",
        seed: int | None = None,
    ) -> None:
        """Say how to train: nothing is computed yet.

        Args:
            optimizer: a name ("adam"), a record of `thalweg.optimizers`, or an Optax transformation.
            loss: a name ("mse"), a record of `thalweg.losses`, or a function of targets and predictions, which have one
                shape where they can: it gives a number for each row, or one that is the mean of the batch.
            metrics: names, records of `thalweg.metrics`, or functions that give a number for each row. Of one name, the
                second is called `auc_1`.
            precision: "float32", "bfloat16" (compute; float32 weights) or "float64".
            seed: fixes the initial weights, the order of the rows and every random number. A network that is given none
                has the next of a sequence that is the same in each process: `model.seed` tells it, and
                `utils.set_random_seed` begins another sequence.

        Raises:
            ConfigError: for an unknown name, with the nearest known one; or a metric called as something else is.
        """
        self.session.compile(Settings.of(optimizer, loss, metrics), policy(precision), seed)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        *,
        split: str = "shuffled",
        run_dir: str | Path | None = None,
        resume: bool = False,
    ) -> History:
        """Train for `epochs` epochs; returns the history.

        Args:
            x: inputs: an array, a data frame, or a `data.Source`, which gives targets too; for a network of several
                inputs a list or tuple of arrays in their order, or a dict by name. For one input a list is of rows.
            y: targets, a row for each row of `x`: numbers, or labels (texts too) where the loss takes classes.
            batch_size: rows a step; 32 unless said.
            epochs: the epoch number to stop at.
            verbose: 0 nothing, 1 a progress bar, 2 a line per epoch; "auto" chooses by the terminal.
            callbacks: see `thalweg.callbacks`.
            validation_split: the fraction set apart, shuffled and stratified by label.
            validation_data: `(x, y)` or `(x, y, weights)`.
            shuffle: whether each epoch has an order of its own, drawn from the seed.
            class_weight: a weight for each class, by number or by name, or a list of them, or "balanced"; it multiplies
                `sample_weight`, for each row, step or label that has a class. For the rows that train alone.
            sample_weight: a weight for each row.
            initial_epoch: the epoch number to start from.
            steps_per_epoch: an epoch's steps at most, of rows drawn anew for each; all rows unless said.
            split: "time" takes the validation rows from the end, in order.
            run_dir: a folder for checkpoints, so that the run can be resumed.
            resume: go on from the newest good checkpoint of `run_dir`, to the same bits as without the stop.

        Raises:
            ContractError: what was given does not fit; before the first step, with what to write instead. Or another
                thread trains this model.
            DivergenceError: the loss, the weights or the statistics are no longer finite; names where it began.
        """
        return calls.fit(
            self, (x, y, sample_weight), Plan(epochs, self.seed, initial_epoch, shuffle, steps_per_epoch),
            batch_size=batch_size, class_weight=class_weight, validation_data=validation_data,
            validation_split=validation_split, split=split, callbacks=callbacks or (), verbose=verbose,
            run_dir=run_dir, resume=resume,
        )  # fmt: skip

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        *,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on `x`, `y`: a number, a list in Keras's order, or a dict."""
        asked.verbose(verbose)
        kept = flag("return_dict", return_dict)
        return listed(calls.evaluate(self.session, x, y, sample_weight, batch_size), return_dict=kept)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto") -> Any:
        """The network's output for each row of `x` (a source, or arrays as in `fit`), as a NumPy array."""
        asked.verbose(verbose)
        return calls.predict(self.session, x, batch_size)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, *, return_dict: bool = False
    ) -> Any:
        """One step on one batch; the loss and the metrics of that batch before the step.

        Raises:
            ContractError: what was given does not fit, or the learning rate's schedule does not say how long it lasts.
            DivergenceError: the loss or the weights are not finite; the weights are those from before.
        """
        kept = flag("return_dict", return_dict)
        return listed(calls.train_on_batch(self.session, x, y, sample_weight, class_weight), return_dict=kept)

    @property
    def optimizer(self) -> RunningOptimizer:
        """The optimizer and its numbers now: `model.optimizer.learning_rate = 1e-4` compiles nothing again."""
        return RunningOptimizer(self.session)

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate now; set it at any time, nothing is compiled again."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    # Weights and files ------------------------------------------------------------------------------------------------

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Parameters and statistics by dotted path, layer by layer, as copies."""
        return self.session.named()

    @property
    def variables(self) -> list[Variable]:
        """Its arrays in the order of `get_weights`, each as `layer.kernel` is: to read, and to `assign` to."""
        return self.session.owned.variables

    def get_weights(self) -> list[np.ndarray]:
        """Parameters and statistics as a list, layer by layer."""
        return list(self.weights.values())

    def set_weights(self, weights: Sequence[Any] | Mapping[str, Any]) -> None:
        """Put `weights` in: a list as from `get_weights`, or a dict as from `weights`."""
        self.session.replace(weights)

    def save(self, path: str | Path, manifest: Mapping[str, Any] | None = None) -> Path:
        """Write `path` (`name.tw`): architecture, weights, settings; a file that runs no code when it is loaded."""
        return archive.save(path, self, manifest or {})

    @staticmethod
    def load(path: str | Path) -> "Model":
        """The model that `save` wrote, predicting the same bits; compiled again when it was."""
        return archive.load(path, Model)


def Sequential(  # noqa: N802  (Keras's name)
    layer_list: Sequence[Any] = (), trainable: bool = True, name: str | None = None
) -> Model:
    """A model of layers one after another.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.layers.Dense(10, activation="softmax", input_shape=(4,))])
        >>> model.count_params()
        50
    """
    network = layers.Sequential(tuple(module_of(layer) for layer in layer_list), name=name)
    return Model(network, name=name, trainable=trainable)


def load_model(path: str | Path) -> Model:
    """The model that `Model.save` wrote. See `Model.load`."""
    return Model.load(path)


def module_of(layer: Any) -> Any:
    """A layer as it is; a model as its network, so that models nest."""
    return layer.module if isinstance(layer, Model) else layer
