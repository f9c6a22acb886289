"""Checkpoints: a run's arrays and settings, written so that a kill at any moment leaves a good one.

    checkpoints/0007-step-1200/
      arrays/        the numbers, written by Orbax
      meta.json      what each leaf is, the step, and what the caller adds (history, settings)
      SHA256SUMS     the digest of every file

A checkpoint is written under a name that starts with a dot, synced file by file, and renamed: a name without the dot is
whole. No step writes into a finished one, and older ones go only when the new one is on the disk. The first number of
the name counts the checkpoints of a folder, so the newest is the one written last, even after a resume from an earlier
step.

Orbax is handed one thing after the other: the buffers that whole leaves share, then what is spread over devices, shard
by shard, each host its part. Two writes at once would leave one of them running when the other fails.
"""

import errno
import json
import logging
import re
import shutil
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from jax.experimental import multihost_utils

from thalweg import forms
from thalweg.errors import CheckpointError, ContractError
from thalweg.files import below, broken, seal, sync
from thalweg.forms import shown
from thalweg.limits import within
from thalweg.train import leaves, stored
from thalweg.types import ShapeDtype, Tree

FORMAT = 1
NAME = re.compile(r"(\d{4,})-step-\d+")
ARRAYS, META, SPREAD, BYTES = "arrays", "meta.json", "spread", "bytes"
ON_HOST = ocp.RestoreArgs(restore_type=np.ndarray)
FILE_ERRORS = (OSError, ValueError)  # TensorStore, under Orbax, reports a failed file as ValueError


def save(folder: str | PathLike[str], step: int, arrays: Tree, meta: dict[str, Any], *, keep: int = 2) -> Path:
    """Write a checkpoint of `step` into `folder` and return its path once it is on the disk.

    Args:
        folder: where the run keeps its checkpoints; made if it is not there.
        step: how many steps the run has made.
        arrays: any tree of arrays, typed keys and numbers.
        meta: what JSON holds: history, settings.
        keep: how many of the newest stay; older ones are deleted after the new one is on the disk.

    Raises:
        CheckpointError: the disk is full or cannot be written; the checkpoints before are untouched.
        ContractError: `keep`, a leaf or `meta` is not what a checkpoint takes.

    >>> import tempfile
    >>> path = save(tempfile.mkdtemp(), 3, {"w": np.ones(2)}, {"seed": 0})
    >>> path.name
    '0001-step-3'
    >>> load(path, {"w": np.zeros(2)})
    ({'w': array([1., 1.])}, {'seed': 0, 'step': 3})
    """
    if keep < 1:
        raise ContractError(f"keep={keep}: a run keeps at least its last checkpoint.\n  Write keep=1 or more.")
    values = jax.tree.leaves(arrays)
    data = [leaves.numbers(leaf) for leaf in values]
    together, spread = leaves.divide(data)
    record = {"format": FORMAT, "leaves": leaves.rows(arrays), "together": together, "spread": spread}
    record |= {"weak": [leaves.is_weak(leaf) for leaf in values], "meta": {**meta, "step": int(step)}}
    try:
        text = json.dumps(record)
    except (TypeError, ValueError) as error:
        raise ContractError(f"meta holds what JSON cannot: {error}.\n  Write names, numbers and lists.") from error
    try:
        return _write(Path(folder), step, data, text, keep)
    except FILE_ERRORS as error:
        raise CheckpointError(
            f"the checkpoint of step {step} could not be written to {folder}: {_brief(error)}.\n"
            "  Free space on that disk or name another folder; the checkpoints before this one are untouched."
        ) from error


def latest(folder: str | PathLike[str]) -> Path | None:
    """The newest checkpoint in `folder` whose digests hold; None where there is none. Damaged ones are warned of.

    Raises:
        CheckpointError: there are checkpoints, and none of them is good.
    """
    written = _written(Path(folder))
    for path in reversed(written):
        try:
            _verified(path)
        except CheckpointError as error:
            warnings.warn(f"{error}\n  It is passed over for the one before it.", stacklevel=2)
        else:
            return path
    if written:
        raise CheckpointError(
            f"none of the {len(written)} checkpoints in {folder} is whole.\n"
            "  Bring one back from a copy, or start the run anew in another folder."
        )
    return None


