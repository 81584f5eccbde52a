"""`fleetcast serve`: answer clients of an environment with forecasts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.options import FleetOption
from fleetcast.cli.output import say
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

_LIBRARIES = ("granian", "orjson", "prometheus_client")


def missing_libraries() -> list[str]:
    """Those that serving needs, and that are not installed."""
    return [name for name in _LIBRARIES if find_spec(name) is None]


def serve(
    environment: Annotated[EnvironmentName, typer.Argument(help="test or prod.")],
    fleet: FleetOption = Path(),
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8585,
    memory: Annotated[
        int, typer.Option(min=64, help="MiB for models: the longest unused are let go.")
    ] = 2048,
) -> None:
    """Serve the forecasts of an environment: POST /endpoints/PLANT/score, with a key of that endpoint.

    What is served is what `fleetcast deploy` brought there; changes are seen within a moment, and drop no request. A
    new release runs in a process of its own until it has proved itself.

    For example:

    fleetcast serve prod

    fleetcast serve test --port 8586
    """
    if missing := missing_libraries():
        raise BadInput(
            f"serving needs {', '.join(missing)}, which is not installed",
            fix="pip install 'fleetcast[serving]'",
        )
    from fleetcast.app import open_serving
    from fleetcast.pipeline.releases import check_served_in
    from fleetcast.serving.start import ServeAt
    from fleetcast.serving.start import serve as run

    check_served_in(environment)
    opened = open_serving(fleet, environment)

    def ready(url: str) -> None:
        say(f"fleetcast serves {environment} at {url}")

    run(opened, ServeAt(host, port, memory * 2**20), ready)
    say("ended", err=True)
