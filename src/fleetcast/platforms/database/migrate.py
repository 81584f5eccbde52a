"""Bringing a control database to the schema that this program knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetcast.domain.audit import Mark
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.ports.signing import Sealing
from fleetcast.stored.manifests import SEAL

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection


def _quoted(table: sa.Table) -> list[str]:
    return [f'{table.name}."{column.name}"' for column in table.c]


_BEFORE_ALEMBIC = "0001"
"""The schema of databases that hold their number in a table of fleetcast's own."""
_EVERY_COLUMN = " UNION ALL ".join(
    f"SELECT 1 FROM (SELECT {', '.join(_quoted(table))} FROM {table.name} WHERE 1 = 0) AS of_{table.name}"  # noqa: S608
    for table in schema.metadata.sorted_tables
)
"""Gives no rows, and fails where a table or a column is missing. As text: compiling it takes longer than running it."""


def ensure_schema(database: ControlDatabase) -> None:
    """Make the tables of an empty database, and bring one that belongs to this machine alone up to date.

    Raises:
        BadInput: The database is older and shared, newer than this program, or not empty and without a schema
            number; nothing was written.
        Unavailable: A table or column of its schema is missing; nothing was written.
    """
    found = database.read(_whole_number)
    if found == schema.NUMBER:
        return
    if found is None:
        found = database.change(_create)
    if database.backend.shared and found != schema.NUMBER and found in known_schemas():
        raise BadInput(
            f"the control database has schema {found}, this fleetcast needs {schema.NUMBER}",
            fix="let everyone finish, then run `fleetcast database upgrade`",
        )
    upgrade(database)


def upgrade(database: ControlDatabase) -> tuple[str, ...]:
    """Go through the migrations that are missing, each in a transaction of its own.

    Safe to repeat, to interrupt, and to run twice at once: each transaction looks anew which migration is next.

    Returns:
        The migrations done.

    Raises:
        BadInput: The database is newer than this program; nothing was written.
        Unavailable: Its tables are not those of its schema; the migration that found this wrote nothing.
    """
    done: list[str] = []
    known = known_schemas()
    while (found := database.read(_whole_number)) != known[-1]:
        if found is not None and found not in known:
            raise BadInput(
                f"the control database has schema {found}, this fleetcast knows no newer one than {known[-1]}",
                fix="use the fleetcast version that made it, or a newer one",
            )
        step = database.change(lambda connection: _one_step(connection, database.sealing))
        if step:
            done.append(step)
    return tuple(done)


def schema_number(database: ControlDatabase) -> str | None:
    """The schema that a database has; None if it is empty."""
    return database.read(_number)


def known_schemas() -> tuple[str, ...]:
    """Every migration, oldest first: the files' names begin with their numbers."""
    folder = Path(__file__).parent / "migrations" / "versions"
    return tuple(sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py")))


def _create(connection: Connection) -> str:
    """Make all tables at once; where another process was faster, see what it made."""
    found = _number(connection)
    if found is None:
        _check_empty(connection)
        schema.metadata.create_all(connection)
        connection.execute(sa.insert(schema.schema_version).values(version_num=schema.NUMBER))
        connection.execute(sa.insert(schema.first_schema_version).values(version=schema.FIRST_SCHEMA_VERSION))
    return found or schema.NUMBER


def _check_empty(connection: Connection) -> None:
    there = set(sa.inspect(connection).get_table_names())
    for table in schema.metadata.sorted_tables:
        if table.name in there and table is not schema.schema_version:
            raise BadInput(
                f"the control database holds a table {table.name} already, but no schema number",
                fix="restore it from a backup, or name an empty database",
            )


def _whole_number(connection: Connection) -> str | None:
    """The schema; if it is the newest, with a look for every table and column of it, in one statement."""
    found = _number(connection)
    if found == schema.NUMBER:
        connection.exec_driver_sql(_EVERY_COLUMN)
    return found


def _number(connection: Connection) -> str | None:
    tables = sa.inspect(connection)
    if tables.has_table(schema.schema_version.name):
        return connection.execute(sa.select(sa.func.max(schema.schema_version.c.version_num))).scalar()
    return _BEFORE_ALEMBIC if tables.has_table(schema.first_schema_version.name) else None


def _one_step(connection: Connection, sealing: Sealing) -> str | None:
    from alembic import command

    found = _number(connection)
    known = known_schemas()
    if found == known[-1]:
        return None
    config = _config(connection)
    config.attributes["seal"] = lambda number, digest: SEAL.to_json(
        sealing.seal(Mark(number, Digest(digest)))
    )
    if not sa.inspect(connection).has_table(schema.schema_version.name) and found is not None:
        command.stamp(config, found)
    command.upgrade(config, "+1")
    return _number(connection)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
