"""What a model file says of a network and its training comes back as it was, or is refused when it is saved."""

import json
import math
import warnings
import zipfile

import numpy as np
import pytest

from thalweg import architectures, data, layers, losses, metrics, optim
from thalweg.core import Module, Policy
from thalweg.data import Labels
from thalweg.errors import ModelFileError
from thalweg.export import archive, modelfile
from thalweg.layers import registry
from thalweg.losses import Huber, MeanSquaredError
from thalweg.model import Sequential, load_model
from thalweg.ops import constraints, initializers, regularizers
from thalweg.optim import schedules
from thalweg.record import same

PARTS = {
    "module": (layers.ALLOWED, {kind.__name__: kind for kind in architectures.ARCHITECTURES}),
    "optimizer": (optim.ALLOWED,),
    "loss": (losses.ALLOWED,),
    "metrics": (metrics.ALLOWED, losses.ALLOWED),
    "precision": ({"Policy": Policy},),
    "preprocessing": (data.ALLOWED,),
}


@pytest.fixture
def mine():
    """A place for classes of one's own, which are forgotten after the test."""
    before = dict(registry.ALLOWED)
    yield registry.register
    registry.ALLOWED.clear()
    registry.ALLOWED.update(before)


def model(layer=None, optimizer="sgd", loss="mse", metrics=None, **settings):
    made = Sequential([layers.Dense(2, input_shape=(3,)) if layer is None else layer])
    made.compile(optimizer, loss, metrics, **settings)
    made.build((None, 3))
    return made


@pytest.mark.parametrize("part", PARTS)
def test_no_name_of_a_part_stands_for_two_classes(part):
    """Merged by bare name, `initializers.Constant` took the place of `schedules.Constant`."""
    known = archive.allowed(part)
    for room in PARTS[part]:
        for name, kind in room.items():
            assert known[name] is kind, f"{name} of {part}"


def test_every_record_that_can_be_named_is_of_a_part():
    """A new room of records has to be given a part above."""
    rooms = {id(room) for rooms in PARTS.values() for room in rooms}
    assert {id(r) for r in (optim.ALLOWED, losses.ALLOWED, metrics.ALLOWED, layers.ALLOWED, data.ALLOWED)} <= rooms


EVERY = [
    *(kind for table in (initializers.INITIALIZERS, regularizers.REGULARIZERS, constraints.CONSTRAINTS)
      for kind in table.values())
]  # fmt: skip


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_what_a_layer_is_made_with_is_read_as_itself(kind):
    assert archive.allowed("module")[kind.__name__] is kind


@pytest.mark.parametrize("schedule", [schedules.Constant(0.5), schedules.CosineDecay(0.1, 10), schedules.OneCycle(0.1)])
@pytest.mark.parametrize("kind", optim.OPTIMIZERS.values(), ids=lambda k: k.__name__)
def test_every_optimizer_with_a_schedule_comes_back(tmp_path, kind, schedule):
    if kind is optim.LBFGS and not isinstance(schedule, schedules.Constant):
        pytest.skip("its line search takes no schedule that ends")
    made = model(optimizer=kind(schedule))
    made.save(tmp_path / "m.tw")
    assert load_model(tmp_path / "m.tw").settings == made.settings


def test_a_loaded_model_trains_as_the_saved_one(tmp_path):
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
    y = x[:, :2]
    made = model(layers.Dense(2, kernel_initializer=initializers.Constant(0.25)), optim.Adam(schedules.Constant(0.5)))
    made.save(tmp_path / "m.tw")
    again = load_model(tmp_path / "m.tw")
    for m in (made, again):
        m.fit(x, y, epochs=2, batch_size=4, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), again.get_weights(), strict=True))


def test_a_loss_and_a_metric_of_one_name_keep_their_kinds(tmp_path):
    made = model(loss=MeanSquaredError(), metrics=[metrics.MeanSquaredError(), Huber(), metrics.AUC()])
    made.save(tmp_path / "m.tw")
    assert load_model(tmp_path / "m.tw").settings == made.settings


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "Größe 深度 \U0001f600"},
        {"name": "lone \ud800 surrogate"},
        {"kernel_initializer": initializers.Constant(math.nan)},
        {"kernel_initializer": initializers.Constant(-math.inf)},
        {"kernel_initializer": initializers.Constant(10**30)},
        {"input_shape": (3,)},
        {"kernel_regularizer": regularizers.L2(0.1)},
    ],
    ids=["unicode", "surrogate", "nan", "inf", "huge", "list", "record"],
)
def test_odd_settings_come_back(tmp_path, settings):
    made = model(layers.Dense(2, **settings), seed=2**40)
    made.save(tmp_path / "m.tw")
    again = load_model(tmp_path / "m.tw")
    assert same(again.module, made.module)
    assert again.seed == 2**40


