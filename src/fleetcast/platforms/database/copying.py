"""Moving a control database: from the file of one machine to a team's server, or back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.errors import BadInput
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.leases import holders
from fleetcast.platforms.database.migrate import ensure_schema

_OF_THE_DATABASE = (schema.schema_version, schema.first_schema_version, schema.leases)
_TABLES = [table for table in schema.metadata.sorted_tables if table not in _OF_THE_DATABASE]
Rows = Sequence[Mapping[str, object]]


def copy(source: ControlDatabase, target: ControlDatabase) -> Mapping[str, int]:
    """Copy everything that was registered, decided and done, in one transaction; the source stays as it is.

    Returns:
        The number of rows of each table.

    Raises:
        BadInput: Somebody runs stages on the source, or the target holds something; nothing was copied.
    """
    ensure_schema(source)
    ensure_schema(target)
    if running := holders(source):
        raise BadInput(
            f"somebody is at work there: {', '.join(running.values())}",
            fix="wait for it, or stop that process",
        )
    content = source.read(_everything)
    target.change(lambda connection: _fill(connection, content, target.backend.address))
    return {name: len(rows) for name, rows in content.items()}


def _everything(connection: Connection) -> dict[str, Rows]:
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in _TABLES
    }


def _fill(connection: Connection, content: Mapping[str, Rows], address: str) -> None:
    for table in _TABLES:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise BadInput(f"the control database at {address} is not empty", fix="name an empty one")
    for table in _TABLES:
        if content[table.name]:
            connection.execute(sa.insert(table), list(content[table.name]))
