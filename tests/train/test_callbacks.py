"""Callbacks against Keras's on the same logs; their memories; the hooks."""

import csv
import json

import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import CheckpointError, ConfigError, ContractError
from thalweg.recipes.language.states import FreshStates
from thalweg.train import callbacks
from thalweg.train.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    HistoryLogger,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
    check,
    monitors,
    needs_batches,
)


class Model:
    """What callbacks see of a model; its weights are the number of epochs that it trained."""

    def __init__(self, rate=0.5):
        self.stop_training, self._rate, self.trained, self.saved = False, np.float32(rate), 0, []
        self.metrics = []

    @property
    def learning_rate(self):
        return float(self._rate)

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate = np.float32(value)

    @property
    def optimizer(self):
        return self

    def get_weights(self):
        return [np.full((2, 2), self.trained, np.float32), np.full(3, self.trained, np.float32)]

    def set_weights(self, weights):
        self.trained = int(weights[0][0, 0])
        assert weights[1].shape == (3,)

    def save(self, path, overwrite=True):
        self.saved.append((str(path), self.trained))


def train(callback, values, name="val_loss", model=None, first=0, restore=None):
    """The epochs `first` and on of a run that reports `values`; returns the model and each epoch's rate."""
    model = model or Model()
    called = CallbackList([callback], model) if isinstance(callback, Callback) else callback
    if called is callback:
        called.set_model(model)
    if restore is not None:
        called.restore(*restore)
    called.on_train_begin()
    rates = []
    for epoch in range(first, len(values)):
        if model.stop_training:
            break
        called.on_epoch_begin(epoch)
        model.trained += 1
        logs = {"loss": values[epoch], name: values[epoch]}
        called.on_epoch_end(epoch, logs)
        rates.append(model.learning_rate)
    called.on_train_end()
    return model, rates


def both(name, values, **settings):
    """Our model and Keras's after the same run."""
    import keras

    ours = train(getattr(callbacks, name)(**settings), values)
    with relaxed():
        theirs = train(getattr(keras.callbacks, name)(**settings), values)
    return ours, theirs


RUNS = [np.random.default_rng(seed).normal(size=14).cumsum().round(1).tolist() for seed in range(6)]

STOPPING = [
    {"patience": 2, "restore_best_weights": True},
    {"patience": 2, "restore_best_weights": False},
    {"patience": 0, "restore_best_weights": True, "mode": "max"},
    {"patience": 3, "restore_best_weights": True, "min_delta": 0.5, "start_from_epoch": 3},
    {"patience": 3, "restore_best_weights": True, "baseline": -0.5},
    {"patience": 50, "restore_best_weights": True, "mode": "max", "min_delta": 0.3},
]


@pytest.mark.parametrize("settings", STOPPING, ids=repr)
def test_early_stopping_equals_keras(settings):
    for values in RUNS:
        (ours, rates), (theirs, expected) = both("EarlyStopping", values, **settings)
        assert (len(rates), ours.trained, ours.stop_training) == (len(expected), theirs.trained, theirs.stop_training)


def test_early_stopping_restores_the_best_weights_by_default():
    model, rates = train(EarlyStopping(patience=2), [3.0, 1.0, 2.0, 2.0, 0.0])
    assert len(rates) == 4
    assert model.trained == 2


def test_early_stopping_is_not_fooled_by_nan():
    nan = float("nan")
    model, rates = train(EarlyStopping(patience=3), [nan, 2.0, nan, 1.0, nan, nan, nan, 0.0])
    assert len(rates) == 7
    assert model.trained == 4


PLATEAU = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5, "cooldown": 2, "min_delta": 0.2},
    {"patience": 1, "factor": 0.2, "min_lr": 0.01, "mode": "max"},
]


@pytest.mark.parametrize("settings", PLATEAU, ids=repr)
def test_reduce_lr_on_plateau_equals_keras(settings):
    for values in RUNS:
        (_, ours), (_, theirs) = both("ReduceLROnPlateau", values, **settings)
        assert ours == theirs
        assert settings["patience"] > 1 or ours[-1] < 0.5


