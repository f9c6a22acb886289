"""Runs of each recipe: small ones on drawn pictures here, the real ones on MNIST among the long tests."""

import gzip
import json
import struct

import numpy as np
import pytest

from thalweg import recipes
from thalweg.errors import ConfigError, DataError
from thalweg.model import Model
from thalweg.recipes.folder import read_config

ACCURACY = {"mnist-mlp": 0.975, "mnist-cnn": 0.990, "mnist-lstm": 0.970}
SMALL = {
    "mnist-mlp": {"units": 16},
    "mnist-cnn": {"filters": [4, 8], "batch_size": 16},
    "mnist-lstm": {"units": 32, "batch_size": 16, "learning_rate": 0.005},  # other rates leave it to the last bits
}


def write_idx(path, array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    with gzip.open(path, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder in MNIST's format: class k is a bright bar at column 2k + 4 of a noisy picture."""
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(0)
    for part, rows in (("train", 400), ("t10k", 80)):
        y = np.arange(rows) % 10
        x = rng.integers(0, 60, (rows, 28, 28))
        x[np.arange(rows), :, 2 * y + 4] += 180
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", x)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", y)
    return folder


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_recipe_learns_drawn_pictures_and_keeps_what_it_learned(name, drawn, tmp_path):
    settings = {"epochs": 6, "learning_rate": 0.01, **SMALL[name]}
    result = recipes.run(name, settings, data=drawn, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["accuracy"] >= 0.9
    assert result.scores["baseline"] == pytest.approx(0.1)
    assert len(result.history["val_loss"]) == 6
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        x = samples["x"]
    loaded = Model.load(tmp_path / "run" / "model.tw")
    np.testing.assert_array_equal(loaded.predict(x), result.model.predict(x))


def test_the_manifest_and_the_configuration_repeat_the_run(drawn, tmp_path):
    one = recipes.run("mnist-mlp", SMALL["mnist-mlp"], epochs=1, data=drawn, run_dir=tmp_path / "a", verbose=0)
    stored = read_config(tmp_path / "a" / "config.yaml")
    name, data = stored.pop("recipe"), stored.pop("data")
    two = recipes.run(name, stored, data=data, run_dir=tmp_path / "b", verbose=0)
    for a, b in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    first, second = (json.loads((tmp_path / run / "manifest.json").read_text()) for run in "ab")
    assert first["data"] == second["data"]
    assert first["config"] == second["config"] == {"recipe": name, "data": data, **stored}
    assert first["result"] == second["result"]


def test_named_settings_go_before_those_of_the_dict(drawn, tmp_path):
    recipes.run("mnist-mlp", {"epochs": 3, "units": 4}, epochs=1, data=drawn, run_dir=tmp_path / "a", verbose=0)
    assert read_config(tmp_path / "a" / "config.yaml")["epochs"] == 1


def test_another_seed_gives_another_split_and_other_weights(drawn, tmp_path):
    runs = [
        recipes.run("mnist-mlp", units=4, epochs=1, seed=seed, data=drawn, run_dir=tmp_path / f"{seed}", verbose=0)
        for seed in (0, 1)
    ]
    weights = [run.model.get_weights()[0] for run in runs]
    assert not np.array_equal(*weights)
    digests = [json.loads((run.folder / "manifest.json").read_text())["data"]["sha256"] for run in runs]
    assert digests[0]["test"] == digests[1]["test"]
    assert digests[0]["validation"] != digests[1]["validation"]


def test_a_run_under_other_versions_is_resumed_with_a_warning(drawn, tmp_path):
    folder = tmp_path / "a"
    recipes.run("mnist-mlp", units=4, epochs=1, data=drawn, run_dir=folder, verbose=0)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"]["jaxlib"] = "0.0.1"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.warns(UserWarning, match=r"jaxlib 0\.0\.1 -> "):
        recipes.resume(folder, verbose=0)


def test_what_is_asked_wrongly_is_refused_before_a_folder_is_made(drawn, tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'mnist-cnn'"):
        recipes.run("mnist-cn", run_dir=tmp_path / "r")
    with pytest.raises(ConfigError, match="Did you mean 'units'"):
        recipes.run("mnist-mlp", unit=3, data=drawn, run_dir=tmp_path / "r")
    with pytest.raises(DataError, match="is no file"):
        recipes.run("mnist-mlp", data=tmp_path / "no.npz", run_dir=tmp_path / "r")
    assert not (tmp_path / "r").exists()
    with pytest.raises(AttributeError, match="Did you mean 'resume'"):
        recipes.resum  # noqa: B018


CLASSES = {"digits": 10, "mnist-cnn": 10, "mnist-lstm": 10, "mnist-mlp": 10, "sentiment": 2, "speech-digits": 10}


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_every_recipe_states_its_network_before_it_has_data(name):
    recipe = recipes.load(name)
    model = recipe.untrained_model(recipe.settings())
    found = model.summary(print_fn=None)
    assert found.trainable > 0
    if name in CLASSES:
        assert found.rows[-1].output == ((CLASSES[name],),)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(ACCURACY))
def test_mnist_is_learned(name, data_folder, tmp_path):
    result = recipes.run(name, data=data_folder, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["accuracy"] >= ACCURACY[name]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_digits_are_learned_from_every_seed(seed, tmp_path):
    assert recipes.run("digits", seed=seed, run_dir=tmp_path / "run", verbose=0).scores["accuracy"] >= 0.98
