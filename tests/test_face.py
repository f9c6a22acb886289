"""The public face: what is written is what is there, and importing it loads nothing heavy."""

import subprocess
import sys

import pytest

import thalweg


def test_every_public_name_is_there_and_sorted():
    assert thalweg.__all__ == sorted(thalweg.FACE)
    for name in thalweg.__all__:
        assert getattr(thalweg, name) is not None


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(AttributeError, match="Did you mean 'layers'"):
        _ = thalweg.layer


def test_import_loads_neither_jax_nor_numpy():
    code = "import sys, thalweg; print([m for m in ('jax', 'numpy', 'rich', 'matplotlib') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "room", ["layers", "losses", "metrics", "optimizers", "callbacks", "data", "datasets", "ops", "utils"]
)
def test_each_room_states_its_face(room):
    module = getattr(thalweg, room)
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
