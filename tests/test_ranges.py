import pytest

from thalweg.errors import ConfigError
from thalweg.ranges import COUNT, FRACTION, NONNEGATIVE, POSITIVE, RATE, Range
from thalweg.record import Record


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "words"),
    [
        (COUNT, [1, 7], [0, -1, 1.5, True, "1"], "a whole number of at least 1"),
        (RATE, [0, 0.0, 0.99], [1, 1.0, -0.1, float("nan")], "a number of at least 0 and below 1"),
        (FRACTION, [0, 1, 0.5], [1.01], "a number of at least 0 and at most 1"),
        (POSITIVE, [0.1, 5], [0, float("inf")], "a number above 0"),
        (NONNEGATIVE, [0, 5], [-1, float("inf")], "a number of at least 0"),
        (Range(), [0, -1e9], ["x", None], "a number"),
        (Range(high=3), [3], [3.1], "a number of at most 3"),
    ],
)
def test_ranges(allowed, inside, outside, words):
    assert all(value in allowed for value in inside)
    assert not any(value in allowed for value in outside)
    assert str(allowed) == words


class Pool(Record):
    size: int | tuple[int, ...]
    rate: float | None = None

    limits = {"size": COUNT, "rate": RATE}  # noqa: RUF012


def test_a_record_checks_its_limits():
    assert Pool(2).rate is None
    assert Pool([2, 3]).size == (2, 3)
    with pytest.raises(ConfigError, match=r"Pool: size must be a whole number of at least 1; it is \(2, 0\)"):
        Pool((2, 0))
    with pytest.raises(ConfigError, match=r"rate must be .* below 1; it is 1.5.\n  Write, for example, rate=0.5"):
        Pool(2, 1.5)
