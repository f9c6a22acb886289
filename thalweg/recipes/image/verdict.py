"""verdict: what became of test pictures, with the worst mistakes as pictures."""

import numpy as np

from thalweg.page import Figure, Figures
from thalweg.recipes import classifier
from thalweg.recipes.classifier import Predictions
from thalweg.recipes.verdict import Verdict

SHOWN = 16  # pictures of the rows with the highest loss


def verdict(predictions: Predictions, x: np.ndarray, reference: np.ndarray) -> Verdict:
    """The verdict on pictures `x`; `reference` holds the training labels."""
    figures = [_figure(predictions, x, int(row)) for row in predictions.hardest(SHOWN)]
    worst = Figures(classifier.hardest_title(predictions, SHOWN), figures)
    return classifier.verdict(predictions, reference, "pictures", [worst])


def _figure(predictions: Predictions, x: np.ndarray, row: int) -> Figure:
    truth, answer = predictions.truth_and_answer(row)
    right = predictions.predicted[row] == predictions.labels[row]
    return Figure(f"test row {row}", x[row], float(x.max()), truth, None if right else answer, f"row {row}")
