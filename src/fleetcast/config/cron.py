"""Cron expressions: five fields, in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from fleetcast.domain.errors import BadInput

_FIELDS = 5
_LONGEST = 200
_KNOWN_EVERYWHERE = re.compile(r"(?:[A-Z]{3}|[0-9*])(?:[,/-]?(?:[A-Z]{3}|[0-9*]))*", re.IGNORECASE)
"""What cron of Debian, GitHub and Azure Pipelines have in common: none of `L`, `W`, `#` and `?`."""


def check_cron(text: str) -> None:
    """Make sure that a text is a schedule that comes round.

    Raises:
        BadInput: It is none, or names a day that there never is.
    """
    fix = "write five cron fields in UTC, such as '0 2 * * *' for each night at two"
    wrong = BadInput(f"{text[:_LONGEST]!r} is not a schedule", fix=fix)
    fields = text.split()
    if len(text) > _LONGEST or len(fields) != _FIELDS or not all(map(_KNOWN_EVERYWHERE.fullmatch, fields)):
        raise wrong
    if "7" in fields[-1]:
        raise BadInput(f"{text!r} has a 7 for Sunday, which not every CI knows", fix="write 0, or SUN")
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise wrong from error
    except StopIteration as error:
        raise BadInput(f"{text!r} never comes round", fix=fix) from error


def next_instant(cron: str, after: datetime) -> datetime:
    """The first instant of a schedule after a moment."""
    return next(CronSim(cron, after.astimezone(UTC)))


def instants_until(cron: str, moment: datetime) -> Iterator[datetime]:
    """The instants of a schedule at or before a moment, newest first."""
    return CronSim(cron, moment.astimezone(UTC) + timedelta(microseconds=1), reverse=True)
