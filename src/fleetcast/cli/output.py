"""How results reach standard output, whatever they are."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from fleetcast.domain.canonical import Json
from fleetcast.domain.legible import legible_json, legible_lines, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from fleetcast.cli.plain_rich import Console

_ENDLESS = 1_000_000
"""Columns of what has no edge."""


def say(line: object = "", *, err: bool = False) -> None:
    """Write one line, of which nothing is obeyed; line breaks before and after it stay."""
    typer.echo(one_line(str(line)), err=err)


def show_text(text: str, *, err: bool = False) -> None:
    """Write a text of several lines, of which nothing is obeyed."""
    typer.echo(legible_lines(text), err=err, nl=not text.endswith("\n"))


def show_json(value: Json) -> None:
    """Write a value as indented JSON to standard output: exactly, though signs that cannot be seen are escaped."""
    sys.stdout.write(legible_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def console(*, wide: bool = False, err: bool = False) -> Console:
    """An output for tables and colours; without end to the right where it is not a terminal, or on request."""
    from fleetcast.cli.plain_rich import Console

    stream = sys.stderr if err else sys.stdout
    return Console(stderr=err, width=None if stream.isatty() and not wide else _ENDLESS)


def say_next(shown: Console, sentence: str, command: str = "", *, style: str = "") -> None:
    """A sentence, and a command to copy after it: in the same line, or whole in the next one."""
    from fleetcast.cli.plain_rich import Text

    together = Text.assemble(sentence, " " if sentence and command else "", command, style=style)
    if not command or together.cell_len <= shown.width:
        shown.print(together)
        return
    shown.print(Text(sentence, style))
    shown.print(Text(f"  {command}", style), soft_wrap=True)


def say_wrapped(shown: Console, line: str) -> None:
    """A line that wraps between words, further in than it began."""
    inside = " " * (len(line) - len(line.lstrip()) + 2)
    for part in textwrap.wrap(
        line, shown.width, subsequent_indent=inside, break_long_words=False, break_on_hyphens=False
    ) or [""]:
        say_line(shown, part)


def say_line(shown: Console, line: str | Text, *, style: str = "") -> None:
    """A line that the terminal may break and nobody else, so that ids, paths and commands in it can be copied."""
    from fleetcast.cli.plain_rich import Text

    shown.print(Text(line, style) if isinstance(line, str) else line, soft_wrap=True)


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while something goes on, told how many are done of how many; none without a terminal."""
    from rich.progress import Progress

    from fleetcast.cli.plain_rich import Console

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
