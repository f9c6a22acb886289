"""Plain JAX: Flax NNX modules and a jitted step of Optax per batch, as the Flax documentation trains."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from benchmarks.peers.data import BATCH, CHARACTERS, data
from benchmarks.timing import serve


class Mlp(nnx.Module):
    def __init__(self, rngs):
        self.first, self.last = nnx.Linear(784, 128, rngs=rngs), nnx.Linear(128, 10, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)

    def __call__(self, x):
        return self.last(self.dropout(nnx.relu(self.first(x.reshape(x.shape[0], -1)))))


class Cnn(nnx.Module):
    def __init__(self, rngs):
        self.conv1 = nnx.Conv(1, 32, (3, 3), padding="VALID", rngs=rngs)
        self.conv2 = nnx.Conv(32, 64, (3, 3), padding="VALID", rngs=rngs)
        self.first, self.last = nnx.Linear(1600, 128, rngs=rngs), nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, x):
        x = nnx.max_pool(nnx.relu(self.conv1(x[..., None])), (2, 2), (2, 2))
        x = nnx.max_pool(nnx.relu(self.conv2(x)), (2, 2), (2, 2))
        return self.last(nnx.relu(self.first(x.reshape(x.shape[0], -1))))


class Lstm(nnx.Module):
    def __init__(self, rngs):
        self.one = nnx.RNN(nnx.OptimizedLSTMCell(28, 64, rngs=rngs))
        self.two, self.head = nnx.RNN(nnx.OptimizedLSTMCell(64, 64, rngs=rngs)), nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        return self.head(self.two(self.one(x))[:, -1])


class Gru(nnx.Module):
    def __init__(self, rngs):
        self.one, self.two = (nnx.RNN(nnx.GRUCell(n, 128, rngs=rngs)) for n in (64, 128))
        self.head = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, x, lengths):
        _, y = self.two(self.one(x, seq_lengths=lengths), seq_lengths=lengths, return_carry=True)
        return self.head(y[jnp.arange(len(y)), lengths - 1])


class Residual(nnx.Module):
    def __init__(self, ins, outs, stride, rngs):
        def conv(ins, size, stride):
            return nnx.Conv(ins, outs, (size, size), stride, use_bias=False, rngs=rngs)

        self.conv1, self.norm1 = conv(ins, 3, stride), nnx.BatchNorm(outs, rngs=rngs)
        self.conv2, self.norm2 = conv(outs, 3, 1), nnx.BatchNorm(outs, rngs=rngs)
        self.same = ins == outs and stride == 1
        if not self.same:
            self.conv3, self.norm3 = conv(ins, 1, stride), nnx.BatchNorm(outs, rngs=rngs)

    def __call__(self, x):
        y = self.norm2(self.conv2(nnx.relu(self.norm1(self.conv1(x)))))
        return nnx.relu(y + (x if self.same else self.norm3(self.conv3(x))))


class Resnet18(nnx.Module):
    def __init__(self, rngs):
        self.stem = nnx.Conv(3, 64, (3, 3), use_bias=False, rngs=rngs)
        self.norm, blocks, ins = nnx.BatchNorm(64, rngs=rngs), [], 64
        for stage, outs in enumerate((64, 128, 256, 512)):
            for i in range(2):
                blocks.append(Residual(ins, outs, 2 if stage and not i else 1, rngs))
                ins = outs
        self.blocks, self.head = nnx.Sequential(*blocks), nnx.Linear(512, 10, rngs=rngs)

    def __call__(self, x):
        return self.head(self.blocks(nnx.relu(self.norm(self.stem(x)))).mean((1, 2)))


class Block(nnx.Module):
    def __init__(self, d, heads, rngs):
        self.norm1, self.norm2 = nnx.LayerNorm(d, rngs=rngs), nnx.LayerNorm(d, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, d, decode=False, rngs=rngs)
        self.up, self.down = nnx.Linear(d, 4 * d, rngs=rngs), nnx.Linear(4 * d, d, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norm1(x), mask=nnx.make_causal_mask(x[..., 0]))
        return x + self.down(nnx.gelu(self.up(self.norm2(x))))


class Gpt(nnx.Module):
    def __init__(self, rngs, d=128):
        self.words, self.places = nnx.Embed(CHARACTERS, d, rngs=rngs), nnx.Embed(128, d, rngs=rngs)
        self.blocks = nnx.Sequential(*(Block(d, 4, rngs) for _ in range(4)))
        self.norm, self.head = nnx.LayerNorm(d, rngs=rngs), nnx.Linear(d, CHARACTERS, rngs=rngs)

    def __call__(self, x):
        return self.head(self.norm(self.blocks(self.words(x) + self.places(jnp.arange(x.shape[1])))))


NETWORKS = {"mlp": Mlp, "cnn": Cnn, "lstm": Lstm, "gru": Gru, "resnet18": Resnet18, "gpt": Gpt}


@nnx.jit
def step(model, optimizer, inputs, y):
    def loss(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(*inputs), y).mean()

    value, gradient = nnx.value_and_grad(loss)(model)
    optimizer.update(model, gradient)
    return value


def main(name):
    inputs, y = data(name)
    model, batch = NETWORKS[name](nnx.Rngs(0)), BATCH[name]
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    model.train()
    rng = np.random.default_rng(0)

    def run(epochs):
        for _ in range(epochs):
            for index in rng.permutation(len(y)).reshape(-1, batch):
                value = step(model, optimizer, tuple(x[index] for x in inputs), y[index])
        jax.block_until_ready(value)

    serve({"name": "flax nnx", "version": jax.__version__}, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
