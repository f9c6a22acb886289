"""Limits by name: the table, the environment, the error."""

import pytest

from thalweg.errors import ConfigError, DataError, ModelFileError
from thalweg.limits import LIMITS, limit, within


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_holds_and_the_environment_raises_it(name, monkeypatch):
    most = limit(name)
    within(name, most, "a.bin")
    with pytest.raises(DataError, match=rf"a\.bin has more than .*{name}\.\n  .*THALWEG_LIMIT_{name.upper()}[ =]"):
        within(name, most + 1, "a.bin")
    monkeypatch.setenv(f"THALWEG_LIMIT_{name.upper()}", str(most + 1))
    within(name, most + 1, "a.bin")


def test_the_error_is_of_the_kind_that_is_asked_for():
    with pytest.raises(ModelFileError, match="json_depth"):
        within("json_depth", 10**30, "m.tw", ModelFileError)


@pytest.mark.parametrize("stated", ["", "0", "-1", "1e9", "two", "9" * 5000, "²"])
def test_a_limit_that_is_no_number_is_an_error(stated, monkeypatch):
    monkeypatch.setenv("THALWEG_LIMIT_YAML_BYTES", stated)
    with pytest.raises(ConfigError, match=r"THALWEG_LIMIT_YAML_BYTES=.*\n  Write a whole number"):
        limit("yaml_bytes")
