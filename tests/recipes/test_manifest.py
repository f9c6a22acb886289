"""What the manifest of a model file says is held against a form of its kind as the file is loaded."""

import pytest

from tests.edits import REMOVED, edited
from thalweg import layers
from thalweg.errors import ModelFileError
from thalweg.export import modelfile
from thalweg.model import Sequential, load_model
from thalweg.recipes.trained import load

ALL = {"classes": ["a", "b"], "config": {"recipe": "digits", "data": None, "epochs": 1}}
COUNTS = {"order": 2, "size": 2, "grams": [[0, 1]], "counts": [3]}
SERIES = {"variables": ["a"], "targets": [0], "values": "log", "history": 2, "horizon": 1, "period": 1, "season": None}
FACTS = {
    "digits": {"brightest": 16.0},
    "sentiment": {},
    "ner": {"width": 9, "length": 9, "usual": {"Paris": "B-geo"}},
    "translate": {"length": 9, "chinese": False},
    "char-lm": {"counts": COUNTS},
    "forecast": {"series": SERIES},
    "speech": {},
    "speech-digits": {},
}
NAN = float("nan")
WRONG = {
    "recipe": [5, ["digits"], {}],
    "classes": [5, "ab", [[1]], [None], {"a": 1}, [0.5], [True]],
    "config": ["x", [], 5],
    "config.data": [5, [], True],
    "brightest": ["x", NAN, None, [1], True, float("inf")],
    "width": [0, -1, "9", None, 2.5, REMOVED],
    "length": [0, -1, "9", None, 2.5, REMOVED],
    "usual": [5, [], {"Paris": 1}, REMOVED],
    "chinese": [1, "no", None, REMOVED],
    "counts": [5, None, {}, REMOVED],
    "counts.order": [3, "2", None],
    "counts.grams": [[], [[0]], [[0, 2]], [[0, -1]], [1], [[0, 1], [1, 0]]],
    "counts.counts": [[], [-1], ["x"], None],
    "series": [5, None, [], REMOVED],
    "series.variables": ["a", [1], None, []],
    "series.targets": [[1], [-1], 0, ["a"]],
    "series.values": ["sqrt", None, 1],
    "series.history": [0, "2", None, REMOVED],
    "series.horizon": [0, 1.5, REMOVED],
    "series.period": [0, [], REMOVED],
}
EDITS = [
    (recipe, key, new)
    for recipe, facts in FACTS.items()
    for key, found in WRONG.items()
    if key.partition(".")[0] in {**facts, "recipe": 0, **(ALL if recipe == "digits" else {})}
    for new in found
]


@pytest.fixture(scope="module")
def model():
    made = Sequential([layers.Dense(2, input_shape=(3,))])
    made.build()
    return made


@pytest.mark.parametrize("recipe", FACTS)
def test_what_a_recipe_writes_is_taken(tmp_path, model, recipe):
    path = model.save(tmp_path / "a.tw", {**ALL, **FACTS[recipe], "recipe": recipe})
    assert load(path).manifest["recipe"] == recipe


@pytest.mark.parametrize(("recipe", "key", "new"), EDITS, ids=lambda v: "removed" if v is REMOVED else str(v))
def test_an_edited_manifest_is_refused_at_load(tmp_path, model, recipe, key, new):
    manifest = edited({**ALL, **FACTS[recipe], "recipe": recipe}, key.split("."), new)
    path = model.save(tmp_path / "a.tw", manifest)
    with pytest.raises(ModelFileError, match=rf"a\.tw: in its manifest\.json (.|\n)*{key.split('.')[0]}(.|\n)*\n  "):
        load(path)
    load_model(path)  # which reads none of it


def test_a_model_of_no_recipe_may_say_what_it_likes(tmp_path, model):
    path = model.save(tmp_path / "a.tw", {"author": ["me", {"a": None}], "data": 5, "recipe": "mine"})
    assert load(path).recipe is None


@pytest.mark.parametrize("classes", [5, "ab", [[1]], [None], [True], {"a": 1}])
def test_edited_classes_of_a_model_are_refused_at_load(tmp_path, model, classes):
    file = modelfile.read(model.save(tmp_path / "a.tw"))
    modelfile.write(tmp_path / "b.tw", file.architecture, file.weights, {"classes": classes, "records": {}}, {})
    with pytest.raises(ModelFileError, match=r"b\.tw (.|\n)*classes(.|\n)*\n  "):
        load_model(tmp_path / "b.tw")


@pytest.mark.parametrize("seed", ["x", None, 0.5, True, [1]])
def test_an_edited_seed_is_refused_at_load(tmp_path, model, seed):
    file = modelfile.read(model.save(tmp_path / "a.tw"))
    modelfile.write(tmp_path / "b.tw", {**file.architecture, "seed": seed}, file.weights, file.preprocessing, {})
    with pytest.raises(ModelFileError, match=r"b\.tw (.|\n)*seed(.|\n)*\n  "):
        load_model(tmp_path / "b.tw")
