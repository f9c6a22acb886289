"""The windows that slide over an input, as the kernels know them."""

from thalweg.kernels.windows import Pads, Sizes, Windows, pad, pads, spread, views, windows

__all__ = ["Pads", "Sizes", "Windows", "pad", "pads", "spread", "views", "windows"]
