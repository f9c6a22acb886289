"""kind: translation; pairs of sentences, a tokenizer for each side, and the verdict by BLEU."""

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from thalweg import data
from thalweg.data.text import UNKNOWN, Words
from thalweg.data.text.vocabulary import SPECIAL
from thalweg.errors import DataError, missing_extra
from thalweg.model import Model
from thalweg.recipes import paths, textfiles
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.copies import in_rows, words
from thalweg.recipes.settings import Length, Settings, Vocabulary
from thalweg.recipes.translation import corpora, files, pairs
from thalweg.recipes.translation.pairs import Pairs
from thalweg.recipes.translation.translator import Searching, encode, is_written_in_chinese, translate
from thalweg.recipes.translation.verdict import verdict
from thalweg.recipes.verdict import Verdict

TEST = 0.1  # the share that tests, where no test part is set apart
TRIED = 10  # sentences set apart for a first `predict`
SAMPLES = "samples.tsv"
BUCKETS, MULTIPLE = 6, 4  # of the lengths in training: one in six places is padding then, with one length two in three
SIDES = "source", "target"


class TranslationSettings(Settings):
    """What every recipe of translation has."""

    corpus: Annotated[Literal["multi30k", "tatoeba"], Field(description="multi30k or tatoeba")] = "multi30k"
    languages: Annotated[
        str | None, Field(pattern=r"^[A-Za-z_]+-[A-Za-z_]+$", description="from which into which, such as en-de")
    ] = None
    vocabulary: Vocabulary = 6000
    length: Length = 64


class Raw(NamedTuple):
    """Sentences as people have them: what is judged by, and what was learned from where that is known."""

    test: Pairs
    train: Pairs | None = None


class Sentences(Facts):
    """How many pieces a sentence may have, and whether translations are written in Chinese."""

    length: Annotated[int, Field(ge=1)]
    chinese: bool