@pytest.mark.parametrize(
    "settings", [{}, {"save_best_only": True}, {"save_best_only": True, "initial_value_threshold": 0.0}]
)
def test_model_checkpoint_saves_when_keras_does(settings, tmp_path):
    settings = settings | {"filepath": str(tmp_path / "{epoch:02d}-{val_loss:.2f}.keras")}
    for values in RUNS:
        (ours, _), (theirs, _) = both("ModelCheckpoint", values, **settings)
        assert ours.saved == theirs.saved
        assert ours.saved or "initial_value_threshold" in settings


def test_model_checkpoint_by_batches(tmp_path):
    checkpoint, model = ModelCheckpoint(tmp_path / "e{epoch}-b{batch}.tw", save_freq=3), Model()
    assert needs_batches([checkpoint])
    assert not needs_batches([checkpoint], "test")
    called = CallbackList([checkpoint], model)
    called.on_train_begin()
    for epoch in range(2):
        called.on_epoch_begin(epoch)
        for batch in range(4):
            called.on_train_batch_end(batch, {"loss": 1.0})
        called.on_epoch_end(epoch, {"loss": 1.0})
    assert [path.rpartition("/")[2] for path, _ in model.saved] == ["e1-b3.tw", "e2-b2.tw"]


def test_model_checkpoint_names_an_unknown_word(tmp_path):
    with pytest.raises(ConfigError, match=r"names 'los'[^\n]*\n.*'loss'"):
        train(ModelCheckpoint(tmp_path / "{los}.tw"), [1.0])


def test_csv_logger_writes_keras_s_lines(tmp_path):
    import keras

    values = RUNS[0][:4]
    for kind, name in ((keras.callbacks.CSVLogger, "theirs.csv"), (CSVLogger, "ours.csv")):
        train(kind(str(tmp_path / name), separator=";"), values)
        train(kind(str(tmp_path / name), separator=";", append=True), values[:2])
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()
    rows = list(csv.reader((tmp_path / "ours.csv").read_text().splitlines(), delimiter=";"))
    assert rows[0] == ["epoch", "loss", "val_loss"]
    assert len(rows) == 7


def test_csv_logger_marks_what_is_missing(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_epoch_end(0, {"loss": 1.0, "f1": np.asarray([0.5, 0.25])})
    logger.on_epoch_end(1, {"loss": 2.0, "late": 1.0})
    assert (tmp_path / "log.csv").read_bytes() == b'epoch,f1,loss\r\n0,"[0.5, 0.25]",1.0\r\n1,NA,2.0\r\n'


def test_history_logger(tmp_path):
    train(HistoryLogger(tmp_path / "run" / "history.jsonl"), [1.0, 0.5])
    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"epoch": 0, "loss": 1.0, "val_loss": 1.0},
        {"epoch": 1, "loss": 0.5, "val_loss": 0.5},
    ]


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 0.1 / (epoch + 1)], ids=["two", "one"]
)
def test_learning_rate_scheduler_equals_keras(schedule):
    (ours, rates), (_, expected) = both("LearningRateScheduler", RUNS[0], schedule=schedule)
    assert rates == expected
    logs = {}
    scheduler = LearningRateScheduler(schedule)
    scheduler.set_model(ours)
    scheduler.on_epoch_end(0, logs)
    assert logs == {"learning_rate": rates[-1]}


def test_a_schedule_that_gives_no_rate_is_refused():
    with pytest.raises(ConfigError, match="gave -1 for epoch 0"):
        train(LearningRateScheduler(lambda epoch: -1), [1.0])


def test_terminate_on_nan_ends_without_an_error(capsys):
    model = Model()
    assert CallbackList([Callback(), TerminateOnNaN()], model).on_divergence("NaN in layers.3")
    assert model.stop_training
    assert "layers.3" in capsys.readouterr().out
    assert not CallbackList([Callback()], Model()).on_divergence("NaN")


