"""Deployments as tables, and followed live."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.live import Live

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.deployment import Deployment, DeploymentState, PlantRollout
from fleetcast.domain.rollout import Phase
from fleetcast.views.deployments import deployed_in_words, override_in_words, rollout_in_words
from fleetcast.workflows.deploy import Deployed
from fleetcast.workflows.inspect_deployments import DeploymentStatus

_STYLES = {Phase.DONE: "green", Phase.ROLLED_BACK: "red", Phase.RAMPING: "yellow", Phase.STARTING: "yellow"}


def print_deployed(
    made: Deployed, deployment: Deployment | None, rollouts: Sequence[PlantRollout], console: Console
) -> None:
    """Show what came of deploying; arguments as of `deployed_in_words`."""
    for line in deployed_in_words(made, deployment, rollouts):
        console.print(line)


def print_status(status: DeploymentStatus, console: Console) -> None:
    """Show how everything stands."""
    console.print(_table(status))


def follow(
    look: Callable[[], DeploymentStatus], console: Console, pause: Callable[[], None]
) -> DeploymentStatus:
    """Show it again and again until nothing runs."""
    status = look()
    with Live(_table(status), console=console, auto_refresh=False) as live:
        while any(one.state is DeploymentState.RUNNING for one in status.deployments):
            pause()
            status = look()
            live.update(_table(status), refresh=True)
    return status


def _table(status: DeploymentStatus) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("endpoint", "blue", "green", "green has", "rollout"):
        table.add_column(column, overflow="fold")
    rollouts = {one.endpoint: one for one in status.rollouts}
    for one in status.traffic:
        rollout = rollouts.get(one.endpoint)
        words = "" if rollout is None else rollout_in_words(rollout)
        style = "" if rollout is None else _STYLES.get(rollout.rollout.phase, "")
        table.add_row(
            str(one.endpoint),
            "–" if one.blue is None else one.blue.short,
            "–" if one.green is None else one.green.short,
            "–" if one.green is None else f"{one.share} %",
            Text(words, style),
        )
        for override in one.overrides:
            table.add_row("", "", "", "", Text(override_in_words(override), "yellow"))
    for deployment in status.deployments:
        if not deployment.state.is_over:
            table.add_row(Text(str(deployment), "dim"), "", "", "", Text(deployment.state.value, "dim"))
    for version in status.blocked:
        table.add_row(
            Text("blocked", "red"), "", "", "", Text(f"{version}: fleetcast unblock {version}", "dim")
        )
    if not status.traffic and not status.deployments:
        table.add_row(Text("nothing was deployed yet", "dim"))
    return table
