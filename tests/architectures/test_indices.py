"""A token that the model does not know is an error before any work, at training, prediction and generation alike."""

import re

import numpy as np
import pytest

from thalweg import layers
from thalweg.architectures import GPT, Beam, RecurrentLM, Seq2Seq, Transformer, beam_search, generate, stream
from thalweg.errors import ContractError
from thalweg.layers import LSTM, Embedding, Input
from thalweg.model import Model, Sequential

WORDS, TARGETS = 7, 5
GOOD = np.ones((4, 3), np.int32)
LANGUAGE = {
    "GPT": lambda: GPT(WORDS, context=8, num_layers=1, num_heads=2, width=4),
    "RecurrentLM": lambda: RecurrentLM(WORDS, [LSTM(3)]),
}
PAIRS = {
    "Transformer": lambda: Transformer(WORDS, TARGETS, num_layers=1, num_heads=2, width=4),
    "Seq2Seq": lambda: Seq2Seq(WORDS, TARGETS, units=3),
}
WRONG = [WORDS, -1, 2**31 - 1, -(2**31)]


def spoiled(value, row=2):
    x = GOOD.copy()
    x[row, 1] = value
    return x


def compiled(network):
    model = network if isinstance(network, Model) else Model(network)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def calls(model, x):
    """What a person may do with inputs, by name; targets are all 1."""
    y = np.ones((4, 3) if model.predict(good(x)).ndim == 3 else 4, np.int32)
    return {
        "fit": lambda: model.fit(x, y, epochs=1, batch_size=2, verbose=0),
        "validation_data": lambda: model.fit(good(x), y, epochs=1, batch_size=2, verbose=0, validation_data=(x, y)),
        "evaluate": lambda: model.evaluate(x, y),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "predict": lambda: model.predict(x),
        "predict again": lambda: model.predict(good(x)) is None or model.predict(x),
        "call": lambda: model(x),
    }


def pair(port, value):
    x = [GOOD, GOOD]
    x[port] = spoiled(value)
    return tuple(x)


def good(x):
    return (GOOD, GOOD) if isinstance(x, tuple) else GOOD


NETWORKS = {
    **LANGUAGE,
    "Embedding": lambda: Sequential([Embedding(WORDS, 3), layers.Flatten(), layers.Dense(4, activation="softmax")]),
    "nested": lambda: Sequential([Sequential([GPT(WORDS, context=8, num_layers=1, num_heads=2, width=4)])]),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("wrong", [WORDS, -1])
def test_a_token_out_of_range_is_the_same_error_everywhere(name, wrong):
    model = compiled(NETWORKS[name]())
    for call in calls(model, spoiled(wrong)).values():
        with pytest.raises(
            ContractError, match=rf"x holds {wrong} in 1 rows; the first is row 2.* 0 to {WORDS - 1}.\n"
        ):
            call()


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("port", [0, 1])
def test_a_pair_has_a_vocabulary_for_each(name, port):
    model = compiled(PAIRS[name]())
    known = (WORDS, TARGETS)[port]
    x = pair(port, known)
    for call in calls(model, x).values():
        with pytest.raises(ContractError, match=rf"x\[{port}\] holds {known} in 1 rows.* 0 to {known - 1}.\n"):
            call()
    assert np.isfinite(model.predict(pair(port, known - 1))).all()


@pytest.mark.parametrize("port", [0, 1])
def test_a_graph_knows_which_input_its_layers_read(port):
    inputs = [Input((3,), dtype="int32"), Input((3,), dtype="int32")]
    model = compiled(Model(inputs, PAIRS["Transformer"]()(inputs)))
    with pytest.raises(ContractError, match=rf"x\[{port}\] holds"):
        model.predict(pair(port, (WORDS, TARGETS)[port]))


def runs(model, prompt, **more):
    """All ways to go on with a prompt. A stream is refused when it is asked for, not at its first token."""
    return (
        lambda: generate(model, prompt, 2, **more),
        lambda: stream(model, prompt, 2, **more),
        lambda: generate(model, prompt, 2, search=Beam(2), **more),
        lambda: beam_search(model, prompt, 2, **more),
    )


@pytest.mark.parametrize("name", LANGUAGE)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_prompt_with_an_unknown_token(name, wrong):
    model = compiled(LANGUAGE[name]())
    model.predict(GOOD)
    for run in runs(model, spoiled(wrong)):
        said = re.escape(f"the prompt holds {wrong:g}; the model knows whole numbers from 0 to {WORDS - 1}.\n  ")
        with pytest.raises(ContractError, match=said):
            run()
    assert generate(model, GOOD, 2).shape == (4, 2)


@pytest.mark.parametrize("name", PAIRS)
def test_a_source_or_a_start_with_an_unknown_token(name):
    model = compiled(PAIRS[name]())
    model.predict((GOOD, GOOD))
    start = np.ones((4, 1), np.int32)
    for run in runs(model, start, source=spoiled(WORDS)):
        with pytest.raises(ContractError, match=rf"source holds {WORDS}; .* 0 to {WORDS - 1}.\n  "):
            run()
    for run in runs(model, start * TARGETS, source=GOOD):
        with pytest.raises(ContractError, match=rf"the prompt holds {TARGETS}; .* 0 to {TARGETS - 1}.\n  "):
            run()
    for run in runs(model, start, source=GOOD[:2]):
        with pytest.raises(ContractError, match=r"source has 2 rows and the prompt 4.\n  "):
            run()
    assert generate(model, start, 2, source=spoiled(WORDS - 1)).shape == (4, 2)


def test_an_end_that_the_model_cannot_say():
    model = compiled(LANGUAGE["GPT"]())
    model.predict(GOOD)
    for run in runs(model, GOOD, end=WORDS):
        with pytest.raises(ContractError, match=f"end holds {WORDS}"):
            run()


def test_more_tokens_than_the_context():
    model = compiled(LANGUAGE["GPT"]())
    model.predict(GOOD)
    long = np.ones((1, 9), np.int32)
    for run in runs(model, long):
        with pytest.raises(ContractError, match=r"10 positions are needed.*context=8.\n  "):
            list(run())
    with pytest.raises(ContractError, match=r"\n  "):
        model.predict(long)


@pytest.mark.parametrize("prompt", [np.zeros((0, 3), int), np.zeros((2, 0), int), [[0.5]], [1, 2]])
def test_a_prompt_of_nothing(prompt):
    model = compiled(LANGUAGE["GPT"]())
    model.predict(GOOD)
    for run in runs(model, prompt):
        with pytest.raises(ContractError, match=r"a prompt is whole numbers \[rows, time\], at least one"):
            run()
