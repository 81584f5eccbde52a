"""`fleetcast database`: where the control database is, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fleetcast.cli.train import FleetOption, ViewOption
from fleetcast.cli.views import View, show_json

if TYPE_CHECKING:
    from fleetcast.platforms.database.control import ControlDatabase

database_app = typer.Typer(
    no_args_is_help=True,
    help="Look after the control database: a SQLite file, or the PostgreSQL server in FLEETCAST_DATABASE_URL.",
)


@database_app.command("show")
def show(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Show where the control database is, its schema, and who runs stages at the moment."""
    from fleetcast.platforms.database import schema
    from fleetcast.platforms.database.leases import holders
    from fleetcast.platforms.database.migrate import revision

    database = _database(fleet)
    found = revision(database)
    held = holders(database) if found == schema.REVISION else {}
    if view is View.JSON:
        address = database.backend.address
        show_json({"address": address, "schema": found, "newest_schema": schema.REVISION, "held": held})
        return
    typer.echo(f"control database: {database.backend.address}")
    typer.echo(f"schema:           {found or 'none yet'} (this fleetcast knows {schema.REVISION})")
    for name, holder in held.items():
        typer.echo(f"running {name}:   {holder}")


@database_app.command("upgrade")
def upgrade(fleet: FleetOption = Path()) -> None:
    """Bring the control database to this program's schema; safe to repeat and to interrupt.

    A SQLite file is upgraded by itself when it is opened. A server is shared with programs of other versions, so it
    is upgraded only by this command: afterwards older ones refuse it.
    """
    from fleetcast.platforms.database import migrate

    database = _database(fleet)
    done = migrate.upgrade(database)
    what = f"went through {', '.join(done)}" if done else "is up to date"
    typer.echo(f"{database.backend.address}: {what}")


@database_app.command("copy")
def copy(fleet: FleetOption = Path()) -> None:
    """Copy the fleet's own SQLite file to the empty server that FLEETCAST_DATABASE_URL names.

    The file stays as it is, and is no longer used while that variable is set.
    """
    from fleetcast.app import open_own_database
    from fleetcast.domain.errors import BadInput
    from fleetcast.platforms.database.copying import copy

    source, target = open_own_database(fleet), _database(fleet)
    if source.backend.address == target.backend.address:
        raise BadInput(
            "the environment names no server to copy to", fix="set FLEETCAST_DATABASE_URL=postgresql://…"
        )
    copied = copy(source, target)
    typer.echo(f"{source.backend.address} → {target.backend.address}: {sum(copied.values()):,} rows")
    typer.echo(f"  {', '.join(f'{name} {rows:,}' for name, rows in copied.items() if rows)}")


def _database(fleet: Path) -> ControlDatabase:
    from fleetcast.app import open_database

    return open_database(fleet)
