"""What a file says never reaches the terminal as it is; what cannot be read or written is said without a traceback."""

import json
import os

import numpy as np
import pytest

from thalweg.cli.common import say, show
from thalweg.core.summary import Row, Summary
from thalweg.errors import DataError, harmless, nearest

ESCAPE = "\x1b]0;title\x07\x1b[31m"
NAMES = ["[red]a", "[/nothing]b", "[link=http://x]c", f"{ESCAPE}d", "\u202ee", "\x9b31mf", "half\ud800"]


def clean(text):
    unseen = {*range(32), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)}
    return not {*map(ord, text)} & (unseen - {*map(ord, "\n\t")})


@pytest.mark.parametrize("name", NAMES)
def test_a_table_shows_names_as_they_are_written(capsys, name):
    show([name, "value"], [(name, "1")], numbers=(1,))
    out = capsys.readouterr().out
    assert clean(out)
    assert out.count(harmless(name)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_is_harmless(capsys, name):
    say(f"a {name}\n\tb")
    say(json.dumps([name], ensure_ascii=False), err=True)
    out, err = capsys.readouterr()
    assert out == f"a {harmless(name)}\n\tb\n"
    assert clean(out + err)
    assert json.loads(err) == [name]  # JSON stays JSON


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_harmless_wherever_it_is_printed(name):
    assert clean(str(DataError(f"{name} is damaged.\n  Copy it anew.")))


def test_an_error_is_no_longer_than_a_screen_shows():
    text = str(DataError(f"no column {'x' * 10**6}.\n  {nearest('y', [f'{n}' * 999 for n in range(10**4)])}"))
    assert len(text) < 2100
    assert text.startswith("no column xxx")


@pytest.mark.parametrize("name", ["[red]", "[/red]", "[link=x]"])
def test_a_summary_shows_a_layers_name_as_it_is(name):
    row = Row(f"a{name}{ESCAPE}", "Dense", ((2,),), 8, 14, 40)
    text = str(Summary((row,), 8, 0, 0))
    assert f"a{name}" in text
    assert clean(text)


def test_texts_and_labels_of_a_hostile_file(thalweg, trained, tmp_path):
    np.savez(tmp_path / f"{ESCAPE}.npz", x=np.zeros((2, 3)))
    ended = thalweg("predict", trained, tmp_path / f"{ESCAPE}.npz")
    assert ended.code == 2
    assert clean(ended.out + ended.err)
    assert "\\u001b" in ended.err


@pytest.mark.parametrize("name", ["none/out.json", "out.csv", "full.csv"])
def test_an_out_that_cannot_be_written(thalweg, trained, tmp_path, own, name):
    (tmp_path / "out.csv").mkdir()
    (tmp_path / "full.csv").mkdir()
    (tmp_path / "full.csv" / "x").write_text("")
    ended = thalweg("predict", trained, own, "--out", tmp_path / name)
    assert ended.code == 2
    assert ended.err.startswith("ConfigError: ")
    assert "\n  Name another place" in ended.err


def test_an_out_is_written_as_before(thalweg, trained, tmp_path, own):
    assert thalweg("predict", trained, own, "--out", tmp_path / "out.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes().count(b"\r\n") == 301


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
@pytest.mark.parametrize(
    "command",
    [
        ("predict", "MODEL", "PATH"),
        ("evaluate", "MODEL", "--data", "PATH"),
        ("train", "digits", "--data", "PATH"),
        ("predict", "PATH", "OWN"),
        ("summary", "PATH"),
        ("train", "--resume", "PATH"),
        ("train", "--config", "PATH"),
    ],
)
@pytest.mark.parametrize("kind", ["circle", "long", "pipe"])
def test_paths_that_lead_nowhere(thalweg, trained, own, tmp_path, command, kind):
    path = tmp_path / "a"
    if kind == "circle":
        path.symlink_to(path)
    elif kind == "long":
        path = tmp_path / ("x" * 5000)
    else:
        os.mkfifo(path)
    if kind == "pipe" and command[1] == "PATH":
        pytest.skip("a model file is another reader's")
    names = {"MODEL": trained, "PATH": path, "OWN": own}
    ended = thalweg(*(names.get(word, word) for word in command))
    assert ended.code == 2
    assert "Error: " in ended.err
    assert "\n  " in ended.err


def test_a_text_that_is_no_utf_8(thalweg, trained):
    ended = thalweg("predict", trained, "--text", os.fsdecode(b"caf\xe9"))
    assert ended.code == 2
    assert "is not UTF-8" in ended.err


def test_no_rows_are_no_answer(thalweg, trained, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((0, 8, 8)))
    ended = thalweg("predict", trained, tmp_path / "a.npy")
    assert ended.code == 2
    assert "no rows" in ended.err
