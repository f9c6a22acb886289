"""A checkpoint is restored bit for bit, and what is damaged, foreign or half written is never taken for good."""

import errno
import os
import random
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from tests.peers import relaxed
from thalweg import files
from thalweg.errors import CheckpointError, ContractError
from thalweg.train import checkpoint, leaves


def state(seed: int = 0):
    """A training state with everything that a tree of ours or of Optax may hold."""
    r = np.random.default_rng(seed)
    params = {
        "0": {"kernel": jnp.asarray(r.normal(size=(5, 3)), jnp.float32), "bias": jnp.zeros(3)},
        "1": {},
        "2": {"kernel": jnp.asarray(r.normal(size=(3, 2)), jnp.bfloat16)},
    }
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.inject_hyperparams(optax.adam)(1e-3))
    with relaxed():
        moments = optimizer.init(params)
    return {
        "params": params,
        "optimizer": moments,
        "key": jax.random.fold_in(jax.random.key(3), seed),
        "keys": jax.random.split(jax.random.key(seed, impl="rbg"), 2),
        "absent": None,
        "python": (7 + seed, -0.1, True, float("inf"), 2**62),
        "scalar": np.float32(r.normal()),
        "host": [r.normal(size=(2, 2)), np.array([True, False]), r.integers(0, 9, (3, 0)), r.normal(size=4)[::2]],
        "small floats": [jnp.ones(3, jnp.float8_e4m3fn), np.ones(3, ml_dtypes.int4), np.complex64([1 + 2j])],
        "nan": jnp.asarray([np.nan, -0.0, np.inf]),
        "large": jnp.asarray(r.normal(size=(300, 1000)), jnp.float32),
        "large bfloat16": jnp.asarray(r.normal(size=(700, 1000)), jnp.bfloat16),
        "large host": r.normal(size=(400, 500)),
    }


def bits(tree):
    """Every leaf as (type, dtype, shape, bytes)."""

    def one(leaf):
        key = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if key else leaf)
        return type(leaf), str(getattr(leaf, "dtype", "")), array.shape, array.tobytes()

    return jax.tree.map(one, tree)


def damage(path: Path, how: str, r: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if how == "remove":
        path.unlink()
    elif how == "truncate":
        path.write_bytes(data[: r.randrange(len(data))])
    else:
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        path.write_bytes(data)


@pytest.mark.parametrize("buffer", [1000, leaves.BUFFER])
def test_every_leaf_comes_back_bit_for_bit(tmp_path, monkeypatch, buffer):
    saved = state()
    monkeypatch.setattr(leaves, "BUFFER", buffer)
    path = checkpoint.save(tmp_path / "run" / "checkpoints", 12, saved, {"history": {"loss": [1.0, 0.5]}})
    assert path == checkpoint.latest(tmp_path / "run" / "checkpoints")
    monkeypatch.undo()
    arrays, meta = checkpoint.load(path, state(seed=1))
    assert meta == checkpoint.meta(path) == {"history": {"loss": [1.0, 0.5]}, "step": 12}
    assert jax.tree.structure(arrays) == jax.tree.structure(saved)
    assert bits(arrays) == bits(saved) != bits(state(seed=1))
    assert jax.random.key_impl(arrays["keys"]) == "rbg"


def test_a_spec_is_enough_to_restore(tmp_path):
    saved = {k: v for k, v in state().items() if k in ("params", "optimizer", "key", "keys", "large")}
    path = checkpoint.save(tmp_path, 1, saved, {})
    arrays, _ = checkpoint.load(path, jax.eval_shape(lambda: saved))
    assert bits(arrays) == bits(saved)


def test_double_precision_needs_no_mode(tmp_path):
    mesh = Mesh(np.array(jax.devices()), ("data",))
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).normal(size=(8, 2)))
        saved = {"one": x, "spread": jax.device_put(x, NamedSharding(mesh, P("data")))}
    arrays, _ = checkpoint.load(checkpoint.save(tmp_path, 1, saved, {}), saved)
    assert arrays["one"].dtype == np.float64
    assert bits(arrays) == bits(saved)


