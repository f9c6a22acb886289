"""ner: entities in drawn sentences here, its F1 on public data among the long tests."""

import shutil

import numpy as np
import pytest

from thalweg import recipes
from thalweg.errors import ConfigError, DataError
from thalweg.page import render
from thalweg.recipes.tags import files
from thalweg.recipes.tags.files import Sentences
from thalweg.recipes.tags.rows import encode
from thalweg.recipes.tags.verdict import verdict
from thalweg.recipes.trained import ask, evaluate, load

peer = pytest.importorskip("seqeval.metrics", reason="seqeval is the oracle of the scores; `make test` installs it")

PEOPLE, PLACES = ("Anna", "Boris", "Clara Day", "Dan"), ("Rome", "Paris", "New York", "Oslo")
VERBS, SMALL = ("sees", "leaves", "likes"), {"units": 12, "embedding": 12, "batch_size": 16, "learning_rate": 0.02}


def tagged(phrase, kind):
    return [(word, f"{'I' if n else 'B'}-{kind}") for n, word in enumerate(phrase.split())]


def written(count, seed, rest=("today", "again", "and", "often", "now")):
    """Sentences such as "today Clara Day leaves New York now": the same name may be a person or a place."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        who, where = rng.choice([*PEOPLE, "Paris"]), rng.choice([*PLACES, "Dan"])
        before, after = (rng.choice(rest, int(n)) for n in rng.integers(0, 4, 2))
        outside = [[(str(word), "O") for word in part] for part in (before, [rng.choice(VERBS)], after)]
        rows.append([*outside[0], *tagged(who, "PER"), *outside[1], *tagged(where, "LOC"), *outside[2], (".", "O")])
    return rows


def conll(path, rows):
    path.write_text("\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in row) for row in rows) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ner")
    own = conll(folder / "own.conll", written(320, 0))
    return recipes.run("ner", {**SMALL, "epochs": 8}, data=own, run_dir=folder / "run", verbose=0)


def test_it_learns_what_a_dictionary_cannot_know(finished):
    scores = finished.scores
    assert scores["f1"] >= 0.97
    assert scores["baseline"] < 0.95  # Paris sees Dan
    said = ask(load(finished.folder), None, ("Paris sees Dan.", "now Dan leaves Paris"), {})
    assert [[(e["text"], e["type"], e["start"]) for e in row["entities"]] for row in said] == [
        [("Paris", "PER", 0), ("Dan", "LOC", 2)],
        [("Dan", "PER", 1), ("Paris", "LOC", 3)],
    ]
    assert said[0]["text"] == "[Paris](PER) sees [Dan](LOC) ."
    assert ask(load(finished.folder), None, ("Zed sees Xu.",), {})[0]["unknown"] == 2


def test_the_model_file_alone_answers_files(finished, tmp_path):
    shutil.copy(finished.folder / "model.tw", tmp_path / "m.tw")
    trained = load(tmp_path / "m.tw")
    (tmp_path / "t.txt").write_text("Anna sees Oslo\nnow Boris likes New York\n")
    conll(tmp_path / "t.conll", [[(w, "O") for w in s.split()] for s in ("Anna sees Oslo", "now Boris likes New York")])
    lines, columns = (ask(trained, tmp_path / name, (), {}) for name in ("t.txt", "t.conll"))
    assert lines == columns
    assert lines[1]["text"] == "now [Boris](PER) likes [New York](LOC)"
    assert len(ask(trained, finished.folder / "samples.conll", (), {})) == 10


def test_a_sentence_longer_than_a_row_is_read_in_pieces_and_keeps_all_its_words(finished):
    long = " ".join(["Anna sees Oslo and"] * 60)  # 240 words; length=128
    said = ask(load(finished.folder), None, (long,), {})[0]
    assert (len(said["words"]), len(said["tags"]), len(said["entities"])) == (240, 240, 120)


def test_evaluate_reads_ones_own_file_beside_the_dictionary_of_training(finished, tmp_path):
    trained = load(finished.folder)
    assert evaluate(trained, None).scores == finished.scores
    right = [*written(40, 9), [("Zed", "B-MISC")]]
    scores = evaluate(trained, conll(tmp_path / "t.conll", right)).scores
    usual = trained.manifest["usual"]
    theirs = [[usual.get(word, "O") for word, _ in row] for row in right]
    tags = [[tag for _, tag in row] for row in right]
    assert scores["baseline"] == pytest.approx(peer.f1_score(tags, theirs))
    assert scores["sentences"] == 41  # a type that training had not counts as not found
    assert scores["recall"] < 1


def test_the_verdict_is_that_of_seqeval(finished):
    right = Sentences(
        [["Anna", "Lee", "is", "in", "<b>Rome</b>", "&", "Oslo"]] * 2,
        [["B-PER", "I-PER", "O", "O", "B-LOC", "O", "B-LOC"]] * 2,
    )
    found = [["B-PER", "O", "O", "O", "B-LOC", "O", "I-LOC"], right.tags[0]]
    judgement = verdict(right, found, {"Anna": "B-PER", "Oslo": "B-LOC"})
    assert judgement.scores["f1"] == pytest.approx(peer.f1_score(right.tags, found))
    assert judgement.scores["precision"] == pytest.approx(peer.precision_score(right.tags, found))
    assert judgement.scores["baseline"] == pytest.approx(2 * 2 / (6 + 4))
    page = render("", "", judgement.sections)
    assert '<mark class="wrong">Anna <b>PER</b></mark>' in page
    assert '<mark class="right">&lt;b&gt;Rome&lt;/b&gt; <b>LOC</b></mark>' in page
    assert "not found: Anna Lee (PER)" in page
    assert "<b>Rome" not in page


def test_letters_tell_words_apart_that_training_has_not_seen(finished):
    model, records = finished.model, finished.model.preprocessing
    part = encode([["Danna", "sees"], ["Ronna", "sees"]], None, records, width=16, length=128)
    first, second = np.asarray(model.predict(part.x))
    assert part.x[0].tolist()[0] == part.x[0].tolist()[1]
    assert abs(first - second).max() > 1e-3


def test_a_sentence_is_tagged_the_same_whatever_stands_beside_it(finished):
    trained, texts = load(finished.folder), ("Anna sees Oslo", "today and now Boris likes New York again .")
    alone, together = (ask(trained, None, asked, {})[0] for asked in (texts[:1], texts))
    assert alone == together
    records = finished.model.preprocessing
    rows = [text.split() for text in texts]
    one, two = (encode(part, None, records, width=16, length=128) for part in (rows[:1], rows))
    first, second = (np.asarray(finished.model.predict(part.x))[0, :3] for part in (one, two))
    np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.parametrize("settings", [{"network": "softmax", "letters": "lstm"}, {"network": "crf", "letters": "lstm"}])
def test_its_other_networks_learn_too(settings, tmp_path):
    own = conll(tmp_path / "own.conll", written(160, 0))
    result = recipes.run("ner", {**SMALL, **settings, "epochs": 12}, data=own, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["f1"] > result.scores["baseline"]


def test_repeated_sentences_train_or_test_but_never_both(tmp_path):
    rows = written(60, 0)
    kind, settings = recipes.load("ner").application, recipes.load("ner").settings()
    folds = [
        kind.gather(conll(tmp_path / "own.conll", rows * 3), settings.model_copy(update={"fold": fold})).raw
        for fold in range(10)
    ]
    tested = sorted(tuple(words) for part in folds for words in part.words)
    assert tested == sorted({tuple(word for word, _ in row) for row in rows})


def test_parts_that_are_set_apart_are_taken_as_they_are(tmp_path):
    for part, count in (("train", 40), ("valid", 10), ("test", 8)):
        conll(tmp_path / f"my-{part}.txt", written(count, len(part)))
    material = recipes.load("ner").application.gather(tmp_path, recipes.load("ner").settings())
    assert material.description()["rows"] == {"train": 40, "validation": 10, "test": 8}
    assert material.raw.words == [[word for word, _ in row] for row in written(8, 4)]
    assert material.classes == ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "holds no sentence|is empty"),
        ("London\nis\n", "has one column"),
        ("London B-LOC\nis O now\n", "line 2"),
        ("London LOC\nis O\n", "sentence 1: the tag 'LOC' is none"),
        ("London O\nis O\n", "the tag O only"),
        ("London B-LOC\nis O\n", "1 distinct sentences"),
    ],
)
def test_a_file_that_cannot_teach_is_refused(tmp_path, content, message):
    (tmp_path / "t.conll").write_text(content)
    with pytest.raises(DataError, match=message):
        recipes.run("ner", data=tmp_path / "t.conll", run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_other_bad_input_is_refused(finished, tmp_path):
    (tmp_path / "gb.conll").write_bytes("北 B-LOC\n京 I-LOC\n".encode("gb18030"))
    (tmp_path / "none").mkdir()
    for name, message in (("gb.conll", "is not UTF-8"), ("no.conll", "is no file"), ("none", "no files named train")):
        with pytest.raises(DataError, match=message):
            files.parts(tmp_path / name)
    with pytest.raises(DataError, match="text 1 holds nothing"):
        ask(load(finished.folder), None, ("Anna", " "), {})
    rare = conll(tmp_path / "rare.conll", [[(f"w{n}", "B-LOC")] for n in range(40)])
    with pytest.raises(ConfigError, match="least=2"):
        recipes.run("ner", data=rare, run_dir=tmp_path / "run", verbose=0)


def test_a_text_is_cut_as_the_corpora_are():
    text = "Mr. Obama's U.S. trip (mid-July) cost $3,500.50: see https://a.org/b?c #sad @you!"
    first = ["Mr.", "Obama", "'s", "U.S.", "trip", "(", "mid-July", ")", "cost", "$", "3,500.50", ":", "see"]
    assert files.cut(text) == [*first, "https://a.org/b?c", "#sad", "@you", "!"]
    assert files.cut("我爱 Java语言") == ["我", "爱", "Java", "语", "言"]


def test_the_network_is_stated_before_there_is_data():
    recipe = recipes.load("ner")
    model = recipe.untrained_model(recipe.settings(vocabulary=50))
    assert model.weights["layers.0.embeddings"].shape == (50, 100)


def test_a_corpus_is_read_by_its_name_and_from_its_folder(data_folder, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    recipe = recipes.load("ner")
    settings = recipe.settings(corpus="wnut17")
    found, again = (recipe.application.gather(p, settings).description() for p in (None, data_folder / "wnut17"))
    assert found["rows"] == {"train": 3394, "validation": 1009, "test": 1287}
    assert again["sha256"] == found["sha256"]


@pytest.mark.long
@pytest.mark.parametrize(("corpus", "epochs", "f1"), [("gmb", 5, 0.80), ("wnut17", 20, 0.05), ("btc", 20, 0.30)])
def test_public_data(corpus, epochs, f1, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    result = recipes.run("ner", corpus=corpus, epochs=epochs, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["f1"] >= max(f1, result.scores["baseline"])
