"""Model: a network with its training: compile, fit, evaluate, predict, save, load.

Keras's names, argument order and hooks, so that a Keras listing runs when its import line changes. What is here is the
facade; the work is done in the rooms: `core` for the network, `train` for the runs, `export` for the file.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import compilation, layers, losses, metrics, optim, tree
from thalweg.core import Module, ModuleNetwork, Network, policy, replace_at, walk
from thalweg.core.summary import Summary, summary
from thalweg.errors import ContractError, nearest
from thalweg.export import archive
from thalweg.record import Record
from thalweg.train import Fit, History, Plan, Session, prepare, session
from thalweg.train.callbacks import Callback, CallbackList, needs_batches
from thalweg.train.evaluate import evaluate, listed
from thalweg.train.progress import Progress
from thalweg.types import Spec, Tree, row_spec

compilation.keep_programs()
compilation.answer_at_once()
compilation.keep_memory()


class Model:
    """A network that can be trained.

    Args:
        inputs: a module (`layers.Sequential`, one of your own), a network of another library (`bridge/`), or the input
            node or nodes of a graph.
        outputs: the output node or nodes, when `inputs` are nodes.
        name: shown in `repr`.

    Example:
        >>> import numpy as np, thalweg
        >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        >>> model = thalweg.Sequential([thalweg.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> history = model.fit(x, x.sum(axis=1), epochs=20, verbose=0)
        >>> history.history["loss"][-1] < history.history["loss"][0]
        True
    """

    def __init__(self, inputs: Any, outputs: Any = None, *, name: str | None = None) -> None:
        self.module = layers.graph(inputs, outputs) if outputs is not None else module_of(inputs)
        self.name = name
        self.precision, self.seed, self.stop_training = policy("float32"), 0, False
        self.history: History | None = None
        self.classes: tuple[Any, ...] | None = None
        self.preprocessing: dict[str, Record] = {}  # what makes inputs of what people have; its file holds it
        self.settings: dict[str, Any] | None = None
        self.input_spec: Spec = None
        self._weights: tuple[Tree, Tree] | None = None
        self._session: Session | None = None
        self._ready: session.Ready | None = None

    def __repr__(self) -> str:
        return f"Model({self.module!r})"

    def __call__(self, x: Any) -> Any:
        """The output for a batch; with a node of a graph, the network becomes one of its layers."""
        return self.module(x) if layers.is_node(x) else self.predict(x)  # pyright: ignore[reportCallIssue]

    # The network ------------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Module, ...]:
        """The layers of a sequence or a graph."""
        return tuple(getattr(self.module, "layers", (self.module,)))

    @property
    def network(self) -> Network:
        """The network as the training knows it."""
        return ModuleNetwork(self.module, self.precision) if isinstance(self.module, Module) else self.module

    def add(self, layer: Any) -> None:
        """Append a layer to a sequence that has no weights yet."""
        self._become(dataclasses.replace(self.module, layers=(*self.layers, module_of(layer))))

    def pop(self) -> None:
        """Take the last layer off a sequence that has no weights yet."""
        self._become(dataclasses.replace(self.module, layers=self.layers[:-1]))

    def freeze(self, *paths: str, trainable: bool = False) -> None:
        """Keep the parameters below each dotted path as they are: `model.freeze("layers.0")`; then compile."""
        for path in paths:
            found = dict(walk(self.module)).get(tuple(path.split(".")))
            if found is None:
                known = (".".join(p) for p, _ in walk(self.module) if p)
                raise ContractError(f"the network has no layer at {path!r}.\n  {nearest(path, known)}")
            self.module = replace_at(
                self.module, tuple(path.split(".")), dataclasses.replace(found, trainable=trainable)
            )
        self._keep()

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the parameters; `input_shape` has the batch axis in front, as None."""
        self.build_for(session.declared(self.module) if input_shape is None else row_spec(input_shape[1:]))

    def summary(self, print_fn: Callable[[str], Any] | None = print) -> Summary:
        """A table of the layers: path, type, output shape, parameters, FLOPs, memory; and the totals."""
        spec = self.input_spec if self.input_spec is not None else session.declared(self.module)
        numbers = tree.size(self._session.ts.optimizer) if self._session else 0
        with self.precision.scope():
            found = summary(self.module, spec, optimizer=numbers, policy=self.precision)
        if print_fn is not None:
            print_fn(str(found))
        return found

    def count_params(self) -> int:
        """How many numbers the parameters and the statistics have."""
        found = self.summary(print_fn=None)
        return found.trainable + found.non_trainable

    # Training ---------------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        *,
        precision: Any = "float32",
        seed: int = 0,
    ) -> None:
        """Say how to train: nothing is computed yet.

        Args:
            optimizer: a name ("adam"), a record of `thalweg.optimizers`, or an Optax transformation.
            loss: a name ("mse"), a record of `thalweg.losses`, or a function of targets and predictions.
            metrics: names, records of `thalweg.metrics`, or functions.
            precision: "float32", "bfloat16" (compute; float32 weights) or "float64".
            seed: fixes the initial weights, the order of the rows and every random number.

        Raises:
            ConfigError: for an unknown name, with the nearest known one.
        """
        self.precision, self.seed = policy(precision), seed
        self.settings = {
            "optimizer": optim.optimizer(optimizer),
            "loss": losses.loss(loss),
            "metrics": tuple(metrics or ()),
        }
        self._keep()

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
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
            y: targets, a row for each row of `x`.
            batch_size: rows a step; 32 unless said.
            epochs: the epoch number to stop at.
            verbose: 0 nothing, 1 a progress bar, 2 a line per epoch; "auto" chooses by the terminal.
            callbacks: see `thalweg.callbacks`.
            validation_split: the fraction set apart, shuffled and stratified by label.
            validation_data: `(x, y)` or `(x, y, weights)`.
            shuffle: whether each epoch has an order of its own, drawn from the seed.
            class_weight: a weight for each class, or "balanced".
            sample_weight: a weight for each row.
            initial_epoch: the epoch number to start from.
            steps_per_epoch: an epoch's steps at most, of rows drawn anew for each; all rows unless said.
            split: "time" takes the validation rows from the end, in order.
            run_dir: a folder for checkpoints, so that the run can be resumed.
            resume: go on from the newest good checkpoint of `run_dir`, to the same bits as without the stop.

        Raises:
            ContractError: what was given does not fit; before the first step, with what to write instead.
            DivergenceError: the loss is no longer finite; names the layer where it began.
        """
        hooks = list(callbacks or ())
        self._required("loss")
        found = self._given(x, y, sample_weight)
        apart = None if validation_data is None else self._given(*_parts(validation_data))
        self.build_for(found.spec)
        current = self._compiled()
        with self.precision.scope():
            train, validation, size = prepare.training(
                current, found, batch_size, hooks, share=validation_split, validation=apart,
                class_weight=class_weight, seed=self.seed, split=split,
            )  # fmt: skip
        plan = Plan(epochs, size, self.seed, initial_epoch, shuffle, needs_batches(hooks), steps_per_epoch)
        steps = plan.limited(len(train.order(size, shuffle=False)))
        current.task = session.lasting(current.task, steps * epochs)
        self.stop_training, self.history = False, History(params={"epochs": epochs, "steps": steps})
        called = CallbackList(hooks, self, {"epochs": epochs, "steps": steps, "verbose": verbose})
        run = Fit(current, train, validation, plan, called, self.history, Progress(verbose, epochs))
        with self.precision.scope():
            prepare.check_lengths(current, found, apart)
            if run_dir is not None:
                from thalweg.train.runs import Recorder  # noqa: PLC0415  Orbax takes a second to load

                run.recorder = recorder = Recorder(Path(run_dir))
                if resume:
                    recorder.restore(run)
            return run.run()

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
        del verbose
        self._required("loss")
        given = self._given(x, y, sample_weight)
        self.build_for(given.spec)
        current = self._compiled()
        with self.precision.scope():
            found = evaluate(current, prepare.evaluation(current, given), batch_size or prepare.EVALUATION_BATCH)
        return listed(found, return_dict=return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto") -> Any:
        """The network's output for each row of `x` (a source, or arrays as in `fit`), as a NumPy array."""
        del verbose
        if self._ready is not None and batch_size is None and self._ready.takes(x):
            with self.precision.scope():
                return self._ready(*self._now(), x)
        given = prepare.inputs_looked_at(self.module, self._given(x))
        self.build_for(given.spec)
        self._ready = session.ready(self.network, x, given.x)
        with self.precision.scope():
            return session.predict(self.network, *self._now(), given, batch_size)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, *, return_dict: bool = False
    ) -> Any:
        """One step on one batch; the loss and the metrics of that batch before the step."""
        self._required("loss")
        given = self._given(x, y, sample_weight)
        self.build_for(given.spec)
        current = self._compiled()
        with self.precision.scope():
            found = session.one_step(current, prepare.evaluation(current, given, class_weight))
        return listed(found, return_dict=return_dict)

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate now; set it at any time, nothing is compiled again."""
        numbers = optim.hyper(self._compiled().ts.optimizer)
        if "learning_rate" not in numbers:
            raise ContractError(
                "this Optax transformation keeps its learning rate to itself.\n"
                "  Write optax.inject_hyperparams(optax.adamw)(1e-3) to read and change it in training."
            )
        return float(numbers["learning_rate"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        current = self._compiled()
        with self.precision.scope():
            current.ts = current.ts._replace(optimizer=optim.with_hyper(current.ts.optimizer, learning_rate=value))

    @property
    def optimizer(self) -> "Model":
        """`model.optimizer.learning_rate` as in Keras."""
        return self

    # Weights and files ------------------------------------------------------------------------------------------------

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Parameters and statistics by dotted path, layer by layer, as copies."""
        params, state = self._now()
        return session.named(params, state)

    def get_weights(self) -> list[np.ndarray]:
        """Parameters and statistics as a list, layer by layer."""
        return list(self.weights.values())

    def set_weights(self, weights: Sequence[Any] | Mapping[str, Any]) -> None:
        """Put `weights` in: a list as from `get_weights`, or a dict as from `weights`."""
        with self.precision.scope():
            params, state = session.replaced(*self._now(), weights)
        self._weights = (params, state)
        if self._session is not None:
            self._session.ts = self._session.ts._replace(params=params, state=state)

    def save(self, path: str | Path, manifest: Mapping[str, Any] | None = None) -> Path:
        """Write `path` (`name.tw`): architecture, weights, settings; a file that runs no code when it is loaded."""
        return archive.save(path, self, manifest or {})

    @staticmethod
    def load(path: str | Path) -> "Model":
        """The model that `save` wrote, predicting the same bits; compiled again when it was."""
        return archive.load(path, Model)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _become(self, module: Module) -> None:
        if self._weights is not None or self._session is not None:
            raise ContractError("the network has weights already.\n  Add layers before build, fit or predict.")
        self.module, self._ready = module, None

    def _given(self, x: Any, y: Any = None, weight: Any = None) -> prepare.Given:
        stated = getattr(self.module, "input_spec", None)
        x = prepare.inputs(x, self.input_spec if stated is None else stated)
        found = prepare.given(x, y, weight, self.classes, self.precision.param)
        self.classes = found.classes
        return found

    def _required(self, name: str) -> Any:
        if self.settings is None:
            raise ContractError("the model is not compiled.\n  Write model.compile(optimizer=..., loss=...) first.")
        return self.settings[name]

    def _metrics(self) -> tuple[tuple[str, metrics.Metric], ...]:
        loss = self._required("loss")
        found = [metrics.metric(m, loss=loss, losses=losses.loss) for m in self._required("metrics")]
        return tuple((m.name, m) for m in found)

    def _compiled(self) -> Session:
        if self._session is None:
            self.build()
        if self._session is None:
            raise ContractError("the model is not compiled.\n  Write model.compile(optimizer=..., loss=...) first.")
        return self._session

    def _keep(self) -> None:
        if self._session is not None:
            self._weights = self._now()
        self._session = self._ready = None

    def _now(self) -> tuple[Tree, Tree]:
        if self._session is not None:
            return self._session.ts.params, self._session.ts.state
        if self._weights is None:
            self.build()
        assert self._weights is not None
        return self._weights

    def build_for(self, spec: Spec) -> None:
        """Make what is not there yet for inputs like `spec`: the weights; once compiled, the session."""
        self.input_spec = spec
        with self.precision.scope():
            if self._weights is None:
                self._weights = session.initial(self.network, self.seed, spec)
            if self._session is None and self.settings is not None:
                s = self.settings
                self._session = session.start(
                    self.network, s["loss"], s["optimizer"], self._metrics(), self.seed, spec, self._weights
                )


def Sequential(layer_list: Sequence[Any] = (), name: str | None = None) -> Model:  # noqa: N802  (Keras's name)
    """A model of layers one after another.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.layers.Dense(10, activation="softmax", input_shape=(4,))])
        >>> model.count_params()
        50
    """
    return Model(layers.Sequential(tuple(module_of(layer) for layer in layer_list)), name=name)


def load_model(path: str | Path) -> Model:
    """The model that `Model.save` wrote. See `Model.load`."""
    return Model.load(path)


def module_of(layer: Any) -> Any:
    """A layer as it is; a model as its network, so that models nest."""
    return layer.module if isinstance(layer, Model) else layer


def _parts(validation_data: Any) -> tuple[Any, ...]:
    return tuple(validation_data) if isinstance(validation_data, tuple | list) else (validation_data,)