def test_a_weak_type_stays_weak_and_a_strong_one_strong(tmp_path):
    """As it was saved, not as it is in `like`: a first step may turn weak into strong."""
    with jax.enable_x64(True):
        wide = jnp.asarray(0.1)
    saved = {"f": jnp.asarray(2.5), "i": jnp.asarray(3), "c": jnp.asarray(1j), "strong": jnp.float32(2.5), "wide": wide}
    like = {**saved, "strong": jnp.asarray(0.0), "i": jnp.int32(0)}
    arrays, _ = checkpoint.load(checkpoint.save(tmp_path, 1, saved, {}), like)
    assert [name for name, array in arrays.items() if array.weak_type] == ["c", "f", "i", "wide"]
    assert bits(arrays) == bits(saved)
    assert (arrays["f"] * jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16


def test_an_empty_tree_is_a_checkpoint(tmp_path):
    assert checkpoint.load(checkpoint.save(tmp_path, 0, {"a": {}, "b": None}, {}), {"a": {}, "b": None}) == (
        {"a": {}, "b": None},
        {"step": 0},
    )


def test_restored_arrays_may_be_donated(tmp_path):
    saved = {"small": jnp.arange(1024.0), "large": jnp.ones(2**19)}
    path = checkpoint.save(tmp_path, 1, saved, {})
    step = jax.jit(lambda tree: jax.tree.map(lambda x: x * 2, tree), donate_argnums=0)
    first, _ = checkpoint.load(path, saved)
    doubled = step(first)
    again, _ = checkpoint.load(path, saved)
    assert bits(again) == bits(saved)
    np.testing.assert_array_equal(doubled["small"], 2 * np.arange(1024.0))


def test_four_devices_save_and_restore(tmp_path):
    devices = np.array(jax.devices())
    assert devices.size == 4
    spread = NamedSharding(Mesh(devices, ("data",)), P("data"))
    whole = NamedSharding(Mesh(devices, ("data",)), P())
    grid = NamedSharding(Mesh(devices.reshape(2, 2), ("x", "y")), P("y", "x"))
    x = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    places = {"spread": spread, "whole": whole, "grid": grid, "last": jax.devices()[3]}
    saved = {name: jax.device_put(x, place) for name, place in places.items()}
    path = checkpoint.save(tmp_path, 1, saved, {})
    turned = dict(zip(saved, [*list(saved.values())[1:], saved["spread"]], strict=True))
    for like in (saved, turned, {name: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=spread) for name in saved}):
        arrays, _ = checkpoint.load(path, like)
        for name, array in arrays.items():
            assert array.sharding == like[name].sharding
            np.testing.assert_array_equal(array, x)
    arrays, _ = checkpoint.load(path, dict.fromkeys(saved, jnp.zeros_like(x)))
    assert all(not array.committed for array in arrays.values())


def test_keys_spread_over_devices(tmp_path):
    spread = NamedSharding(Mesh(np.array(jax.devices()), ("data",)), P("data"))
    saved = jax.device_put(jax.random.split(jax.random.key(0), 8), spread)
    keys, _ = checkpoint.load(checkpoint.save(tmp_path, 1, saved, {}), saved)
    assert keys.sharding == spread
    assert bits(keys) == bits(saved)


def test_the_newest_written_is_the_latest_and_old_ones_go(tmp_path):
    assert checkpoint.latest(tmp_path) is None
    assert checkpoint.latest(tmp_path / "nowhere") is None
    for step in (5, 10, 7, 7):  # a run that goes on from an earlier step, and saves one step twice
        path = checkpoint.save(tmp_path, step, {"step": step}, {})
        assert checkpoint.latest(tmp_path) == path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0003-step-7", "0004-step-7"]
    checkpoint.save(tmp_path, 8, {"step": 8}, {}, keep=1)
    assert [p.name for p in tmp_path.iterdir()] == ["0005-step-8"]
    with pytest.raises(ContractError, match="keep=0"):
        checkpoint.save(tmp_path, 9, {}, {}, keep=0)


