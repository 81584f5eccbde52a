"""`fleetcast score`, `explain-forecast` and `affected`: publish the forecasts of a fleet, and trace them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import (
    FleetOption,
    LockOption,
    PatternsOption,
    View,
    ViewOption,
    day_of,
    duration_of,
)
from fleetcast.cli.output import console, progress, say, say_line, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.app import OpenFleet
    from fleetcast.workflows.score import FleetScored


class Export(StrEnum):
    """How rows are written."""

    CSV = "csv"
    PARQUET = "parquet"


_EnvironmentArgument = Annotated[EnvironmentName, typer.Argument(help="test or prod.")]
_DateOption = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="By UTC. Default: today.")
]


def score(
    environment: _EnvironmentArgument,
    day: _DateOption = None,
    circuits: PatternsOption = None,
    *,
    supersede: Annotated[
        bool,
        typer.Option("--supersede", help="Publish another issue for circuits whose forecasts are there."),
    ] = False,
    export: Annotated[
        Export | None, typer.Option(help="Write the rows of that day to a file as well.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: forecasts-ENV-DATE.csv, or .parquet.")
    ] = None,
    on_platform: Annotated[
        bool,
        typer.Option(
            "--on-platform",
            help="Let the platform do it (Azure ML: a batch endpoint), once for each day. Say it again to look.",
        ),
    ] = False,
    lock_timeout: LockOption = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Forecast the fleet by its live releases, and publish that for a day in the table of forecasts.

    Once for each circuit and day: run it again as often as you like. A forecast that cannot be true is kept back, and
    the previous model, the seasonal naive forecast or the last good value takes its place; each row says so. A past
    day is forecast from the readings before it began. Readers see the last issue of each circuit; older versions of
    the table keep the others. Exits with 1 where something could not be forecast at all.

    For example:

    fleetcast score prod

    fleetcast score prod --circuits 'LYON/*' --supersede

    fleetcast score prod --date 2025-11-01 --export csv

    fleetcast score prod --on-platform
    """
    from fleetcast.app import open_fleet
    from fleetcast.views.scoring import scored_as_json, scored_in_words

    if to is not None and export is None:
        raise BadInput(
            "--to names a file and nothing says how to write it", fix="add --export csv or parquet"
        )
    opened = open_fleet(fleet)
    if on_platform:
        if export is not None:
            raise BadInput(
                "a job of the platform writes no file here", fix="add --export to a later `fleetcast score`"
            )
        _begin_on_platform(opened, environment, day, circuits or (), view, supersede=supersede)
        return
    with progress("forecasting") as told:
        found = opened.scoring(
            opened.fleet,
            environment,
            day=None if day is None else day_of(day),
            patterns=circuits or (),
            supersede=supersede,
            lock_timeout=timedelta(0) if lock_timeout is None else duration_of(lock_timeout),
            progress=told,
        )
    if view is View.JSON:
        show_json(scored_as_json(found))
    else:
        for line in scored_in_words(found):
            say_line(console(), line)
    if export is not None:
        _export(opened, found, export, to, circuits or [])
    if found.not_scored:
        raise typer.Exit(1)


def _begin_on_platform(
    opened: OpenFleet,
    environment: EnvironmentName,
    day: str | None,
    circuits: Sequence[str],
    view: View,
    *,
    supersede: bool,
) -> None:
    """Begin it there, or show how it stands; ends with 1 where it failed."""
    from fleetcast.domain.remote_run import RemoteState
    from fleetcast.views.remote_runs import scored_remotely_as_json, scored_remotely_in_words

    scored = opened.scoring_on_platform(
        opened.fleet,
        environment,
        day=None if day is None else day_of(day),
        patterns=circuits,
        supersede=supersede,
    )
    if view is View.JSON:
        show_json(scored_remotely_as_json(scored))
    else:
        for line in scored_remotely_in_words(scored):
            say(line)
    if scored.run.state is RemoteState.FAILED:
        raise typer.Exit(1)


def explain_forecast(
    circuit: Annotated[str, typer.Argument(metavar="ENV/PLANT/CIRCUIT")],
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Default: the last that is published.")
    ] = None,
    table_version: Annotated[
        int | None, typer.Option(help="Of the table of forecasts, for an earlier issue. Default: the newest.")
    ] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Trace a published forecast: to its model, training hash, commit, readings, and who approved it.

    For example:

    fleetcast explain-forecast prod/PLANT001/CIRCUIT01

    fleetcast explain-forecast prod/PLANT001/CIRCUIT01 --date 2025-11-01 --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.release import Endpoint
    from fleetcast.views.scoring import traced_as_json, traced_in_words

    place, slash, name = circuit.rpartition("/")
    if not slash or "/" not in place:
        raise BadInput(f"{circuit!r} names no circuit", fix="write it as in prod/PLANT001/CIRCUIT01")
    endpoint = Endpoint.parse(place)
    CircuitKey(endpoint.plant, name)
    traced = open_fleet(fleet).explaining(
        endpoint, name, day=None if day is None else day_of(day), version=table_version
    )
    if view is View.JSON:
        show_json(traced_as_json(traced))
        return
    for line in traced_in_words(traced):
        say_line(console(), line)


def affected(
    delta_version: Annotated[int, typer.Option(min=0, help="Of the readings that turned out to be wrong.")],
    source: Annotated[str, typer.Option(help="Which data source.")] = "readings",
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Find what came of a version of the readings: models, releases that serve them, and published forecasts.

    For example:

    fleetcast affected --delta-version 12

    fleetcast affected --delta-version 12 --source historian --format json
    """
    from fleetcast.app import open_fleet
    from fleetcast.views.scoring import affected_as_json, affected_in_words

    found = open_fleet(fleet).finding_affected(source, delta_version)
    if view is View.JSON:
        show_json(affected_as_json(found))
        return
    for line in affected_in_words(found):
        say_line(console(), line)


def _export(
    opened: OpenFleet, found: FleetScored, export: Export, to: Path | None, patterns: list[str]
) -> None:
    """Write what readers see of that day."""
    import io

    from fleetcast.cli.whole_file import write_whole

    rows = opened.published(found.environment, found.day, patterns)
    content = io.BytesIO()
    if export is Export.CSV:
        rows.write_csv(content)
    else:
        rows.write_parquet(content, compression="zstd")
    path = to or Path(f"forecasts-{found.environment}-{found.day}.{export}")
    write_whole(path, content.getvalue())
    say(f"wrote {path}: {len(rows):,} rows", err=True)
