"""Schedules in words and as JSON."""

from __future__ import annotations

from fleetcast.domain.canonical import Json
from fleetcast.domain.schedule import Turn
from fleetcast.views.moments import iso, iso_or_null
from fleetcast.workflows.keep_schedules import DutyRow, SchedulesShown


def schedules_as_json(found: SchedulesShown) -> Json:
    """The list for programs; `last_run` is null before the first."""
    return {"keeper": found.keeper, "schedules": [_row(row) for row in found.rows]}


def keeper_in_words(found: SchedulesShown) -> str:
    """Who starts what is listed."""
    if found.keeper is None:
        return "Nobody starts them at this moment: run `fleetcast up`, or `fleetcast schedules run`."
    return f"Started by {found.keeper}."


def duration_in_words(turn: Turn) -> str:
    """How long the last attempt took."""
    seconds = _seconds(turn)
    return "–" if seconds is None else f"{seconds:.0f} s"


def _row(row: DutyRow) -> dict[str, Json]:
    return {
        "routine": row.duty.routine.value,
        "environment": row.duty.environment,
        "cron": row.duty.cron,
        "next_due_at": iso(row.next_due),
        "last_run": None if row.last is None else _turn(row.last),
        "open_runs": [_turn(turn) for turn in row.open_turns],
        "log": None if row.log is None else str(row.log),
    }


def _turn(turn: Turn) -> dict[str, Json]:
    return {
        "due_at": iso(turn.due),
        "state": turn.state.value,
        "attempts": turn.attempts,
        "missed": turn.missed,
        "began_at": iso_or_null(turn.began_at),
        "ended_at": iso_or_null(turn.ended_at),
        "duration_seconds": _seconds(turn),
        "exit_code": turn.exit_code,
        "again_at": iso_or_null(turn.again_at),
    }


def _seconds(turn: Turn) -> float | None:
    if turn.began_at is None or turn.ended_at is None:
        return None
    return (turn.ended_at - turn.began_at).total_seconds()
