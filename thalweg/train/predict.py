"""predict: the network's output for each row, in batches of one compiled shape."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from thalweg.core import Network
from thalweg.train.feeds import LARGEST
from thalweg.train.program import moved, predict_program
from thalweg.types import Tree


def outputs(network: Network, params: Tree, state: Tree, blocks: Iterable[tuple[Tree, int]]) -> Any:
    """The output for each real row of `blocks`.

    What stateful layers carry goes on from block to block, and is forgotten at the end.
    """
    run = predict_program(network)
    parts = []
    for block, count in blocks:
        output, leaves = run(params, state, block)
        parts.append(jax.tree.map(lambda a, c=count: np.asarray(a)[:c], output))
        state = moved(state, leaves)
    return jax.tree.map(lambda *a: np.concatenate(a), *parts)


class Ready(NamedTuple):
    """Inputs that came as the program takes them, so that the next ones like them need no looking at."""

    shape: tuple[int, ...]
    dtype: np.dtype
    run: Callable[..., Tree]
    most: int | None = None  # below which number indices must be

    def takes(self, x: Any) -> bool:
        """Whether `x` is such an array."""
        same = type(x) is np.ndarray and x.shape == self.shape and x.dtype == self.dtype
        if self.most is None:
            return same and (x.dtype.kind in "iub" or finite(x))
        return same and (not x.size or bool(x.min() >= 0 and x.max() < self.most))

    def __call__(self, params: Tree, state: Tree, x: np.ndarray) -> Any:
        """The output for `x`."""
        out, _ = self.run(params, state, x)
        return np.array(out) if isinstance(out, jax.Array) else jax.tree.map(np.array, out)


def finite(x: np.ndarray) -> bool:
    """Whether the sum of all numbers is finite, as it is not where one of them is NaN or infinite."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(x.sum()))


def ready(network: Network, x: Any, arrays: Tree) -> Ready | None:
    """What to keep after a prediction on `x`, which became `arrays`: nothing, unless one call took it as it was."""
    whole = type(x) is np.ndarray and arrays is x and len(x) in {1 << n for n in range(LARGEST.bit_length())}
    indices = getattr(getattr(network, "module", None), "indices", None)
    most = indices(0) if indices else None
    whole = whole and (most is None or x.dtype.kind in "iu")
    return Ready(x.shape, x.dtype, predict_program(network).at(x), most) if whole else None
