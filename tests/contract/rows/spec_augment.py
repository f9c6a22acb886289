"""The row of SpecAugment; what it does in training is in tests/ops/test_spec_augment.py."""

from tests.contract.row import Row
from thalweg import layers as tw

ROWS = [
    Row(
        tw.SpecAugment(frequency_width=2, time_width=3, warp=1),
        (4, 6, 5),
        lambda w, x: x,
        random=True,
        why="Keras has no SpecAugment",
        id="SpecAugment",
    )
]
