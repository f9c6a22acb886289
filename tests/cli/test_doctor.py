"""thalweg doctor: the machine's facts, and no answer to no question."""

from thalweg.kernels import system


def test_it_shows_every_fact(thalweg):
    ended = thalweg("doctor", "--system")
    assert ended.code == 0
    for name, _ in system.describe():
        assert name in ended.out


def test_nothing_asked_is_refused_with_what_to_write(thalweg):
    ended = thalweg("doctor")
    assert ended.code == 2
    assert "thalweg doctor --system" in ended.err
