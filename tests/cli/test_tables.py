"""What each table promises, whatever is in it and however wide the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from fleetcast.cli.output import say_next, say_wrapped
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import (
    Cell,
    Column,
    Kind,
    Table,
    an_id,
    command,
    loose,
    moments,
    numbers,
    show,
    show_facts,
    words,
)
from fleetcast.domain.canonical import Json
from fleetcast.views.audit import detail_in_words

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
WIDTHS = st.integers(20, 200)
IDS = st.text(alphabet="abcXYZ0189-_/.:[]ü漢", min_size=1, max_size=60)
WORDS = st.lists(st.text(alphabet="abcdefgü漢[/]é", min_size=1, max_size=12), max_size=12).map(" ".join)
CELLS: dict[Kind, st.SearchStrategy[Cell]] = {
    Kind.ID: IDS,
    Kind.COMMAND: WORDS,
    Kind.WORDS: WORDS,
    Kind.LOOSE: IDS,
    Kind.NUMBER: st.integers(-10_000, 10_000_000),
    Kind.MOMENT: st.datetimes(timezones=st.just(UTC)).filter(lambda when: when.year >= 1000),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    table: Table
    lines: list[str]


def lines_of(table: Table, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    show(table, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().split("\n")[:-1]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    kinds = draw(st.lists(st.sampled_from(Kind), min_size=1, max_size=9))
    columns = [
        Column(f"c{place}", kind, draw(st.none() | st.integers(1, 9))) for place, kind in enumerate(kinds)
    ]
    if all(column.kind is Kind.COMMAND for column in columns):
        columns = [an_id("c0"), *columns]
    rows = draw(
        st.lists(st.tuples(*(st.none() | CELLS[column.kind] for column in columns)), min_size=1, max_size=5)
    )
    return Table(columns, rows)


def whole_in_one_line(cell: str, lines: Sequence[str]) -> bool:
    return any(cell in line for line in lines)


def hidden_in(table: Table, lines: Sequence[str]) -> set[str]:
    """Titles of columns that the line below a table says are not shown."""
    said = " ".join(lines).partition(" hidden at ")[2].partition(": ")[2].partition(";")[0]
    return set(said.split(", ")) & {column.title for column in table.columns}


@settings(max_examples=300, deadline=None)
@given(tables(), WIDTHS)
def test_each_id_is_whole_in_one_line_and_no_line_is_wider_than_the_terminal(
    table: Table, width: int
) -> None:
    lines = lines_of(table, width)
    hidden = hidden_in(table, lines)
    kept = []
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            if (
                column.kind in (Kind.ID, Kind.COMMAND)
                and isinstance(cell, str)
                and column.title not in hidden
            ):
                assert whole_in_one_line(cell.strip(), lines)
                kept.append(cell)
    for line in lines:
        assert cell_len(line) <= width or any(line.strip() == cell.strip() for cell in kept)
        assert line == line.rstrip()


@settings(max_examples=200, deadline=None)
@given(tables(), WIDTHS)
def test_what_is_hidden_was_dispensable_and_is_said_and_those_hidden_go_in_their_order(
    table: Table, width: int
) -> None:
    lines = lines_of(table, width)
    hidden = hidden_in(table, lines)
    by_title = {column.title: column for column in table.columns}
    turns = [by_title[title].goes for title in hidden]
    assert None not in turns
    if hidden:
        assert "; --wide shows all" in " ".join(lines)
        last = max(turn for turn in turns if turn is not None)
        for column in table.columns:
            assert column.title in hidden or column.goes is None or column.goes >= last


@settings(max_examples=200, deadline=None)
@given(tables())
def test_without_an_edge_each_row_is_one_line_with_every_column(table: Table) -> None:
    lines = lines_of(table, 1_000_000)
    assert len(lines) == 1 + len(table.rows)
    for row, line in zip(table.rows, lines[1:], strict=True):
        for column, cell in zip(table.columns, row, strict=True):
            if isinstance(cell, str) and column.kind is not Kind.MOMENT:
                assert cell.strip() in line


WIDE = Table(
    (an_id("circuit"), numbers("rows", goes=1), words("state"), moments("trained", goes=2)),
    [("PLANT001/CIRCUIT01", 1234, "waits for the approval of somebody else", NOON)],
)


def test_words_wrap_before_anything_is_hidden() -> None:
    assert lines_of(WIDE, 72) == [
        "circuit              rows  state                        trained (UTC)",
        "PLANT001/CIRCUIT01  1,234  waits for the approval of    2025-03-01 12:00",
        "                           somebody else",
    ]


def test_columns_go_in_their_order_and_the_line_below_names_them() -> None:
    assert lines_of(WIDE, 60) == [
        "circuit             state                   trained (UTC)",
        "PLANT001/CIRCUIT01  waits for the approval  2025-03-01 12:00",
        "                    of somebody else",
        "1 column hidden at 60 columns: rows; --wide shows all",
    ]
    assert lines_of(WIDE, 44)[-2:] == [
        "2 columns hidden at 44 columns: rows,",
        "trained (UTC); --wide shows all",
    ]


def test_where_ids_have_no_room_side_by_side_each_row_is_a_block() -> None:
    narrow = Table(
        (an_id("model"), an_id("file"), numbers("rows"), words("found")),
        [("plant001-circuit01", "a/long/path.csv", 12, "nothing odd"), ("b", "c.csv", 3, None)],
    )
    assert lines_of(narrow, 26) == [
        "model: plant001-circuit01",
        "file: a/long/path.csv",
        "rows: 12",
        "found: nothing odd",
        "",
        "model: b",
        "file: c.csv",
        "rows: 3",
        "found: –",
    ]
    assert lines_of(narrow, 20)[:2] == ["model:", "  plant001-circuit01"]


def test_a_command_without_room_beside_its_row_stands_below_it() -> None:
    table = Table(
        (an_id("circuit"), words("why"), command("next")),
        [("PLANT001/CIRCUIT01", "it failed", "fleetcast train --retry-failed")],
    )
    assert lines_of(table, 80) == [
        "circuit             why        next",
        "PLANT001/CIRCUIT01  it failed  fleetcast train --retry-failed",
    ]
    assert lines_of(table, 50) == [
        "circuit             why",
        "PLANT001/CIRCUIT01  it failed",
        "  fleetcast train --retry-failed",
    ]


def test_what_people_wrote_is_shown_as_it_is_and_no_terminal_obeys_it() -> None:
    table = Table(
        (an_id("file"), words("why"), loose("more")), [("[red]\x1b[2Ja\nb", "[bold]x\ny", "\u202eab")]
    )
    assert lines_of(table, 80) == [
        "file              why        more",
        "[red]\\x1b[2Ja\\nb  [bold]x y  \\u202eab",
    ]


def test_moments_of_a_column_are_as_precise_as_the_most_precise() -> None:
    table = Table((moments("at"),), [(NOON,), (NOON.replace(second=1),), (None,)])
    assert lines_of(table, 80) == ["at (UTC)", "2025-03-01 12:00:00", "2025-03-01 12:00:01", "–"]
    assert lines_of(Table((moments("at"),), [(NOON,)]), 80)[1] == "2025-03-01 12:00"


def test_an_empty_table_says_what_to_do_next() -> None:
    empty = Table((an_id("run"),), (), empty="No run yet. To start one:", then="fleetcast train")
    assert lines_of(empty, 80) == ["No run yet. To start one: fleetcast train"]
    assert lines_of(empty, 30) == ["No run yet. To start one:", "  fleetcast train"]


@pytest.mark.parametrize("width", [40, 60, 200])
def test_a_command_after_a_sentence_is_never_broken(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    say_next(
        console, "Four circuits, three with a model. More of one:", "fleetcast models show PLANT001/CIRCUIT01"
    )
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert any("fleetcast models show PLANT001/CIRCUIT01" in line for line in lines)


def test_facts_stand_side_by_side_and_ids_in_them_are_whole() -> None:
    console = Console(file=io.StringIO(), width=30)
    show_facts([("a", "some words that wrap between"), ("long", "0" * 40)], console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "a     some words that wrap",
        "      between",
        f"long  {'0' * 40}",
    ]


def test_colours_of_cells_stay_and_numbers_stand_on_the_right() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    show(Table((numbers("live"), an_id("by")), [(Text("1", "green"), "ada"), (10, "bo")]), console)
    assert isinstance(console.file, io.StringIO)
    assert "   \x1b[32m1\x1b[0m  ada" in console.file.getvalue()


def test_what_an_audit_entry_records_is_words_with_digests_as_short_as_everywhere() -> None:
    detail: dict[str, Json] = {
        "artifact": "0123456789ab" + "c" * 52,
        "since": "2025-03-01T12:00:00+00:00",
        "page": True,
        "sensor": None,
        "people": ["ada", "bo"],
        "stages": [{"says": "one"}, {"says": "two"}],
    }
    assert detail_in_words(detail) == (
        "artifact 0123456789ab, since 2025-03-01 12:00 UTC, page yes, people ada bo, stages 2 entries"
    )


def test_a_long_line_goes_on_further_in_and_ids_in_it_are_whole() -> None:
    console = Console(file=io.StringIO(), width=24)
    say_wrapped(console, "  failed: plant001-circuit01-renamed is old")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "  failed:",
        "    plant001-circuit01-renamed",
        "    is old",
    ]
