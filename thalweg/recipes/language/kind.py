"""Language models: texts as characters or words, the verdict beside a model that counts, and texts that are written."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.data.text import PADDING, UNKNOWN
from thalweg.datasets import Entry, store
from thalweg.model import Model
from thalweg.page import Measure, Sample, Samples
from thalweg.recipes import textfiles
from thalweg.recipes.base import Answer, Asked, Material, Trained
from thalweg.recipes.language import baseline as counting
from thalweg.recipes.language.files import Parts
from thalweg.recipes.language.generation import Generating, continued
from thalweg.recipes.language.layout import Layout
from thalweg.recipes.settings import Asking
from thalweg.recipes.verdict import Verdict, percent

PARTS = "train", "validation", "test"
TEMPERATURES, LENGTH = (0.5, 1.0), 400  # of the texts on the page


class Score(NamedTuple):
    """What a mean of -log p a token is told as."""

    name: str
    token: str
    of: Callable[[float], float]
    text: str

    def measure(self, name: str, loss: float) -> Measure:
        """The measure of a model that loses so much."""
        return Measure(name, self.of(loss), self.text.format(self.of(loss)))


NATS = Score("loss", "character", float, "{:.3f} nats")
PERPLEXITY = Score("perplexity", "word", math.exp, "{:,.1f}")


@dataclasses.dataclass(frozen=True)
class Language:
    """Texts of which a network learns what comes next.

    Args:
        entry: the named data set.
        load: `load(folder)` gives its parts: "train" and what else is set apart, each a list of texts.
        layout: how texts become rows.
        score: what is reported.
        order: 1 holds the network against a unigram model, 2 against a bigram model.
        symbols: how many different tokens the named set has, for a summary without data.
    """

    entry: Entry
    load: Callable[[Path | None], Parts]
    layout: Layout
    score: Score = NATS
    order: int = 2
    symbols: int = 65
    asking: type[Asking] = Generating

    def gather(self, path: Path | None, settings: Any) -> Material:
        """The named texts (`path` may be the folder that has their files), or those at `path`.

        Where the named set has two parts alone, the second tests and also validates, as published results do; but
        where `patience` lets the validation part choose, it is the end of the training part instead.

        Raises:
            DataError: there is no such data, it is empty, in another encoding, or too short.
        """
        named = path is None or any(store.find(self.entry, file.name, path) for file in self.entry.files)
        found, note = (self.load(path), "") if named else (self._own(path), "parts in order")
        if "test" not in found:
            found, note = self.layout.parted(found["train"], settings, test=True), self.layout.note
        elif "validation" not in found and named and settings.patience is None:
            found, note = found | {"validation": found["test"]}, "the test part also validates, and nothing is chosen"
        elif "validation" not in found:
            found |= self.layout.parted(found["train"], settings, test=False)
        tokenizer = self.layout.tokenizer(found["train"], settings)
        ids = {name: tokenizer(part) for name, part in found.items()}
        rows: dict[str, Any] = {name: self.layout.rows(ids[name], settings, name) for name in ids}
        counts = counting.counted(ids["train"], self.order, tokenizer.size)
        words = [self.entry.title] * named + [str(path)] * (path is not None) + [note] * bool(note)
        return self._material(rows, ", ".join(words), tokenizer, counts, found)

    def blank(self, settings: Any) -> Material:
        """One row, and a vocabulary of the size that the named set has."""
        size = min(self.symbols, getattr(settings, "vocabulary", self.symbols))
        tokenizer = self.layout.tokenizer(self.layout.alphabet(size), settings)
        part = (np.ones((1, settings.context), np.int32),) * 2
        rows: dict[str, Any] = dict.fromkeys(PARTS, part)
        return self._material(rows, self.entry.title, tokenizer, {}, {"train": [], "test": [""]})

    def exam(self, trained: Trained, path: Path) -> Material:
        """All of a person's text; of a folder with parts, the test part; of the named set's folder, its own."""
        if any(store.find(self.entry, file.name, path) for file in self.entry.files):
            return self.gather(path, trained.settings)
        texts = self.layout.read(textfiles.parts(path).get("test", path))
        tokenizer = trained.record("tokenizer")
        part = self.layout.rows(tokenizer(texts), trained.settings, "test")
        rows: dict[str, Any] = dict.fromkeys(PARTS, part)
        return self._material(rows, str(path), tokenizer, trained.manifest["counts"], {"train": [], "test": texts})

    def judge(self, model: Model, material: Material) -> Verdict:
        """What a token of the test part costs, beside a model that counts; texts that the network writes."""
        x, y = material.test
        ours = self.layout.loss(model, x, y)
        known, score = material.facts["counts"], self.score
        counted, tokens = counting.loss(known, x, y), int((y != PADDING).sum())
        name, unknown = counting.NAMES[known["order"]], float((y == UNKNOWN).sum() / tokens)
        measure, baseline = score.measure(f"test {score.name}", ours), score.measure(f"{name} counts", counted)
        scores = {"loss": ours, "perplexity": math.exp(ours), "baseline_loss": counted, "tokens": tokens}
        return Verdict(
            measure=measure,
            baselines=[baseline],
            scores={**scores, score.name: measure.value, "baseline": baseline.value, "unknown": unknown},
            line=f"Test {score.name} {measure.value:.4f} a {score.token}. {name.title()} counts give "
            f"{baseline.value:.4f}.",
            heading=f"{measure.text} a {score.token}",
            note=f"{tokens:,} test {score.token}s, {percent(unknown)} of them unknown",
            facts={"perplexity": f"{math.exp(ours):,.2f}", "bits": f"{ours / math.log(2):.3f}"},
            sections=self._pages(model, material),
            whole=None,
        )

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A beginning from the test part."""
        del folder
        return ("--prompt", self.layout.beginning(material.raw["test"]))

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """Each text, or each line of a file, continued; how many of its tokens are unknown to the model."""
        texts = asked.texts if asked.file is None else tuple(textfiles.read(asked.file).texts)
        assert isinstance(asked.how, Generating)
        return [{"row": row, **self._answer(trained, text, asked.how)} for row, text in enumerate(texts)]

    def _own(self, path: Path | None) -> Parts:
        assert path is not None
        return {name: self.layout.read(p) for name, p in (textfiles.parts(path) or {"train": path}).items()}

    def _material(
        self, rows: Mapping[str, Any], source: str, tokenizer: Any, counts: Mapping[str, Any], found: Parts
    ) -> Material:
        records, facts = {"tokenizer": tokenizer}, {"counts": counts}
        raw = {"test": found["test"], "train": found["train"]}
        return Material(
            rows["train"], rows["validation"], rows["test"], source,
            preprocessing=records, facts=facts, raw=raw, in_order=self.layout.in_order,
        )  # fmt: skip

    def _answer(self, trained: Trained, text: str, how: Generating) -> Answer:
        tokenizer = trained.record("tokenizer")
        prompt = self.layout.prompt(tokenizer, text)
        written = self.layout.text(tokenizer, continued(trained.model, prompt, how, self.layout.end))
        return {"prompt": text, "written": written, "unknown": int((prompt == UNKNOWN).sum())}

    def _pages(self, model: Model, material: Material) -> list[Samples]:
        shown = []
        for seed, temperature in enumerate(TEMPERATURES):
            how = Generating(temperature=temperature, seed=seed, length=LENGTH)
            text, note = self.layout.page(model, material.preprocessing["tokenizer"], how, material.raw["train"])
            shown.append(Sample(text, ", ".join(filter(None, (f"temperature {temperature}", note)))))
        return [Samples("What the network writes", shown)]
