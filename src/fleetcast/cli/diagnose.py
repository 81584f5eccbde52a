"""`fleetcast diagnose`: what may be wrong at a plant or with a circuit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, duration_of
from fleetcast.cli.output import console, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName


def diagnose(
    place: Annotated[str, typer.Argument(metavar="PLANT[/CIRCUIT]", help="What is looked at.")],
    environment: Annotated[
        EnvironmentName, typer.Option("--env", metavar="ENV", help="dev, test or prod.")
    ] = EnvironmentName.PROD,
    back: Annotated[
        str, typer.Option("--back", metavar="DURATION", help="How far back changes are listed.")
    ] = "72h",
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Rank what may be wrong: data, sensor, model, release or platform, with what to type next.

    Clues are open alarms and what the last look saw besides, late readings, forecasts that a model did not make,
    releases that went live or came back, holds, and failed training. The number of a suspect says how much speaks
    against it, from 0 to 1, and is no probability. A release that went live within a day before the first sign weighs
    more. What the audit log says of it in the last hours is listed too.

    For example:

    fleetcast diagnose PLANT001/CIRCUIT01

    fleetcast diagnose PLANT001 --env test --back 24h --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.identity import checked_id
    from fleetcast.views.suspicions import as_json, as_text

    plant, slash, circuit = place.partition("/")
    checked_id("plant_id", plant)
    if slash:
        checked_id("circuit_id", circuit)
    length = duration_of(back)
    if length.total_seconds() <= 0:
        raise BadInput(f"--back {back} leaves no time", fix="write 72h or more")
    opened = open_fleet(fleet)
    found = opened.diagnosing(opened.fleet, environment, plant, circuit or None, back=length)
    if view is View.JSON:
        show_json(as_json(found))
        return
    for line in as_text(found):
        console().print(line, soft_wrap=True)
