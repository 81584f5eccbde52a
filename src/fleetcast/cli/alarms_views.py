"""Alarms as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.alarm import Alarm, AlarmState
from fleetcast.domain.wording import counted, impact_in_words
from fleetcast.views.alarms import state_in_words
from fleetcast.views.moments import shown

_ROWS = 200
"""Lines that are shown; who wants thousands reads them with a program."""
_STYLES = {
    AlarmState.OPEN: "red",
    AlarmState.ACKNOWLEDGED: "yellow",
    AlarmState.SNOOZED: "dim",
    AlarmState.RECOVERED: "green",
}


def print_alarms(alarms: Sequence[Alarm], console: Console) -> None:
    """One line for each."""
    if not alarms:
        console.print("No alarm.")
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("alarm", "where", "kind", "since (UTC)", "impact", "owner", "state"):
        table.add_column(name, overflow="fold")
    for alarm in alarms[:_ROWS]:
        table.add_row(
            str(alarm.number),
            f"{alarm.cause.environment}/{alarm.cause.place}",
            alarm.cause.kind.value,
            shown(alarm.since).removesuffix(" UTC"),
            impact_in_words(alarm.impact),
            Text(alarm.owner or "–"),
            Text(state_in_words(alarm), _STYLES[alarm.state]),
        )
    console.print(table)
    if len(alarms) > _ROWS:
        left = len(alarms) - _ROWS
        console.print(f"These are the first {_ROWS}; {left:,} more with --format json.")
    console.print(f"{counted(len(alarms), 'alarm')}. One: fleetcast alarms show ALARM")
