"""SpecAugment as a layer: noise for spectrograms in training. The mathematics is in `ops/spec_augment.py`."""

from typing import ClassVar

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.ranges import FRACTION, Range
from thalweg.types import Array, Float

WHOLE = Range(0, whole=True, open_high=True)


class SpecAugment(Module):
    """Bands of frequency and stretches of time hidden at random in training; y = x in evaluation.

    Normalise before it: what is hidden becomes 0. What is drawn is a function of the run's seed, the layer's path and
    the step.

    Args:
        frequency_masks: how many bands.
        frequency_width: features of the widest.
        time_masks: how many stretches of time.
        time_width: frames of the longest.
        time_share: the largest share of the frames that one stretch hides.
        warp: frames that a point of time moves at most; 0 leaves time straight.

    Park et al. 2019, arXiv:1904.08779. Its LibriSpeech "LD" policy is the default but for the warp of 80.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, random
    >>> x = jnp.ones((2, 30, 40))
    >>> bool((core.apply(SpecAugment(), {}, {}, x)[0] == x).all())
    True
    """

    frequency_masks: int = 2
    frequency_width: int = 27
    time_masks: int = 2
    time_width: int = 100
    time_share: float = 1.0
    warp: int = 0

    limits: ClassVar = {
        "frequency_masks": WHOLE,
        "frequency_width": WHOLE,
        "time_masks": WHOLE,
        "time_width": WHOLE,
        "time_share": FRACTION,
        "warp": WHOLE,
    }

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "batch frames features"]) -> Float[Array, "batch frames features"]:
        """The layer on `x`."""
        if not cx.train:
            return x
        bands, times = (self.frequency_masks, self.frequency_width), (self.time_masks, self.time_width)
        return ops.spec_augment(cx.key(), x, *bands, *times, self.time_share, self.warp)
