"""`fleetcast models`: which version each circuit uses, how good it is, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, show_json

models_app = typer.Typer(
    no_args_is_help=True, help="Look at registered models, their metrics and their lineage."
)


@models_app.command("list")
def list_models(
    plant: Annotated[str | None, typer.Option(help="Only this plant.")] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the circuits with the model version each uses: how good it is, and whether it is promoted.

    Skill is 1 − MAE / MAE of the strongest forecast that needs no model (last reading, a season found in the
    readings, day or week), MASE the error in units of the training data's own change over that season, cover 80 the
    share of held-out readings inside the 80 % interval (0.80 is ideal).

    For example:

    fleetcast models list

    fleetcast models list --plant PLANT001 --format json
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.models_views import print_rows
    from fleetcast.views.models import rows_as_json

    rows = open_asking(fleet).models(plant)
    if view is View.JSON:
        show_json(rows_as_json(rows))
    else:
        print_rows(rows, console(wide=wide))


@models_app.command("show")
def show_model(
    model: Annotated[
        str,
        typer.Argument(
            metavar="PLANT/CIRCUIT[:VERSION]", help="Or a model's name, with :VERSION or without."
        ),
    ],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show all versions of one model, what changed between them, and one version in detail.

    For example:

    fleetcast models show PLANT001/CIRCUIT01

    fleetcast models show PLANT001/CIRCUIT01:2

    fleetcast models show plant001-circuit01:2 --format json
    """
    from fleetcast.app import open_asking
    from fleetcast.cli.models_views import print_history
    from fleetcast.views.models import history_as_json

    history = open_asking(fleet).model(model)
    if view is View.JSON:
        show_json(history_as_json(history))
    else:
        print_history(history, console(wide=wide))


@models_app.command("verify")
def verify_models(
    circuits: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLANT/CIRCUIT]...", help="Patterns with * and ?; all circuits if left out."),
    ] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Read every byte of the models in use, and name those that are lost or damaged.

    The champion of each circuit and the version it uses are compared with the digests they were registered with.
    `fleetcast plan` and `status` look at presence and size alone. Exits with 1 if a model cannot be loaded.

    For example:

    fleetcast models verify

    fleetcast models verify 'PLANT001/*' --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.cli.models_views import print_verified, verifying
    from fleetcast.views.models import verified_as_json

    opened = open_fleet(fleet)
    if view is View.JSON:
        verified = opened.verifying_models(opened.fleet, circuits or ())
        show_json(verified_as_json(verified))
    else:
        with verifying() as report:
            verified = opened.verifying_models(opened.fleet, circuits or (), report)
        print_verified(verified, console())
    if verified.unloadable:
        raise typer.Exit(1)