# Monitors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "up"),
    [("loss", False), ("val_accuracy", True), ("auc", True), ("val_f1", True), ("mse", False), ("val_r2", True),
     ("binary_crossentropy", False), ("top_k_categorical_accuracy", True), ("kl_divergence", False)],
)  # fmt: skip
def test_the_name_tells_the_direction(name, up):
    assert callbacks.Monitor(name).up is up


def test_a_name_that_tells_nothing_needs_a_mode():
    with pytest.raises(ConfigError, match="write mode='max' or mode='min'"):
        EarlyStopping("val_thing")
    assert EarlyStopping("val_thing", mode="max")
    with pytest.raises(ConfigError, match="mode is"):
        EarlyStopping(mode="down")


def test_monitors_are_what_callbacks_need():
    found = monitors([EarlyStopping(), ModelCheckpoint("a.tw"), ReduceLROnPlateau("loss"), Callback()])
    assert found == ("val_loss", "loss")
    assert monitors([ModelCheckpoint("a.tw", "val_f1", save_best_only=True)]) == ("val_f1",)


def test_an_unknown_monitor_names_the_nearest():
    with pytest.raises(ContractError, match="Did you mean 'val_loss'"):
        check("val_los", ["loss", "val_loss"], "EarlyStopping")
    with pytest.raises(ContractError, match="validation_split=, or write monitor='loss'"):
        check("val_loss", ["loss"])
    with pytest.raises(ContractError, match="EarlyStopping watches 'val_loss'"):
        train(EarlyStopping(), [1.0], name="other")
    with pytest.raises(ContractError, match="array of shape"):
        EarlyStopping("f1").on_epoch_end(0, {"f1": np.ones(3)})


# Memories -------------------------------------------------------------------------------------------------------------


def plain(memory):
    values, arrays = memory
    return json.loads(json.dumps(values)), {name: array.copy() for name, array in arrays.items()}


@pytest.mark.parametrize("cut", [1, 3, 5, 8])
@pytest.mark.parametrize("values", [RUNS[1], sorted(RUNS[1])], ids=["mixed", "ever-worse"])
@pytest.mark.parametrize(
    "make",
    [
        lambda folder: EarlyStopping(patience=3),
        lambda folder: EarlyStopping(patience=3, restore_best_weights=False, start_from_epoch=2),
        lambda folder: ReduceLROnPlateau(patience=2, cooldown=2, factor=0.5),
        lambda folder: ModelCheckpoint(folder / "{epoch}.tw", save_best_only=True),
        lambda folder: LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        lambda folder: CSVLogger(folder / "log.csv"),
        lambda folder: HistoryLogger(folder / "history.jsonl"),
    ],
    ids=["stop", "stop-late", "plateau", "checkpoint", "rate", "csv", "jsonl"],
)
def test_a_run_killed_and_resumed_ends_as_if_it_had_not_been(make, values, cut, tmp_path):
    whole, rates = train(make(tmp_path), values)
    written = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    cut = min(cut, len(rates) - 1)

    model, killed = Model(), CallbackList([make(tmp_path)])
    killed.callbacks[0].set_model(model)
    killed.on_train_begin()
    for epoch in range(cut):
        killed.on_epoch_begin(epoch)
        model.trained += 1
        killed.on_epoch_end(epoch, {"loss": values[epoch], "val_loss": values[epoch]})
    memory = plain(killed.snapshot())
    rate, trained = model.learning_rate, model.trained
    killed.on_epoch_end(cut, {"loss": 9.0, "val_loss": 9.0})  # after the checkpoint, before the kill

    again = Model(rate)
    again.trained, again.saved = trained, [s for s in model.saved if s[1] <= trained]
    again, later = train(make(tmp_path), values, model=again, first=cut, restore=memory)
    assert (again.trained, again.saved, later) == (whole.trained, whole.saved, rates[cut:])
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == written