def load(path: str | PathLike[str], like: Tree) -> tuple[Tree, dict[str, Any]]:
    """The arrays and the meta that `save` stored at `path`, with `meta["step"]`.

    Args:
        path: a checkpoint, as `save` and `latest` return it.
        like: a tree of the same structure, shapes and dtypes, of arrays or of `jax.ShapeDtypeStruct`. Each restored
            leaf is of its kind and lies where it lies: on its device, or spread by its sharding.

    Raises:
        CheckpointError: a file is missing, truncated or altered, or the arrays are not those of a tree like `like`.
    """
    path = Path(path)
    record = _verified(path)
    _check_same(path, record["leaves"], leaves.rows(like))
    kinds, structure = jax.tree.flatten(like)
    data = _load_arrays(path / ARRAYS, [leaves.spec(kind) for kind in kinds], record["together"], record["spread"])
    restored = [leaves.place(data[i], kind, weak=record["weak"][i]) for i, kind in enumerate(kinds)]
    return jax.tree.unflatten(structure, restored), record["meta"]


def meta(path: str | PathLike[str]) -> dict[str, Any]:
    """The meta that `save` stored at `path`, without the arrays.

    Raises:
        CheckpointError: a file is missing, truncated or altered.
    """
    return _verified(Path(path))["meta"]


def _write(folder: Path, step: int, data: list[Any], record: str, keep: int) -> Path:
    """Write, sync, rename, delete what is older. Each host writes its shards, the first one all else."""
    folder.mkdir(parents=True, exist_ok=True)
    _check_space(folder, sum(array.nbytes for array in data) + len(record))
    number = 1 + max(map(_number, _written(folder)), default=0)
    name = f"{number:04d}-step-{step}"
    path, temporary, first = folder / name, folder / f".{name}", jax.process_index() == 0
    try:
        _meet("every host has read the folder")
        if first:
            _clear(folder)
        _meet("the folder is clear")
        _save_arrays(temporary / ARRAYS, data)
        _meet("the arrays are written")
        if first:
            (temporary / META).write_text(record)
            seal(temporary)
            temporary.rename(path)
            sync(folder, folder.parent)
            for old in _written(folder)[:-keep]:
                shutil.rmtree(old, ignore_errors=True)
        _meet("the checkpoint has its name")
    finally:
        if first:
            _clear(folder)
    return path


def _check_space(folder: Path, needed: int) -> None:
    """Fail before the first byte where that is plain; some network disks do not tell their size."""
    disk = shutil.disk_usage(folder)
    if disk.total and disk.free < needed:
        raise OSError(errno.ENOSPC, f"it needs {needed} bytes and {disk.free} are free")


def _save_arrays(folder: Path, data: list[Any]) -> None:
    """A folder for each buffer, and one for what is spread over devices."""
    together, spread = leaves.divide(data)
    for n, group in enumerate(together):
        _save_items(folder / str(n), {BYTES: leaves.pack([data[i] for i in group])})
    if spread:
        _save_items(folder / SPREAD, {str(i): data[i] for i in spread})


def _load_arrays(folder: Path, specs: list[ShapeDtype], together: list[list[int]], spread: list[int]) -> dict[int, Any]:
    """The arrays that `_save_arrays` was given, each as its spec says, by their places in the list."""
    out: dict[int, Any] = {}
    for n, group in enumerate(together):
        items = _load_items(folder / str(n), {BYTES: ON_HOST})
        out.update(zip(group, leaves.unpack(items[BYTES], [specs[i] for i in group]), strict=True))
    if spread:
        items = _load_items(folder / SPREAD, {str(i): _where(specs[i]) for i in spread})
        out.update({i: items[str(i)] for i in spread})
    return out


def _where(spec: ShapeDtype) -> ocp.RestoreArgs:
    return ocp.ArrayRestoreArgs(sharding=spec.sharding) if leaves.is_spread(spec) else ON_HOST


