"""A feed of buckets: batches of one length each, so that short sequences do not cost what the longest do.

Each bucket is arrays of its own on the device, and the program is compiled once for each. An epoch is made of runs, a
few batches of one bucket after the other, so that the host is not asked at every step; the runs are shuffled. All of it
follows from (seed, epoch), as everywhere.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import data
from thalweg.errors import ContractError
from thalweg.train.windows import Window
from thalweg.types import Array, Spec, Tree

LONGEST_RUN = 16  # steps without the host
RUNS = 8  # of each bucket in an epoch, at least, where there are so many batches


@dataclasses.dataclass(frozen=True)
class Bucketed:
    """Arrays of each bucket on the device; `bucket` and `place` say where each row of the source is."""

    parts: tuple[tuple[Tree, Tree, Any], ...]
    bucket: np.ndarray
    place: np.ndarray
    rows: np.ndarray
    spec: Spec

    @classmethod
    def of(cls, source: data.BucketSource, rows: np.ndarray) -> "Bucketed":
        """The feed of these rows of a source."""
        place = np.zeros(len(source), np.int32)
        numbers = range(source.count)
        for k in numbers:
            inside = source.bucket == k
            place[inside] = np.arange(inside.sum())
        dtype = jax.dtypes.canonicalize_dtype
        spec = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape[1:]), dtype(a.dtype)), source.x)
        return cls(tuple(jax.device_put(source.part(k)) for k in numbers), source.bucket, place, rows, spec)

    def order(
        self, batch_size: int, *, seed: int = 0, epoch: int = 0, shuffle: bool = True, steps: int | None = None
    ) -> np.ndarray:
        """The rows of each batch of an epoch, [steps, batch_size], each batch of one bucket; -1 fills one up."""
        batches = [
            data.order(inside, batch_size, seed=seed, epoch=epoch, shuffle=shuffle)
            for k in range(len(self.parts))
            if len(inside := self.rows[self.bucket[self.rows] == k])
        ]
        size = self._run(sum(map(len, batches)))
        runs = [some[i : i + size] for some in batches for i in range(0, len(some), size)]
        chosen = data.permutation(len(runs), seed, "buckets", epoch) if shuffle else range(len(runs))
        return np.concatenate([runs[i] for i in chosen])[:steps]

    def windows(self, order: np.ndarray, first: int) -> Iterator[Window]:
        """Runs of batches of one bucket, all of one shape, from step `first` on."""
        size = self._run(len(order))
        kinds = self._kinds(order)
        offset = 0
        while offset < len(order):
            change = np.flatnonzero(kinds[offset : offset + size] != kinds[offset])
            last = int(change[0]) if change.size else min(size, len(order) - offset)
            if offset + last > first:
                yield Window(
                    self.parts[int(kinds[offset])], self._local(order[offset : offset + last], size),
                    max(first - offset, 0), last, offset,
                )  # fmt: skip
            offset += last

    def _run(self, steps: int) -> int:
        return int(np.clip(steps // (RUNS * len(self.parts)), 1, LONGEST_RUN))

    def _kinds(self, order: np.ndarray) -> np.ndarray:
        kinds = np.where(order < 0, self.bucket[order[:, :1]], self.bucket[order])
        if (kinds != kinds[:, :1]).any():
            raise ContractError(
                "a batch holds rows of several buckets.\n  train_on_batch takes arrays of one length: pad(ids)."
            )
        return kinds[:, 0]

    def _local(self, steps: np.ndarray, size: int) -> Array:
        out = np.full((size, steps.shape[1]), data.PADDING, np.int32)
        out[: len(steps)] = np.where(steps < 0, data.PADDING, self.place[steps])
        return jnp.asarray(out)
