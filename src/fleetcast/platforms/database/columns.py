"""Values that stand in columns of their own, as they are read back: SQLite holds in any column what was put there."""

from __future__ import annotations

from datetime import datetime

from fleetcast.domain.errors import FleetcastError

TORN = (ValueError, TypeError, FleetcastError)
"""What comes of values that are not those that were written."""


def whole_number(value: object) -> int:
    """A number that counts something.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")  # noqa: TRY004  # one kind for all that is torn
    return value


def amount(value: object) -> float:
    """A number that measures something.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004  # as above
    return float(value)


def moment(value: object) -> datetime:
    """An instant, with its offset.

    Raises:
        ValueError: It is none.
    """
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise ValueError(f"{value!r} has no offset")
    return found
