"""`fleetcast families`: the kinds of model that a circuit can have."""

from __future__ import annotations

from typing import Annotated

import typer

from fleetcast.cli.options import View, ViewOption, WideOption
from fleetcast.cli.output import console, show_json


def families(
    name: Annotated[
        str | None, typer.Argument(metavar="[FAMILY]", help="Such as linear. Default: all.")
    ] = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the model families and their hyperparameters, with the values that each takes.

    For example:

    fleetcast families

    fleetcast families linear --format json
    """
    from fleetcast.cli.families_views import print_families
    from fleetcast.views.families import as_json, chosen

    found = chosen(name)
    if view is View.JSON:
        show_json(as_json(found))
    else:
        print_families(found, console(wide=wide))
