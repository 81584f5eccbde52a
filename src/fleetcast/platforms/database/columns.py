"""Values that stand in columns of their own, as they are read back: SQLite holds in any column what was put there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.errors import FleetcastError
from fleetcast.stored.form import unreadable

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


def last_position(connection: Connection, table: sa.Table, key: sa.Column[str]) -> int:
    """The highest `position` of a table whose rows have an order; 0 without rows.

    Raises:
        BadInput: It cannot be read; the text names the row by its key.
    """
    query = sa.select(key.label("key"), table.c.position).order_by(table.c.position.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return 0
    try:
        return whole_number(row.position)
    except TORN as error:
        raise unreadable(f"{table.name} {row.key}") from error
