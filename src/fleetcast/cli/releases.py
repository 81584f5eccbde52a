"""`fleetcast releases`: what each plant is served by, what a release holds, and what lies between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, say_line, show_json

releases_app = typer.Typer(
    no_args_is_help=True, help="Look at releases: which model version each circuit of a plant is served by."
)
_NAME = "ENV/PLANT[:NUMBER]"


@releases_app.command("list")
def list_releases(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENV/PLANT]", help="Its history; every plant if left out.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of one plant's, newest first.")] = 20,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the plants that were released with what serves them, or the releases of one plant.

    For example:

    fleetcast releases list

    fleetcast releases list prod/PLANT001 --limit 5
    """
    from fleetcast.app import open_books
    from fleetcast.cli.releases_views import print_endpoints, print_history
    from fleetcast.domain.release import Endpoint
    from fleetcast.views.releases import endpoints_as_json, history_as_json

    releases = open_books(fleet).releases
    if endpoint is None:
        rows = releases.endpoints()
        if view is View.JSON:
            show_json(endpoints_as_json(rows))
        else:
            print_endpoints(rows, console(wide=wide))
        return
    history = releases.history(Endpoint.parse(endpoint), limit)
    if view is View.JSON:
        show_json(history_as_json(history))
    else:
        print_history(history, console(wide=wide))


@releases_app.command("show")
def show_release(
    release: Annotated[str, typer.Argument(metavar=_NAME, help="Without a number, the one that serves.")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show which model version each circuit of a plant is served by in a release.

    For example:

    fleetcast releases show prod/PLANT001

    fleetcast releases show test/PLANT001:3 --format json
    """
    from fleetcast.app import open_books
    from fleetcast.cli.releases_views import print_release
    from fleetcast.domain.release import ReleaseName
    from fleetcast.views.releases import release_as_json

    shown = open_books(fleet).releases.show(ReleaseName.parse(release))
    if view is View.JSON:
        show_json(release_as_json(shown))
    else:
        print_release(shown, console(wide=wide))


@releases_app.command("diff")
def diff_releases(
    before: Annotated[
        str,
        typer.Argument(metavar=_NAME, help="Alone: against what the fleet declares, if it were deployed."),
    ],
    after: Annotated[str | None, typer.Argument(metavar=f"[{_NAME}]", help="Of the same plant.")] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Show what a release changes for the clients of a plant.

    With one endpoint, shows what deploying the fleet as it is declared now would change there, and which circuits would
    keep the version that serves, and why.

    For example:

    fleetcast releases diff prod/PLANT001:3 prod/PLANT001:4

    fleetcast releases diff test/PLANT001 prod/PLANT001

    fleetcast releases diff test/PLANT001
    """
    from fleetcast.app import open_books, open_fleet
    from fleetcast.domain.errors import BadInput
    from fleetcast.domain.release import ReleaseName
    from fleetcast.views.releases import diff_as_json, diff_in_words

    first = ReleaseName.parse(before)
    if after is not None:
        diff = open_books(fleet).releases.diff(first, ReleaseName.parse(after))
    elif first.number is not None:
        raise BadInput(
            f"{before} alone has nothing to be compared with",
            fix=f"name a second release, or {first.endpoint} for what a deployment would change",
        )
    else:
        opened = open_fleet(fleet)
        diff = opened.undeployed(opened.fleet, first.endpoint)
    if view is View.JSON:
        show_json(diff_as_json(diff))
    else:
        for line in diff_in_words(diff):
            say_line(console(), line)
