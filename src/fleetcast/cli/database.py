"""`fleetcast database`: where the control database is, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption
from fleetcast.cli.output import show_json

database_app = typer.Typer(
    no_args_is_help=True,
    help="Look after the control database: a SQLite file, or the PostgreSQL server in FLEETCAST_DATABASE_URL.",
)


@database_app.command("show")
def show(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Show where the control database is, its schema, and who runs stages at the moment."""
    from fleetcast.app import look_at_database
    from fleetcast.views.database import as_json

    found = look_at_database(fleet)
    if view is View.JSON:
        show_json(
            as_json(
                found.address, schema=found.schema, newest_schema=found.newest_schema, holders=found.holders
            )
        )
        return
    typer.echo(f"control database: {found.address}")
    typer.echo(f"schema:           {found.schema or 'none yet'} (this fleetcast knows {found.newest_schema})")
    for name, holder in found.holders.items():
        typer.echo(f"running {name}:   {holder}")


@database_app.command("upgrade")
def upgrade(fleet: FleetOption = Path()) -> None:
    """Bring the control database to this program's schema; safe to repeat and to interrupt.

    A SQLite file is upgraded by itself when it is opened. A server is shared with programs of other versions, so it
    is upgraded only by this command: afterwards older ones refuse it.
    """
    from fleetcast.app import upgrade_database

    address, done = upgrade_database(fleet)
    what = f"went through {', '.join(done)}" if done else "is up to date"
    typer.echo(f"{address}: {what}")


@database_app.command("copy")
def copy(fleet: FleetOption = Path()) -> None:
    """Copy the fleet's own SQLite file to the empty server that FLEETCAST_DATABASE_URL names.

    The file stays as it is, and is no longer used while that variable is set.
    """
    from fleetcast.app import copy_own_database

    done = copy_own_database(fleet)
    typer.echo(f"{done.source} → {done.target}: {sum(done.rows.values()):,} rows")
    typer.echo(f"  {', '.join(f'{name} {rows:,}' for name, rows in done.rows.items() if rows)}")
