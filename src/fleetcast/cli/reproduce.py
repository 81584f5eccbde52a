"""`fleetcast reproduce`: a model version, trained again from what is on record of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, model_version
from fleetcast.cli.output import say, show_json


def reproduce(
    model: Annotated[
        str, typer.Argument(metavar="MODEL:VERSION", help="As `models show` names it: plant001-circuit01:2.")
    ],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Train a registered version again from its lineage, and compare the bytes with those that were registered.

    The rows are those frozen for its job, or those of the pinned version of their table; the steps are those
    of the component that the fleet declares. Nothing of it is kept. Exits with 1 if it is not identical, and says why:
    another version of fleetcast or Python, other libraries, rows that are gone, or a component that has changed.

    For example:

    fleetcast reproduce plant001-circuit01:1
    """
    from fleetcast.app import open_fleet
    from fleetcast.views.reproduction import as_json, in_words

    name, version = model_version(model)
    opened = open_fleet(fleet)
    found = opened.reproducing(opened.fleet.component, name, version)
    if view is View.JSON:
        show_json(as_json(found))
    else:
        for line in in_words(found):
            say(line)
    if not found.identical:
        raise typer.Exit(1)
