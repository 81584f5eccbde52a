"""What Rich shows: whatever a cell or a line holds, nothing of it is obeyed, and a row is a line."""

from __future__ import annotations

import io
import re
from pathlib import Path

from hypothesis import given, settings

import fleetcast.cli
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, show, words
from fleetcast.domain.legible import legible
from tests.domain.test_legible import COMMANDS, TEXTS, hidden


def shown(*what: object) -> str:
    file = io.StringIO()
    console = Console(file=file, width=2_000)
    for each in what:
        console.print(each)
    return file.getvalue()


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_row_is_a_line_whatever_its_cells_hold(one: str, other: str) -> None:
    file = io.StringIO()
    table = Table((an_id("a"), words("b")), [(one, Text(other, "red")), ("next", "row")])
    show(table, Console(file=file, width=1_000_000))
    said = file.getvalue()
    assert len(said.rstrip("\n").split("\n")) == 3
    assert legible(one).strip() in said
    assert not COMMANDS.search(said)
    assert all(sign.isspace() for sign in hidden(said, "\n"))


@settings(deadline=None)
@given(TEXTS)
def test_a_line_is_a_line_with_breaks_around_it_alone(text: str) -> None:
    said = shown(f"x {text} x", Text(f"\nx {text} x"))
    assert said.split("\n") == [f"x {legible(text)} x", "", f"x {legible(text)} x", ""]


def test_markup_and_names_of_emoji_are_text() -> None:
    file = io.StringIO()
    show(
        Table((an_id("a"), words("b")), [("[nope]", Text("[/]"))], title="[b]t[/b]"),
        Console(file=file, width=99),
    )
    said = file.getvalue() + shown("[red]x[/] :boom:")
    assert all(part in said for part in ("[b]t[/b]", "[nope]", "[/]", "[red]x[/] :boom:"))


def test_commands_show_text_in_these_ways_alone() -> None:
    """Whatever is written in another way may be obeyed: see `output.py` and `tables.py`."""
    raw = re.compile(
        r"typer\.echo\(|(?<![.\w ])print\(|sys\.stdout\.write"
        r"|from rich\.(console import (?!Group\n)|(table|text) import)"
    )
    found = {
        path.name
        for path in Path(fleetcast.cli.__path__[0]).glob("*.py")
        if raw.search(path.read_text(encoding="utf-8"))
    }
    # Commands for agents of CI and a chart with its own colours are what they are; tables are of Rich's own texts.
    assert found == {"output.py", "agent.py", "forecast.py", "tables.py"}
