"""verdict: what a token of the test part costs, beside a model that counts."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.data.text import PADDING, UNKNOWN
from thalweg.page import Measure, Section
from thalweg.recipes.language import baseline
from thalweg.recipes.verdict import Verdict, percent


class Scale(NamedTuple):
    """What a mean of -log p a token is told as."""

    name: str
    token: str
    of: Callable[[float], float]
    text: str

    def measure(self, name: str, loss: float) -> Measure:
        """The measure of a model that loses so much."""
        return Measure(name, self.of(loss), self.text.format(self.of(loss)))


NATS = Scale("loss", "character", float, "{:.3f} nats")
PERPLEXITY = Scale("perplexity", "word", math.exp, "{:,.1f}")


def verdict(
    loss: float, x: np.ndarray, y: np.ndarray, counts: dict[str, Any], scale: Scale, sections: Sequence[Section]
) -> Verdict:
    """The verdict on a language model.

    Args:
        loss: its mean of -log p a token of the test part.
        x: the test part's tokens.
        y: those that follow them.
        counts: of the training part: see `baseline.count`.
        scale: as what a loss is told.
        sections: of the page.
    """
    baseline_loss, tokens = baseline.loss(counts, x, y), int((y != PADDING).sum())
    name, unknown = baseline.NAMES[counts["order"]], float((y == UNKNOWN).sum() / tokens)
    measure, rival = scale.measure(f"test {scale.name}", loss), scale.measure(f"{name} counts", baseline_loss)
    scores = {"loss": loss, "perplexity": math.exp(loss), "baseline_loss": baseline_loss, "tokens": tokens}
    return Verdict(
        measure=measure,
        baselines=[rival],
        scores={**scores, scale.name: measure.value, "baseline": rival.value, "unknown": unknown},
        line=f"Test {scale.name} {measure.value:.4f} a {scale.token}. {name.title()} counts give {rival.value:.4f}.",
        heading=f"{measure.text} a {scale.token}",
        note=f"{tokens:,} test {scale.token}s, {percent(unknown)} of them unknown",
        facts={"perplexity": f"{math.exp(loss):,.2f}", "bits": f"{loss / math.log(2):.3f}"},
        sections=sections,
        whole=None,
    )
