import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.data import equal_rows, kfold, split, split_by_time
from thalweg.errors import ConfigError, ContractError


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=8),
    validation=st.floats(0.05, 0.4),
    test=st.sampled_from([0.0, 0.1, 0.3]),
    seed=st.integers(0, 2**63),
)
def test_every_class_gives_its_share(counts, validation, test, seed):
    labels = np.repeat(np.arange(len(counts)), counts)  # sorted by class
    n = len(labels)
    if 2 * len(counts) > n:
        return
    parts = split(n, validation, test, labels=labels, seed=seed)
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(rows.tolist()) == list(range(n))
    if min(counts) > 1:
        assert len(parts.test) == (max(1, round(n * test)) if test else 0)
        assert abs(np.bincount(labels[parts.test], minlength=len(counts)) - np.array(counts) * test).max() <= 1.5
    assert set(labels[parts.train]) >= {k for k, c in enumerate(counts) if c == 1}
    if min(counts) >= 10:
        held = np.bincount(labels[parts.validation], minlength=len(counts))
        assert abs(held - np.array(counts) * validation).max() <= 2.0


def test_equal_classes_are_split_equally():
    labels = np.repeat(np.arange(10), 100)
    parts = split(labels, validation=0.1, test=0.2, labels=labels)
    assert np.bincount(labels[parts.validation]).tolist() == [10] * 10
    assert np.bincount(labels[parts.test]).tolist() == [20] * 10
    assert np.bincount(labels[parts.train]).tolist() == [70] * 10
    assert str(parts) == "700 training, 100 validation, 200 test rows: shuffled with seed 0, stratified over 10 classes"


def test_the_seed_decides():
    a, b, c = (split(100, 0.2, seed=s).validation for s in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert not np.array_equal(np.diff(a), np.diff(a)[0] * np.ones(19))  # shuffled, not every fifth row


@pytest.mark.parametrize(
    ("labels", "note"), [(None, "no labels"), (np.linspace(0, 1, 20), "name no classes"), (range(20), "no classes")]
)
def test_without_classes_it_says_so(labels, note):
    parts = split(20, 0.25, labels=labels)
    assert (len(parts.train), len(parts.validation)) == (15, 5)
    assert "not stratified" in parts.note
    assert note in parts.note


def test_a_single_row_of_a_class_trains():
    labels = np.array([0] * 10 + [1] + [2] * 10)
    for seed in range(20):
        parts = split(21, 0.3, 0.3, labels=labels, seed=seed)
        assert 10 in parts.train
    assert "1 of the classes (the first is number 1) too small for validation" in parts.note


def test_text_labels_and_one_hot_rows_stratify():
    texts = ["no"] * 80 + ["yes"] * 20
    held = split(100, 0.1, labels=texts).validation
    assert sum(texts[i] == "yes" for i in held) == 2
    one_hot = np.eye(2)[[0] * 80 + [1] * 20]
    assert np.array_equal(held, split(100, 0.1, labels=one_hot).validation)


def test_time_order_says_so():
    parts = split_by_time(100, 0.2, 0.1)
    assert (parts.train[-1], parts.validation.tolist(), parts.test[0]) == (69, list(range(70, 90)), 90)
    assert "in the order of time, not shuffled" in parts.note


def test_windows_over_time_do_not_overlap():
    parts = split_by_time(100, 0.2, 0.1, gap=5)
    assert (parts.train[-1], parts.validation[0], parts.validation[-1], parts.test[0]) == (59, 65, 84, 90)
    assert split_by_time(100, 0.2, gap=5).train[-1] == 74
    with pytest.raises(ConfigError, match="gap=50"):
        split_by_time(100, 0.2, 0.1, gap=50)


def test_folds():
    labels = np.repeat([0, 1, 2], [30, 15, 6])
    folds = kfold(51, 3, labels=labels)
    assert sorted(np.concatenate([f.validation for f in folds]).tolist()) == list(range(51))
    for fold in folds:
        assert np.bincount(labels[fold.validation]).tolist() == [10, 5, 2]
        assert np.intersect1d(fold.train, fold.validation).size == 0
        assert len(fold.train) == 34
    assert folds[1].note.startswith("fold 2 of 3 folds, shuffled")


@pytest.mark.parametrize("shares", [(1.0, 0.0), (-0.1, 0.0), (0.5, 0.5), (0.99, 0.0)])
def test_shares_that_leave_nothing(shares):
    with pytest.raises(ConfigError, match="leave nothing to train on"):
        split(10, *shares)


def test_arguments_are_checked():
    with pytest.raises(ContractError, match="3 labels for 10 rows"):
        split(10, 0.1, labels=[1, 2, 3])
    with pytest.raises(ConfigError, match="folds=1"):
        kfold(10, 1)


def test_groups_stay_in_one_part():
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 60, 300), None
    labels = groups % 3
    for options in ({}, {"labels": labels}):
        parts = split(300, 0.2, 0.1, groups=groups, seed=3, **options)
        members = [set(groups[rows].tolist()) for rows in (parts.train, parts.validation, parts.test)]
        assert sum(map(len, members)) == len(set(groups.tolist()))
        assert [len(m) for m in members[1:]] == [12, 6]
        assert np.sort(np.concatenate([parts.train, parts.validation, parts.test])).tolist() == list(range(300))
        folds = kfold(300, 5, groups=groups, **options)
        held = [set(groups[fold.validation].tolist()) for fold in folds]
        assert set.union(*held) == set(groups.tolist())
        assert sum(map(len, held)) == len(set(groups.tolist()))
        assert "240 rows stay with others of their group" in parts.note
    assert sorted({k % 3 for k in groups[split(300, 0.2, groups=groups, labels=labels).validation].tolist()}) == [
        0,
        1,
        2,
    ]


def test_groups_of_one_change_nothing():
    labels = np.random.default_rng(1).integers(0, 3, 100)
    for groups in (np.arange(100), np.arange(100)[::-1], [f"row {n}" for n in range(100)]):
        one, two = split(100, 0.2, 0.1, labels=labels), split(100, 0.2, 0.1, labels=labels, groups=groups)
        for name in ("train", "validation", "test"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert one.note == two.note
    with pytest.raises(ContractError, match=r"3 groups for 100 rows\.\n  Write one group per row"):
        split(100, 0.2, groups=[1, 2, 3])


def test_equal_rows_have_the_number_of_the_first():
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    assert equal_rows(x[[0, 1, 0, 2, 1, 3]]).tolist() == [0, 1, 0, 3, 1, 5]
    assert equal_rows(["a", "b", "a"]).tolist() == [0, 1, 0]
    assert equal_rows([["a", "b"], ["ab"], ["a", "b"]]).tolist() == [0, 1, 0]
    assert equal_rows([np.zeros(3), np.zeros(4), np.zeros(3), np.zeros((3, 1))]).tolist() == [0, 1, 0, 3]
