"""How moments are written: always in UTC, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime


def shown(moment: datetime) -> str:
    """A moment for people, to the minute unless it needs more: `2025-11-01 12:00 UTC`."""
    moment = moment.astimezone(UTC)
    seconds = ":%S" if moment.second or moment.microsecond else ""
    return moment.strftime(f"%Y-%m-%d %H:%M{seconds} UTC")


def iso(moment: datetime) -> str:
    """A moment for programs, as ISO 8601: `2025-11-01T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_or_null(moment: datetime | None) -> str | None:
    """The same where there may be none."""
    return None if moment is None else iso(moment)
