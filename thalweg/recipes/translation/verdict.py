"""verdict: BLEU beside copying the source and beside a dictionary learned by counting; sentences side by side."""

from collections.abc import Sequence

import numpy as np

from thalweg.metrics import bleu
from thalweg.page import Measure, Table
from thalweg.recipes.translation import baseline
from thalweg.recipes.translation.pairs import Pairs
from thalweg.recipes.translation.translator import Searching
from thalweg.recipes.verdict import Verdict

SHOWN = 16  # sentences on the page


def verdict(translations: Sequence[str], test: Pairs, train: Pairs | None, *, chinese: bool, how: Searching) -> Verdict:
    """The verdict on translations.

    Args:
        translations: the translator's.
        test: what was to be translated, and how people did.
        train: what was learned from; None where it is not known, and then there is no dictionary.
        chinese: whether the target is Chinese, which is compared by character.
        how: the search that found them.
    """
    cut = "zh" if chinese else "13a"
    naive = {"baseline_copy": ("the source, copied", test.sources)}
    if train is not None:
        table = baseline.learn(*train)
        naive["baseline_words"] = ("word by word", baseline.translate(table, test.sources))
    scores = {name: bleu(test.targets, texts, cut) for name, (_, texts) in naive.items()}
    baselines = [Measure(label, scores[name], f"{scores[name]:.1f}") for name, (label, _) in naive.items()]
    score = bleu(test.targets, translations, cut)
    beside = ", ".join(f"{m.name} {m.value:.2f}" for m in baselines)
    return Verdict(
        measure=Measure("test BLEU", score, f"{score:.1f}"),
        baselines=baselines,
        scores={"bleu": score, **scores, "rows": len(test), "tokenize": cut},
        line=f"Test BLEU {score:.2f} over {len(test):,} sentences (sacrebleu, {cut}). Without learning: {beside}.",
        heading=f"BLEU {score:.1f}",
        note=f"{len(test):,} test sentences, {how.beams} beams",
        facts={"BLEU as": f"sacrebleu, {cut}, cased", "test sentences": f"{len(test):,}"},
        sections=[_examples(translations, test)],
        whole=100.0,
    )


def _examples(translations: Sequence[str], test: Pairs) -> Table:
    """Sentences from all over the test part, chosen by their place alone."""
    rows = np.unique(np.linspace(0, len(test) - 1, SHOWN).astype(int)).tolist()
    lines = [[str(row), test.sources[row], test.targets[row], translations[row]] for row in rows]
    header = ["row", "source", "reference", "translation"]
    return Table("Translations of test sentences", header, lines, numbers=(0,), prose=(1, 2, 3))
