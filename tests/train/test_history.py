"""History, its picture, and the progress that a run shows."""

import errno
import io
import json
import os

import numpy as np
import pytest
from rich.console import Console

from thalweg.errors import ConfigError, ContractError
from thalweg.train.history import History
from thalweg.train.progress import Progress, duration


def history(epochs=4):
    out = History({"epochs": epochs})
    for epoch in range(epochs):
        logs = {"loss": 1 / (epoch + 1), "accuracy": np.float32(epoch / 4), "val_loss": abs(epoch - 2) + 0.5}
        out.append(epoch, logs | {"confusion": np.eye(2, dtype=int)})
    return out


def test_lists_by_name():
    h = history()
    assert h.epoch == [0, 1, 2, 3]
    assert h.history["val_loss"] == [2.5, 1.5, 0.5, 1.5]
    assert h.history["confusion"][0] == [[1, 0], [0, 1]]
    assert repr(h) == "History(4 epochs, loss 1 -> 0.25, accuracy 0 -> 0.75, val_loss 2.5 -> 1.5)"
    assert repr(History()) == "History(0 epochs)"


def test_json_lines_give_it_back():
    h = history()
    again = History.from_json(h.to_json(), h.params)
    assert again.history == h.history
    assert again.epoch == h.epoch
    assert json.loads(h.to_json().splitlines()[2])["val_loss"] == 0.5


def test_the_picture_shows_the_numbers(tmp_path):
    figure = history().plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
    loss, accuracy = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy"]
    solid, dashed = loss.get_lines()[:2]
    np.testing.assert_array_equal(solid.get_xydata(), [(1, 1), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)])
    np.testing.assert_array_equal(dashed.get_ydata(), [2.5, 1.5, 0.5, 1.5])
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    labels = [text.get_text() for text in loss.get_legend().get_texts()]
    assert labels == ["training", "validation", "best: 0.5, epoch 3"]
    assert accuracy.get_legend().get_texts()[-1].get_text() == "best: 0.75, epoch 4"


def test_nothing_to_draw():
    with pytest.raises(ContractError, match="no epoch has ended"):
        History().plot()


def shown(verbose, terminal, epochs=2):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=160, color_system=None)
    progress = Progress(verbose, epochs, console)
    for epoch in range(epochs):
        progress.epoch_begin(epoch, 10)
        progress.update(5, {"loss": 0.5})
        progress._drawn = 0.0
        progress.update(10, {"loss": 0.25, "confusion": np.eye(2)})
        progress.epoch_end({"loss": 0.25, "val_loss": 1e-5}, 1.23)
    progress.close()
    return out.getvalue()


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_a_line_an_epoch_where_there_is_no_terminal(verbose):
    lines = shown(verbose, terminal=False).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Epoch 1/2  loss 0.2500  val_loss 1e-05  1.2 s  ")
    assert lines[0].endswith("/step")


def test_a_bar_on_a_terminal():
    text = shown("auto", terminal=True)
    assert "5/10  loss 0.5000" in text
    assert "10/10  loss 0.2500" in text
    assert "\x1b[" in text
    assert "confusion" not in text
    assert text.count("val_loss 1e-05") == 2
    assert "\x1b[" not in shown(2, terminal=True)


def test_silence():
    assert shown(0, terminal=True) == ""
    with pytest.raises(ConfigError, match="verbose"):
        Progress(3)


def test_the_pace_leaves_the_first_chunk_out(monkeypatch):
    times = iter([0.0, 100.0, 101.0, 102.0])
    monkeypatch.setattr("thalweg.train.progress.time.perf_counter", lambda: next(times))
    progress = Progress(0)
    progress.epoch_begin(0, 30)
    progress.update(10, {})
    assert progress.pace() == pytest.approx(10.0), "there is only one"
    for step in (20, 30):
        progress.update(step, {})
    assert progress.pace() == pytest.approx(0.1)


@pytest.mark.parametrize(("seconds", "text"), [(59.96, "60.0 s"), (61, "1:01"), (3600, "1:00:00"), (2e-6, "0.002 ms")])
def test_durations(seconds, text):
    assert duration(seconds) == text


BLOCKED = {
    "no folder": ("gone/a.png", "No such file"),
    "a folder": ("folder", "no picture is written as|regular file"),
    "a folder's name": ("folder.png", "no regular file"),
    "below a file": ("file/a.png", "Not a directory"),
    "read-only": ("/proc/a.png", "cannot be written"),
    "a full disk": ("full.svg", "No space left"),
    "a suffix of none": ("a.jpgg", "no picture is written as .jpgg"),
    "no name": ("a\0.png", "cannot be written"),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_a_picture_that_cannot_be_written_is_an_error(tmp_path, monkeypatch, name):
    place, said = BLOCKED[name]
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    if name == "a full disk":
        monkeypatch.setattr(
            "os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        )
    before = sorted(tmp_path.rglob("*"))
    history = History()
    history.append(0, {"loss": 0.5})
    with pytest.raises(ConfigError, match=f"(?s){said}.*\n  "):
        history.plot(tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_picture_without_a_suffix_is_a_png(tmp_path):
    history = History()
    history.append(0, {"loss": 0.5})
    history.plot(tmp_path / "curve")
    history.plot(str(tmp_path / "curve.SVG"))
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"
    assert b"<svg" in (tmp_path / "curve.SVG").read_bytes()
