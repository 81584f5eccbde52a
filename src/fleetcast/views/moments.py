"""How moments are written: always in UTC, for people and for programs; and how long something took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))
"""With the seconds of each, and what is said below it."""


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


def lasted(length: timedelta) -> str:
    """How long something took, for people, in two units at most: `1.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    seconds = length.total_seconds()
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    unit, large, below, small = next(units for units in _UNITS if whole >= units[1])
    rest = whole % large // small
    return f"{whole // large} {unit}" + (f" {rest} {below}" if rest else "")
