"""Reading labels out of CTC's outputs: the best alignment (greedy), or the best labels (prefix beam search).

An alignment becomes labels by merging what repeats and then leaving the blanks out. The most probable alignment need
not belong to the most probable labels, whose probability is spread over many; beam search adds these up.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.ops.targets import most_probable
from thalweg.types import Array, Float, Int

Steps = Any
"""[batch, time], True for each real step; or [batch], the number of real steps of each row; or None: all are real."""

NEVER = -np.inf


def ctc_greedy(
    logits: Float[Array, "batch time classes"] | np.ndarray, mask: Steps = None, blank: int = 0
) -> Int[Array, "batch time"]:
    """The labels of the most probable alignment, moved to the front and filled up with -1.

    Args:
        logits: logits, or probabilities: only their order counts.
        mask: the real steps, or how many each row has; None where all are.
        blank: the class that stands for no label.

    Returns:
        Labels, [batch, time].

    >>> z = jnp.log(jnp.array([[[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]]))
    >>> ctc_greedy(z).tolist()
    [[1, 1, -1, -1]]

    Graves et al. 2006, "best path decoding".
    """
    z = jnp.asarray(logits)
    best = jnp.where(_real(mask, z.shape), most_probable(z), blank)
    before = jnp.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=blank)
    kept = (best != blank) & (best != before)
    order = jnp.argsort(~kept, axis=1, stable=True)
    return jnp.take_along_axis(jnp.where(kept, best, -1), order, axis=1)


def ctc_beam(
    logits: Any, mask: Steps = None, beam_width: int = 100, top_paths: int = 1, blank: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable label sequences, by prefix beam search, on the host.

    After each step a prefix has two log-probabilities, over all alignments that say it so far: ending in a blank
    (after which its last label may come again) and ending in its last label. The best `beam_width` prefixes go on. The
    result is exact where no more prefixes than that exist.

    Args:
        logits: before the softmax, or log-probabilities, [batch, time, classes].
        mask: the real steps, or how many each row has; None where all are.
        beam_width: how many prefixes go on.
        top_paths: how many sequences to give for each row.
        blank: the class that stands for no label.

    Returns:
        Labels, [batch, top_paths, time], the best first, filled up with -1; and their log-probabilities,
        [batch, top_paths], -inf where there are fewer.

    Raises:
        ContractError: the values are probabilities, or no more than `beam_width` sequences can be given.

    >>> p = np.array([[[0.6, 0.4], [0.6, 0.4]]])
    >>> labels, log_p = ctc_beam(np.log(p), top_paths=2)
    >>> labels.tolist(), np.exp(log_p).round(2).tolist()
    ([[[1, -1], [-1, -1]]], [[0.64, 0.36]])
    >>> ctc_greedy(jnp.log(p)).tolist()
    [[-1, -1]]

    Hannun et al. 2014, arXiv:1408.2873, without a language model.
    """
    z = np.asarray(logits, np.float64)
    _check(z, beam_width, top_paths)
    log_p = z - np.logaddexp.reduce(z, axis=-1, keepdims=True)
    real = np.asarray(_real(mask, z.shape))
    labels, scores = np.full((len(z), top_paths, z.shape[1]), -1, np.int32), np.full((len(z), top_paths), NEVER)
    for row in range(len(z)):
        paths = _search(log_p[row][real[row]], beam_width, blank)[:top_paths]
        for i, (prefix, score) in enumerate(paths):
            labels[row, i, : len(prefix)], scores[row, i] = prefix, score
    return labels, scores


def _check(z: np.ndarray, beam_width: int, top_paths: int) -> None:
    if z.size and (z >= 0).all() and np.allclose(z.sum(axis=-1), 1, atol=1e-3):
        raise ContractError(
            "ctc_beam takes logits or log-probabilities; every step given sums to 1, so these are probabilities.\n"
            "  Write ctc_beam(np.log(p), ...), or leave the network's final softmax out."
        )
    if not 1 <= top_paths <= beam_width:
        raise ContractError(
            f"ctc_beam: top_paths={top_paths} of beam_width={beam_width} cannot be given.\n"
            "  Write 1 or more, and no more than beam_width."
        )


def _search(log_p: np.ndarray, width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """Prefixes with their log-probabilities after all steps of one row, the best first."""
    prefixes: list[tuple[int, ...]] = [()]
    in_blank, in_label = np.zeros(1), np.full(1, NEVER)
    for log_p_t in log_p:
        last = np.array([prefix[-1] if prefix else blank for prefix in prefixes])
        total = np.logaddexp(in_blank, in_label)
        longer = total[:, None] + log_p_t[None, :]  # [prefix, class]: the prefix with one label more
        again = np.flatnonzero(last != blank)
        longer[again, last[again]] = in_blank[again] + log_p_t[last[again]]  # the same label again, after a blank
        longer[:, blank] = NEVER
        in_blank, in_label = total + log_p_t[blank], np.where(last == blank, NEVER, in_label + log_p_t[last])
        _merge(prefixes, longer, in_label)
        prefixes, in_blank, in_label = _best(prefixes, in_blank, in_label, longer, width)
    total = np.logaddexp(in_blank, in_label)
    return [(prefixes[i], float(total[i])) for i in np.argsort(-total, kind="stable")]


def _merge(prefixes: list[tuple[int, ...]], longer: np.ndarray, in_label: np.ndarray) -> None:
    """Move what reaches a prefix of the beam from its parent to where that prefix is counted."""
    place = {prefix: i for i, prefix in enumerate(prefixes)}
    for i, prefix in enumerate(prefixes):
        parent = place.get(prefix[:-1]) if prefix else None
        if parent is not None:
            in_label[i] = np.logaddexp(in_label[i], longer[parent, prefix[-1]])
            longer[parent, prefix[-1]] = NEVER


def _best(
    prefixes: list[tuple[int, ...]], in_blank: np.ndarray, in_label: np.ndarray, longer: np.ndarray, width: int
) -> tuple[list[tuple[int, ...]], np.ndarray, np.ndarray]:
    """The best `width` of the prefixes as they are and with one label more."""
    totals = np.concatenate([np.logaddexp(in_blank, in_label), longer.reshape(-1)])
    chosen = np.argpartition(-totals, width - 1)[:width] if len(totals) > width else np.arange(len(totals))
    chosen = np.sort(chosen[totals[chosen] > NEVER])
    kept, grown = chosen[chosen < len(prefixes)], chosen[chosen >= len(prefixes)] - len(prefixes)
    parents, labels = np.divmod(grown, longer.shape[1])
    names = [prefixes[i] for i in kept] + [(*prefixes[i], int(k)) for i, k in zip(parents, labels, strict=True)]
    blanks = np.append(in_blank[kept], np.full(len(grown), NEVER))
    return names, blanks, np.append(in_label[kept], longer.reshape(-1)[grown])


def _real(mask: Steps, shape: tuple[int, ...]) -> Array:
    """The real steps, [batch, time], from a mask, lengths or None."""
    if mask is None:
        return jnp.ones(shape[:2], bool)
    mask = jnp.asarray(mask)
    if mask.shape == shape[:1]:
        return jnp.arange(shape[1])[None, :] < mask[:, None]
    if mask.shape != shape[:2]:
        raise ContractError(
            f"mask has shape {mask.shape}; for outputs {shape} it is {shape[:2]}, or {shape[:1]} numbers of steps.\n"
            "  Give True for each real step, or how many steps each row has."
        )
    return mask.astype(bool)
