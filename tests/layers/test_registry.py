import inspect

import pytest

from thalweg import layers
from thalweg.core import Module
from thalweg.errors import ConfigError
from thalweg.layers import registry
from thalweg.record import Record, from_json, to_json


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setattr(registry, "ALLOWED", dict(registry.ALLOWED))


def test_get_finds_layers_in_any_case():
    assert layers.get("dense", units=3) == layers.Dense(3)
    assert layers.get("LeakyReLU") == layers.LeakyReLU()


def test_get_suggests():
    with pytest.raises(ConfigError, match=r"unknown layer 'Dens'.\n  Did you mean 'Dense'"):
        layers.get("Dens")
    with pytest.raises(ConfigError, match="unknown layer 'MaxNorm'"):
        layers.get("MaxNorm")  # a constraint


def test_every_setting_of_a_layer_can_be_stored():
    names = {"Dense", "Graph", "Port", "Sequential", "GlorotUniform", "L1L2", "UnitNorm", "IdentityInitializer"}
    assert names <= set(layers.ALLOWED)
    assert all(issubclass(cls, Record) and cls.__name__ == name for name, cls in layers.ALLOWED.items())
    assert "Module" not in layers.ALLOWED


def test_a_class_of_your_own_is_stored_once_registered():
    class Twice(Module):
        factor: int = 2

    with pytest.raises(ConfigError, match="'Twice' is not on the allow-list"):
        from_json(to_json(Twice(3)), registry.ALLOWED)
    assert layers.register(Twice) is Twice
    assert from_json(to_json(Twice(3)), registry.ALLOWED) == Twice(3)


def test_a_name_is_taken_once():
    class Dense(Module):
        pass

    with pytest.raises(ConfigError, match=r"Dense is already the name of thalweg.layers.dense.Dense"):
        layers.register(Dense)


@pytest.mark.parametrize("cls", [v for v in vars(layers).values() if isinstance(v, type) and issubclass(v, Module)])
def test_a_method_is_written_in_a_class(cls):
    own = {
        n: f
        for c in reversed(cls.__mro__)
        for n, f in vars(c).items()
        if inspect.isfunction(f) and not n.startswith("__")
    }
    assert {n: f.__qualname__ for n, f in own.items() if "." not in f.__qualname__} == {}
