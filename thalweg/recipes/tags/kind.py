"""kind: the entities in sentences, of whose words each has a tag."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from thalweg import datasets
from thalweg.data import Characters, Labels, Words, equal_rows, kfold, split
from thalweg.data.text.vocabulary import UNKNOWN
from thalweg.datasets import Entry
from thalweg.errors import DataError
from thalweg.metrics.entities import spans
from thalweg.model import Model
from thalweg.recipes import paths
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.copies import in_rows
from thalweg.recipes.settings import Asking, Fold, Settings, Vocabulary
from thalweg.recipes.tags import files
from thalweg.recipes.tags.baseline import commonest
from thalweg.recipes.tags.files import OUTSIDE, Sentences
from thalweg.recipes.tags.rows import encode, rejoin, tags_of
from thalweg.recipes.tags.verdict import mark, phrase, verdict
from thalweg.recipes.verdict import Verdict

FOLDS, TRIED = 10, 10
SAMPLES = "samples.conll"


class TagSettings(Settings):
    """What every recipe of tags has."""

    vocabulary: Vocabulary = 30_000
    least: Annotated[int, Field(ge=1, description="how often training must see a word; rarer ones are unknown")] = 2
    width: Annotated[int, Field(ge=2, description="letters of a word; a longer one keeps its two ends")] = 16
    length: Annotated[int, Field(ge=1, description="words that are read at once; a longer sentence is in pieces")] = 128
    fold: Fold = 0


class Sizes(Facts):
    """How many letters of a word and words of a sentence are read, and the commonest tag of each word."""

    width: Annotated[int, Field(ge=1)]
    length: Annotated[int, Field(ge=1)]
    usual: dict[str, str]


@dataclasses.dataclass(frozen=True)
class TokenTags:
    """The entities in sentences.

    Args:
        sets: the named data sets, by the name that the setting `corpus` gives them.
    """

    sets: dict[str, Entry]
    asking: type[Asking] = Asking
    facts: type[Facts] = Sizes

    def gather(self, path: Path | None, settings: TagSettings) -> Material:
        """The sentences of the data set (`path` may be the folder that has its files), or those at `path`: `files`.

        Where no test part is set apart, a sentence that is repeated is taken once, and every tenth, shuffled, tests:
        the tenth that `fold` says.

        Raises:
            DataError: there is no such data, it is damaged, or has no entity.
        """
        entry = self.entry(settings)
        named = path is None or paths.holds(path, entry)
        parts = _published(entry, path) if path is None or named else files.parts(path)
        if "test" not in parts:
            parts = _fold(parts["train"].distinct(), settings.fold, path)
        copies = in_rows(parts["train"].words, parts["test"].words, tuple)
        if "validation" not in parts:
            parts |= _with_validation(parts["train"], settings, together=not named)
        records = _records(parts, settings)
        time = min(settings.length, max(len(row) for part in parts.values() for row in part.words))
        size = {"width": settings.width, "length": settings.length, "time": time}
        rows: dict[str, Any] = {name: encode(*part, records, **size) for name, part in parts.items()}
        facts = {"width": settings.width, "length": settings.length, "usual": commonest(parts["train"])}
        note = "" if path is None or named or not path.is_dir() else paths.roles(files.set_apart(path))
        origin, tags = paths.source(entry.title if named else None, path, note), records["tags"].classes
        told = {"source": origin, "classes": tags, "facts": facts, "copies": copies}
        return Material(**rows, **told, preprocessing=records, raw=parts["test"])

    def entry(self, settings: TagSettings) -> Entry:
        """The named data set that the settings choose."""
        return self.sets[getattr(settings, "corpus", next(iter(self.sets)))]

    def blank(self, settings: TagSettings) -> Material:
        """A sentence, and a vocabulary of the size that is asked for."""
        entry = self.entry(settings)
        words = [f"word{n}" for n in range(settings.vocabulary)]
        tags = sorted([OUTSIDE, *(f"{p}-{kind}" for p in "BI" for kind in entry.classes)])
        records = {"tokenizer": Words.fit([words], settings.vocabulary, lowercase=True)}
        records |= {"letters": Characters.fit(words), "tags": Labels(tuple(tags))}
        size = {"width": settings.width, "length": settings.length}
        part = encode([["word1"]], [[OUTSIDE]], records, **size)
        return Material(part, part, part, entry.title, tuple(tags), records)

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every sentence of a tagged file; of a folder with parts, or of a data set's, the test part."""
        if trained.recipe is not None and paths.holds(path, self.entry(trained.settings)):
            return self.gather(path, trained.settings)
        place, records = files.set_apart(path)["test"] if path.is_dir() else path, trained.model.preprocessing
        sentences = files.read(place)
        part = encode(sentences.words, None, records, **_size(trained.manifest))
        return Material(part, part, part, str(place), trained.classes, records, trained.manifest, raw=sentences)

    def judge(self, model: Model, material: Material) -> Verdict:
        """The F1 of whole entities by type, beside a dictionary of words; sentences with their entities marked."""
        tags = rejoin(tags_of(model, material.test, material.classes), material.raw.words, material.facts["length"])
        return verdict(material.raw, tags, material.facts["usual"])

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test sentences with their tags, as a CoNLL file."""
        few = zip(material.raw.words[:TRIED], material.raw.tags[:TRIED], strict=True)
        lines = ["\n".join(map("\t".join, zip(words, tags, strict=True))) for words, tags in few]
        (folder / SAMPLES).write_text("\n\n".join(lines) + "\n", encoding="utf-8")
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """The entities in each sentence; how many words it has, and how many of them training did not know."""
        size = _size(trained.manifest)
        rows = files.untagged(asked.file) if asked.file else [files.cut(text) for text in asked.texts]
        gap = next((n for n, words in enumerate(rows) if not words), None)
        if gap is not None or not rows:
            raise DataError(f"text {gap or 0} holds nothing to read.\n  Fill it, or remove the row.")
        records = {name: trained.record(name) for name in ("tokenizer", "letters", "tags")}
        part = encode(rows, None, records, **size)
        tags = rejoin(tags_of(trained.model, part, records["tags"].classes), rows, size["length"])
        return [_answer(n, *pair, records["tokenizer"]) for n, pair in enumerate(zip(rows, tags, strict=True))]


def _answer(row: int, words: list[str], tags: list[str], tokenizer: Words) -> Answer:
    entities = spans(tags)
    texts = (f"[{p.text}]({p.label})" if p.label else p.text for p in mark(words, entities))
    return {
        "row": row,
        "text": " ".join(texts),
        "entities": [{"text": phrase(words, span), **span._asdict()} for span in entities],
        "words": words,
        "tags": tags,
        "unknown": int((tokenizer([words])[0] == UNKNOWN).sum()),
    }


def _size(facts: Any) -> dict[str, int]:
    return {name: facts[name] for name in ("width", "length")}


def _published(entry: Entry, folder: Path | None) -> dict[str, Sentences]:
    """The parts of a named data set, as they were published."""
    loaded = datasets.load(entry.name, folder)
    pairs = loaded if isinstance(loaded[0], tuple) else (loaded,)
    return {part: Sentences(*pair) for part, pair in zip(("train", "validation", "test"), pairs, strict=False)}


def _fold(whole: Sentences, fold: int, path: Path | None) -> dict[str, Sentences]:
    count = len(whole.words)
    if count < 2 * FOLDS:
        raise DataError(
            f"{path} has {count} distinct sentences.\n  Give at least {2 * FOLDS}, or set a test part apart."
        )
    rows = kfold(count, FOLDS)[fold]
    return {"train": whole.at(rows.train.tolist()), "test": whole.at(rows.validation.tolist())}


def _with_validation(whole: Sentences, settings: TagSettings, *, together: bool) -> dict[str, Sentences]:
    groups = equal_rows(whole.words) if together else None
    rows = split(len(whole.words), validation=settings.validation_split, groups=groups, seed=settings.seed)
    return {"train": whole.at(rows.train.tolist()), "validation": whole.at(rows.validation.tolist())}


def _records(parts: dict[str, Sentences], settings: TagSettings) -> dict[str, Any]:
    """The words and letters of the training part; the tags are those of all parts."""
    train = parts["train"].words
    tags = sorted({tag for part in parts.values() for row in part.tags for tag in row} | {OUTSIDE})
    return {
        "tokenizer": Words.fit(train, settings.vocabulary, least=settings.least, lowercase=True),
        "letters": Characters.fit(sorted({word for row in train for word in row})),
        "tags": Labels(tuple(tags)),
    }
