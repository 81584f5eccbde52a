"""`fleetcast database`: where the control database is, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption
from fleetcast.cli.output import say, show_json

database_app = typer.Typer(
    no_args_is_help=True,
    help="Look after the control database: a SQLite file, or the PostgreSQL server in FLEETCAST_DATABASE_URL.",
)


@database_app.command("show")
def show(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Show where the control database is, its schema, and who runs stages at the moment.

    For example:

    fleetcast database show
    """
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
    say(f"control database: {found.address}")
    say(f"schema:           {found.schema or 'none yet'} (this fleetcast knows {found.newest_schema})")
    for name, holder in found.holders.items():
        say(f"running {name}:   {holder}")


@database_app.command("upgrade")
def upgrade(fleet: FleetOption = Path()) -> None:
    """Bring the control database to this program's schema; safe to repeat and to interrupt.

    A SQLite file is upgraded by itself when it is opened. A server is shared with programs of other versions, so it
    is upgraded only by this command: afterwards older ones refuse it.

    For example:

    fleetcast database upgrade
    """
    from fleetcast.app import upgrade_database

    address, done = upgrade_database(fleet)
    what = f"went through {', '.join(done)}" if done else "is up to date"
    say(f"{address}: {what}")


@database_app.command("copy")
def copy(fleet: FleetOption = Path()) -> None:
    """Copy the fleet's own SQLite file to the empty server that FLEETCAST_DATABASE_URL names.

    The file stays as it is, and is no longer used while that variable is set.

    For example:

    fleetcast database copy
    """
    from fleetcast.app import copy_own_database

    done = copy_own_database(fleet)
    say(f"{done.source} → {done.target}: {sum(done.rows.values()):,} rows")
    say(f"  {', '.join(f'{name} {rows:,}' for name, rows in done.rows.items() if rows)}")


@database_app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist yet.")],
    fleet: FleetOption = Path(),
) -> None:
    """Copy the control database to one file, consistent also while others write to it.

    For example:

    fleetcast database backup control-2025-12-01.db
    """
    from fleetcast.app import back_up_database

    made = back_up_database(fleet, file)
    say(f"{made.path}: {made.entries:,} entries of the audit log, and all that was decided and done")
    if made.also:
        say(f"  files that it names are not in it: copy {', '.join(map(str, made.also))} after this, too")


@database_app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="What `fleetcast database backup` wrote.")],
    fleet: FleetOption = Path(),
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where entries of the audit log are lost by it.")
    ] = False,
) -> None:
    """Make the control database what a backup holds, whole or not at all, and write so into its audit log.

    For example:

    fleetcast database restore control-2025-12-01.db
    """
    from fleetcast.app import restore_database

    done = restore_database(fleet, file, replace=replace)
    say(f"{done.address}: restored, with {done.entries:,} entries of the audit log")
    if done.aside is not None:
        say(f"  what could not be read any more is kept as {done.aside}")
    say("  next: `fleetcast plan` shows what has to be done again")


@database_app.command("accept-loss")
def accept(fleet: FleetOption = Path()) -> None:
    """Go on with a control database that lost entries of its audit log, and write so into the log.

    For example:

    fleetcast database accept-loss
    """
    from fleetcast.app import accept_loss

    lost = accept_loss(fleet)
    if lost is None:
        say("nothing is missing")
        return
    say(f"the audit log had come to entry {lost[0]:,}; it goes on after entry {lost[1]:,}")
    say("  next: `fleetcast plan` shows what has to be done again")
