"""How results reach standard output, whatever they are."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleetcast.domain.canonical import Json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_ENDLESS = 1_000_000
"""Columns of what has no edge."""


def show_json(value: Json) -> None:
    """Write a value as indented JSON to standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def console(*, wide: bool = False) -> Console:
    """Standard output for tables and colours; without end to the right where it is not a terminal, or on request."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() and not wide else _ENDLESS)


def say(shown: Console, sentence: str, command: str = "", *, style: str = "") -> None:
    """A sentence, and a command to copy after it: in the same line, or whole in the next one."""
    from rich.text import Text

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
    from rich.text import Text

    shown.print(Text(line, style) if isinstance(line, str) else line, soft_wrap=True)


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while something goes on, told how many are done of how many; none without a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
