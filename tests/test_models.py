"""Keras's names for whole networks, and where the architectures went that were under this name."""

import keras
import numpy as np
import pytest

import thalweg
from thalweg import architectures, layers, models


def test_the_names_are_those_of_keras_and_of_the_face():
    assert set(models.__all__) <= set(dir(keras.models))
    assert models.Sequential is thalweg.Sequential
    assert models.Model is thalweg.Model


def test_a_saved_model_is_loaded_again(tmp_path):
    model = models.Sequential([layers.Dense(2)])
    x = np.ones((3, 4), "float32")
    y = model.predict(x)
    path = models.save_model(model, tmp_path / "model.tw")
    np.testing.assert_array_equal(models.load_model(path).predict(x), y)


@pytest.mark.parametrize("name", architectures.__all__)
def test_an_architecture_is_named_by_its_new_place(name):
    with pytest.raises(ImportError, match=rf"Write thalweg\.architectures\.{name}\."):
        getattr(models, name)
    with pytest.raises(ImportError, match=rf"Write thalweg\.architectures\.{name}\."):
        exec(f"from thalweg.models import {name}")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(AttributeError, match="Did you mean 'Sequential'"):
        _ = models.Sequentiel
