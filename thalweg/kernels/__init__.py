"""Native kernels: one file each, with the formula in JAX, the call of the native function, the gradient, and the rule
that says from shapes and dtype when the native one is the faster.
"""

from thalweg.kernels.library import formulas, level, serves

__all__ = ["formulas", "level", "serves"]
