"""`fleetcast status`: the fleet on one screen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, show_json


def status(
    every: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", help="Name every circuit that needs somebody, however many.")
    ] = False,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show how the fleet stands: what is in order, what needs somebody, and what to do next.

    For example:

    fleetcast status

    fleetcast status --format json | jq '.circuits[] | select(.state == "failed")'
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.status_views import print_status
    from fleetcast.views.status import as_json

    found = open_asking(fleet).status()
    if view is View.JSON:
        show_json(as_json(found))
    else:
        print_status(found, console(wide=wide), every=every)
