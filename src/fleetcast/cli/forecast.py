"""`fleetcast forecast`: what a circuit's sensors will do, and how sure the model is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption, moment
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey

if TYPE_CHECKING:
    from fleetcast.cli.plain_rich import Console
    from fleetcast.workflows.forecast import CircuitForecast

_PATTERN = frozenset("*?[")
"""What makes the name of a circuit a pattern: no id holds one of these."""


def forecast(
    circuit: Annotated[
        str, typer.Argument(metavar="PLANT/CIRCUIT", help="Which circuit; 'PLANT001/*' for many.")
    ],
    sensor: Annotated[
        list[str] | None, typer.Option(help="Show this sensor; may be repeated. Default: all.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="Use only readings before this date or instant, and show what came true."
        ),
    ] = None,
    model_version: Annotated[
        int | None, typer.Option(help="Default: the champion, else the newest that nobody refused.")
    ] = None,
    delta_version: Annotated[
        int | None, typer.Option(help="Version of the readings. Default: the newest.")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture as well.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page that needs nothing else.")
    ] = None,
    view: ViewOption = View.TEXT,
    fleet: FleetOption = Path(),
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Forecast a circuit from its newest readings, with 80 % and 95 % intervals.

    For example:

    fleetcast forecast PLANT001/CIRCUIT01

    fleetcast forecast PLANT001/CIRCUIT01 --sensor temperature --png forecast.png --html forecast.html

    fleetcast forecast PLANT001/CIRCUIT01 --at 2025-11-01 --model-version 2

    fleetcast forecast PLANT001/CIRCUIT01 --format json | jq .sensors.temperature.point

    fleetcast forecast 'PLANT001/*' --sensor temperature
    """
    origin = None if at is None else moment(at)
    if not _PATTERN.isdisjoint(circuit):
        if png is not None or html is not None or model_version is not None:
            raise BadInput(
                "pictures, pages and model versions are of one circuit", fix="name it, without * or ?"
            )
        _many(
            fleet,
            circuit,
            sensor or (),
            origin,
            delta_version,
            None if view is View.JSON else console(wide=wide),
        )
        return
    made = _one(fleet, circuit, origin, model_version, delta_version)
    _show(made, sensor or (), png, html, view)


def _one(
    fleet: Path, circuit: str, at: datetime | None, version: int | None, delta_version: int | None
) -> CircuitForecast:
    key = CircuitKey.parse(circuit)

    from fleetcast.app import open_fleet

    opened = open_fleet(fleet)
    return opened.forecasting(opened.fleet.circuit(key), at=at, version=version, delta_version=delta_version)


def _show(
    made: CircuitForecast, sensors: Sequence[str], png: Path | None, html: Path | None, view: View
) -> None:
    from fleetcast.views.forecast import as_json, view_of

    laid_out = view_of(made, sensors)
    if png is not None:
        from fleetcast.cli.forecast_picture import as_png
        from fleetcast.cli.whole_file import write_whole

        write_whole(png, as_png(laid_out))
    if html is not None:
        from fleetcast.cli.forecast_page import as_page
        from fleetcast.cli.whole_file import write_whole

        write_whole(html, as_page(laid_out).encode())
    if view is View.JSON:
        show_json(as_json(laid_out, made.provenance))
        return
    from fleetcast.cli.forecast_text import as_text, wants_colour, width_to_fill

    typer.echo(as_text(laid_out, width=width_to_fill(), colour=wants_colour()), color=wants_colour())
    for written in (png, html):
        if written is not None:
            say(f"wrote {written}", err=True)


def _many(
    fleet: Path,
    pattern: str,
    sensors: Sequence[str],
    at: datetime | None,
    delta_version: int | None,
    shown: Console | None,
) -> None:
    """Forecast all circuits that a pattern matches, for programs if not shown; exit code 1 if one could not be."""
    from fleetcast.app import open_fleet
    from fleetcast.cli.forecast_table import print_forecasts, watched
    from fleetcast.views.forecast import many_as_json, views_of
    from fleetcast.workflows.forecast_many import NotForecast, forecast_many
    from fleetcast.workflows.inspect_circuits import choose

    opened = open_fleet(fleet)
    circuits = choose(opened.fleet.circuits, [pattern])
    made: list[CircuitForecast] = []
    failed: list[NotForecast] = []
    each = forecast_many(opened.forecasting, circuits, at=at, delta_version=delta_version)
    for one in watched(each, len(circuits)):
        if isinstance(one, NotForecast):
            failed.append(one)
        else:
            made.append(one)
    laid_out = views_of(made, sensors)
    if shown is None:
        show_json(many_as_json(laid_out, failed))
    else:
        print_forecasts([one for one, _ in laid_out], shown)
    for lacking in failed:
        said, fix = str(lacking.error), lacking.error.fix
        named = said if str(lacking.key) in said else f"{lacking.key}: {said}"
        say(f"error: {named}" + (f" ({fix})" if fix else ""), err=True)
    if failed:
        raise typer.Exit(1)
