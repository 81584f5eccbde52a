"""`fleetcast qa`: sign off for production what is served in test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import CommentOption, FleetOption

qa_app = typer.Typer(no_args_is_help=True, help="Sign off for production what is served in test.")


@qa_app.command("sign-off")
def sign_off(
    plant: Annotated[str, typer.Argument(metavar="PLANT")],
    comment: CommentOption = "",
    fleet: FleetOption = Path(),
) -> None:
    """Mark every version that a plant is served by in test as fit for production.

    For example:

    fleetcast qa sign-off PLANT001 --comment "looked at a week of forecasts"
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.domain.release import Endpoint
    from fleetcast.views.releases import outline_in_words

    release = open_fleet(fleet).signing_off(Endpoint(EnvironmentName.TEST, plant), comment)
    typer.echo(f"{release} is signed off: {outline_in_words(release.release)}")