def test_the_rate_is_set_once_an_epoch_though_a_resumed_run_begins_it_again():
    model = Model(1.0)
    called = CallbackList([LearningRateScheduler(lambda epoch, rate: rate * 0.5)], model)
    called.on_train_begin()
    called.on_epoch_begin(0)
    memory = plain(called.snapshot())
    resumed = CallbackList([LearningRateScheduler(lambda epoch, rate: rate * 0.5)], model)
    resumed.restore(*memory)
    resumed.on_train_begin()
    resumed.on_epoch_begin(0)
    assert model.learning_rate == 0.5
    resumed.on_epoch_begin(1)
    assert model.learning_rate == 0.25


def test_two_of_a_kind_keep_their_own_memories():
    first, second = EarlyStopping(patience=9), EarlyStopping("loss", patience=9)
    called = CallbackList([first, second], Model())
    called.on_train_begin()
    called.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    values, arrays = called.snapshot()
    assert (values["EarlyStopping"]["best"], values["EarlyStopping-2"]["best"]) == (2.0, 1.0)
    assert set(arrays) == {f"EarlyStopping{n}.best.{i}" for n in ("", "-2") for i in (0, 1)}


def test_a_callback_missing_on_resume_is_an_error():
    called = CallbackList([EarlyStopping()], Model())
    called.on_train_begin()
    called.on_epoch_end(0, {"val_loss": 1.0})
    with pytest.raises(CheckpointError, match="EarlyStopping"):
        CallbackList([CSVLogger("a.csv")], Model()).restore(*called.snapshot())


EVENTS = "events.out.tfevents.1.host.2"
LENGTHS = {"train": 3, "validation": 0}
WEIGHTS = {"best.0": np.zeros((2, 2), np.float32), "best.1": np.zeros(3, np.float32)}
WAITING = {"wait": 1, "stopped_epoch": 0, "best_epoch": 2, "best": 0.5, "weights": 2}
MEMORIES = [
    (EarlyStopping, WAITING, WEIGHTS, {
        "wait": [-1, 1.5, "1", None, True, [1]], "stopped_epoch": [-1, None], "best_epoch": [-1, "x", 2**63],
        "best": [float("nan"), "x", [1], True], "weights": [0, 1, 3, -1, None]}),
    (ReduceLROnPlateau, {"best": 0.5, "wait": 0, "cooldown_counter": 0}, {}, {
        "best": [float("nan"), "x", {}], "wait": [-1, 0.5, None], "cooldown_counter": [-1, None, "x"]}),
    (lambda: ModelCheckpoint("a.tw"), {"best": None, "batches": 0}, {}, {
        "best": [float("nan"), "x"], "batches": [-1, 1.5, None]}),
    (lambda: LearningRateScheduler(abs), {"last_epoch": 3}, {}, {"last_epoch": [-1, 1.5, "x", [1]]}),
    (lambda: CSVLogger("a.csv"), {"bytes": 3, "keys": ["loss"]}, {}, {
        "bytes": [-1, None, 1.5, "x"], "keys": [3, "loss", [1], {"a": 1}]}),
    (lambda: HistoryLogger("a.jsonl"), {"bytes": 3}, {}, {"bytes": [-1, None, 1.5, "x"]}),
    (TensorBoard, {"name": EVENTS, "bytes": LENGTHS}, {}, {
        "name": [3, "", "a", f"../{EVENTS}", f"{EVENTS}/../../a", f"{EVENTS}\\a", f"{EVENTS}\0"],
        "bytes": [3, {}, {"train": 1}, {**LENGTHS, "test": 1}, {**LENGTHS, "train": -1}, {**LENGTHS, "train": "x"}]}),
    (FreshStates, {"epoch": -1}, {}, {"epoch": [-2, None, 1.5, "x"]}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "values", "arrays", "wrong"), MEMORIES, ids=lambda v: getattr(v, "__name__", ""))
