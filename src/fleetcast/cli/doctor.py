"""`fleetcast doctor`: whether everything around a fleet stands as it should."""

from __future__ import annotations

from pathlib import Path

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption
from fleetcast.cli.output import say, show_json

FAILED = 1


def doctor(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Look whether all around the fleet is as it should be, and say how to mend what is not.

    It asks with the identity that this process has, as a run would: run it where runs are. Nothing is changed but for a
    small file that is written where the fleet's files are, and removed; a control database that is not there yet is
    made, as by each command.

    Lines begin with ✓ (holds), ✗ (does not hold), - (not checked, with the reason) or ! (does not hold, and is accepted
    in fleetcast.yaml). It ends with 1 if something does not hold.

    For example:

    fleetcast doctor

    fleetcast doctor --format json | jq '.findings[] | select(.verdict == "does not hold")'
    """
    from fleetcast.app import open_diagnosis
    from fleetcast.views.diagnosis import as_json, lines

    found = open_diagnosis(fleet)()
    if view is View.JSON:
        show_json(as_json(found))
    else:
        for line in lines(found):
            say(line)
    if not found.is_well:
        raise typer.Exit(FAILED)
