"""`fleetcast monitor`: look at what is deployed, and bring the alarms up to date."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import (
    FleetOption,
    LockOption,
    PatternsOption,
    View,
    ViewOption,
    duration_of,
    moment,
)
from fleetcast.cli.output import console, progress, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.workflows.monitor import Monitored


def monitor(
    environment: Annotated[EnvironmentName, typer.Argument(help="dev, test or prod.")],
    circuits: PatternsOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="MOMENT", help="Look as of then. Default: now."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="DURATION", help="Look again and again, so long apart: 1h, 15min."),
    ] = None,
    lock_timeout: LockOption = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Look at what is deployed, and update the alarms: at readings, forecasts, endpoints and training.

    Shows what needs somebody, the most harmful first, what recovered, and what could not be measured and why. Readings
    are held against those that each deployed version was trained on; in dev against those of the champions. What was
    seen is kept in the table of observations. Exits with 0 whatever is found, as an alarm is no failure of the look;
    with 1 where something could not be read.

    For example:

    fleetcast monitor prod

    fleetcast monitor test --circuits 'PLANT001/*' --format json

    fleetcast monitor prod --every 1h
    """
    from fleetcast.ports.clock import SystemClock

    if every is not None and at is not None:
        raise BadInput("--every looks at the present, --at at a past moment", fix="give one of the two")
    pause = None if every is None else duration_of(every)
    if pause is not None and pause <= timedelta(0):
        raise BadInput(f"--every {every} leaves no time between looks", fix="write 15min or more")
    waits = timedelta(0) if lock_timeout is None else duration_of(lock_timeout)
    while True:
        found = _looked(environment, circuits or [], at, waits, fleet)
        _show(found, view)
        if pause is None:
            break
        sys.stdout.flush()
        SystemClock().sleep(pause)
    if found.not_looked:
        raise typer.Exit(1)


def _looked(
    environment: EnvironmentName, patterns: list[str], at: str | None, waits: timedelta, fleet: Path
) -> Monitored:
    from fleetcast.app import open_fleet

    opened = open_fleet(fleet)
    with progress("looking") as told:
        return opened.monitoring(
            opened.fleet,
            environment,
            at=None if at is None else moment(at),
            patterns=patterns,
            lock_timeout=waits,
            progress=told,
        )


def _show(found: Monitored, view: View) -> None:
    from fleetcast.views.alarms import monitored_as_json, monitored_in_words

    if view is View.JSON:
        show_json(monitored_as_json(found))
        return
    for line in monitored_in_words(found):
        console().print(line, soft_wrap=True)
