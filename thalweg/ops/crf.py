"""Linear-chain CRF: the probability of a path of tags, which depend on the steps and on their neighbours.

All that the model says is one array of potentials, psi[b, t, i, j]: how well tag j at step t of row b follows tag i.

    score(y) = sum_t psi_t(y_{t-1}, y_t)          y_{-1} = tag 0: at the first step row 0 is read
    log Z    = log sum over all y of exp score(y)
    alpha_t(j) = log sum_i exp(alpha_{t-1}(i) + psi_t(i, j)),   log Z = log sum_j exp alpha_T(j)
    log P(y) = score(y) - log Z

A step of padding is the identity of that recursion: psi(i, j) is 0 where i = j, and the logarithm of 0 elsewhere, so
the tag stays as it is. The potentials say themselves where they are padded: no function here needs a mask beside them.

Lafferty, McCallum and Pereira 2001, "Conditional random fields"; the recursions are those of Rabiner 1989.

Shapes: emissions [batch, time, tags]; potentials [batch, time, tags, tags]; tags, a path [batch, time].
"""

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.ops.targets import at_class
from thalweg.types import Array, Bool, Dtype, Float, Int

NEVER = -1e30
"""The logarithm of 0, finite, so that no difference of two is NaN."""

PADDING = -1
"""The tag of a step that is not there."""


def potentials(
    emissions: Float[Array, "batch time tags"],
    transitions: Float[Array, "tags tags"],
    start: Float[Array, " tags"],
    end: Float[Array, " tags"],
    mask: Bool[Array, "batch time"] | None = None,
) -> Float[Array, "batch time tags tags"]:
    """psi_t(i, j) = transitions(i, j) + emissions_t(j); start(j) in place of transitions at first, + end(j) at last.

    Args:
        emissions: how well each tag fits each step.
        transitions: how well tag j (second axis) follows tag i (first).
        start: how well a row starts with each tag.
        end: how well a row ends with each tag.
        mask: True for each real step; None where all are. Padding may stand anywhere.

    Returns:
        The potentials, [batch, time, tags, tags].
    """
    batch, time, tags = emissions.shape
    real = jnp.ones((batch, time), bool) if mask is None else mask
    count = jnp.cumsum(real, axis=1, dtype=jnp.int32)
    first, last = real & (count == 1), real & (count == count[:, -1:])
    before = jnp.where(_over(first), start[None, None, None, :], transitions[None, None])
    after = jnp.where(last[..., None], emissions + end[None, None, :], emissions)
    return jnp.where(_over(real), before + after[:, :, None, :], _identity(tags, emissions.dtype))


def real_steps(psi: Float[Array, "batch time tags tags"]) -> Bool[Array, "batch time"]:
    """Where the potentials are of a real step rather than of padding. A CRF of one tag has real steps only."""
    return psi[:, :, 0, -1] > NEVER / 2


def without(psi: Float[Array, "batch time tags tags"], real: Bool[Array, "batch time"]) -> Array:
    """The potentials with the steps that are not `real` as padding."""
    return jnp.where(_over(real), psi, _identity(psi.shape[-1], psi.dtype))


def log_partition(psi: Float[Array, "batch time tags tags"]) -> Float[Array, " batch"]:
    """Log Z, by the forward recursion.

    >>> bool(jnp.allclose(log_partition(jnp.zeros((1, 3, 2, 2))), jnp.log(2.0**3)))
    True
    """

    def step(alpha: Array, psi_t: Array) -> tuple[Array, None]:
        return jax.nn.logsumexp(alpha[:, :, None] + psi_t, axis=1), None

    alpha, _ = jax.lax.scan(step, _before(psi), psi.swapaxes(0, 1))
    return jax.nn.logsumexp(alpha, axis=1)


def score(psi: Float[Array, "batch time tags tags"], tags: Int[Array, "batch time"]) -> Float[Array, " batch"]:
    """The score of a path; steps of padding score nothing, whatever their tag.

    >>> score(jnp.arange(8.0).reshape(1, 2, 2, 2), jnp.array([[1, 0]])).tolist()
    [7.0]
    """
    real = real_steps(psi)
    place = jax.lax.cummax(jnp.where(real, jnp.arange(psi.shape[1])[None, :], -1), axis=1)
    held = jnp.take_along_axis(tags, jnp.maximum(place, 0), axis=1)  # the last real tag so far
    previous = jnp.pad(jnp.where(place < 0, 0, held)[:, :-1], ((0, 0), (1, 0)))
    follows = at_class(at_class(psi, tags[:, :, None]), previous)
    return jnp.sum(jnp.where(real, follows, 0), axis=1)


def marginals(psi: Float[Array, "batch time tags tags"]) -> Float[Array, "batch time tags"]:
    """P(y_t = j) of each step: the derivative of log Z by psi_t(i, j), summed over i; at padding that of the last tag.

    >>> marginals(jnp.zeros((1, 2, 2, 2))).tolist()
    [[[0.5, 0.5], [0.5, 0.5]]]
    """
    return jnp.sum(jax.grad(lambda psi: jnp.sum(log_partition(psi)))(psi), axis=2)


def viterbi(psi: Float[Array | np.ndarray, "batch time tags tags"]) -> Int[Array, "batch time"]:
    """The most probable path, -1 at steps of padding; of equals that with the lower tags.

    Args:
        psi: what a network that ends in `layers.CRF` gives: `viterbi(model.predict(x))`.

    Returns:
        Tags, [batch, time].

    >>> viterbi(jnp.array([[[[0.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [5.0, 0.0]]]])).tolist()
    [[1, 0]]

    Viterbi 1967.
    """
    psi = jnp.asarray(psi)

    def step(best: Array, psi_t: Array) -> tuple[Array, Array]:
        scores = best[:, :, None] + psi_t
        return jnp.max(scores, axis=1), jnp.argmax(scores, axis=1)

    def back(tag: Array, came_from: Array) -> tuple[Array, Array]:
        return jnp.take_along_axis(came_from, tag[:, None], axis=1)[:, 0], tag

    best, came_from = jax.lax.scan(step, _before(psi), psi.swapaxes(0, 1))
    _, path = jax.lax.scan(back, jnp.argmax(best, axis=1), came_from, reverse=True)
    return jnp.where(real_steps(psi), path.T, PADDING)


def _before(psi: Array) -> Array:
    """Alpha before the first step: all probability at tag 0."""
    tags = psi.shape[-1]
    return jnp.broadcast_to(jnp.where(jnp.arange(tags) == 0, 0.0, NEVER).astype(psi.dtype), (len(psi), tags))


def _identity(tags: int, dtype: Dtype) -> Array:
    return jnp.where(jnp.eye(tags, dtype=bool), 0.0, NEVER).astype(dtype)[None, None]


def _over(steps: Array) -> Array:
    return steps[:, :, None, None]
