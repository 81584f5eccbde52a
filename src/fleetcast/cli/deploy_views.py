"""Deployments as tables, and followed live."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group
from rich.live import Live

from fleetcast.cli.output import say_line
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Table, an_id, command, numbers, words
from fleetcast.domain.deployment import Deployment, DeploymentState, PlantRollout
from fleetcast.domain.rollout import Phase
from fleetcast.domain.traffic import Traffic
from fleetcast.views.deployments import deployed_in_words, override_in_words, rollout_in_words
from fleetcast.workflows.deploy import Deployed
from fleetcast.workflows.inspect_deployments import DeploymentStatus

_STYLES = {Phase.DONE: "green", Phase.ROLLED_BACK: "red", Phase.RAMPING: "yellow", Phase.STARTING: "yellow"}


def print_deployed(
    made: Deployed, deployment: Deployment | None, rollouts: Sequence[PlantRollout], console: Console
) -> None:
    """Show what came of deploying; arguments as of `deployed_in_words`."""
    for line in deployed_in_words(made, deployment, rollouts):
        say_line(console, line)


def print_status(status: DeploymentStatus, console: Console) -> None:
    """Show how everything stands."""
    console.print(_standing(status), soft_wrap=True)


def follow(
    look: Callable[[], DeploymentStatus], console: Console, pause: Callable[[], None]
) -> DeploymentStatus:
    """Show it again and again until nothing runs."""
    status = look()
    with Live(_standing(status), console=console, auto_refresh=False, transient=True) as live:
        while any(one.state is DeploymentState.RUNNING for one in status.deployments):
            pause()
            status = look()
            live.update(_standing(status), refresh=True)
    print_status(status, console)
    return status


def _standing(status: DeploymentStatus) -> Group:
    going = [one for one in status.deployments if not one.state.is_over]
    if not (status.traffic or going or status.blocked):
        return Group(Text("Nothing was deployed yet.", "dim"), Text("  fleetcast deploy test", "dim"))
    parts: list[Table | Text] = []
    if status.traffic:
        parts.append(_endpoints(status))
    parts += [Text(f"{one}: {one.state.value}", "dim") for one in going]
    if status.blocked:
        rows = [(Text(version, "red"), f"fleetcast unblock {version}") for version in status.blocked]
        parts.append(Table((an_id("blocked"), command("to use it again")), rows))
    apart = [Text() if place % 2 else parts[place // 2] for place in range(2 * len(parts) - 1)]
    return Group(*apart)


def _endpoints(status: DeploymentStatus) -> Table:
    columns = an_id("endpoint"), an_id("blue"), an_id("green"), numbers("green has"), words("rollout")
    rollouts = {one.endpoint: one for one in status.rollouts}
    return Table(columns, [_endpoint(one, rollouts.get(one.endpoint)) for one in status.traffic])


def _endpoint(one: Traffic, rollout: PlantRollout | None) -> tuple[Cell, ...]:
    said = (
        Text() if rollout is None else Text(rollout_in_words(rollout), _STYLES.get(rollout.rollout.phase, ""))
    )
    for override in one.overrides:
        said.append("; " if said.plain else "").append(override_in_words(override), "yellow")
    return (
        str(one.endpoint),
        None if one.blue is None else one.blue.short,
        None if one.green is None else one.green.short,
        None if one.green is None else f"{one.share} %",
        said,
    )
