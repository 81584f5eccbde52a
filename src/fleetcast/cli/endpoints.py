"""`fleetcast endpoints`: the keys by which clients ask."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption
from fleetcast.cli.output import say

endpoints_app = typer.Typer(no_args_is_help=True, help="Make the keys by which clients ask an endpoint.")


class Slot(StrEnum):
    """Two keys, so that one can be changed while clients use the other."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@endpoints_app.command("key")
def make_key(
    endpoint: Annotated[str, typer.Argument(metavar="ENV/PLANT")],
    slot: Annotated[Slot, typer.Option(help="Whose place it takes; the other one goes on.")] = Slot.PRIMARY,
    fleet: FleetOption = Path(),
) -> None:
    """Make a new key, in place of the one in its slot, and show it once.

    For example:

    fleetcast endpoints key prod/PLANT001

    fleetcast endpoints key prod/PLANT001 --slot secondary
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.release import Endpoint

    say(open_fleet(fleet).making_key(Endpoint.parse(endpoint), slot.value))
