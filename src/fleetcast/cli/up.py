"""`fleetcast up`: everything that runs all the time, as one group of processes."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption, duration_of
from fleetcast.cli.output import say
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

_FIRST_PORT = 8585
_TOLD_EVERY = "5s"


def up(
    environments: Annotated[
        list[EnvironmentName] | None, typer.Argument(help="What to serve. Default: test and prod.")
    ] = None,
    fleet: FleetOption = Path(),
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=65000, help="Of the first server; the next one has the next.")
    ] = _FIRST_PORT,
    web_port: Annotated[int, typer.Option(min=1, max=65535, help="Of pages and API.")] = 8484,
    every: Annotated[
        str, typer.Option(metavar="DURATION", help="How often releases move on, and schedules are looked at.")
    ] = "2s",
    *,
    web: Annotated[bool, typer.Option("--web/--no-web", help="Whether pages and API are served too.")] = True,
) -> None:
    """Run what a fleet needs all the time: scoring servers, the controller of releases, notices, pages, API, schedules.

    Each is a process of its own, and is started again when it ends. Ctrl-C or SIGTERM ends all of them in good order.
    They are the commands `serve`, `deploy --step --every`, `web` and, while fleetcast.yaml declares channels or
    schedules, `notifications deliver --every` and `schedules run`: where something else watches processes, run those.

    For example:

    fleetcast up

    fleetcast up prod --port 8600 --no-web
    """
    from fleetcast.app.up import Group, Member
    from fleetcast.cli.serve import missing_libraries
    from fleetcast.config.settings_reader import load_settings
    from fleetcast.pipeline.releases import SERVED_IN, check_served_in
    from fleetcast.ports.clock import SystemClock

    if missing := missing_libraries():
        raise BadInput(
            f"serving needs {', '.join(missing)}, which is not installed",
            fix="pip install 'fleetcast[serving]'",
        )
    wanted = list(dict.fromkeys(environments or SERVED_IN))
    for environment in wanted:
        check_served_in(environment)
    duration_of(every)

    def declared() -> list[Member]:
        settings = load_settings(fleet)
        members = [
            Member(
                f"the server of {environment}",
                ("serve", environment.value, "--host", host, "--port", str(port + number)),
            )
            for number, environment in enumerate(wanted)
        ]
        members.append(Member("the controller", ("deploy", "--step", "--every", every)))
        if settings.notifications.channels:
            members.append(Member("notices", ("notifications", "deliver", "--every", _TOLD_EVERY)))
        if web:
            members.append(Member("web", ("web", "--port", str(web_port))))
        if settings.schedules:
            members.append(Member("schedules", ("schedules", "run", "--every", every)))
        return members

    group = Group(declared(), fleet, SystemClock(), lambda line: say(line, err=True), declared)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: group.end())
    group.run()
    say("ended", err=True)
