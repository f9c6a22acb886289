"""states: a state carried over a text, in training from batch to batch, in judging from its first word on."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from thalweg import ops, tree
from thalweg.architectures import called
from thalweg.errors import ContractError
from thalweg.forms import Form
from thalweg.layers import reset_states
from thalweg.model import Model
from thalweg.train.callbacks import Callback
from thalweg.train.callbacks.base import Logs

STRETCH = 256  # tokens that are judged at a time


class Begun(Form):
    """The epoch whose beginning was the last."""

    epoch: Annotated[int, Field(ge=-1)]


class FreshStates(Callback):
    """States of 0 at the beginning of each epoch, where the text begins again; not where a stopped run goes on."""

    remembers = ("epoch",)
    form = Begun

    def __init__(self) -> None:
        self.epoch = -1

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the states back to 0, once an epoch."""
        del logs
        if epoch != self.epoch:
            self.model.set_weights(reset_states(self.model.weights))
            self.epoch = epoch


def loss(model: Model, x: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log p over rows [rows, tokens] that are too long to be read at once; the state goes on.

    Raises:
        ContractError: the model keeps no state between stretches of a text.
    """
    module: Any = model.module
    if not hasattr(module, "recurrent"):
        raise ContractError("the model carries no state over a text.\n  Judge a RecurrentLM, such as word-lm's.")
    params, policy = tree.unflatten(model.weights), model.precision

    @jax.jit
    def stretch(params: Any, cache: Any, x: Any, y: Any) -> Any:
        z, cache = called(module, params, "step", x, cache, policy=policy)
        return ops.of_classes(z.astype(jnp.float32), y)[0].sum(), cache

    with policy.scope():
        cache, total = called(module, params, "start", len(x), x.shape[1], policy=policy), 0.0
        for first in range(0, x.shape[1], STRETCH):
            part = slice(first, first + STRETCH)
            part_loss, cache = stretch(params, cache, jnp.asarray(x[:, part]), jnp.asarray(y[:, part]))
            total += float(part_loss)
    return total / y.size
