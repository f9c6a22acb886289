"""Floating-point operations of a function, counted on its jaxpr: what the equation needs, not what a machine does."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax

from thalweg.kernels import formulas

FREE = {
    "reshape", "broadcast_in_dim", "transpose", "slice", "dynamic_slice", "dynamic_update_slice", "gather", "pad",
    "concatenate", "convert_element_type", "squeeze", "rev", "copy", "iota", "stop_gradient", "select_n", "split",
    "device_put", "expand_dims", "random_wrap", "random_unwrap", "random_fold_in", "random_bits",
}  # fmt: skip
"""Primitives that only move or choose numbers."""


def flops(function: Callable[..., Any], *specs: Any) -> int:
    """How many floating-point operations one call of `function` on inputs like `specs` takes.

    A product of an m x k and a k x n matrix counts 2 m n k; an elementwise operation or a reduction one a number;
    moving data nothing. A `scan` counts its length times.

    >>> import jax, jax.numpy as jnp
    >>> flops(jnp.matmul, jax.ShapeDtypeStruct((2, 3), "float32"), jax.ShapeDtypeStruct((3, 4), "float32"))
    48
    """
    with formulas():
        return _jaxpr(jax.make_jaxpr(function)(*specs).jaxpr)


def _jaxpr(jaxpr: Any) -> int:
    return sum(_equation(e) for e in jaxpr.eqns)


def _equation(e: Any) -> int:
    name = e.primitive.name
    if name == "dot_general":
        contracted = e.params["dimension_numbers"][0][0]
        return 2 * _size(e.outvars[0]) * math.prod(e.invars[0].aval.shape[d] for d in contracted)
    if name == "conv_general_dilated":
        kernel, features = e.invars[1].aval.shape, e.params["dimension_numbers"].rhs_spec[0]
        return 2 * _size(e.outvars[0]) * math.prod(kernel) // kernel[features]
    if name == "cond":
        return max(_jaxpr(branch.jaxpr) for branch in e.params["branches"])
    inner = [_jaxpr(j) for j in _inner(e.params)]
    if inner:
        return sum(inner) * e.params.get("length", 1) if name == "scan" else max(inner)
    if name in FREE:
        return 0
    numbers = e.invars if name.startswith(("reduce", "arg", "cum")) else e.outvars
    return max((_size(v) for v in numbers), default=0)


def _inner(params: dict[str, Any]) -> Iterator[Any]:
    for value in params.values():
        jaxpr = getattr(value, "jaxpr", value)
        if hasattr(jaxpr, "eqns"):
            yield jaxpr


def _size(variable: Any) -> int:
    return math.prod(getattr(variable.aval, "shape", ()))
