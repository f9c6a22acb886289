"""kind: language models over characters or words, judged beside a model that counts; texts that they write."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.text import UNKNOWN
from thalweg.datasets import Entry
from thalweg.model import Model
from thalweg.page import Sample, Samples
from thalweg.recipes import paths, textfiles
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.language import baseline
from thalweg.recipes.language.generation import Generating, continue_text
from thalweg.recipes.language.layout import Layout
from thalweg.recipes.language.parts import Parts
from thalweg.recipes.language.verdict import NATS, Scale, verdict
from thalweg.recipes.settings import Asking
from thalweg.recipes.verdict import Verdict

PARTS = "train", "validation", "test"
TEMPERATURES, LENGTH = (0.5, 1.0), 400  # of the texts on the page


class Counted(Facts):
    """What was counted in the training part."""

    counts: baseline.Counts


@dataclasses.dataclass(frozen=True)
class Language:
    """Texts of which a network learns what comes next.

    Args:
        entry: the named data set.
        load: `load(folder)` gives its parts: "train" and what else is set apart, each a list of texts.
        layout: how texts become rows.
        scale: as what a loss is told.
        order: 1 holds the network against a unigram model, 2 against a bigram model.
        symbols: how many different tokens the named set has, for a summary without data.
    """

    entry: Entry
    load: Callable[[Path | None], Parts]
    layout: Layout
    scale: Scale = NATS
    order: int = 2
    symbols: int = 65
    asking: type[Asking] = Generating
    facts: type[Facts] = Counted

    def gather(self, path: Path | None, settings: Any) -> Material:
        """The named texts (`path` may be the folder that has their files), or those at `path`.

        Where the named set has two parts alone, the second tests and also validates, as published results do; but
        where `patience` lets the validation part choose, it is the end of the training part instead.

        Raises:
            DataError: there is no such data, it is empty, in another encoding, or too short.
        """
        named = path is None or paths.holds(path, self.entry)
        texts, note = (
            (self.load(path), "") if path is None or named else (self._own(path), paths.roles(paths.parts(path)))
        )
        if "test" not in texts:
            texts, note = self.layout.split(texts["train"], settings, test=True), self.layout.note
        elif "validation" not in texts and named and settings.patience is None:
            texts, note = texts | {"validation": texts["test"]}, "the test part also validates, and nothing is chosen"
        elif "validation" not in texts:
            texts |= self.layout.split(texts["train"], settings, test=False)
        tokenizer = self.layout.tokenizer(texts["train"], settings)
        ids = {name: tokenizer(part) for name, part in texts.items()}
        rows: dict[str, Any] = {name: self.layout.rows(ids[name], settings, name) for name in ids}
        counts = baseline.count(ids["train"], self.order, tokenizer.size)
        source = paths.source(self.entry.title if named else None, path, note)
        return self._material(rows, source, tokenizer, counts, texts)

    def blank(self, settings: Any) -> Material:
        """One row, and a vocabulary of the size that the named set has."""
        size = min(self.symbols, getattr(settings, "vocabulary", self.symbols))
        tokenizer = self.layout.tokenizer(self.layout.alphabet(size), settings)
        part = (np.ones((1, settings.context), np.int32),) * 2
        rows: dict[str, Any] = dict.fromkeys(PARTS, part)
        return self._material(rows, self.entry.title, tokenizer, {}, {"train": [], "test": [""]})

    def exam(self, trained: Trained, path: Path) -> Material:
        """All of a person's text; of a folder with parts, the test part; of the named set's folder, its own."""
        if paths.holds(path, self.entry):
            return self.gather(path, trained.settings)
        place = paths.judged(path)
        texts = self.layout.read(place)
        tokenizer = trained.record("tokenizer")
        part = self.layout.rows(tokenizer(texts), trained.settings, "test")
        rows: dict[str, Any] = dict.fromkeys(PARTS, part)
        return self._material(rows, str(place), tokenizer, trained.manifest["counts"], {"train": [], "test": texts})

    def judge(self, model: Model, material: Material) -> Verdict:
        """What a token of the test part costs, beside a model that counts; texts that the network writes."""
        x, y = material.test
        loss = self.layout.loss(model, x, y)
        return verdict(loss, x, y, material.facts["counts"], self.scale, self._pages(model, material))

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A beginning from the test part."""
        del folder
        return ("--prompt", self.layout.beginning(material.raw["test"]))

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """Each text, or each line of a file, continued; how many of its tokens are unknown to the model."""
        texts = asked.texts if asked.file is None else tuple(textfiles.read(asked.file).texts)
        assert isinstance(asked.how, Generating)
        return [{"row": row, **self._answer(trained, text, asked.how)} for row, text in enumerate(texts)]

    def _own(self, path: Path) -> Parts:
        return {name: self.layout.read(p) for name, p in (paths.parts(path) or {"train": path}).items()}

    def _material(
        self, rows: Mapping[str, Any], source: str, tokenizer: Any, counts: Mapping[str, Any], texts: Parts
    ) -> Material:
        records, facts = {"tokenizer": tokenizer}, {"counts": counts}
        raw = {"test": texts["test"], "train": texts["train"]}
        return Material(
            rows["train"], rows["validation"], rows["test"], source,
            preprocessing=records, facts=facts, raw=raw, in_order=self.layout.in_order,
        )  # fmt: skip

    def _answer(self, trained: Trained, text: str, how: Generating) -> Answer:
        tokenizer = trained.record("tokenizer")
        prompt = self.layout.prompt(tokenizer, text)
        written = self.layout.text(tokenizer, continue_text(trained.model, prompt, how, self.layout.end))
        return {"prompt": text, "written": written, "unknown": int((prompt == UNKNOWN).sum())}

    def _pages(self, model: Model, material: Material) -> list[Samples]:
        samples = []
        for seed, temperature in enumerate(TEMPERATURES):
            how = Generating(temperature=temperature, seed=seed, length=LENGTH)
            text, note = self.layout.page(model, material.preprocessing["tokenizer"], how, material.raw["train"])
            samples.append(Sample(text, ", ".join(filter(None, (f"temperature {temperature}", note)))))
        return [Samples("What the network writes", samples)]
