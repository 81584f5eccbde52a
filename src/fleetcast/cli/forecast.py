"""`fleetcast forecast`: what a circuit's sensors will do, and how sure the model is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, moment
from fleetcast.cli.output import show_json
from fleetcast.domain.identity import CircuitKey


def forecast(
    circuit: Annotated[str, typer.Argument(metavar="PLANT/CIRCUIT", help="Which circuit.")],
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
) -> None:
    """Forecast a circuit from its newest readings, with 80 % and 95 % intervals.

    For example:

    fleetcast forecast PLANT001/CIRCUIT01

    fleetcast forecast PLANT001/CIRCUIT01 --sensor temperature --png forecast.png --html forecast.html

    fleetcast forecast PLANT001/CIRCUIT01 --at 2025-11-01 --model-version 2

    fleetcast forecast PLANT001/CIRCUIT01 --format json | jq .sensors.temperature.point
    """
    key = CircuitKey.parse(circuit)
    origin = None if at is None else moment(at)

    from fleetcast.app import open_fleet
    from fleetcast.views.forecast import as_json, view_of

    opened = open_fleet(fleet)
    made = opened.forecasting(
        opened.fleet.circuit(key), at=origin, version=model_version, delta_version=delta_version
    )
    laid_out = view_of(made, sensor or ())
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
            typer.echo(f"wrote {written}", err=True)
