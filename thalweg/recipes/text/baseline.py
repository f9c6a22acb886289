"""baseline: text classes by counting words: what a network has to beat."""

import numpy as np

from thalweg.data.text import PADDING


def naive_bayes(ids: np.ndarray, labels: np.ndarray, asked: np.ndarray, classes: int) -> np.ndarray:
    """The class of each row of `asked` by counting tokens in the rows `ids`: what a network has to beat.

        argmax_k  log n_k / n + sum_t log (c_kt + 1) / (c_k + V)

    where c_kt counts token t in class k, c_k all tokens of class k, and V is how many tokens there are.

    Args:
        ids: int32 [rows, length], 0 for padding.
        labels: the rows' class numbers.
        asked: like `ids`.
        classes: how many classes there are.

    Source:
        Manning, Raghavan, Schuetze 2008, "Introduction to Information Retrieval", chapter 13: the multinomial model.
    """
    size = int(max(ids.max(), asked.max())) + 1
    counts = np.zeros((classes, size))
    np.add.at(counts, (np.repeat(labels, ids.shape[1]), ids.reshape(-1)), 1)
    counts[:, PADDING] = 0
    score = np.log(counts + 1) - np.log(counts.sum(1, keepdims=True) + size - 1)  # [classes, tokens]
    score[:, PADDING] = 0
    prior = np.log(np.maximum(np.bincount(labels, minlength=classes), 0.5) / len(labels))
    return (prior + score[:, asked].sum(2).T).argmax(1)
