"""Lengths of time as people write them in a fleet repository: `5s`, `10min`, `1h`, `7d`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache

from fleetcast.domain.errors import BadInput

_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"([0-9]{1,10})\s*(s|min|h|d|w)")
LONGEST = timedelta(days=36_525)
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Readings and what is asked about them lie from the one to the other, exclusive: other times are slips."""
_LEAP_SECOND = re.compile(r"[T ]\d{2}:?\d{2}:?60")


def parse_duration(text: str) -> timedelta:
    """Read a whole number with a unit: s, min, h, d or w.

    Raises:
        BadInput: Not of that form, zero, or longer than a hundred years.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise BadInput(
            f"{text!r} is not a duration", fix="write a whole number and a unit: 5s, 10min, 1h, 7d, 2w"
        )
    count, unit = int(match[1]), match[2]
    if count == 0:
        raise BadInput(f"{text!r} is no time at all", fix="write a duration longer than zero")
    if count > LONGEST / _UNITS[unit]:
        raise BadInput(f"{text!r} is longer than a hundred years", fix="write a shorter duration")
    return count * _UNITS[unit]


@cache
def format_duration(length: timedelta) -> str:
    """Write a duration with the largest unit that divides it; the one canonical spelling (weeks as days)."""
    for unit in ("d", "h", "min"):
        if length % _UNITS[unit] == timedelta(0):
            return f"{length // _UNITS[unit]}{unit}"
    return f"{length // _UNITS['s']}s"


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with its offset, as aware UTC.

    Raises:
        BadInput: Not ISO 8601, or without an offset; a leap second; too near the ends of the calendar for its offset.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        if _LEAP_SECOND.search(text):
            raise BadInput(
                f"{text!r} is a leap second, which no clock here shows",
                fix="write the second before or after",
            ) from error
        raise BadInput(
            f"{text!r} is not a date or an instant", fix="write 2025-11-01 or 2025-11-01T12:00:00Z"
        ) from error
    if instant.tzinfo is None:
        raise BadInput(f"{text!r} has no time zone", fix=f"write {text}Z if it is UTC, or add its offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise BadInput(
            f"{text!r} is not within the years 1 to 9999 in UTC", fix="write an instant nearer to now"
        ) from error


def believable(moment: datetime, text: str) -> datetime:
    """A moment that a person names, if it is one at which there can be readings.

    Args:
        moment: Aware UTC.
        text: How it was written, for the error.

    Raises:
        BadInput: Before 1900, or from 2200 on.
    """
    if not EARLIEST <= moment < LATEST:
        raise BadInput(f"{text!r} is not within the years 1900 to 2199", fix="write a moment nearer to now")
    return moment


def parse_date(text: str) -> date | None:
    """Read `YYYY-MM-DD`, or return None when the text is of another form."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is not a day of the calendar", fix="write a date that exists") from error