def test_a_memory_that_a_hand_has_changed_is_refused_before_the_run_goes_on(make, values, arrays, wrong):
    name = type(make()).__name__
    edits = [(key, {**values, key: value}, arrays) for key, found in wrong.items() for value in found]
    edits += [(key, {k: v for k, v in values.items() if k != key}, arrays) for key in values]
    edits += [("more", {**values, "more": 1}, arrays), ("more", values, {**arrays, "more": np.ones(1)})]
    if arrays:
        edits += [("weights", values, {}), ("weights", values, {**arrays, "best.1": np.ones(4, np.float32)})]
    for key, told, held in edits:
        called = CallbackList([make()], Model())
        with pytest.raises(CheckpointError, match=rf"of {name} does not fit it: (.|\n)*\n  Resume from") as caught:
            called.restore({name: told}, {f"{name}.{k}": v for k, v in held.items()})
        assert key in str(caught.value) or held is not arrays
    CallbackList([make()], Model()).restore({name: values}, {f"{name}.{k}": v for k, v in arrays.items()})


def test_every_callback_with_a_memory_has_a_form():
    known = {
        kind.__name__
        for kind in vars(callbacks).values()
        if isinstance(kind, type) and kind.__mro__[1:2] == (Callback,)
    }
    assert known >= {"CSVLogger", "EarlyStopping"}
    for name in known - {"CallbackList"}:
        kind = getattr(callbacks, name)
        assert kind.form is not None or (not kind.remembers and kind.snapshot is Callback.snapshot), name


def test_a_memory_of_ones_own_needs_no_form():
    class Mine(EarlyStopping):
        remembers = (*EarlyStopping.remembers, "more")
        more = "a"

    class Other(Callback):
        remembers = ("count",)
        count = 0

    called = CallbackList([Mine(), Other()], Model())
    again = CallbackList([Mine(), Other()], Model())
    again.restore(*called.snapshot())
    with pytest.raises(CheckpointError, match="count is missing"):
        again.restore({"Other": {}}, {})


# Hooks ----------------------------------------------------------------------------------------------------------------


def test_every_hook_of_keras_is_here_and_is_called_in_order():
    import keras

    names = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]
    calls = []

    def named(name, who):
        return lambda self, *args, **kwargs: calls.append((name, who))

    kinds = [type(f"C{who}", (Callback,), {name: named(name, who) for name in names}) for who in (0, 1)]
    called = CallbackList([kind() for kind in kinds], Model())
    for name in names:
        args = (
            ({},) if any(part in name for part in ("train_begin", "train_end", "test_begin", "test_end")) else (0, {})
        )
        args = ({},) if name in ("on_predict_begin", "on_predict_end") else args
        getattr(called, name)(*args)
    assert calls == [(name, who) for name in names for who in (0, 1)]


def test_a_listing_for_keras_needs_no_constructor_of_ours():
    class Old(Callback):
        def __init__(self):
            self.seen = []

        def on_batch_end(self, batch, logs=None):
            self.seen.append(batch)

    old = Old()
    called = CallbackList([old], Model(), {"epochs": 3})
    called.on_train_batch_end(7, {})
    assert old.seen == [7]
    assert old.params == {"epochs": 3}
    assert needs_batches([old])
    assert not needs_batches([Callback(), EarlyStopping(), LambdaCallback(on_epoch_end=print)])
    assert needs_batches([LambdaCallback(on_train_batch_end=print)])
    assert called.needs_batches()


def test_lambda_callback():
    seen = []
    called = CallbackList(
        [LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])))], Model()
    )
    called.on_epoch_begin(0)
    called.on_epoch_end(0, {"loss": 2.0})
    assert seen == [(0, 2.0)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReduceLROnPlateau(factor=1.0), "factor must lie between 0 and 1"),
        (lambda: ModelCheckpoint("a.tw", save_freq="batch"), "save_freq is 'epoch'"),
        (lambda: CSVLogger("a.csv", separator=";;"), "separator is one character"),
    ],
)
def test_bad_settings_say_what_to_write(make, message):
    with pytest.raises(ConfigError, match=message) as error:
        make()
    assert "\n  Write" in str(error.value)


def test_a_hook_that_no_callback_has_is_refused():
    with pytest.raises(ConfigError, match=r"no hook is called 'on_epoch_edn'\.\n  Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_edn=print)
