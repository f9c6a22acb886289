"""What Keras calls `keras.utils`, as far as it concerns data."""

from thalweg.data.text.sequences import pad_sequences

__all__ = ["pad_sequences"]
