"""The contract: each wrong program ends in an error with its remedy, and right programs pass without a word."""

import time
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.errors import ContractError
from thalweg.losses import CTC, Custom, Huber, KLDivergence, SparseCategoricalCrossentropy, loss
from thalweg.metrics import Accuracy
from thalweg.train.contract import RULES, Facts, check, check_overlap

SPARSE, DENSE, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"
RNG = np.random.default_rng(0)


def facts(what, outputs, y, final=None, x=None, **more):
    """Facts of a training set; `outputs` is the shape of one row's output."""
    y = np.asarray(y)
    x = RNG.normal(size=(len(y), 4)).astype(np.float32) if x is None else x
    spec = jax.ShapeDtypeStruct((1, *outputs), jnp.float32)
    return Facts(loss(what), spec, final, x, y, **{"names": ("loss", "accuracy"), **more})


def one_hot(classes, n=8):
    return np.eye(classes)[np.arange(n) % classes]


def numbers(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def holed(value, row=5):
    x = numbers(8, 4)
    x[row, 2] = x[7, 0] = value
    return x


SOME = np.arange(8) % 3

WRONG = {
    "an index beyond the table": (
        facts(SPARSE, (3,), SOME, x=np.arange(8)[:, None], indices=lambda port: 7),
        r"^x holds 7 in 1 rows; the first is row 7\. .* from 0 to 6\.\n  Write input_dim=",
    ),
    "weights of steps, and a loss of whole rows": (
        facts("triplet_hard", (4, 3), SOME, weight=numbers(8, 4) ** 2),
        r"TripletHard has one loss for a whole row; sample_weight has shape \(8, 4\)\.\n  Give one weight for each row",
    ),
    "accuracy of a regression": (
        facts("mse", (1,), numbers(8), metrics=(("accuracy", Accuracy()),)),
        r"^the metric 'accuracy' counts classes; the target of row \d is .*\n  Write metrics=\['mae'\]",
    ),
    "weights, and one number a batch": (
        facts(lambda y, p: jnp.mean(p), (1,), numbers(8), weight=np.ones(8)),
        r"gives one number for a whole batch, .*\n  Return one number for each row",
    ),
    "labels 3, 7, -1 of 3 classes": (
        facts(SPARSE, (3,), [0, 1, 3, 7, -1, 2]),
        r"3 of 6 rows have labels outside 0 to 2, .*: -1, 3, 7; the first is row 2\.\n  Number the labels from 0",
    ),
    "a label just above": (
        facts(SPARSE, (3,), [0, 1, 2, 3]),
        r"1 of 4 rows .*: 3; .*\n  Write 4 units in the last layer",
    ),
    "labels from 1": (facts(SPARSE, (3,), [1, 2, 3]), r"count from 1: give y - 1"),
    "every label out of range": (facts(SPARSE, (3,), [[70], [90]]), r"all 2 rows .*: 70, 90; .*\n  Number the labels"),
    "-1 for missing": (facts(SPARSE, (3,), [0, -1, 2]), r"Leave the rows with -1 out, or write .*ignore_class=-1"),
    "another than the ignored": (
        facts(SparseCategoricalCrossentropy(ignore_class=-1), (3,), [0, -1, -2]),
        "1 of 3 rows",
    ),
    "float label": (
        facts(SPARSE, (3,), [0, 1.7, 2]),
        r"row 1 is 1\.7\.\n  Give whole numbers from 0 to 2; .*loss='mse'",
    ),
    "target (8, 1), output (8, 5)": (
        facts("mse", (5,), numbers(8, 1)),
        r"\(8, 1\); .*\(8, 5\)\.\n  Give one target for each",
    ),
    "target (8,), output (8, 5)": (facts("mse", (5,), numbers(8)), r"\(8,\); .*takes \(8, 5\)\.\n  Give one target"),
    "target (5,), output (8, 5)": (
        facts("mse", (5,), numbers(5), x=numbers(8, 4)),
        r"x has 8, y has 5\.\n  Give one row",
    ),
    "classes for binary": (
        facts(BINARY, (5,), SOME),
        r"sparse_categorical_crossentropy' and a softmax; else give one target",
    ),
    "signs for binary": (
        facts(BINARY, (1,), [-1, 1, 1, -1]),
        r"row 0 holds -1.*\n  Give \(y \+ 1\) / 2, or write loss='hinge'",
    ),
    "classes in one binary column": (facts(BINARY, (1,), [0, 1, 2]), r"row 2 holds 2\.\n  For classes that exclude"),
    "pixels for binary": (facts(BINARY, (4,), numbers(8, 4) ** 2 * 99), r"are to be scaled, y / "),
    "numbers for binary": (facts(BINARY, (4,), numbers(8, 4)), r"\n  Give 0 and 1, or write loss='mse'"),
    "one-hot rows for sparse": (
        facts(SPARSE, (3,), one_hot(3)),
        r"one-hot rows, .*\n  Write loss='categorical_crossentropy'",
    ),
    "a wrong shape for sparse": (
        facts(SPARSE, (3,), np.zeros((8, 2), int)),
        r"takes \(8,\)\.\n  Give one integer for each row",
    ),
    "integers for dense": (
        facts(DENSE, (3,), SOME),
        r"\n  Write loss='sparse_categorical_crossentropy', or give np\.eye\(3\)\[y\]",
    ),
    "integer column for dense": (facts(DENSE, (3,), SOME[:, None]), r"loss='sparse_categorical_crossentropy'"),
    "a wrong shape for dense": (facts(DENSE, (3,), one_hot(4)), r"Give as many columns as the last layer has units"),
    "softmax over one unit": (
        facts(SPARSE, (1,), [0, 1], "softmax"),
        r"always 1.*\n  For two classes write Dense\(1, act",
    ),
    "softmax over one unit, binary": (facts(BINARY, (1,), [0, 1], "softmax"), r"Dense\(2, activation='softmax'\)"),
    "sparse loss over one unit": (facts(SPARSE, (1,), [0, 1]), r"with loss='binary_crossentropy'"),
    "ReLU end": (facts(SPARSE, (3,), SOME, "relu"), r"'relu' before Sparse.*\n  Write activation='softmax'"),
    "tanh end": (facts(BINARY, (1,), [0, 1], "tanh"), r"'tanh' before Binary.*\n  Write activation='sigmoid'"),
    "KL with tanh": (facts("kld", (3,), one_hot(3), "tanh"), r"Write activation='softmax'"),
    "ReLU before softmax": (
        facts(SPARSE, (3,), SOME, "softmax", before="relu"),
        r"'relu', which limits .*\n  Leave that",
    ),
    "sigmoid of exclusive classes": (
        facts(SPARSE, (10,), np.arange(10), "sigmoid"),
        r"'sigmoid' over 10 .*\n  Write activation='softmax'",
    ),
    "sigmoid of one-hot classes": (
        facts(DENSE, (10,), one_hot(10), "sigmoid"),
        r"exclude each other\.\n  Write activation='softmax'",
    ),
    "ten exclusive labels": (
        facts(BINARY, (10,), one_hot(10, 20), "sigmoid"),
        r"every row has exactly one of 10 labels.*\n  Write activation='softmax' .*loss='categorical",
    ),
    "softmax for labels": (
        facts(BINARY, (3,), [[1, 1, 0]], "softmax"),
        r"\n  Write activation='sigmoid' in the last layer",
    ),
    "several labels in a softmax": (
        facts(DENSE, (3,), [[1, 0, 0], [1, 1, 0]], "softmax"),
        r"row 1 sums to 2\.\n.*='sigmoid'",
    ),
    "no label in a softmax": (
        facts(DENSE, (3,), [[0, 0, 0]]),
        r"row 0 sums to 0\.\n  For several labels in a row, or none",
    ),
    "negative probabilities": (facts("kld", (2,), [[-0.5, 1.5]]), r"holds -0\.5\.\n  Give 0 and 1, or probabilities"),
    "from_logits with softmax": (
        facts(SparseCategoricalCrossentropy(from_logits=True), (3,), SOME, "softmax"),
        r"from_logits=True\) was given, but the network ends in 'softmax'.*\n  Leave from_logits out",
    ),
    "from_logits=False with logits": (
        facts(SparseCategoricalCrossentropy(from_logits=False), (3,), SOME),
        r"ends in no activation, so its outputs are logits\.\n  Leave from_logits out",
    ),
    "hinge after sigmoid": (facts("hinge", (1,), [0, 1], "sigmoid"), r"never negative\.\n  Write no activation"),
    "hinge with three classes": (facts("hinge", (1,), [0, 1, 2]), r"row 2 holds 2\.\n  Give np\.where"),
    "hinge with three signs": (facts("squared_hinge", (1,), [-1, 0, 1]), r"row 1 holds 0\.\n  Give np\.where"),
    "negative counts": (facts("poisson", (1,), [0, -2]), r"row 1 holds -2\.\n  Write loss='mse'"),
    "targets beyond sigmoid": (
        facts("mse", (1,), [0.5, 30.0, 9.0], "sigmoid"),
        r"0 to 1; 2 of 3 rows .*0\.5 to 30\.\n  Leave the last",
    ),
    "targets beyond tanh": (
        facts("mae", (2,), numbers(8, 2) * 9, "tanh"),
        r"-1 to 1; .*\n  Leave the last activation out",
    ),
    "negative targets of ReLU": (
        facts(Huber(), (1,), numbers(8), "relu"),
        r"0 to inf; .*\n  Leave the last activation out",
    ),
    "NaN in x": (
        facts("mse", (1,), numbers(8), x=holed(np.nan)),
        r"x holds NaN or infinity in row 5, column 2 and 1 more rows\.\n  Fill",
    ),
    "Inf in y": (facts("mse", (1,), [1.0, np.inf, -np.inf]), r"y holds NaN or infinity in row 1 and 1 more"),
    "NaN in one of two inputs": (
        facts("mse", (1,), numbers(8), x={"a": numbers(8, 2), "b": holed(np.inf)}),
        "in row 5",
    ),
    "lengths": (facts("mse", (1,), numbers(7), x=numbers(8, 4)), r"x has 8, y has 7\.\n  Give one row of each"),
    "lengths of two inputs": (
        facts("mse", (1,), numbers(8), x=(numbers(8, 4), numbers(9, 4))),
        "x has 8, x has 9, y has 8",
    ),
    "empty": (facts("mse", (1,), numbers(0)), r"empty: 0 rows\.\n  Give at least one row"),
    "no targets": (
        Facts(loss("mse"), jax.ShapeDtypeStruct((1, 1), jnp.float32), None, numbers(8, 4)),
        r"Write fit\(x, y\)",
    ),
    "batch larger than the data": (
        facts("mse", (1,), numbers(8), batch_size=32),
        r"32 does not fit 8 rows\.\n  Write batch_size=8",
    ),
    "batch of none": (facts("mse", (1,), numbers(8), batch_size=0), r"Write batch_size=8 for all rows at once"),
    "short weights": (facts("mse", (1,), numbers(8), weight=np.ones(7)), "sample_weight has 7"),
    "negative weights": (
        facts("mse", (1,), numbers(3), weight=np.array([1.0, -2, 1])),
        r"row 1 with -2\.\n  Give 0 or more",
    ),
    "weights of 0": (facts("mse", (1,), numbers(3), weight=np.zeros(3)), r"Give some rows a weight above 0"),
    "weights of columns": (facts("mse", (1,), numbers(3), weight=np.ones((3, 2))), r"shape \(3,\)"),
    "unknown monitor": (facts("mse", (1,), numbers(8), monitors=("los",)), r"monitors 'los'.*\n  Did you mean 'loss'"),
    "monitor without validation": (
        facts("mse", (1,), numbers(8), monitors=("val_loss",)),
        r"\n  Give validation_data or",
    ),
    "labels without time": (facts("ctc", (5,), [[1, 2]]), r"gives \[batch, 5\]\.\n  Keep the time axis"),
    "one label for CTC": (facts("ctc", (6, 5), [1, 2]), r"labels \[rows, n\], .* shape \(2,\)\.\n  Give the numbers"),
    "a blank beyond": (
        facts(CTC(blank=5), (6, 5), [[1, 2]]),
        r"none of the network's 5 classes\.\n  Write one unit more",
    ),
    "a label beyond": (facts("ctc", (6, 5), [[1, 2], [7, -1]]), r"row 1 holds 7\.\n  Write 8 units in the last layer"),
    "half a label": (facts("ctc", (6, 5), [[1, 2], [1.5, -1]]), r"row 1 holds 1\.5\.\n  Give whole numbers from 0"),
    "labels from 0": (
        facts("ctc", (6, 5), [[1, 2], [0, 2]]),
        r"in row 1 .* after -1 or after 0, .*\n  Number the labels from 1, or",
    ),
    "the blank among labels": (
        facts(CTC(blank=4), (6, 5), [[4, 2]]),
        r"Number the labels without 4, or write CTC\(blank=0\)",
    ),
    "padding in front": (facts("ctc", (6, 5), [[-1, 2]]), "fill rows up at the end"),
    "all blank": (facts("ctc", (6, 5), [[0, -1], [0, 0]]), r"all are -1 or the blank\.\n  Give the labels"),
    "more labels than steps": (
        facts("ctc", (3, 5), [[1, 2, 3], [1, 2, 2], [4, -1, -1]]),
        r"row 1 has .* needs 4 .* gives 3\.\n  Shorten time less",
    ),
    "tags without a CRF": (
        facts("crf", (6, 5), np.ones((2, 6))),
        r"gives \[batch, 6, 5\]\.\n  End the network in Dense",
    ),
    "one tag for a row": (facts("crf", (6, 5, 5), [1, 2]), r"\(2, 6\); .* shape \(2,\)\.\n  Give the number of each"),
    "a tag beyond": (facts("crf", (2, 5, 5), [[1, 5]]), r"row 0 holds 5\.\n  Write 6 units in the last Dense"),
    "a tag below": (facts("crf", (2, 5, 5), [[1, -100]]), r"row 0 holds -100\.\n  Give whole numbers"),
    "a hole in the tags": (
        facts("crf", (3, 5, 5), [[1, -1, 2]]),
        r"in row 0 .* between others.*\n  Give each step",
    ),
    "no tags": (facts("crf", (2, 5, 5), [[-1, -1]]), r"all are -1\.\n  Give the labels"),
    "in the second set": (facts(SPARSE, (3,), [0, 9], where="validation "), r"1 of 2 validation rows have labels"),
}

RIGHT = {
    "logits": facts(SPARSE, (3,), SOME),
    "softmax": facts(SPARSE, (3,), SOME, "softmax"),
    "log-softmax": facts(SPARSE, (3,), SOME, "log_softmax"),
    "from_logits that is true": facts(SparseCategoricalCrossentropy(from_logits=True), (3,), SOME),
    "from_logits=False of a softmax": facts(SparseCategoricalCrossentropy(from_logits=False), (3,), SOME, "softmax"),
    "whole floats": facts(SPARSE, (3,), SOME.astype(np.float32)),
    "small integers": facts(SPARSE, (3,), SOME.astype(np.uint8)),
    "bfloat16 labels": facts(SPARSE, (3,), SOME.astype(jnp.bfloat16)),
    "labels in a JAX array": facts(SPARSE, (3,), SOME, x=jnp.ones((8, 4))),
    "a column of labels": facts(SPARSE, (3,), SOME[:, None]),
    "one label of two classes": facts(SPARSE, (2,), SOME > 0),
    "fewer classes than units": facts(SPARSE, (30,), SOME),
    "ignored labels": facts(SparseCategoricalCrossentropy(ignore_class=-1), (3,), [0, -1, 2]),
    "labels in time": facts(SPARSE, (6, 3), SOME[:, None] * np.ones((1, 6), int)),
    "as many steps as classes": facts(SPARSE, (3, 3), SOME[:, None] * np.ones((1, 3), int)),
    "one-hot floats": facts(DENSE, (3,), one_hot(3).astype(np.float32), "softmax"),
    "one-hot in time": facts(DENSE, (8, 3), np.stack([one_hot(3)] * 8)),
    "soft labels": facts(KLDivergence(), (3,), np.full((8, 3), 1 / 3), "softmax"),
    "bool labels": facts(BINARY, (1,), SOME > 0, "sigmoid"),
    "soft binary labels": facts(BINARY, (4,), numbers(8, 4) % 1, "sigmoid"),
    "several labels": facts(BINARY, (3,), np.append(one_hot(3), [[1, 1, 0]], 0), "sigmoid"),
    "one label of each row, evaluated": facts(BINARY, (3,), one_hot(3), "sigmoid", names=()),
    "one label of each row, validated": facts(BINARY, (3,), one_hot(3), "sigmoid", where="validation "),
    "one-hot of two": facts(BINARY, (2,), one_hot(2), "sigmoid"),
    "the 8-3-8 code": facts(BINARY, (8,), one_hot(8), "sigmoid", x=one_hot(8).astype(np.float32)),
    "a column of targets": facts("mse", (1,), numbers(8, 1)),
    "targets without a column": facts("mse", (1,), numbers(8)),
    "targets with one column more": facts("mse", (), numbers(8, 1)),
    "one-hot rows by squares": facts("mse", (10,), one_hot(10, 20), "sigmoid"),
    "pictures of themselves": facts("mse", (4, 4, 1), np.zeros((8, 4, 4)), "sigmoid"),
    "a rare target beyond": facts("mse", (1,), np.append(np.zeros(99), 1.5), "sigmoid"),
    "ReLU and positive targets": facts("mse", (1,), np.arange(8.0), "relu"),
    "signs": facts("hinge", (1,), [-1, 1, 1, -1], "tanh"),
    "signs as 0 and 1": facts("hinge", (1,), [0, 1]),
    "counts": facts("poisson", (1,), [0, 3, 7], "exponential"),
    "labels": facts("ctc", (4, 5), [[1, 2, 2], [4, -1, -1], [-1, -1, -1]], "softmax"),
    "labels filled up with the blank": facts("ctc", (4, 5), [[1, 2, 2], [4, 0, 0]]),
    "labels of another blank": facts(CTC(blank=4), (4, 5), [[0, 1, 1], [3, -1, -1]]),
    "tags": facts("crf", (3, 5, 5), [[0, 4, 4], [0, -1, -1], [-1, -1, 2]]),
    "a column of tags": facts("crf", (3, 5, 5), np.zeros((4, 3, 1))),
    "pixels": facts(SPARSE, (3,), SOME, x=np.zeros((8, 2, 2, 1), np.uint8)),
    "numbers whose sum overflows": facts("mse", (1,), numbers(8), x=np.full((8, 4), 3e38, np.float32)),
    "names of people": facts("triplet", (16,), np.arange(8) * 1000),
    "a function": facts(Custom(lambda y, p: abs(y - p)), (5,), numbers(8, 1)),
    "a function without targets": Facts(
        Custom(lambda y, p: p), jax.ShapeDtypeStruct((1, 1), jnp.float32), None, numbers(8, 4)
    ),
    "all rows at once": facts("mse", (1,), numbers(8), batch_size=8),
    "weights": facts("mse", (1,), numbers(3), weight=np.array([0.0, 2, 1])),
    "a stream": Facts(
        loss(SPARSE), jax.ShapeDtypeStruct((1, 3), jnp.float32), "softmax", names=("loss",), monitors=("loss",)
    ),
    "monitors": facts("mse", (1,), numbers(8), names=("loss", "val_loss"), monitors=("val_loss", "loss")),
    "softmax in the middle": facts("mse", (3,), one_hot(3), "softmax", before="relu"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_program_ends_in_an_error_with_its_remedy(given, message):
    with pytest.raises(ContractError, match=message) as error:
        check(given)
    assert "\n  " in str(error.value), "a message has a second line that says what to write"


@pytest.mark.parametrize("given", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_program_passes(given):
    check(given)


def test_every_rule_is_broken_by_a_wrong_program():
    broken = {next(rule for rule in RULES if rule(given)) for given, _ in WRONG.values()}
    assert broken == set(RULES)


def test_the_data_is_not_copied():
    x = np.ones((20_000, 28, 28), np.float32) * np.arange(20_000, dtype=np.float32).reshape(-1, 1, 1)
    given = facts(SPARSE, (10,), np.arange(20_000) % 10, x=x, batch_size=32)
    tracemalloc.start()
    started = time.perf_counter()
    check(given)
    check_overlap((x, np.arange(16_000)), (x, np.arange(16_000, 20_000)))
    seconds = time.perf_counter() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes / 4
    assert seconds < 5  # a tenth of that on an idle core
