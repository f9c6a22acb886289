"""A state carried over a text: the loss from its first word on, and states put back to 0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.recipes.language.test_kind import nll
from thalweg import core, layers, tree
from thalweg.architectures import GPT, RecurrentLM
from thalweg.model import Model
from thalweg.recipes.language import states


def recurrent(rows=3, **settings):
    model = Model(RecurrentLM(7, [layers.LSTM(5, stateful=True, batch_size=rows)] * 2, **settings))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.build_for(jax.ShapeDtypeStruct((rows, 4), jnp.int32))
    model.set_weights([w * 3 for w in model.get_weights()])
    return model


def test_a_carried_loss_is_that_of_the_whole_text_at_once(monkeypatch):
    monkeypatch.setattr(states, "STRETCH", 4)
    model, rng = recurrent(), np.random.default_rng(0)
    x, y = (rng.integers(1, 7, (2, 22)).astype(np.int32) for _ in range(2))
    plain = RecurrentLM(7, [layers.LSTM(5)] * 2, activation=None)
    logits = core.apply(plain, jax.tree.map(jnp.asarray, tree.unflatten(model.weights)), {}, jnp.asarray(x))[0]
    whole = nll(np.asarray(jax.nn.softmax(logits)), y)
    assert states.loss(model, x, y) == pytest.approx(whole, rel=1e-5)
    torn = np.mean([states.loss(model, x[:, i : i + 11], y[:, i : i + 11]) for i in (0, 11)])
    assert abs(torn - whole) > 1e-4  # a state of 0 in the middle is something else
    with pytest.raises(Exception, match="carries no state"):
        states.loss(Model(GPT(7, context=4, num_layers=1, num_heads=1, width=4)), x, y)


def test_states_are_put_back_once_an_epoch_and_not_where_a_run_goes_on():
    model, hook = recurrent(), states.FreshStates()
    hook.set_model(model)

    def carry():
        model.set_weights([np.full_like(w, 0.5) for w in model.get_weights()])
        return model

    def carried(m):
        return [w for name, w in m.weights.items() if "carried" in name]

    carry()
    hook.on_epoch_begin(0)
    assert len(carried(model)) == 4
    assert not np.any(carried(model))
    assert np.all(model.weights["head.kernel"] == 0.5)
    again = states.FreshStates()
    again.set_model(carry())
    again.restore(*hook.snapshot())
    again.on_epoch_begin(0)
    assert np.all(np.array(carried(model)) == 0.5)
    again.on_epoch_begin(1)
    assert not np.any(carried(model))
