"""`fleetcast rollback`, `hold` and `unblock`: what an operator types at three in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption, View, model_version, moment
from fleetcast.cli.output import say
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.app import OpenFleet
    from fleetcast.workflows.rollback import RolledBack

AT_ONCE = timedelta(seconds=30)


def rollback(
    environment: Annotated[EnvironmentName, typer.Argument(help="test or prod.")],
    what: Annotated[str | None, typer.Argument(metavar="[PLANT[/CIRCUIT]]", help="Or --all.")] = None,
    to: Annotated[
        int | None, typer.Option(min=1, help="Release of a plant, or version of a circuit's model.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why; kept in the audit log.")] = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every plant of the environment.")] = False,
    write_back: Annotated[
        bool,
        typer.Option("--write-back", help="Let the circuit files declare it too; commit that yourself."),
    ] = False,
    fleet: FleetOption = Path(),
) -> None:
    """Have clients answered by what served before, within moments. Asks nobody.

    What is rolled back is blocked: no later commit brings it back until `fleetcast unblock`. Siblings stay as they are.

    For example:

    fleetcast rollback prod PLANT001/CIRCUIT01

    fleetcast rollback prod PLANT001 --to 3 --reason "forecasts off by 100"

    fleetcast rollback prod PLANT001/CIRCUIT01 --write-back

    fleetcast rollback prod --all
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.release import Endpoint

    if (what is None) != everything:
        raise BadInput("nothing says what to roll back", fix="name a plant, PLANT/CIRCUIT, or --all")
    opened = open_fleet(fleet)
    rolling = opened.rolling_back
    if what is None:
        done = rolling.everything(environment, reason, lock_timeout=AT_ONCE)
    else:
        plant, slash, circuit = what.partition("/")
        endpoint = Endpoint(environment, plant)
        done = [
            rolling.circuit(endpoint, circuit, reason, to=to, lock_timeout=AT_ONCE)
            if slash
            else rolling.plant(endpoint, reason, to=to, lock_timeout=AT_ONCE)
        ]
    for one in done:
        blocked = f"; blocked: {', '.join(one.blocked)}" if one.blocked else ""
        say(f"{one.before} → {one.after}{blocked}")
        if one.otherwise:
            say(
                f"  as they are, for their version then is blocked or its files are gone: {', '.join(one.otherwise)}"
            )
    if not done:
        say("nothing serves there that was served by another release before")
    if write_back and done:
        _write_back(opened, done)


def _write_back(opened: OpenFleet, done: Sequence[RolledBack]) -> None:
    from fleetcast.cli.circuits import report_edit

    written = opened.writing_back(opened.fleet, done)
    report_edit(written.edited, False, View.TEXT, "set back")  # noqa: FBT003  # it was written
    for key, settings in written.by_hand.items():
        say(f"by hand: {key} was trained with other {', '.join(settings)}", err=True)


def hold(
    circuit: Annotated[str, typer.Argument(metavar="PLANT/CIRCUIT")],
    use: Annotated[str | None, typer.Option(help="seasonal_naive, or the number of a version.")] = None,
    until: Annotated[
        str | None, typer.Option(help="A date, or an instant such as 2025-11-01T06:00Z.")
    ] = None,
    environment: Annotated[EnvironmentName, typer.Option("--env", help="Where.")] = EnvironmentName.PROD,
    *,
    end: Annotated[bool, typer.Option("--end", help="End a hold before its time.")] = False,
    fleet: FleetOption = Path(),
) -> None:
    """Have one circuit forecast by something simpler for a time, whatever is deployed meanwhile.

    For example:

    fleetcast hold PLANT001/CIRCUIT01 --use seasonal_naive --until 2025-11-03

    fleetcast hold PLANT001/CIRCUIT01 --end
    """
    from fleetcast.app import open_fleet
    from fleetcast.domain.identity import CircuitKey
    from fleetcast.domain.release import Endpoint
    from fleetcast.views.deployments import override_in_words

    key = CircuitKey.parse(circuit)
    holding, endpoint = open_fleet(fleet).holding, Endpoint(environment, key.plant)
    if end:
        holding.end(endpoint, key.circuit)
        say(f"{key} is forecast as its release says")
        return
    if use is None or until is None:
        raise BadInput(
            "a hold needs --use and --until", fix="such as --use seasonal_naive --until 2025-11-03"
        )
    say(override_in_words(holding(endpoint, key.circuit, use, moment(until))))


def unblock(
    model: Annotated[str, typer.Argument(metavar="MODEL:VERSION")],
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why it may be used again.")],
    fleet: FleetOption = Path(),
) -> None:
    """Let a version be used again that was rolled back.

    For example:

    fleetcast unblock plant001-circuit01:4 --reason "the sensor was wrong, not the model"
    """
    from fleetcast.app import open_fleet

    name, version = model_version(model)
    open_fleet(fleet).unblocking(name, version, reason)
    say(f"{model} may be used again")
