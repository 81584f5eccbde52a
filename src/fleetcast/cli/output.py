"""How results reach standard output, whatever they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from fleetcast.domain.canonical import Json
from fleetcast.domain.legible import legible_json, legible_lines, one_line

if TYPE_CHECKING:
    from fleetcast.cli.plain_rich import Console


def say(line: object = "", *, err: bool = False) -> None:
    """Write one line, of which nothing is obeyed; line breaks before and after it stay."""
    typer.echo(one_line(str(line)), err=err)


def show_text(text: str, *, err: bool = False) -> None:
    """Write a text of several lines, of which nothing is obeyed."""
    typer.echo(legible_lines(text), err=err, nl=not text.endswith("\n"))


def show_json(value: Json) -> None:
    """Write a value as indented JSON to standard output: exactly, though signs that cannot be seen are escaped."""
    sys.stdout.write(legible_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def console(*, err: bool = False) -> Console:
    """Standard output for tables and colours; wide plain text where it is not a terminal."""
    from fleetcast.cli.plain_rich import Console

    stream = sys.stderr if err else sys.stdout
    return Console(stderr=err, width=None if stream.isatty() else 200)


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while something goes on, told how many are done of how many; none without a terminal."""
    from rich.progress import Progress

    from fleetcast.cli.plain_rich import Console

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
