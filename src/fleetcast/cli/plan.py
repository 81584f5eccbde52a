"""`fleetcast plan`: what would change, and why."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, WideOption
from fleetcast.cli.output import console, say, show_json, show_text

CHANGES = 2


class PlanView(StrEnum):
    """For people, for programs, or for a pull-request comment."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def plan(
    fleet: FleetOption = Path(),
    view: Annotated[PlanView, typer.Option("--format", help="How to show it.")] = PlanView.TEXT,
    every: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", help="Show circuits that are up to date as well.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Also say what differs from this commit of the repository."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Save the plan, for `fleetcast train --plan FILE`.")
    ] = None,
    comment: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--comment", help="Also write it as a comment on the pull request that this agent builds."
        ),
    ] = False,
    detailed_exitcode: Annotated[  # noqa: FBT002
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 if anything would change.")
    ] = False,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show which models would train, and why. Changes nothing.

    For example:

    fleetcast plan

    fleetcast plan --base main --format markdown > comment.md

    fleetcast plan --out plan.json && fleetcast train --plan plan.json
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.plan_views import print_plan
    from fleetcast.views.plan import as_json, as_markdown, save
    from fleetcast.views.unused import unused_as_json, unused_in_one_line

    asked = open_asking(fleet)
    found = asked.plan()
    made, unused = found.plan, found.unused
    since = asked.since(base) if base else None
    if view is PlanView.JSON:
        show_json({**as_json(made, since), "unused": unused_as_json(unused)})
    elif view is PlanView.MARKDOWN:
        show_text(as_markdown(made, since))
        if unused:
            say(f"\n{unused_in_one_line(unused)}")
    else:
        print_plan(made, console(wide=wide), every=every, since=since)
        if unused:
            console().print(unused_in_one_line(unused), style="dim")
    if comment:
        from fleetcast.app import open_pull_request

        open_pull_request(os.environ).comment(as_markdown(made, since))
    if out is not None:
        save(made, out)
        say(f"saved; apply exactly this with: fleetcast train --plan {out}", err=True)
    if detailed_exitcode and made.has_changes:
        raise typer.Exit(CHANGES)
