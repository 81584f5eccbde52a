"""What one message may take, whatever the other side does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = 9.0
"""Seconds from looking up a name to the last byte: the port promises ten."""
_LONGEST_PAUSE = timedelta(days=1)
_DIGITS = 10


def asked_pause(retry_after: str | None, now: datetime) -> timedelta | None:
    """For how long a server asks to be left alone, by its `Retry-After`: seconds, or a date; at most a day.

    None where it says nothing, or nothing that can be read.
    """
    said = (retry_after or "").strip()
    if said.isascii() and said.isdecimal():
        pause = _LONGEST_PAUSE if len(said) > _DIGITS else timedelta(seconds=int(said))
    else:
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return None
        pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return max(timedelta(), min(pause, _LONGEST_PAUSE))
