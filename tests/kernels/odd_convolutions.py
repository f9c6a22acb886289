"""Odd settings of each convolution beside XLA's own, forward and back: `-m tests.kernels.odd_convolutions [all]`.

A process of its own, since a fault of XLA's compiler ends it; the last line that it printed says where.
"""

import functools
import itertools
import sys

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import ops

CHANNELS = 64


def shapes(rank):
    """Sizes of kernels that are no cube, and two that are."""
    if rank == 1:
        return [(1,), (2,), (7,)]
    if rank == 2:
        return [(5, 1), (7, 1), (1, 7), (4, 1), (1, 2), (3, 3)]
    return [(1, 6, 1), (1, 3, 3), (5, 1, 1), (1, 1, 4), (2, 2, 1), (3, 3, 3)]


def some_cases():
    """(rank, size, groups, padding, strides, dilation): where a compiler has failed, and a few beside them."""
    for rank in (1, 2, 3):
        yield from ((rank, size, 8, "valid", 1, 1) for size in shapes(rank))
        yield rank, shapes(rank)[0], CHANNELS, "valid", 1, 1
        yield rank, shapes(rank)[1], 8, "same", 1, 1
    yield 3, (5, 1, 1), 8, "same", 1, 1
    yield 3, (1, 6, 1), 1, "valid", 1, 1


def all_cases():
    """The same, and many more."""
    yield from some_cases()
    for rank in (1, 2, 3):
        yield from ((rank, *case, "valid", 1, 1) for case in itertools.product(shapes(rank), (1, 2, 16, CHANNELS)))
        for size in shapes(rank)[:3]:
            yield rank, size, 8, "same", 1, 1
            yield rank, size, 4, "same", 2, 1
            yield rank, size, 8, "same", 1, 2
            yield rank, size, 16, "valid", 3, 1


def beside(case, ours, theirs, *arguments):
    """Both, and what reaches their arguments, for the same random cotangent."""
    print(case, flush=True)

    def both(f):
        def run(dy, *arguments):
            y, back = jax.vjp(f, *arguments)
            return y, *back(dy)

        return jax.jit(run)

    dy = numbers(jax.eval_shape(ours, *arguments).shape)
    for a, b in zip(both(ours)(dy, *arguments), both(theirs)(dy, *arguments), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5 * float(jnp.abs(b).max()), err_msg=str(case))


def numbers(shape):
    return jnp.asarray(np.random.default_rng(len(shape)).normal(size=shape), jnp.float32)


def of_xla(rank, groups, padding, strides, dilation):
    axes = "DHW"[3 - rank :]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")

    def f(x, kernel):
        return jax.lax.conv_general_dilated(
            x, kernel, (strides,) * rank, padding.upper(), rhs_dilation=(dilation,) * rank,
            dimension_numbers=layout, feature_group_count=groups,
        )  # fmt: skip

    return f


def main(cases):
    for rank, size, groups, *settings in cases:
        padding, strides, dilation = settings
        places = (max(7, k) for k in size) if padding == "valid" else (7,) * rank
        x, kernel = numbers((2, *places, CHANNELS)), numbers((*size, CHANNELS // groups, CHANNELS))
        ours = functools.partial(ops.conv, strides=strides, padding=padding, dilation=dilation, groups=groups)
        beside((rank, size, groups, *settings), ours, of_xla(rank, groups, *settings), x, kernel)
        if groups == 1:
            beside(("transposed", rank, size), ops.conv_transpose, transposed(x, kernel), x, kernel)
    print("all well", flush=True)


def transposed(x, kernel):
    """What the gradient of XLA's convolution does to x."""
    rank = kernel.ndim - 2
    places = [n + k - 1 for n, k in zip(x.shape[1:-1], kernel.shape, strict=False)]
    before = jax.ShapeDtypeStruct((x.shape[0], *places, kernel.shape[-2]), x.dtype)
    forward = of_xla(rank, 1, "valid", 1, 1)
    return lambda x, k: jax.linear_transpose(lambda z: forward(z, k), before)(x)[0]


if __name__ == "__main__":
    main(all_cases() if sys.argv[1:] == ["all"] else some_cases())
