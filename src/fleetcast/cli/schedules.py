"""`fleetcast schedules`: what starts by itself, and the process that starts it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption, duration_of
from fleetcast.cli.output import console, say, show_json

schedules_app = typer.Typer(
    no_args_is_help=True, help="See what starts by itself and what came of it, or start it."
)


@schedules_app.command("list")
def list_schedules(
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List what starts by itself: when it is next, how it ended last, how long it took, and what was missed.

    For example:

    fleetcast schedules list

    fleetcast schedules list --format json
    """
    from fleetcast.app import open_books
    from fleetcast.cli.schedules_views import print_schedules
    from fleetcast.views.schedules import schedules_as_json

    shown = open_books(fleet).schedules()
    if view is View.JSON:
        show_json(schedules_as_json(shown))
    else:
        print_schedules(shown, console(wide=wide))


@schedules_app.command("run")
def run_schedules(
    every: Annotated[str, typer.Option(metavar="DURATION", help="How often it looks what is due.")] = "10s",
    fleet: FleetOption = Path(),
) -> None:
    """Start what `schedules` in `fleetcast.yaml` says, as commands of their own, until Ctrl-C or SIGTERM.

    `fleetcast up` runs this. One process of a fleet does so at a time; others wait until it ends. Each due instant has
    one turn, which is on record before its command starts. What was due while nobody was there is made up for once;
    of forecasts, each day of the last week. A command that fails is tried again, later each time, five times in all;
    then the audit log says so. What commands print is kept below the state folder, in `schedules`.

    For example:

    fleetcast schedules run

    fleetcast schedules run --every 1min
    """
    from fleetcast.app import open_books

    length, ended = duration_of(every), list[int]()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: ended.append(number))
    keeping = open_books(fleet).keeping_schedules(fleet, lambda line: say(line, err=True))
    keeping(length, lambda: bool(ended))
