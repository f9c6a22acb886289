"""What recurrent layers share: the states before the first step, noise that is the same at every step, and the states
that a batch leaves to the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.layers.common import Initializer, bias, penalized
from thalweg.ops.constraints import constraint
from thalweg.ops.dropout import keep_mask
from thalweg.ops.initializers import Zeros, initializer
from thalweg.ops.regularizers import regularizer
from thalweg.record import Record
from thalweg.types import Array, Dtype, Key, Tree

InitialState: TypeAlias = Array | Sequence[Array] | None
Output: TypeAlias = Array | tuple[Array, ...]
State: TypeAlias = tuple[Array, ...]
Shapes: TypeAlias = Sequence[tuple[int, ...]]

CARRIED = "carried_"  # what the variables of a stateful layer are called, with a number


class OverTime(Module):
    """The base of layers that keep a state from step to step.

    Keras's order of the other settings puts each layer's own between those that all have, so a layer lists them itself.
    """

    batch_size: int | None = field(default=None, kw_only=True)

    casts: ClassVar[bool] = True

    def ending(self) -> tuple[Module, None]:
        """The activation is the step's, inside: it cannot be set apart from the layer."""
        return self, None


class ForgetOpen(Record):
    """An LSTM's bias with 1 at the forget gate, which so starts open, and `rest` elsewhere.

    Jozefowicz et al. 2015, "An empirical exploration of recurrent network architectures".
    """

    rest: Initializer = "zeros"

    def __call__(self, key: Key[Array, ""], shape: tuple[int, ...], dtype: Dtype) -> Array:
        """The first value of a weight of [4 units]."""
        units = shape[0] // 4
        return initializer(self.rest)(key, shape, dtype).at[units : 2 * units].set(1)


def forget_bias(cx: Context, units: int) -> Array | None:
    """The bias of an LSTM's gates i, f, g, o; 1 at f at first where the layer says so."""
    layer: Any = cx.module
    if not (layer.use_bias and layer.unit_forget_bias):
        return bias(cx, 4 * units)
    settings = regularizer(layer.bias_regularizer), constraint(layer.bias_constraint)
    initial = ForgetOpen(layer.bias_initializer)
    return cx.param("bias", initial, (4 * units,), regularizer=settings[0], constraint=settings[1])


def states_of(given: InitialState, shapes: Shapes, dtype: Dtype) -> State:
    """The states that were given, which must have `shapes`; zeros where None."""
    if given is None:
        return tuple(jnp.zeros(shape, dtype) for shape in shapes)
    states = tuple(given) if isinstance(given, Sequence) else (given,)
    if [s.shape for s in states] != list(shapes):
        raise ValueError(
            f"initial_state must have the shapes {list(shapes)}; it has {[s.shape for s in states]}.\n"
            "  Give an array for each, or leave initial_state out to begin with zeros."
        )
    return tuple(s.astype(dtype) for s in states)


def first(cx: Context, given: InitialState, shapes: Shapes, dtype: Dtype) -> State:
    """The states before the first step: those given, those that the last batch left for as many rows, or zeros."""
    layer: Any = cx.module
    rows = shapes[0][0]
    if layer.stateful and (layer.batch_size is None or layer.batch_size < rows):
        raise ValueError(
            f"stateful=True keeps a state for each row of a batch.\n  Write batch_size={rows} in the layer"
        )
    if given is not None or not layer.stateful:
        return states_of(given, shapes, dtype)
    kept = [cx.variable(f"{CARRIED}{i}", Zeros(), (layer.batch_size, *s[1:])) for i, s in enumerate(shapes)]
    return tuple(part[:rows].astype(dtype) for part in kept)


def carry(cx: Context, state: State) -> None:
    """Leave `state` to the next batch, where the layer is stateful."""
    layer: Any = cx.module
    for i, part in enumerate(state if layer.stateful else ()):
        kept = cx.variable(f"{CARRIED}{i}", Zeros(), (layer.batch_size, *part.shape[1:]))
        cx.update(f"{CARRIED}{i}", kept.at[: len(part)].set(part.astype(kept.dtype)))


def reset_states(values: Tree) -> Tree:
    """`values` with what stateful layers carry from batch to batch set to 0.

    Args:
        values: the state of `core.init` or `core.apply`, or the `weights` of a model:
            `model.set_weights(reset_states(model.weights))`, such as in a callback at the beginning of an epoch.
    """

    def reset(path: tuple[Any, ...], leaf: Any) -> Any:
        last = str(getattr(path[-1], "key", "")).rpartition(".")[2] if path else ""
        return leaf * 0 if last.startswith(CARRIED) else leaf

    return jax.tree.map_with_path(reset, values)


def _noise(cx: Context, name: str, shape: tuple[int, ...], dtype: Dtype) -> Array | None:
    """The mask of the setting `name`, the same at every step; None in evaluation or where nothing is dropped."""
    rate = getattr(cx.module, name)
    return keep_mask(cx.key(), cx.hyper(name, rate), shape).astype(dtype) if cx.train and rate else None


def over_time(cx: Context, x: Array, initial_state: InitialState, shapes: Shapes, step: Callable[..., Any]) -> Output:
    """What the layers do around `step(x, state=, mask=, steps=, reverse=) -> (h of each step, last state)`.

    `shapes` are those of the states, [batch, ...], h first.
    """
    layer: Any = cx.module
    real, back = cx.mask_of(x), layer.go_backwards
    drop = _noise(cx, "dropout", (len(x), *x.shape[2:]), x.dtype)
    mask = _noise(cx, "recurrent_dropout", shapes[0], x.dtype)
    state, steps = first(cx, initial_state, shapes, x.dtype), None if real is None else real.astype(x.dtype)
    x = x if drop is None else x * drop[:, None]
    hs, state = step(x, state=state, mask=mask, steps=steps, reverse=back)
    carry(cx, state)
    y = penalized(cx, (hs[:, ::-1] if back else hs) if layer.return_sequences else state[0])
    if layer.return_sequences:
        cx.masked(y, real[:, ::-1] if back and real is not None else real)
    return (y, *state) if layer.return_state else y
