"""CTC: the probability of a label sequence under outputs that are not aligned with it. Graves et al. 2006.

An alignment names one class at each step, the labels in their order, each for one step or several, with blanks between
as it likes, and at least one between two equal labels. Its probability is the product of those of its steps; that of
the labels is the sum over all alignments. With l' the labels with a blank before, between and after them (states s):

    alpha_t(s) = p_t(l'_s) (alpha_{t-1}(s) + alpha_{t-1}(s-1) + [l'_s is a label, not l'_{s-2}] alpha_{t-1}(s-2))
    beta       the same, from the last step and the last state backwards; both in logarithms
    P(labels) = alpha_T(last label) + alpha_T(last blank)
    d log P / d log p_t(k) = sum over {s: l'_s = k} of gamma_t(s),   gamma_t = alpha_t beta_t / p_t, summing to 1 over s

The derivative is that last line rather than what autodiff makes of the recursion: alpha and beta come out of one loop,
beta as the alpha of the sequence read backwards, so that the loop backward costs no steps of its own.

Shapes: logits [batch, time, classes]; labels [batch, n], shorter rows filled up at the end with -1 or with the blank;
states S = 2 n + 1.
"""

import jax
import jax.numpy as jnp

from thalweg.ops.precision import widen
from thalweg.types import Array, Bool, Float, Int

NEVER = -1e30
"""The logarithm of 0, finite, so that no difference of two is NaN."""

IMPOSSIBLE = 1e5
"""The loss of labels that have no alignment in their steps; its gradient is 0."""


def ctc(
    logits: Float[Array, "batch time classes"],
    labels: Int[Array, "batch n"],
    mask: Bool[Array, "batch time"] | None = None,
    blank: int = 0,
) -> Float[Array, " batch"]:
    """-log P(labels) of each row.

    Args:
        logits: before the softmax, [batch, time, classes].
        labels: classes in their order, [batch, n]; a row ends before its first -1 or `blank`.
        mask: True for each real step of the logits, [batch, time]; None where all are.
        blank: the class that stands for no label.

    Returns:
        [batch], in at least float32. Labels that need more steps than there are (one each, and one between equals)
        have the loss 1e5 and no gradient: the contract checks refuse them where lengths are known.

    >>> z = jnp.log(jnp.array([[[0.6, 0.4], [0.5, 0.5]]]))  # blank and one label; P = 0.4 * 0.5 + 0.6 * 0.5 + 0.4 * 0.5
    >>> round(float(jnp.exp(-ctc(z, jnp.array([[1]])))[0]), 6)
    0.7

    Graves, Fernandez, Gomez and Schmidhuber 2006, "Connectionist temporal classification".
    """
    log_p = jax.nn.log_softmax(widen(logits))
    lengths = jnp.sum(is_label(labels, blank), axis=1, dtype=jnp.int32)
    real = jnp.ones(logits.shape[:2], bool) if mask is None else mask
    different = jnp.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)))
    skip = _between(different, jnp.zeros_like(different[:, :1]))
    log_P = _log_likelihood(_of_states(log_p, labels, blank), skip, lengths, real)
    return jnp.where(log_P < NEVER / 2, IMPOSSIBLE, -log_P)  # a NaN stays


def is_label(labels: Int[Array, "batch n"], blank: int) -> Bool[Array, "batch n"]:
    """Where the labels of a row are; the rest fills the row up."""
    return jax.lax.cummin(((labels >= 0) & (labels != blank)).astype(jnp.int32), axis=1) > 0


def _between(values: Array, blank: Array) -> Array:
    """What belongs to the labels [..., n], with what belongs to the blank [..., 1] around each: [..., S]."""
    pairs = jnp.stack([jnp.broadcast_to(blank, values.shape), values], axis=-1)
    return jnp.concatenate([pairs.reshape(*values.shape[:-1], -1), blank], axis=-1)


def _of_states(log_p: Array, labels: Array, blank: int) -> Array:
    """Log p_t(l'_s), [batch, time, S]: products with one-hot rows, exact, whose derivative is no scatter."""
    chosen = jax.nn.one_hot(labels, log_p.shape[-1], dtype=log_p.dtype)
    of_labels = jnp.einsum("btk,bnk->btn", log_p, chosen, precision=jax.lax.Precision.HIGHEST)
    return _between(of_labels, log_p[..., blank : blank + 1])


def _alphas(e: Array, skip: Array, first: Array, real: Array) -> tuple[Array, Array]:
    """The logarithm of alpha at the last step, [batch, S], at each, [time, batch, S]; all stands at `first` before."""
    states = jnp.arange(e.shape[-1], dtype=first.dtype)[None, :]
    start = jnp.where(states == first[:, None], 0.0, NEVER).astype(e.dtype)

    def moved(alpha: Array, by: int) -> Array:
        return jnp.pad(alpha[:, :-by], ((0, 0), (by, 0)), constant_values=NEVER)

    def step(alpha: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        e_t, real_t = at
        one, two = moved(alpha, 1), jnp.where(skip, moved(alpha, 2), NEVER)
        top = jnp.maximum(jnp.maximum(alpha, one), two)
        total = top + jnp.log(jnp.exp(alpha - top) + jnp.exp(one - top) + jnp.exp(two - top))
        alpha = jnp.where(real_t[:, None], total + e_t, alpha)
        return alpha, alpha

    return jax.lax.scan(step, start, (e.swapaxes(0, 1), real.T))


@jax.custom_vjp
def _log_likelihood(e: Array, skip: Array, lengths: Array, real: Array) -> Array:
    """The log P of each row, from e = log p_t(l'_s)."""
    last, _ = _alphas(e, skip, jnp.zeros_like(lengths), real)
    return _ends(last, lengths)


def _ends(alpha: Array, lengths: Array) -> Array:
    """log(alpha(last label) + alpha(last blank)); without labels there is only the blank."""
    last = 2 * lengths[:, None]
    blank, label = (jnp.take_along_axis(alpha, jnp.maximum(s, 0), axis=1)[:, 0] for s in (last, last - 1))
    return jnp.logaddexp(blank, jnp.where(lengths > 0, label, NEVER))


def _forward(e: Array, skip: Array, lengths: Array, real: Array) -> tuple[Array, Array]:
    n, first = len(e), e.shape[-1] - 1 - 2 * lengths
    into = jnp.pad(skip[:, ::-1], ((0, 0), (2, 0)))[:, : skip.shape[1]]  # from s + 2 into s, read backwards
    last, both = _alphas(
        jnp.concatenate([e, e[:, ::-1, ::-1]]),
        jnp.concatenate([skip, into]),
        jnp.concatenate([jnp.zeros_like(first), first]),
        jnp.concatenate([real, real[:, ::-1]]),
    )
    alpha, beta = both[:, :n], both[::-1, n:, ::-1]
    gamma = jax.nn.softmax((alpha + beta).swapaxes(0, 1) - e)
    return _ends(last[:n], lengths), jnp.where(real[..., None], gamma, 0)


def _backward(gamma: Array, g: Array) -> tuple[Array, None, None, None]:
    return gamma * g[:, None, None], None, None, None


_log_likelihood.defvjp(_forward, _backward)