@pytest.mark.parametrize("how", ["truncate", "flip", "remove"])
def test_damage_in_any_file_is_refused_and_the_one_before_is_used(tmp_path, monkeypatch, how):
    r = random.Random(how)
    monkeypatch.setattr(leaves, "BUFFER", 1000)
    spread = jax.device_put(jnp.arange(8.0), NamedSharding(Mesh(np.array(jax.devices()), ("data",)), P("data")))
    saved = {"w": jnp.arange(5.0), "large": jnp.ones(300), "spread": spread}
    good = checkpoint.save(tmp_path, 1, saved, {})
    for i in range(100):
        path = checkpoint.save(tmp_path, 2, saved, {}, keep=100)
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        if i == len(inside):
            break
        damage(inside[i], how, r)
        for read in (checkpoint.meta, lambda path: checkpoint.load(path, saved)):
            with pytest.raises(CheckpointError, match=r"damaged: .* is missing, truncated or altered.\n  Resume"):
                read(path)
        with pytest.warns(UserWarning, match=r"damaged(.|\n)*passed over"):
            assert checkpoint.latest(tmp_path) == good
        checkpoint.shutil.rmtree(path)
    assert i >= 15


def test_no_good_checkpoint_at_all(tmp_path):
    path = checkpoint.save(tmp_path, 1, {"w": np.ones(3)}, {})
    (path / "added").touch()
    with pytest.warns(UserWarning, match="added"), pytest.raises(CheckpointError, match="none of the 1 checkpoints"):
        checkpoint.latest(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint.load(tmp_path / "0009-step-9", {})


def test_a_newer_format_says_so(tmp_path):
    path = checkpoint.save(tmp_path, 1, {"w": np.ones(3)}, {})
    meta = path / "meta.json"
    meta.write_text(meta.read_text().replace('"format": 1', '"format": 2'))
    files.seal(path)
    with pytest.raises(CheckpointError, match="format 2; this version reads format 1"):
        checkpoint.load(path, {"w": np.ones(3)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s["params"]["0"].update(bias=jnp.zeros(4)),
            r"params.0.bias is \[3\] float32 there and \[4\]",
        ),
        (lambda s: s["params"]["2"].update(kernel=jnp.zeros((3, 2))), r"bfloat16 there and \[3, 2\] float32 here"),
        (lambda s: s["params"]["1"].update(bias=jnp.zeros(4)), "it has no params.1.bias"),
        (lambda s: s.update(optimizer=optax.sgd(0.1).init(s["params"])), "it has optimizer.1.count"),
        (lambda s: s.update(key=jax.random.key(0, impl="rbg")), "key is .*fry.* there and .*rbg.* here"),
    ],
)
def test_a_checkpoint_of_another_tree_names_the_leaf(tmp_path, change, message):
    path = checkpoint.save(tmp_path, 1, state(), {})
    other = state()
    change(other)
    with pytest.raises(CheckpointError, match=f"another network or optimizer: .*{message}"):
        checkpoint.load(path, other)


def test_what_a_checkpoint_does_not_hold(tmp_path):
    with pytest.raises(ContractError, match=r"a.b is 'text'"):
        checkpoint.save(tmp_path, 1, {"a": {"b": "text"}}, {})
    with pytest.raises(ContractError, match="meta holds what JSON cannot"):
        checkpoint.save(tmp_path, 1, {}, {"bad": object()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("total", "free", "fits"), [(10**6, 8000, False), (10**6, 10**5, True), (0, 0, True)])
def test_a_disk_too_small_is_refused_before_the_first_byte(tmp_path, monkeypatch, total, free, fits):
    """A total of 0 is a network disk that does not tell its size."""
    good = checkpoint.save(tmp_path, 1, {"w": np.ones(1000)}, {})
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=total, free=free))
    if fits:
        good = checkpoint.save(tmp_path, 2, {"w": np.ones(1000)}, {}, keep=1)
    else:
        with pytest.raises(CheckpointError, match=rf"it needs \d+ bytes and {free} are free.\n  Free space"):
            checkpoint.save(tmp_path, 2, {"w": np.ones(1000)}, {})
    assert list(tmp_path.iterdir()) == [good]


@pytest.mark.parametrize("target", ["os.fsync", "pathlib.Path.write_text", "pathlib.Path.mkdir", "pathlib.Path.rename"])
def test_no_space_at_any_stage_leaves_the_last_good_one(tmp_path, monkeypatch, target):
    good = checkpoint.save(tmp_path, 1, {"w": np.ones(3)}, {})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(target, full)
        with pytest.raises(CheckpointError, match=r"No space left on device(.|\n)*Free space"):
            checkpoint.save(tmp_path, 2, {"w": np.ones(3)}, {})
    assert list(tmp_path.iterdir()) == [good] == [checkpoint.latest(tmp_path)]
