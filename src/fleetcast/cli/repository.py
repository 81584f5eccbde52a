"""`fleetcast init` and `fleetcast validate`: a fleet repository before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import DryRunOption, FleetOption, View, ViewOption
from fleetcast.cli.output import say, show_json, show_text
from fleetcast.domain.ci import Ci
from fleetcast.domain.errors import BadInput

DirectoryArgument = Annotated[Path, typer.Argument(help="Where to write the new fleet repository.")]


CiOption = Annotated[Ci | None, typer.Option("--ci", help="Whose pipelines.")]


def init(
    directory: DirectoryArgument,
    ci: CiOption = None,
    no_git: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-git", help="Make no git repository.")
    ] = False,
) -> None:
    """Write a new fleet repository that validates as it is, with pipelines for a CI on request.

    Where no git repository is around the folder it becomes one, on the branch main, with these files as its first
    commit. Inside of one nothing is committed. Inside of another fleet there can be none.

    For example:

    fleetcast init fleet

    fleetcast init fleet --ci azure-devops
    """
    from fleetcast.app import begin_fleet
    from fleetcast.views.new_fleet import begun_as_text

    begun = begin_fleet(directory, ci, with_git=not no_git)
    show_text(begun_as_text(begun.directory, begun.files, begun.repository))


def update_template(
    fleet: FleetOption = Path(),
    ci: CiOption = None,
    dry_run: DryRunOption = False,  # noqa: FBT002
) -> None:
    """Bring the pipelines of a fleet up to date: to what this fleetcast writes; with --ci, also what it lacks.

    They start at the times that `schedules` in `fleetcast.yaml` says: run it again when that has changed.
    Files that somebody has edited stay as they are: the newer text is written beside them, as FILE.new.

    For example:

    fleetcast update-template

    fleetcast update-template --ci github
    """
    from fleetcast import __version__
    from fleetcast.config.pipelines import Update, update_pipelines, written_for
    from fleetcast.config.settings_reader import load_settings

    chosen = [ci] if ci is not None else written_for(fleet)
    if not chosen:
        raise BadInput("this fleet has no pipelines yet", fix="name a CI: --ci azure-devops or --ci github")
    schedules = load_settings(fleet).schedules
    for each in chosen:
        for one in update_pipelines(fleet, each, __version__, write=not dry_run, schedules=schedules):
            beside = f"; see {one.path}.new" if one.update is Update.EDITED else ""
            say(f"{one.update.value:<11} {one.path}{beside}")
    if dry_run:
        say("nothing was written: --dry-run")


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

    For example:

    fleetcast fmt

    fleetcast fmt --check --diff
    """
    from fleetcast.config.format_files import format_fleet

    formatted = format_fleet(fleet, now=datetime.now(UTC), write=not check)
    if diff:
        show_text(formatted.diff())
    for file in formatted.files:
        say(f"{'would change' if check else 'formatted'} {file}")
    for complaint in formatted.left_alone:
        say(f"left alone {complaint}")
    if not formatted.files:
        say("nothing to format")
    elif check:
        raise typer.Exit(1)


def validate(
    fleet: FleetOption = Path(),
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Also see that versions were bumped where content changed since this commit."
        ),
    ] = None,
    data: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--data", help="Also read what circuits train on: of all, or with --base of those that differ."
        ),
    ] = False,
    view: ViewOption = View.TEXT,
) -> None:
    """Check the whole fleet repository, its pipelines too; every mistake is shown with its file and line.

    With --data the readings are looked at by the rules of the stage RegisterData: whether the version of the table is
    there, and the sensors, and whether what the training window holds is fit to train on. A circuit that could not be
    trained is a mistake; sensors that would be left out, gaps and the like are only noted. Nothing is written.

    On an agent of Azure DevOps or GitHub, mistakes are shown at their lines there as well.

    For example:

    fleetcast validate

    fleetcast validate --base origin/main

    fleetcast validate --base origin/main --data
    """
    from fleetcast.app.checking import DataAsked, check_repository
    from fleetcast.cli.agent import Agent
    from fleetcast.cli.command_lines import complaint_of
    from fleetcast.domain.errors import InvalidFleet
    from fleetcast.views.repository import (
        complaints_as_json,
        complaints_as_text,
        data_as_text,
        valid_as_json,
        valid_as_text,
    )

    try:
        found = check_repository(fleet, base, complaint_of, DataAsked.YES if data else DataAsked.NO)
    except InvalidFleet as invalid:
        if view is View.JSON:
            show_json(complaints_as_json(invalid))
        else:
            show_text(complaints_as_text(invalid))
        Agent().findings(invalid.complaints)
        raise typer.Exit(1) from invalid
    checked = found.data
    if view is View.JSON:
        read = None if checked is None else (checked.circuits, checked.notes)
        show_json(valid_as_json(found.fleet, found.unused, found.pipelines, read))
    else:
        show_text(valid_as_text(found.fleet, found.unused, found.pipelines))
        if checked is not None:
            show_text(data_as_text(checked.circuits, checked.notes))
    if checked is not None:
        Agent().findings(checked.notes, warnings=True)
