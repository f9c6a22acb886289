"""The list of recipes: where each is, what it does, on which data, in what time. Listing them loads none.

The kinds are named here, and imported nowhere else outside their folders.
"""

import importlib
from typing import Any, NamedTuple


class Line(NamedTuple):
    """A recipe in the list.

    Args:
        place: `module:attribute`.
        task: what kind of application it is; the list is grouped by it.
        data: the data set that it is written for.
        time: what a run with its defaults takes, on two cores.
        title: what is trained.
    """

    place: str
    task: str
    data: str
    time: str
    title: str


LANGUAGE, PICTURES, SERIES, TAGS = "language models", "picture classes", "series", "tags"
SOUNDS, SPEECH, TEXTS = "sound classes", "speech", "text classes"

RECIPES = {
    "char-lm": Line(
        "thalweg.recipes.language.char_lm:RECIPE", LANGUAGE, "tiny Shakespeare", "3 min", "a GPT, or LSTM layers"
    ),
    "digits": Line(
        "thalweg.recipes.image.digits:RECIPE", PICTURES, "digits, 1,797 of 8 x 8", "15 s", "two convolutions"
    ),
    "forecast": Line(
        "thalweg.recipes.series.forecast:RECIPE",
        SERIES,
        "ETTh1, 17,420 x 7; airline, ...",
        "1 min",
        "an LSTM over patches of the past",
    ),
    "mnist-cnn": Line(
        "thalweg.recipes.image.mnist:CNN", PICTURES, "MNIST, 70,000 of 28 x 28", "80 s", "three convolutions"
    ),
    "mnist-lstm": Line(
        "thalweg.recipes.image.mnist:RECURRENT",
        PICTURES,
        "MNIST, 70,000 of 28 x 28",
        "40 s",
        "two LSTM layers, row by row",
    ),
    "mnist-mlp": Line(
        "thalweg.recipes.image.mnist:MLP", PICTURES, "MNIST, 70,000 of 28 x 28", "10 s", "one hidden layer"
    ),
    "names": Line(
        "thalweg.recipes.language.names:RECIPE", LANGUAGE, "first names, 32,033", "3 min", "an LSTM, line by line"
    ),
    "ner": Line("thalweg.recipes.tags.ner:RECIPE", TAGS, "GMB, 47,959; WNUT-17; BTC", "12 min", "a BiLSTM-CRF"),
    "sentiment": Line(
        "thalweg.recipes.text.sentiment:RECIPE",
        TEXTS,
        "rt-polarity, 10,662; SST-2; IMDb",
        "1 min",
        "a convolution over words",
    ),
    "speech": Line(
        "thalweg.recipes.sound.speech:RECIPE", SPEECH, "AN4, 948 recordings", "10 min", "convolutions, two BiLSTM, CTC"
    ),
    "speech-digits": Line(
        "thalweg.recipes.sound.speech_digits:RECIPE",
        SOUNDS,
        "Free Spoken Digits, 3,000",
        "2 min",
        "convolutions over time",
    ),
    "translate": Line(
        "thalweg.recipes.translation.translate:RECIPE",
        "translation",
        "Multi30k, 29,000, en-de; Tatoeba, zh-en",
        "45 min",
        "a Transformer over pieces of words",
    ),
    "word-lm": Line(
        "thalweg.recipes.language.word_lm:RECIPE",
        LANGUAGE,
        "WikiText-2, 2.1 M words",
        "55 min",
        "two LSTM layers over streams",
    ),
}
"""The recipes by name."""

NO_RECIPE = "thalweg.recipes.image.kind:PictureClasses"
"""The kind of a model that no recipe made: it reads rows of numbers."""


def resolve(place: str) -> Any:
    """What stands at `module:attribute`.

    >>> resolve("thalweg.recipes.catalog:Line") is Line
    True
    """
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
