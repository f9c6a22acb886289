"""The list of recipes: where each is, what it does, on which data, in what time. Listing them loads none."""

from typing import NamedTuple


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


PICTURES, TEXTS, SERIES = "picture classes", "text classes", "series"

RECIPES = {
    "digits": Line("thalweg.recipes.digits:RECIPE", PICTURES, "digits, 1,797 of 8 x 8", "15 s", "two convolutions"),
    "forecast": Line(
        "thalweg.recipes.forecast:RECIPE",
        SERIES,
        "ETTh1, 17,420 x 7; airline, ...",
        "1 min",
        "an LSTM over patches of the past",
    ),
    "mnist-cnn": Line("thalweg.recipes.mnist:CNN", PICTURES, "MNIST, 70,000 of 28 x 28", "80 s", "three convolutions"),
    "mnist-lstm": Line(
        "thalweg.recipes.mnist:RECURRENT", PICTURES, "MNIST, 70,000 of 28 x 28", "40 s", "two LSTM layers, row by row"
    ),
    "mnist-mlp": Line("thalweg.recipes.mnist:MLP", PICTURES, "MNIST, 70,000 of 28 x 28", "10 s", "one hidden layer"),
    "sentiment": Line(
        "thalweg.recipes.sentiment:RECIPE",
        TEXTS,
        "rt-polarity, 10,662; SST-2; IMDb",
        "1 min",
        "a convolution over words",
    ),
}
"""The recipes by name."""
