"""Masks of real steps on their way: which array has one, known by identity, and the word on a layer that ends one."""

import warnings
import weakref
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.core.module import Module
from thalweg.types import Array, Tree

Masks = list[tuple[Any, Array]]
"""Arrays and their masks, [batch, time]."""

_said: weakref.WeakValueDictionary[int, Module] = weakref.WeakValueDictionary()


def known(masks: Masks, x: Tree) -> Array | None:
    """The mask of the first array of `x` that has one."""
    leaves = jax.tree.leaves(x)
    return next((mask for array, mask in masks if any(array is leaf for leaf in leaves)), None)


def hand_on(masks: Masks, module: Module, inputs: Tree, made: Tree, output: Tree) -> None:
    """Give the output its mask: that of what was made, or of the inputs where the axes of batch and time are kept."""
    own = known(masks, made)
    mask = known(masks, inputs) if own is None and module.keeps_mask else own
    y = jax.tree.leaves(output)[:1]
    if mask is None or not y or known(masks, y[0]) is not None:
        return
    if own is not None or (jnp.ndim(y[0]) > mask.ndim and y[0].shape[: mask.ndim] == mask.shape):
        masks.append((y[0], mask))


def ended(masks: Masks, inputs: Tree, made: Tree, output: Tree) -> bool:
    """Whether the inputs have a mask and what was made of them has none; one of the inputs itself is not made."""
    given, first = jax.tree.leaves(inputs), jax.tree.leaves(made)[:1]
    if not first or any(first[0] is leaf for leaf in given):
        return False
    return known(masks, inputs) is not None and known(masks, output) is None


def say_ended(module: Module, place: str) -> None:
    """Warn that `module` ended a mask unread: once for a layer, however often it is traced.

    The filters of Python's own `once` forget what they have seen whenever JAX sets one.
    """
    if _said.get(id(module)) is module:
        return
    warnings.warn(
        f"{place} {module!r} ends the mask of its input: what follows takes padding for real steps.\n"
        "  Put the layers that look at real steps alone (recurrent, pooling, attention) before it, or make no mask:\n"
        "  leave out Masking, or mask_zero=True.",
        stacklevel=4,
    )
    _said[id(module)] = module
