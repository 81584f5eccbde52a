"""Freeze windows: times in which no gate opens, once between two moments or every week."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from fleetcast.domain.duration import parse_instant
from fleetcast.domain.errors import BadInput

_WEEK = timedelta(weeks=1)
_MINUTE = timedelta(minutes=1)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):([0-5][0-9])")
_LAST_YEAR = 9_000
_FORM = "write `2025-12-20T00:00Z to 2026-01-05T00:00Z`, or `fri 18:00 to mon 06:00` in UTC"


@dataclass(frozen=True, slots=True)
class DatedFreeze:
    """From one moment until another, which is not part of it; both aware UTC."""

    start: datetime
    end: datetime
    kind: Literal["dated"] = "dated"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise BadInput("a freeze needs times with their zone", fix=_FORM)
        if not self.start < self.end or self.end.year > _LAST_YEAR:
            raise BadInput(f"the freeze {self} ends before it begins, or never", fix=_FORM)

    def end_at(self, now: datetime) -> datetime | None:
        """When it ends, if it holds now."""
        return self.end if self.start <= now < self.end else None

    def within(self, other: Freeze) -> bool:
        """Whether the other holds whenever this one does."""
        return isinstance(other, DatedFreeze) and other.start <= self.start and self.end <= other.end

    def __str__(self) -> str:
        return f"{_moment(self.start)} to {_moment(self.end)}"


@dataclass(frozen=True, slots=True)
class WeeklyFreeze:
    """The same hours of every week, in UTC."""

    start: timedelta
    """Since Monday 00:00; whole minutes, less than a week."""
    length: timedelta
    """Whole minutes, less than a week."""
    kind: Literal["weekly"] = "weekly"

    def __post_init__(self) -> None:
        whole = not self.start % _MINUTE and not self.length % _MINUTE
        if not (whole and timedelta(0) <= self.start < _WEEK and timedelta(0) < self.length < _WEEK):
            raise BadInput("a weekly freeze is longer than no time and shorter than a week", fix=_FORM)

    def end_at(self, now: datetime) -> datetime | None:
        """When it ends, if it holds now."""
        since = (_of_the_week(now) - self.start) % _WEEK
        return now - since + self.length if since < self.length else None

    def within(self, other: Freeze) -> bool:
        """Whether the other holds whenever this one does."""
        if not isinstance(other, WeeklyFreeze):
            return False
        return (self.start - other.start) % _WEEK + self.length <= other.length

    def __str__(self) -> str:
        return f"{_hour(self.start)} to {_hour((self.start + self.length) % _WEEK)}"


Freeze = DatedFreeze | WeeklyFreeze


def parse_freeze(text: str) -> Freeze:
    """Read a freeze as people write it in a fleet repository.

    Raises:
        BadInput: It is of neither form, or never ends.
    """
    first, between, last = text.strip().partition(" to ")
    if not between:
        raise BadInput(f"{text[:80]!r} is not a freeze", fix=_FORM)
    start, end = _WEEKLY.fullmatch(first.strip().lower()), _WEEKLY.fullmatch(last.strip().lower())
    if start and end:
        begins = _since_monday(start)
        return WeeklyFreeze(begins, (_since_monday(end) - begins) % _WEEK)
    if start or end:
        raise BadInput(f"{text[:80]!r} is not a freeze", fix=_FORM)
    return DatedFreeze(parse_instant(first.strip()), parse_instant(last.strip()))


def frozen_until(windows: Iterable[Freeze], now: datetime) -> datetime | None:
    """When windows that hold now, and those they run into, are over; None where none holds.

    The weekly ones must leave some time of the week free.
    """
    windows, until = tuple(windows), now
    while ends := [end for window in windows if (end := window.end_at(until)) is not None]:
        until = max(ends)
    return until if until > now else None


def never_thaws(windows: Iterable[Freeze]) -> bool:
    """Whether the weekly windows together leave no time of the week free."""
    weekly = [window for window in windows if isinstance(window, WeeklyFreeze)]
    monday = datetime(2024, 1, 1, tzinfo=UTC)
    ends = [monday + (window.start + window.length) % _WEEK for window in weekly]
    return bool(ends) and all(any(window.end_at(end) for window in weekly) for end in ends)


def _of_the_week(now: datetime) -> timedelta:
    utc = now.astimezone(UTC)
    return timedelta(
        utc.weekday(), hours=utc.hour, minutes=utc.minute, seconds=utc.second, microseconds=utc.microsecond
    )


def _since_monday(written: re.Match[str]) -> timedelta:
    return timedelta(_DAYS.index(written[1]), hours=int(written[2]), minutes=int(written[3]))


def _hour(since_monday: timedelta) -> str:
    minutes = since_monday.seconds // 60
    return f"{_DAYS[since_monday.days]} {minutes // 60:02}:{minutes % 60:02}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
