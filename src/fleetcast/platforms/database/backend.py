"""What the two databases do differently: beginning a transaction, telling the time, and saying what is wrong."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.lease import Reach
from fleetcast.platforms.database.witness import Witness

HALF_MIGRATED = "restore the control database from a backup: its tables are not those of its schema number"
"""What to do about a table or column that is missing, or there too early."""


class Fate(Enum):
    """What became of a transaction."""

    COMMITTED = "committed"
    UNDONE = "undone"
    OPEN = "open"
    """It has not ended yet."""
    UNKNOWN = "unknown"
    """The database cannot tell."""


class Backend(Protocol):
    """A database that holds the tables of `schema`."""

    @property
    def engine(self) -> Engine:
        """Where connections come from."""
        ...

    @property
    def address(self) -> str:
        """Where the database is, for people; never with a password."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other programs than this one may depend on its schema, so that it is changed only on demand."""
        ...

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction in which all statements see the same state."""
        ...

    def begin_changing(self, connection: Connection) -> str:
        """Begin a transaction that alone may write; gives a ticket that `fate` knows it by."""
        ...

    def fate(self, connection: Connection, ticket: str) -> Fate:
        """What became of a transaction whose end was not seen."""
        ...

    @property
    def witness(self) -> Witness | None:
        """What remembers how far its audit log has come; None where nothing does."""
        ...

    @property
    def reach(self) -> Reach:
        """Who may hold leases of it, and so whose clock times them."""
        ...

    def now(self, connection: Connection) -> float:
        """The time by which leases end, in seconds, at this moment; see `Reach`."""
        ...

    def is_lost(self, error: sa.exc.DBAPIError) -> bool:
        """Whether the connection is gone or cannot be had just now, so that trying again may help."""
        ...

    def explain(self, error: sa.exc.DBAPIError) -> Unavailable:
        """The error for people, without secrets."""
        ...
