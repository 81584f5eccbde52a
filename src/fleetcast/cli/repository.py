"""`fleetcast init` and `fleetcast validate`: a fleet repository before anything runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.views import View

if TYPE_CHECKING:
    from fleetcast.config import FleetReading
    from fleetcast.domain.errors import InvalidFleet
    from fleetcast.domain.fleet import Fleet

DirectoryArgument = Annotated[Path, typer.Argument(help="Where to write the new fleet repository.")]
FleetOption = Annotated[Path, typer.Option("--fleet", help="The fleet repository.")]


FormatOption = Annotated[View, typer.Option("--format", help="For people, or for programs.")]


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


def validate(fleet: FleetOption = Path(), view: FormatOption = View.TEXT) -> None:
    """Check the whole fleet repository; every mistake is shown with its file and line."""
    from fleetcast.config import read_fleet
    from fleetcast.domain.errors import InvalidFleet

    try:
        found = read_fleet(fleet, now=datetime.now(UTC))
    except InvalidFleet as invalid:
        typer.echo(_complaints_as_json(invalid) if view is View.JSON else complaints_as_text(invalid))
        raise typer.Exit(1) from invalid
    typer.echo(_valid_as_json(found) if view is View.JSON else _valid_as_text(found))


def complaints_as_text(invalid: InvalidFleet) -> str:
    """All mistakes, grouped by file, in the order of their lines."""
    lines = []
    for file, complaints in groupby(invalid.complaints, key=lambda complaint: complaint.file):
        lines.append(file)
        for complaint in complaints:
            place = "    " if complaint.line is None else f"  {complaint.line}: "
            lines.append(place + complaint.what)
            if complaint.fix:
                lines.append(f"      → {complaint.fix}")
        lines.append("")
    count = len(invalid.complaints)
    return "\n".join([*lines, "1 mistake" if count == 1 else f"{count} mistakes"])


def _complaints_as_json(invalid: InvalidFleet) -> str:
    complaints = [
        {"file": complaint.file, "line": complaint.line, "what": complaint.what, "fix": complaint.fix}
        for complaint in invalid.complaints
    ]
    return json.dumps({"valid": False, "complaints": complaints}, indent=2, ensure_ascii=False)


def _plants(fleet: Fleet) -> int:
    return len({circuit.key.plant for circuit in fleet.circuits})


def _valid_as_json(found: FleetReading) -> str:
    from fleetcast.cli.unused_views import unused_as_json

    fleet = found.fleet
    report = {
        "valid": True,
        "circuits": len(fleet.circuits),
        "plants": _plants(fleet),
        "environment": f"{fleet.environment.name}:{fleet.environment.version}",
        "component": f"{fleet.component.name}:{fleet.component.version}",
        "digest": fleet.digest.hex,
        "complaints": [],
        "unused": unused_as_json(found.unused),
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def _valid_as_text(found: FleetReading) -> str:
    from fleetcast.cli.unused_views import unused_as_text

    fleet = found.fleet
    valid = (
        f"valid: {len(fleet.circuits)} circuits in {_plants(fleet)} plants, "
        f"environment {fleet.environment.name}:{fleet.environment.version}, "
        f"component {fleet.component.name}:{fleet.component.version} (fleet {fleet.digest})"
    )
    return f"{valid}\n{unused_as_text(found.unused)}".rstrip()
