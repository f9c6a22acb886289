"""One native pass over all parameters is what the rule says in several."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from thalweg import optim
from thalweg.kernels import library

BOUNDS = [
    {},
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.01},
    {"global_clipnorm": 0.5},
    {"global_clipnorm": 1e3},
]
KINDS = {
    optim.Adam: {},
    optim.AdamW: {},
    optim.SGD: {"momentum": 0.9},
    optim.RMSprop: {},
    optim.Adagrad: {},
    optim.Adadelta: {},
}


@pytest.mark.skipif(not library.serves(), reason="no native kernels here")
@pytest.mark.parametrize("bounds", BOUNDS, ids=lambda b: "".join(f"{k} {v}" for k, v in b.items()) or "alone")
@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_one_pass_is_the_rule(kind, bounds):
    optimizer = kind(**KINDS[kind], **bounds)
    rng = np.random.default_rng(0)

    def draw():
        return {n: jnp.float32(rng.normal(size=s)) for n, s in {"a": (70, 90), "b": (5,)}.items()}

    params, rule, mover = draw(), optimizer.build(), optimizer.mover()
    fast = slow = (params, rule.init(params))
    step = jax.jit(mover.move)
    assert "thalweg." in step.lower(params, fast[1], params).as_text()
    for _ in range(3):
        gradient = draw()
        fast = step(gradient, fast[1], fast[0])
        update, state = rule.update(gradient, slow[1], slow[0])
        slow = optax.apply_updates(slow[0], update), state
    for name, value in slow[0].items():
        np.testing.assert_allclose(fast[0][name], value, rtol=1e-5, atol=1e-6)
    assert jax.tree.structure(fast[1]) == jax.tree.structure(slow[1])
