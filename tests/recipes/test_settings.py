"""Settings: precedence, types, bounds, suggestions."""

import pytest

from thalweg.errors import ConfigError
from thalweg.recipes.settings import Filters, Settings, settle, table


class Some(Settings):
    """A recipe's own keys."""

    filters: Filters = (8, 16)


def test_later_layers_go_before_earlier_ones_and_texts_take_their_types():
    chosen = settle(Some, {"epochs": 7, "seed": 1}, {"epochs": "3", "learning_rate": "1e-3", "filters": "4, 5,6"})
    assert (chosen.epochs, chosen.seed, chosen.learning_rate, chosen.filters) == (3, 1, 1e-3, (4, 5, 6))
    assert chosen.batch_size == 32


@pytest.mark.parametrize("name", ["epoch", "Epochs", "epochs_"])
def test_an_unknown_name_is_refused_with_the_nearest(name):
    with pytest.raises(ConfigError, match=rf"unknown setting '{name}'\.\n  Did you mean 'epochs'\?"):
        settle(Some, {name: 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", "many"),
        ("epochs", 2.5),
        ("epochs", True),
        ("batch_size", -1),
        ("learning_rate", "nan"),
        ("learning_rate", 0),
        ("validation_split", 1),
        ("seed", 2**31),
        ("precision", "float16"),
        ("filters", "8,x"),
        ("filters", []),
        ("filters", [0]),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_to_write(name, value):
    with pytest.raises(ConfigError, match=rf"^{name}=.*\n  Write, for example, {name}="):
        settle(Some, {name: value})


def test_every_wrong_value_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        settle(Some, {"epochs": 0, "seed": -1})
    assert "epochs=0" in str(caught.value)
    assert "seed=-1" in str(caught.value)


def test_the_listing_has_each_setting_with_its_default_and_meaning():
    listed = {name: (default, meaning) for name, default, meaning in table(Some)}
    assert listed["filters"][0] == "(8, 16)"
    assert listed["epochs"][0] == "10"
    assert all(meaning for _, meaning in listed.values())
