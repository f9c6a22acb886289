"""What is given is what the loss says: numbers where it takes numbers, labels where it takes classes, in every call."""

import decimal
import fractions

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg import data, layers, optim
from thalweg.errors import ContractError, DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = (10 + 4 * X[:, 0]).astype(np.float32)
BITS = RNG.integers(0, 2, 64)
SHARES = np.where(BITS, 0.9, 0.1).astype(np.float32)
BINARY, SPARSE = "binary_crossentropy", "sparse_categorical_crossentropy"


def torch_tensors():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own")
    return torch.tensor(Y), torch.tensor(Y, requires_grad=True), torch.tensor(Y).bfloat16()


class Lent:
    """An array that another library lends, by DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __len__(self):
        return len(self.array)

    def __dlpack__(self, **how):
        return self.array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


NUMBERS = {
    "torch": lambda: torch_tensors()[0],
    "torch with a gradient": lambda: torch_tensors()[1],
    "torch in bfloat16": lambda: torch_tensors()[2],
    "torch scalars": lambda: list(torch_tensors()[0]),
    "JAX": lambda: jnp.array(Y),
    "DLPack": lambda: Lent(Y),
    "objects": lambda: Y.astype(object),
    "objects, a column": lambda: Y.astype(object)[:, None],
    "Python floats": Y.tolist,
    "Decimals": lambda: [decimal.Decimal(str(v)) for v in Y],
    "an array of Decimals": lambda: np.array([decimal.Decimal(str(v)) for v in Y]),
    "Fractions": lambda: [fractions.Fraction(float(v)) for v in Y],
    "categorical": lambda: pd.Series(Y).astype("category"),
    "Categorical": lambda: pd.Categorical(Y),
    "nullable": lambda: pd.Series(Y).astype("Float64"),
    "a frame": lambda: pd.DataFrame({"y": Y}),
    "a frame of Decimals": lambda: pd.DataFrame({"y": [decimal.Decimal(str(v)) for v in Y], "z": Y})[["y"]],
    "not masked": lambda: np.ma.masked_array(Y, False),
    "texts": lambda: [str(v) for v in Y],
    "an array of texts": lambda: np.array([str(v) for v in Y]),
    "objects that are texts": lambda: np.array([str(v) for v in Y], object),
    "bytes": lambda: np.array([str(v) for v in Y]).astype("S"),
    "StringDType": lambda: np.array([str(v) for v in Y], np.dtypes.StringDType()),
    "a text column": lambda: pd.Series([str(v) for v in Y]),
    "a frame of texts": lambda: pd.DataFrame({"y": [str(v) for v in Y]}),
    "categories that are texts": lambda: pd.Series([str(v) for v in Y]).astype("category"),
}


def model(loss="mse", units=1, end=None, rate=0.1):
    made = thalweg.Sequential([layers.Dense(units, activation=end, input_shape=(3,))])
    made.compile(optim.SGD(rate), loss)
    return made


class Rows:
    """A source that gives targets as `kind` makes them."""

    def __init__(self, y, x=X, weight=None):
        self.x, self.y, self.weight = x, y, weight

    def __len__(self):
        return 64

    def __getitem__(self, rows):
        pick = lambda a: [a[i] for i in rows] if isinstance(a, list) else getattr(a, "iloc", a)[rows]  # noqa: E731
        return (pick(self.x), pick(self.y)) if self.weight is None else (pick(self.x), pick(self.y), pick(self.weight))


def answers(y):
    """What each call says of targets `y`: before, during and after training."""
    m = model()
    out = [m.evaluate(X, y), m.train_on_batch(X, y)]
    logs = m.fit(X, y, epochs=3, verbose=0, validation_data=(X + 1, y)).history
    return [*out, *logs["loss"], *logs["val_loss"], m.predict(X).mean()]


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_numbers_however_they_are_kept(kind):
    rough = 1e-2 if kind == "torch in bfloat16" else 1e-5
    np.testing.assert_allclose(answers(NUMBERS[kind]()), answers(Y), rtol=rough)


@pytest.mark.parametrize("kind", [k for k in NUMBERS if k not in ("DLPack", "Categorical")])
def test_a_source_may_keep_them_so_too(kind):
    rough = 1e-2 if kind == "torch in bfloat16" else 1e-5
    found, expected = (model().fit(Rows(y), epochs=2, verbose=0).history["loss"] for y in (NUMBERS[kind](), Y))
    np.testing.assert_allclose(found, expected, rtol=rough)


OTHER = ["torch", "torch with a gradient", "DLPack", "objects", "Decimals", "an array of Decimals", "categorical"]


@pytest.mark.parametrize("kind", OTHER)
def test_weights_and_inputs_are_read_alike(kind):
    kept = NUMBERS[kind]()
    assert model().evaluate(X, Y, sample_weight=kept) == pytest.approx(model().evaluate(X, Y, sample_weight=Y))
    wide = thalweg.Sequential([layers.Reshape((1,), input_shape=()), layers.Dense(1)])
    wide.compile("sgd", "mse")
    np.testing.assert_array_equal(wide.predict(kept), wide.predict(Y))
    assert wide.evaluate(kept, Y) == wide.evaluate(Y, Y)


def test_a_source_of_tensors():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own")
    source = Rows(torch.tensor(Y), torch.tensor(X), torch.tensor(SHARES))
    found = model().fit(source, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(found, model().fit(Rows(Y, X, SHARES), epochs=2, verbose=0).history["loss"], rtol=1e-6)
    np.testing.assert_array_equal(model().predict(source), model().predict(X))


MISSING = {
    "None": lambda: np.array([*Y[:5], None, *Y[6:]], object),
    "None in a list": lambda: [*Y[:5].tolist(), None, *Y[6:].tolist()],
    "NA": lambda: np.array([1, 2, 3, 4, 5, pd.NA, *[1] * 58], object),
    "masked": lambda: np.ma.masked_array(Y, np.arange(64) == 5),
    "a word": lambda: ["1.5"] * 5 + ["two"] + ["3"] * 58,
    "empty": lambda: ["1.5"] * 5 + [""] + ["3"] * 58,
    "a word among numbers": lambda: [1.5] * 5 + ["two"] + [3] * 58,
    "a date": lambda: np.array([1.5] * 5 + [pd.Timestamp(0)] + [3] * 58, object),
    "complex": lambda: np.array([1.5] * 5 + [1j] + [3] * 58, object),
    "beyond": lambda: [1] * 5 + [fractions.Fraction(10**400)] + [1] * 58,
}


@pytest.mark.parametrize("kind", MISSING)
@pytest.mark.parametrize("loss", ["mse", lambda y, p: (y - p) ** 2], ids=["mse", "own"])
def test_what_is_no_number_is_named_by_its_row(kind, loss):
    y = MISSING[kind]()
    for call in (model(loss).fit, model(loss).evaluate, model(loss).train_on_batch):
        with pytest.raises(DataError, match=r"y: row 5 holds .*takes numbers\.\n  "):
            call(X, y)
    with pytest.raises(DataError, match=r"y: row 5 holds "):
        model(loss).fit(X, Y, validation_data=(X, y), verbose=0)
    with pytest.raises(DataError, match=r"(?s)row 5 of the source, read by itself: .*y: row 0 holds .*\n  "):
        model(loss).fit(Rows(y), verbose=0)


def test_words_under_a_loss_of_numbers_are_no_ranks():
    for loss, units in (("mse", 1), ("categorical_crossentropy", 2), ("mae", 1), ("poisson", 1)):
        with pytest.raises(DataError, match=r"y: row 0 holds 'no'; \w+ takes numbers\.\n .*encode_labels"):
            model(loss, units).fit(X, np.where(BITS, "yes", "no"), verbose=0)


@pytest.mark.parametrize("kind", ["objects", "torch", "categorical", "texts", "Decimals", "floats"])
def test_shares_are_no_classes(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own")
    kept = {
        "objects": SHARES.astype(object),
        "torch": torch.tensor(SHARES),
        "categorical": pd.Series(SHARES).astype("category"),
        "texts": [str(v) for v in SHARES],
        "Decimals": [decimal.Decimal(str(v)) for v in SHARES],
        "floats": SHARES,
    }[kind]
    m = model(BINARY, end="sigmoid")
    p = m.predict(X)[:, 0].astype(np.float64)
    expected = -np.mean(SHARES * np.log(p) + (1 - SHARES) * np.log(1 - p))
    assert m.evaluate(X, kept) == pytest.approx(expected, rel=1e-5)
    assert m.classes is None
    if kind != "texts":  # where classes are wanted, texts are their names, whatever they say
        with pytest.raises(ContractError, match="takes integer classes; the target of row 0 is 0"):
            model(SPARSE, 2).evaluate(X, kept)


LABELS = {
    "words": (np.where(BITS, "yes", "no"), ("no", "yes")),
    "words in objects": (np.where(BITS, "yes", "no").astype(object), ("no", "yes")),
    "a column of words": (pd.DataFrame({"y": np.where(BITS, "yes", "no")}), ("no", "yes")),
    "categories": (pd.Series(np.where(BITS, "yes", "no")).astype("category"), ("no", "yes")),
    "numbered categories": (pd.Series(BITS + 5).astype("category"), (5, 6)),
    "digits": (BITS.astype(str), ("0", "1")),
    "bytes": (np.where(BITS, "yes", "no").astype("S"), ("no", "yes")),
    "numbers": (BITS, None),
    "numbers in objects": (BITS.astype(object), None),
    "booleans in objects": ((BITS > 0).astype(object), None),
    "nullable": (pd.Series(BITS).astype("Int64"), None),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("loss", [SPARSE, BINARY, "hinge"])
def test_labels_are_classes_where_the_loss_takes_classes(kind, loss, tmp_path):
    y, classes = LABELS[kind]
    units, end = {SPARSE: (2, "softmax"), BINARY: (1, "sigmoid"), "hinge": (1, None)}[loss]
    m = model(loss, units, end)
    expected = model(loss, units, end).fit(X, BITS, epochs=2, verbose=0).history["loss"]
    assert m.fit(X, y, epochs=2, verbose=0).history["loss"] == expected
    assert m.classes == classes
    loaded = thalweg.load_model(m.save(tmp_path / "m.tw"))
    assert (loaded.classes, loaded.evaluate(X, y)) == (classes, m.evaluate(X, BITS))


def test_labels_of_a_source_are_codes_or_known():
    words = np.where(BITS, "yes", "no")
    with pytest.raises(DataError, match=r"gives its labels as numbers; it gave (no|yes)\.\n  Give the codes"):
        model(SPARSE, 2, "softmax").fit(Rows(words), verbose=0)
    m = model(SPARSE, 2, "softmax")
    m.fit(X, words, verbose=0)
    assert m.evaluate(Rows(words)) == pytest.approx(m.evaluate(X, words), rel=1e-6)


def test_a_label_that_is_missing_is_named_by_its_row():
    for y in (np.array(["a", None] * 32, object), ["a", None] * 32, pd.Series(["a", None] * 32).astype("string")):
        with pytest.raises(DataError, match=r"y: row 1 holds .* among texts\.\n  "):
            model(SPARSE, 2).fit(X, y, verbose=0)
    with pytest.raises(DataError, match=r"y: row 1 holds 1 among texts"):
        model(SPARSE, 2).fit(X, ["a", 1] * 32, verbose=0)
    with pytest.raises(DataError, match=r"row 1 holds None, which is no label\.\n  "):
        data.encode_labels(np.array([1, None], object))


def test_times_are_no_numbers_and_the_remedy_says_how():
    day = np.array(["2020-01-01"] * 64, "M8[D]")
    for y, remedy in ((day, r"a moment of yours"), (day - day, r"a unit of yours"), (Y * 1j, r"x\.real")):
        with pytest.raises(DataError, match=rf"y has dtype .*\n  .*{remedy}"):
            model().fit(X, y, verbose=0)


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_tables_whose_labels_say_another_order_are_refused(name):
    x, other = pd.DataFrame(X), np.random.default_rng(0).permutation(len(X))
    parts = {"y": pd.Series(Y), "sample_weight": pd.Series(Y**2)}
    straight = model().evaluate(x, **parts)
    mixed = {**parts, name: parts[name].iloc[other]}
    for call in (model().fit, model().evaluate, model().train_on_batch):
        with pytest.raises(ContractError, match=rf"the same rows in another order.*\n  Write {name}\.loc\[x\.index\]"):
            call(x, **mixed)
    with pytest.raises(ContractError, match=r"row 0 of x\[0\] has the index 0, row 0 of x\[1\] 16: the same rows"):
        model().evaluate((x, x.iloc[other]), parts["y"])
    assert model().evaluate(x, **{**mixed, name: mixed[name].loc[x.index]}) == straight
    for labels in (other + 1, np.zeros(len(X))):  # of its own, or none that tell rows apart
        assert model().evaluate(x, **{**parts, name: parts[name].set_axis(labels)}) == straight