def _save_items(folder: Path, items: dict[str, Any]) -> None:
    """Orbax's part. Its threads log a page of traceback for what we raise in two lines, so its log is off meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("absl")
    before, log.disabled = log.disabled, True
    try:
        _orbax().save(epath.Path(folder), args=ocp.args.PyTreeSave(items))
    finally:
        log.disabled = before


def _load_items(folder: Path, how: dict[str, ocp.RestoreArgs]) -> dict[str, Any]:
    args = ocp.args.PyTreeRestore(dict.fromkeys(how, 0), restore_args=how)
    try:
        with jax.enable_x64(True):  # the dtypes are those of the files, whatever the caller's mode
            return _orbax().restore(epath.Path(folder), args=args)
    except FILE_ERRORS as error:
        raise CheckpointError(f"{folder} cannot be read: {_brief(error)}.\n  Resume from another one.") from error


def _orbax() -> ocp.PyTreeCheckpointHandler:
    """A plain file per chunk: nothing to merge after the write. Trained numbers hardly compress."""
    return ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_compression=False)


def _meet(where: str) -> None:
    """Wait until every host is here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(where)


def _written(folder: Path) -> list[Path]:
    """The finished checkpoints of a folder, oldest first."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in inside if NAME.fullmatch(path.name)), key=_number)


def _number(path: Path) -> int:
    """Which checkpoint of its folder it is, counted from 1."""
    return int(path.name.partition("-")[0])


def _clear(folder: Path) -> None:
    """Delete what a killed or failed writer left."""
    for path in folder.iterdir():
        if path.name.startswith(".") and NAME.fullmatch(path.name[1:]):
            shutil.rmtree(path, ignore_errors=True)


def _verified(path: Path) -> dict[str, Any]:
    """The record of a checkpoint of which every file is there and is what was written."""
    if not path.is_dir():
        raise CheckpointError(f"there is no checkpoint {path}.\n  Give the path that save() or latest() returned.")
    remedy = "Resume from another one of its folder, or bring it back from a copy."
    try:
        files = [file for file in below(path, "**/*") if file.is_file()]
        within("checkpoint_bytes", sum(file.stat().st_size for file in files), path, CheckpointError)
        wrong = broken(path)
        record = {} if wrong else forms.read_json(path / META, CheckpointError)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {path} cannot be read: {error}.\n  {remedy}") from error
    if wrong:
        what = ", ".join(wrong[:3])
        raise CheckpointError(f"the checkpoint {path} is damaged: {what} is missing, truncated or altered.\n  {remedy}")
    if isinstance(record, dict) and record.get("format") not in (None, FORMAT):
        raise CheckpointError(
            f"the checkpoint {path} is of format {shown(record['format'])}; this version reads format {FORMAT}.\n"
            "  Resume with the version of Thalweg that wrote it."
        )
    stored.check(path, stored.Record, record)
    stored.check_places(path, record)
    return record


def _check_same(path: Path, stored: list[leaves.Row], wanted: list[leaves.Row]) -> None:
    """Refuse a checkpoint of another tree; the error names the first leaf that differs."""
    remedy = "Resume with the network, optimizer and settings it was written with, or start a new run."
    there, here = ({name for name, *_ in rows} for rows in (stored, wanted))
    if other := sorted(there ^ here):
        side = "it has" if other[0] in there else "it has no"
        raise CheckpointError(
            f"the checkpoint {path} belongs to another network or optimizer: {side} {other[0]}.\n  {remedy}"
        )
    for (name, *was), (_, *now) in zip(stored, wanted, strict=True):
        if was != now:
            raise CheckpointError(
                f"the checkpoint {path} belongs to another network or optimizer: "
                f"{name} is {was[0]} {was[1]} there and {now[0]} {now[1]} here.\n  {remedy}"
            )


def _brief(error: Exception) -> str:
    """The part of an error before the specification that TensorStore appends."""
    return str(error).partition(" [tensorstore_spec")[0].partition("\n")[0]
