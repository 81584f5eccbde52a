"""`fleetcast init` and `fleetcast validate`: a fleet repository before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption
from fleetcast.cli.output import show_json

DirectoryArgument = Annotated[Path, typer.Argument(help="Where to write the new fleet repository.")]


def init(directory: DirectoryArgument) -> None:
    """Write a new fleet repository that validates as it is."""
    from fleetcast.config.templates import init_fleet

    for path in init_fleet(directory):
        typer.echo(f"wrote {path}")
    typer.echo("next: edit config/circuits.yaml, then run `fleetcast validate` there")


def format_files(
    fleet: FleetOption = Path(),
    check: Annotated[  # noqa: FBT002
        bool, typer.Option("--check", help="Change nothing; end with 1 if a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes.")] = False,  # noqa: FBT002
) -> None:
    """Give the fleet's YAML files one form: indentation, spacing, quotes only where needed, keys in order.

    Comments stay where they are, and what the files mean does not change. A file in a form that cannot be kept is left
    alone and named.
    """
    from fleetcast.config.format_files import format_fleet

    formatted = format_fleet(fleet, now=datetime.now(UTC), write=not check)
    if diff:
        typer.echo(formatted.diff(), nl=False)
    for file in formatted.files:
        typer.echo(f"{'would change' if check else 'formatted'} {file}")
    for complaint in formatted.left_alone:
        typer.echo(f"left alone {complaint}")
    if not formatted.files:
        typer.echo("nothing to format")
    elif check:
        raise typer.Exit(1)


def validate(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Check the whole fleet repository; every mistake is shown with its file and line."""
    from fleetcast.config.reader import read_fleet
    from fleetcast.domain.errors import InvalidFleet
    from fleetcast.views.repository import (
        complaints_as_json,
        complaints_as_text,
        valid_as_json,
        valid_as_text,
    )

    try:
        found = read_fleet(fleet, now=datetime.now(UTC))
    except InvalidFleet as invalid:
        if view is View.JSON:
            show_json(complaints_as_json(invalid))
        else:
            typer.echo(complaints_as_text(invalid))
        raise typer.Exit(1) from invalid
    if view is View.JSON:
        show_json(valid_as_json(found.fleet, found.unused))
    else:
        typer.echo(valid_as_text(found.fleet, found.unused))