class Twice(Module):
    factor: float = 2.0
    more: tuple = ()

    def __call__(self, cx, x):
        return self.factor * x


def test_a_layer_of_ones_own_is_refused_until_it_is_registered(tmp_path, mine):
    with pytest.raises(ModelFileError, match=r"'Twice' is not on the allow-list.*\n  Write @layers.register above"):
        model(Twice(3.0)).save(tmp_path / "m.tw")
    assert not list(tmp_path.iterdir())
    mine(Twice)
    made = model(Twice(3.0, [1, [2.5, "a"], None, True]))
    made.save(tmp_path / "m.tw")
    assert same(load_model(tmp_path / "m.tw").module, made.module)


def test_a_subclass_under_its_parents_name_is_refused(tmp_path):
    kind = type("Dense", (layers.Dense,), {})
    with pytest.raises(ModelFileError, match=r"would be read back as something else.\n  .* rename it"):
        model(kind(2)).save(tmp_path / "m.tw")
    assert not list(tmp_path.iterdir())


def test_a_field_called_type_is_refused(tmp_path, mine):
    @mine
    class Typed(Module):
        type: str = "a"

        def __call__(self, cx, x):
            return x

    with pytest.raises(ModelFileError, match=r"Typed has a field `type`.*\n  Rename it"):
        model(Typed("Dense")).save(tmp_path / "m.tw")


def test_a_number_that_json_does_not_read_is_refused(tmp_path, mine):
    mine(Twice)
    for number in (10**5000, -(10**5000)):
        with pytest.raises(ModelFileError, match="cannot be stored"):
            model(Twice(2.0, (number,))).save(tmp_path / "m.tw")
    assert not list(tmp_path.iterdir())


def own_loss(y, p):
    return (y - p) ** 2


@pytest.mark.parametrize(
    "settings",
    [{"loss": own_loss}, {"metrics": [own_loss]}, {"loss": lambda y, p: y - p}, {"optimizer": "own"}],
    ids=["loss", "metric", "lambda", "an optimizer that has a known name"],
)
def test_training_that_cannot_be_stored_is_said_and_left_out(tmp_path, mine, settings):
    if settings.get("optimizer") == "own":
        kind = mine(type("SGD", (optim.SGD,), {"__module__": __name__}))
        settings = {"optimizer": kind(0.1)}
    made = model(**settings)
    with pytest.warns(UserWarning, match=r"saved without its compile settings: .*\n  "):
        made.save(tmp_path / "m.tw")
    assert load_model(tmp_path / "m.tw").settings is None


def test_a_loss_of_ones_own_that_is_registered_comes_back(tmp_path, mine):
    @mine
    class Cubed(losses.Loss):
        power: int = 3

        def values(self, y, z, /):
            return abs(y - z) ** self.power

    made = model(loss=Cubed(4))
    made.save(tmp_path / "m.tw")
    assert load_model(tmp_path / "m.tw").settings == made.settings


def test_preprocessing_that_would_come_back_as_something_else_is_refused(tmp_path):
    made = model()
    made.preprocessing = {"labels": type("Labels", (Labels,), {})(("a", "b"))}
    with pytest.raises(ModelFileError, match=r"the preprocessing 'labels' cannot be stored: .*something else"):
        made.save(tmp_path / "m.tw")


def test_a_file_has_its_name_only_when_it_was_read_back(tmp_path, monkeypatch):
    made = model()
    made.save(tmp_path / "m.tw")
    before = (tmp_path / "m.tw").read_bytes()
    write = zipfile.ZipFile.writestr

    def faulty(self, info, content, *rest):
        write(self, info, content[:-1] + b" " if info.filename == "architecture.json" else content, *rest)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", faulty)
    with pytest.raises(ModelFileError, match=r"architecture\.json"):
        made.save(tmp_path / "m.tw")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]


def test_what_the_parts_of_a_file_may_not_name(tmp_path):
    """An optimizer in the place of a layer, a layer in that of a precision."""
    model().save(tmp_path / "m.tw")
    file = modelfile.read(tmp_path / "m.tw")
    for change in ({"module": {"type": "Adam"}}, {"precision": {"type": "Dense", "units": 1}}, {"compile": []}):
        modelfile.write(tmp_path / "n.tw", file.architecture | change, file.weights, file.preprocessing, {})
        with warnings.catch_warnings(), pytest.raises(ModelFileError, match=r"n\.tw"):
            load_model(tmp_path / "n.tw")
    assert json.loads(json.dumps(file.architecture))["compile"][0]["type"] == "SGD"
