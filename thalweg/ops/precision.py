"""Statistics (sums, norms, exponentials) are computed in at least float32, whatever the precision of the network."""

from thalweg.kernels.precision import rounded, widen

__all__ = ["rounded", "widen"]
