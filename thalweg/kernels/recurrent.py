"""Recurrent sequences, native: a block of rows goes through all its steps on one thread, the gates fused into h U.

    a_t = z_t + (noise * h_{t-1}) U + b     the pre-activations of step t; z = x W is one product for all steps
    state_t = cell(a_t, state_{t-1})        state_t[0] is h_t

and back again, `dU = sum_t h_{t-1}^T da_t` and db along the way. The formulas are in `recurrence.py`.

`steps` says by 1 and 0 where a sequence has steps: at a 0 the state is carried over unchanged, and no work is done.
Where `reverse`, time runs from the last step to the first: h_t stands at t still, made of what comes after it.

Shapes: z [batch, time, n units]; U [units, n units]; b [n units]; h, noise [batch, units]; steps [batch, time]; n = 1
for the simple network, 3 for the GRU, 4 for the LSTM.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.kernels import library, recurrence
from thalweg.kernels.recurrence import State
from thalweg.types import Array, Float, ShapeDtype


class Native(NamedTuple):
    """A cell's native functions `name` and `name_backward`.

    `gates`: the columns of z for a unit; `kept`: those of each array that the backward pass needs besides h, the first
    in z's place where it has as many; `formula(z, U, b, state, noise, steps, reverse)`, time first, what they compute.
    """

    name: str
    gates: int
    kept: tuple[int, ...]
    formula: Callable[..., tuple[Array, State]]
    attributes: tuple[tuple[str, Any], ...] = ()

    def function(self, suffix: str, results: Any, *arguments: Any, **more: Any) -> list[Array]:
        """Its native function of this ending."""
        return library.call(self.name + suffix, results, *arguments, **dict(self.attributes), **more)


def _of_cell(cell: recurrence.Cell) -> Callable[..., tuple[Array, State]]:
    def formula(z: Array, U: Array, b: Array | None, state: State, noise: Any, steps: Any, reverse: bool) -> Any:
        z = z if b is None else z + b[None, None]
        return recurrence.recurrence(cell, reverse, z, U, state, noise, steps)

    return formula


def _of_gru(reset_after: bool) -> Callable[..., tuple[Array, State]]:
    return functools.partial(recurrence.gru, reset_after=reset_after)


def _simple(f: Callable[[Array], Array]) -> recurrence.Cell:
    return recurrence.differentiated(lambda a, _: (f(a),))


LSTM = Native("lstm", 4, (4, 1), _of_cell(recurrence.LSTM_CELL))
SIMPLE_TANH = Native("simple_rnn", 1, (), _of_cell(_simple(jnp.tanh)), (("relu", False),))
SIMPLE_RELU = Native("simple_rnn", 1, (), _of_cell(_simple(jax.nn.relu)), (("relu", True),))
GRU = Native("gru", 3, (3, 1), _of_gru(True))
GRU_BEFORE = Native("gru_before", 3, (3,), _of_gru(False))


WIDEST = 256
"""Units above which U leaves a core's second cache: at 512 XLA's product a step is as fast or a sixth faster."""


def serves(x: Float[Array, "batch time features"], U: Float[Array, "units gates"]) -> bool:
    """Whether a native sequence runs for these."""
    return x.dtype == U.dtype == jnp.float32 and U.shape[0] <= WIDEST and library.serves()


def formula(
    cell: Native,
    reverse: bool,
    z: Float[Array, "batch time gates"],
    U: Float[Array, "units gates"],
    b: Float[Array, " gates"] | None,
    state: State,
    noise: Float[Array, "batch units"] | None = None,
    steps: Float[Array, "batch time"] | None = None,
) -> tuple[Float[Array, "batch time units"], State]:
    """What `sequence` computes, by the formula in JAX."""
    steps = None if steps is None else steps.T
    hs, state = cell.formula(z.swapaxes(0, 1), U, b, state, noise, steps, reverse)
    return hs.swapaxes(0, 1), state


def _some(x: Array | None, dtype: Any) -> Array:
    return jnp.zeros(0, dtype) if x is None else x.astype(dtype)


def _native(cell: Native, reverse: bool, keep: bool, z: Array, U: Array, b: Any, state: State, noise: Any, steps: Any):  # noqa: ANN202
    batch, time, _ = z.shape
    units, dtype = U.shape[0], z.dtype
    kept = [ShapeDtype((batch, time, n * units) if keep else (0,), dtype) for n in cell.kept]
    results = [ShapeDtype((batch, time, units), dtype), *library.like(*state), *kept]
    in_place = keep and cell.kept[:1] == (cell.gates,)
    hs, *rest = cell.function(
        "", results, z, U, _some(b, dtype), *state, _some(noise, dtype), _some(steps, dtype),
        aliases={0: 1 + len(state)} if in_place else None, reverse=reverse,
    )  # fmt: skip
    return (hs, tuple(rest[: len(state)])), tuple(rest[len(state) :])


def _sequence(cell: Native, reverse: bool, *arguments: Any) -> tuple[Array, State]:
    """All h_t, and the last state, of `(z, U, b, state, noise, steps)`, of which b, noise and steps may be None."""
    return _native(cell, reverse, False, *arguments)[0]


def _keeping(cell: Native, reverse: bool, *arguments: Any) -> tuple[tuple[Array, State], tuple[Array, ...]]:
    """The same, and what the backward pass needs."""
    return _native(cell, reverse, True, *arguments)


def _backward(cell: Native, reverse: bool, arguments: Any, hs: Array, kept: Any, d_out: Any) -> tuple[Any, ...]:
    """The gradients of z, U, b and the state."""
    z, U, b, state, noise, steps = arguments
    d_hs, d_last = d_out
    dtype = z.dtype
    in_place = cell.kept[:1] == (cell.gates,)
    dz, dU, db, *d_state = cell.function(
        "_backward", library.like(z, U, _some(b, dtype), *state),
        *kept, hs, U, _some(b, dtype), *state, _some(noise, dtype), _some(steps, dtype), d_hs, *d_last,
        aliases={0: 0} if in_place else None, reverse=reverse,
    )  # fmt: skip
    return dz, dU, None if b is None else db, tuple(d_state)


sequence = jax.custom_vjp(_sequence, nondiff_argnums=(0, 1))
_kept_sequence = jax.custom_vjp(_keeping, nondiff_argnums=(0, 1))
_gradient = jax.custom_vjp(_backward, nondiff_argnums=(0, 1))


def _forward(cell: Native, reverse: bool, *arguments: Any) -> tuple[Any, Any]:
    out, kept = _kept_sequence(cell, reverse, *arguments)
    return out, (arguments, out[0], kept)


def _forward_of_kept(cell: Native, reverse: bool, *arguments: Any) -> tuple[Any, Any]:
    out, kept = _kept_sequence(cell, reverse, *arguments)
    return (out, kept), (arguments, out[0], kept)


def _pull(cell: Native, reverse: bool, saved: Any, d_out: Any) -> tuple[Any, ...]:
    return *_gradient(cell, reverse, *saved, d_out), None, None


def _pull_of_kept(cell: Native, reverse: bool, saved: Any, d_out: Any) -> tuple[Any, ...]:
    return _pull(cell, reverse, saved, d_out[0])  # what is kept is read by `_gradient` alone, which answers for it


def _forward_of_gradient(cell: Native, reverse: bool, *saved: Any) -> tuple[Any, Any]:
    return _gradient(cell, reverse, *saved), saved


def _pull_of_gradient(cell: Native, reverse: bool, saved: Any, d_gradient: Any) -> tuple[Any, ...]:
    """The second derivative, by the formula: as a function of the arguments alone, whose functions hs and kept are."""
    (*arguments, noise, steps), _, _, d_out = saved

    def gradient(arguments: Any, d_out: Any) -> Any:
        def at(z: Array, U: Array, b: Any, state: State) -> Any:
            return formula(cell, reverse, z, U, b, state, noise, steps)

        return jax.vjp(at, *arguments)[1](d_out)

    d_arguments, d_d_out = jax.vjp(gradient, tuple(arguments), d_out)[1](tuple(d_gradient))
    return (*d_arguments, None, None), None, None, d_d_out


sequence.defvjp(_forward, _pull)
_kept_sequence.defvjp(_forward_of_kept, _pull_of_kept)
_gradient.defvjp(_forward_of_gradient, _pull_of_gradient)