@dataclasses.dataclass(frozen=True)
class Translation:
    """Texts into texts of another language.

    Args:
        tokenizer: `tokenizer(texts, settings)` learns the record of one side, with its ends, from the training part.
    """

    tokenizer: Callable[[Sequence[str], Any], Any]
    asking: type[Searching] = Searching
    facts: type[Facts] = Sentences

    def gather(self, path: Path | None, settings: TranslationSettings) -> Material:
        """The named data set (`path` may be the folder that has its files), or pairs of one's own: see `files`.

        Where no test part is set apart, a tenth tests, the same one for every seed. Pairs of which a side has more than
        `length` tokens are not learned from; a longer test sentence is read up to there.

        Raises:
            DataError: there is no such data, or it is damaged or too little.
            MissingExtraError: sacrebleu is not installed, by which it would be judged.
        """
        if importlib.util.find_spec("sacrebleu") is None:
            raise missing_extra("sacrebleu", "text", "a translator's verdict")
        named = path is None or corpora.holds(path, settings.corpus)
        title = corpora.title(settings.corpus, settings.languages)
        if path is None or named:
            parts = corpora.load(settings.corpus, settings.languages, path)
        else:
            parts = files.read(path, settings.languages)
        place = title if path is None else str(path)
        if "test" not in parts:
            parts |= _split(parts["train"], "test", TEST, 0, place)
        copies = in_rows(parts["train"].sources, parts["test"].sources, words)
        if "validation" not in parts:
            parts |= _split(parts["train"], "validation", settings.validation_split, settings.seed, place)
        note = "" if path is None or named else files.roles(path)
        source = paths.source(title if named else None, path, note)
        return dataclasses.replace(self._material(parts, settings, source), copies=copies)

    def _material(self, parts: dict[str, Pairs], settings: TranslationSettings, source: str) -> Material:
        records = {side: self.tokenizer(texts, settings) for side, texts in zip(SIDES, parts["train"], strict=True)}
        short = {name: _up_to(parts[name], records, settings.length) for name in ("train", "validation")}
        if not all(map(len, short.values())):
            raise DataError(f"{source}: no pair has at most {settings.length} tokens.\n  Write a larger length.")
        longer = len(parts["train"]) - len(short["train"])
        if longer:
            source += f", without {longer:,} of more than {settings.length} tokens"
        rows = {name: encode(part, records, settings.length) for name, part in short.items()}
        longest = max(int((side != 0).sum(1).max()) for side in rows["train"][0])
        train, validation = (
            data.bucketed(*part, per_position=True, number=BUCKETS, multiple=MULTIPLE) for part in rows.values()
        )
        test = encode(parts["test"], records, longest)
        facts = {"length": longest, "chinese": is_written_in_chinese(parts["train"].targets)}
        return Material(train, validation, test, source, (), records, facts, Raw(parts["test"], parts["train"]))

    def blank(self, settings: TranslationSettings) -> Material:
        """One pair of the right lengths, and vocabularies of the size that is asked for."""
        words = Words(tuple(f"word{n}" for n in range(max(1, settings.vocabulary - len(SPECIAL)))), ends=True)
        ids = np.ones((1, settings.length), np.int32)
        part = (ids, ids), ids
        return Material(
            part, part, part, corpora.title(settings.corpus, settings.languages), (), dict.fromkeys(SIDES, words)
        )

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every pair of a file; of a folder with parts, or of a data set's, the test part."""
        if corpora.holds(path, trained.settings.corpus):
            return self.gather(path, trained.settings)
        parts = files.read(path, trained.settings.languages)
        test, facts = parts.get("test", parts["train"]), _facts(trained)
        part, records = encode(test, trained.model.preprocessing, facts["length"]), trained.model.preprocessing
        source = paths.source(None, path, files.roles(path))
        return Material(part, part, part, source, (), records, facts, Raw(test))

    def judge(self, model: Model, material: Material) -> Verdict:
        """BLEU beside copying the source and beside a dictionary learned by counting; sentences side by side."""
        how, (test, train), facts = Searching(), material.raw, material.facts
        translations = translate(model, material.preprocessing, test.sources, facts["length"], how)
        return verdict(translations, test, train, chinese=facts["chinese"], how=how)

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test sentences with their translations, as a table."""
        lines = list(zip(*material.raw.test, strict=True))[:TRIED]
        (folder / SAMPLES).write_text("".join(f"{a}\t{b}\n" for a, b in lines), encoding="utf-8")
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """The translation of each text: how many tokens were read and how many were unknown, and whether it was cut.

        A file is a text a line; or a table, source TAB target, of which the target is shown beside; or one of the
        tables that `textfiles` reads.
        """
        texts, references = _texts(asked)
        length, tokenizer = _facts(trained)["length"], trained.record("source")
        assert isinstance(asked.how, Searching)
        translations = translate(trained.model, trained.model.preprocessing, texts, length, asked.how)
        counts = [(len(ids) - 2, int((ids == UNKNOWN).sum())) for ids in tokenizer(texts)]  # start and end apart
        return [
            {"row": row, "text": text, **({} if reference is None else {"reference": reference})}
            | {"translation": translation, "tokens": tokens, "unknown": unknown, "cut": tokens >= length}
            for row, (text, reference, translation, (tokens, unknown)) in enumerate(
                zip(texts, references, translations, counts, strict=True)
            )
        ]


def _split(whole: Pairs, part: str, share: float, seed: int, place: str) -> dict[str, Pairs]:
    rest, taken = pairs.split(whole, share, seed, place)
    return {"train": rest, part: taken}


def _up_to(part: Pairs, records: Mapping[str, Any], length: int) -> Pairs:
    ids = zip(records["source"](part.sources), records["target"](part.targets), strict=True)
    return part.at([row for row, (a, b) in enumerate(ids) if max(len(a), len(b)) - 1 <= length])


def _facts(trained: Trained) -> dict[str, Any]:
    return {name: trained.manifest[name] for name in ("length", "chinese")}


def _texts(asked: Asked) -> tuple[list[str], list[str | None]]:
    """The texts, and the reference of each where the file has one."""
    if asked.file is not None and asked.file.suffix.lower() in (".tsv", ".tab"):
        sources, targets = data.read_parallel(asked.file)
        return sources, list(targets)
    texts = list(asked.texts) if asked.file is None else _read(asked.file)
    gap = next((row for row, text in enumerate(texts) if not text.strip()), None)
    if gap is not None:
        raise DataError(f"text {gap} is {texts[gap]!r:.60}, which holds nothing to read.\n  Fill it, or remove it.")
    return texts, [None] * len(texts)


def _read(file: Path) -> list[str]:
    """The texts in a file; a name such as news.en says nothing of its kind, so all but tables are lines."""
    return textfiles.read(file).texts if file.suffix.lower() in (".csv", ".jsonl") else data.read_lines(file)
