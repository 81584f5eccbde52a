"""Schedules as a table."""

from __future__ import annotations

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.schedule import TurnState
from fleetcast.views.moments import shown
from fleetcast.views.schedules import duration_in_words, keeper_in_words
from fleetcast.workflows.keep_schedules import DutyRow, SchedulesShown

_COLOURS = {TurnState.DONE: "green", TurnState.FAILED: "red", TurnState.WAITING: "yellow"}


def print_schedules(found: SchedulesShown, console: Console) -> None:
    """One line for each duty."""
    if not found.rows:
        console.print("Nothing starts by itself: fleetcast.yaml has no schedules.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("what", "cron (UTC)", "next due (UTC)", "last due (UTC)", "came to", "took", "missed"):
        table.add_column(column, overflow="fold")
    for row in found.rows:
        table.add_row(row.duty.name, row.duty.cron, shown(row.next_due).removesuffix(" UTC"), *_last(row))
    console.print(table)
    console.print(f"\n{keeper_in_words(found)}")


def _last(row: DutyRow) -> tuple[str, Text, str, str]:
    turn = row.last
    if turn is None:
        return "–", Text("–", "dim"), "–", "–"
    attempts = f", attempt {turn.attempts}" if turn.attempts > 1 else ""
    return (
        shown(turn.due).removesuffix(" UTC"),
        Text(f"{turn.state.value}{attempts}", _COLOURS.get(turn.state, "")),
        duration_in_words(turn),
        str(turn.missed),
    )
