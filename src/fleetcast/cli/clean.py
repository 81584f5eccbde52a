"""`fleetcast clean`: what retention lets go, shown first and removed when somebody says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, LockOption, View, ViewOption, duration_of
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName


def clean(
    environments: Annotated[
        list[EnvironmentName] | None,
        typer.Argument(
            metavar="[ENV]...",
            help="dev: models, training rows, logs, readings, old turns. test, prod: forecasts. Default: all.",
        ),
    ] = None,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Remove it, once you have agreed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree beforehand; for programs.")] = False,
    lock_timeout: LockOption = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Show what is old and not needed; with --apply, remove it. What is old, `retention` of fleetcast.yaml says.

    Stays whatever its age: what serves, served before or may serve next, is in the shared registry, champion, used or
    declared, held to, or asked about. Of a model version only the files go: its row, lineage, evidence and the audit
    log stay for ever. Tables of somebody else are never touched.

    For example:

    fleetcast clean

    fleetcast clean dev --apply

    fleetcast clean --apply --yes --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.views.clean import cleaned_as_json, cleaned_in_words, plan_as_json, plan_in_words

    if yes and not apply:
        raise BadInput("--yes agrees to nothing without --apply", fix="add --apply, or leave --yes out")
    if apply and view is View.JSON and not yes:
        raise BadInput("a program cannot be asked", fix="add --yes, or leave --format json out")
    opened = open_fleet(fleet)
    chosen = tuple(dict.fromkeys(environments or EnvironmentName))
    in_dev = EnvironmentName.DEV in chosen
    goes = opened.cleaning.plan(opened.fleet, chosen)
    if view is View.TEXT:
        for line in plan_in_words(goes, opened.fleet, logs_asked=in_dev):
            console().print(line, soft_wrap=True)
        if goes.is_empty:
            say("nothing goes")
    if not apply:
        if view is View.JSON:
            show_json(plan_as_json(goes, logs_asked=in_dev))
        return
    if not goes.is_empty and not yes:
        typer.confirm("Remove it for good?", abort=True)
    timeout = timedelta(0) if lock_timeout is None else duration_of(lock_timeout)
    done = opened.cleaning(opened.fleet, goes, chosen, timeout)
    if view is View.JSON:
        show_json({"plan": plan_as_json(goes, logs_asked=in_dev), "removed": cleaned_as_json(done)})
        return
    for line in cleaned_in_words(done):
        console().print(line, soft_wrap=True)
