"""`fleetcast deploy`: take releases to clients, and see how far they are."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from fleetcast.cli.options import (
    AwaitingOption,
    FleetOption,
    LockOption,
    View,
    ViewOption,
    WideOption,
    duration_of,
)
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.app import OpenFleet
    from fleetcast.domain.deployment import Deployment
    from fleetcast.domain.settings import Settings
    from fleetcast.workflows.advance_rollouts import Moved

LOOKS_EVERY_SECONDS = 1.0
_LOOKS_BEFORE_A_HINT = 5
AT_ONCE = timedelta(0)


class What(StrEnum):
    """What is deployed to, or that one only looks."""

    TEST = "test"
    PROD = "prod"
    STATUS = "status"


def deploy(
    what: Annotated[What | None, typer.Argument(help="Where to deploy; status only looks.")] = None,
    plants: Annotated[
        list[str] | None,
        typer.Option("--plants", metavar="PATTERN", help="Such as 'LYON*'; may be repeated. Default: all."),
    ] = None,
    *,
    step: Annotated[
        bool, typer.Option("--step", help="Move every deployment that runs on by one step, and exit.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="With --step: again and again, so often.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Go on step by step until it is over, or waits for people.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="With status: follow it until nothing runs.")
    ] = False,
    any_branch: Annotated[
        bool,
        typer.Option(
            "--any-branch", help="From a branch that does not lead there; needs that right, and is noted."
        ),
    ] = False,
    awaiting_ok: AwaitingOption = False,
    lock_timeout: LockOption = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,
) -> None:
    """Deploy what the fleet declares, as far as it is promoted (and for prod signed off), after approval at the gate.

    Asks once for all plants; run it again after the approval. Plants go in waves, shares of their traffic in steps, and
    a release that does worse than it should is rolled back by itself: `--step` or `--wait` move it on. Exits with 3
    while it awaits approval, with 1 where a plant was rolled back.

    For example:

    fleetcast deploy test

    fleetcast deploy prod --plants LYON --wait

    fleetcast deploy --step

    fleetcast deploy --step --every 2s

    fleetcast deploy status --watch
    """
    from fleetcast.app import open_fleet
    from fleetcast.cli.deploy_views import print_deployed
    from fleetcast.views.deployments import deployed_as_json

    if step == (what is not None):
        raise BadInput("nothing says what to do", fix="name test, prod or status, or give --step alone")
    if every is not None and not step:
        raise BadInput("--every says how often --step is taken", fix="add --step")
    if every is not None:
        _keep_stepping(fleet, duration_of(every))
    opened = open_fleet(fleet)
    patience = AT_ONCE if lock_timeout is None else duration_of(lock_timeout)
    if step:
        for environment in opened.deployments().running_in:
            _hint(opened.advancing(environment, lock_timeout=patience), opened.fleet.settings)
    if what is None or what is What.STATUS:
        _show_status(opened, view, watch=watch, wide=wide)
        return
    environment = EnvironmentName(what.value)
    made = opened.deploying(os.environ)(
        opened.fleet, environment, plants or (), any_branch=any_branch, lock_timeout=patience
    )
    deployment = _waited(opened, made.deployment, patience) if wait else made.deployment
    if view is View.JSON:
        show_json(deployed_as_json(made, deployment))
    else:
        print_deployed(
            made, deployment, opened.deployments().rollouts_of(deployment) if wait else (), console()
        )
    _tell_agent(deployment)
    if deployment is not None:
        raise typer.Exit(_exit_code(deployment, awaiting_ok=awaiting_ok))


def _keep_stepping(fleet: Path, pause: timedelta) -> NoReturn:
    """Move on whatever runs until this process is ended; what goes wrong is said, and tried again."""
    from fleetcast.app import open_controller
    from fleetcast.pipeline.releases import SERVED_IN
    from fleetcast.ports.clock import SystemClock

    clock, said = SystemClock(), ""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    advancing = open_controller(fleet, clock)
    while True:
        try:
            for environment in SERVED_IN:
                advancing(environment, lock_timeout=AT_ONCE)
            said = ""
        except FleetcastError as error:
            if str(error) != said:
                said = str(error)
                say(f"releases do not move on, and it is tried again: {said}", err=True)
        clock.sleep(pause)


def _tell_agent(deployment: Deployment | None) -> None:
    from fleetcast.cli.agent import Agent
    from fleetcast.domain.deployment import DeploymentState

    waits = deployment is not None and deployment.state is DeploymentState.WAITING
    number = "" if deployment is None else str(deployment.number)
    Agent().outputs(deployment=number, awaiting=str(waits).lower())


def _exit_code(deployment: Deployment, *, awaiting_ok: bool) -> int:
    from fleetcast.domain.deployment import DeploymentState

    ends = {
        DeploymentState.WAITING: 0 if awaiting_ok else 3,
        DeploymentState.HALTED: 1,
        DeploymentState.REFUSED: 1,
    }
    return ends.get(deployment.state, 0)


def _hint(moved: Sequence[Moved], settings: Settings) -> None:
    """Say of which plants no server has said anything, lest somebody waits for ever."""
    silent = [
        str(one.rollout.endpoint) for one in moved if not one.seen and not one.rollout.rollout.phase.is_over
    ]
    if silent:
        from fleetcast.views.deployments import silence_in_words

        say(silence_in_words(silent, settings), err=True)


def _show_status(opened: OpenFleet, view: View, *, watch: bool, wide: bool) -> None:
    from fleetcast.cli.deploy_views import follow, print_status
    from fleetcast.views.deployments import status_as_json

    if watch:
        follow(opened.deployments, console(wide=wide), lambda: time.sleep(LOOKS_EVERY_SECONDS))
    elif view is View.JSON:
        show_json(status_as_json(opened.deployments()))
    else:
        print_status(opened.deployments(), console(wide=wide))


def _waited(opened: OpenFleet, deployment: Deployment | None, patience: timedelta) -> Deployment | None:
    """Go on step by step until it is over, or waits for people."""
    from fleetcast.domain.deployment import DeploymentState

    looks = 0
    while deployment is not None and deployment.state is DeploymentState.RUNNING:
        moved = opened.advancing(deployment.plan.environment, lock_timeout=patience)
        looks += 1
        if looks == _LOOKS_BEFORE_A_HINT:
            _hint(moved, opened.fleet.settings)
        deployment = opened.deployments().of(deployment)
        if deployment.state is DeploymentState.RUNNING:
            time.sleep(LOOKS_EVERY_SECONDS)
    return deployment
