"""Schedules as a table."""

from __future__ import annotations

from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show, words
from fleetcast.domain.schedule import TurnState
from fleetcast.views.schedules import duration_in_words, keeper_in_words
from fleetcast.workflows.keep_schedules import DutyRow, SchedulesShown

_COLOURS = {TurnState.DONE: "green", TurnState.FAILED: "red", TurnState.WAITING: "yellow"}


def print_schedules(found: SchedulesShown, console: Console) -> None:
    """One line for each duty."""
    columns = (
        an_id("what"),
        an_id("cron (UTC)"),
        moments("next due"),
        moments("last due", goes=3),
        words("came to"),
        numbers("took", goes=2),
        numbers("missed", goes=1),
    )
    rows = [(row.duty.name, row.duty.cron, row.next_due, *(_last(row) or (None,) * 4)) for row in found.rows]
    empty = "Nothing starts by itself: fleetcast.yaml has no schedules."
    show(Table(columns, rows, empty=empty), console)
    if rows:
        console.print(Text(f"\n{keeper_in_words(found)}"))


def _last(row: DutyRow) -> tuple[Cell, ...]:
    turn = row.last
    if turn is None:
        return ()
    attempts = f", attempt {turn.attempts}" if turn.attempts > 1 else ""
    state = Text(f"{turn.state.value}{attempts}", _COLOURS.get(turn.state, ""))
    return turn.due, state, duration_in_words(turn), turn.missed
