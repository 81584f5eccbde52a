"""Alarms as a table."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.output import say_next
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, moments, numbers, show, words
from fleetcast.domain.alarm import Alarm, AlarmState
from fleetcast.domain.wording import counted, impact_in_words
from fleetcast.views.alarms import state_in_words

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
    columns = (
        numbers("alarm"),
        an_id("where"),
        words("kind"),
        moments("since", goes=2),
        words("impact", goes=1),
        words("owner", goes=3),
        words("state"),
    )
    rows = [
        (
            str(alarm.number),
            f"{alarm.cause.environment}/{alarm.cause.place}",
            alarm.cause.kind.value,
            alarm.since,
            impact_in_words(alarm.impact),
            alarm.owner or None,
            Text(state_in_words(alarm), _STYLES[alarm.state]),
        )
        for alarm in alarms[:_ROWS]
    ]
    show(Table(columns, rows, empty="No alarm. To look again:", then="fleetcast monitor prod"), console)
    if not alarms:
        return
    if len(alarms) > _ROWS:
        left = len(alarms) - _ROWS
        say_next(console, f"These are the first {_ROWS}; {left:,} more with --format json.")
    say_next(console, f"\n{counted(len(alarms), 'alarm')}. One:", "fleetcast alarms show ALARM")
