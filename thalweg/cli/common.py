"""What the commands share: settings from flags, and all that is printed."""

import os
import shlex
from collections.abc import Iterable, Sequence

import typer

from thalweg.errors import ConfigError, harmless


def say(text: object, *, err: bool = False) -> None:
    """`text` on the terminal, without what a terminal would obey: names and texts of files are part of it."""
    typer.echo(harmless(str(text)), err=err)


def parse_settings(pairs: Iterable[str]) -> dict[str, str]:
    """`["epochs=3", "filters=8,16"]` as texts by name; the recipe's types do the rest.

    Raises:
        ConfigError: a pair without `=`, or a name given twice.

    >>> parse_settings(["epochs=3", "filters=8,16"])
    {'epochs': '3', 'filters': '8,16'}
    """
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not name or name in out:
            what = "is given twice" if name in out else "is no KEY=VALUE"
            raise ConfigError(f"--set {pair}: it {what}.\n  Write, for example, --set epochs=5.")
        out[name] = text
    return out


def typed(word: str, folder: str = "") -> str:
    """`word` as a person types it into a shell; one that begins with `folder` is no option, whatever that begins with.

    >>> typed("runs/my run"), typed("-r/model.tw", "-r"), typed("--text", "-r")
    ("'runs/my run'", './-r/model.tw', '--text')
    """
    if folder.startswith("-") and word.startswith(folder):
        word = f"./{word}"
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return f"\\{letter}" if letter in "'\\" else letter
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))


def show(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> None:
    """A table on the terminal; the columns `numbers` stand to the right."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    def plain(cell: str) -> Text:
        return Text(harmless(cell))  # no markup either

    table = Table(*(Column(plain(cell), overflow="fold") for cell in header))
    table.columns[0].no_wrap = True
    for column in numbers:
        table.columns[column].justify, table.columns[column].no_wrap = "right", True
    for row in rows:
        table.add_row(*map(plain, row))
    Console().print(table)


def text(value: object) -> str:
    """A value as a table shows it."""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
