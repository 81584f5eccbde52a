"""`fleetcast qa`: look at what is served in test, and sign it off for production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import CommentOption, FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, say, show_json

qa_app = typer.Typer(no_args_is_help=True, help="Check what test serves, and sign it off for production.")
_PLANTS = typer.Argument(metavar="PLANT...", help="Patterns such as 'LYON*' too.")


@qa_app.command("check")
def check(
    plants: Annotated[
        list[str] | None, typer.Argument(metavar="[PLANT]...", help="Patterns too; all if left out.")
    ] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Have what serves in test forecast from the newest readings, and see how it would have fared in the last week.

    Changes nothing. Exits with 1 where a forecast cannot be true.

    For example:

    fleetcast qa check

    fleetcast qa check LYON --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.cli.forecast_table import watched
    from fleetcast.cli.releases_views import print_checked
    from fleetcast.views.releases import checked_as_json

    opened = open_fleet(fleet)
    checking = opened.checking_served
    wanted = plants or ()
    total = sum(len(one.release.circuits) for one in checking.releases(wanted))
    found = list(watched(checking(opened.fleet, wanted), total))
    if view is View.JSON:
        show_json(checked_as_json(found))
    else:
        print_checked(found, console(wide=wide))
    if any(one.why_not for one in found):
        raise typer.Exit(1)


@qa_app.command("sign-off")
def sign_off(
    plants: Annotated[list[str], _PLANTS],
    comment: CommentOption = "",
    fleet: FleetOption = Path(),
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Mark every version that plants are served by in test as fit for production: of all of them, or of none.

    Each is tried on the newest readings first, as `qa check` does; what it did is kept with who signed it off.

    For example:

    fleetcast qa sign-off PLANT001 --comment "looked at a week of forecasts"

    fleetcast qa sign-off 'LYON*' --comment "all of Lyon, against last week's readings"
    """
    from fleetcast.app import open_fleet
    from fleetcast.cli.forecast_table import watched
    from fleetcast.cli.releases_views import print_checked
    from fleetcast.views.releases import outline_in_words

    opened = open_fleet(fleet)
    done = opened.signing_off(opened.fleet, plants, comment, lambda each, total: iter(watched(each, total)))
    print_checked(done.checked, console(wide=wide))
    for release in done.releases:
        say(f"{release} is signed off: {outline_in_words(release.release)}")
