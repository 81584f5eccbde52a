"""The fleet's status as tables."""

from __future__ import annotations

from fleetcast.cli.output import say_line, say_next
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Column, Table, an_id, command, numbers, show, words
from fleetcast.domain.wording import counted
from fleetcast.views.alarms import state_in_words as state_of_alarm
from fleetcast.views.deployments import serving_in_words
from fleetcast.views.moments import shown
from fleetcast.views.runs import begun_in_words, state_in_words
from fleetcast.views.status import training_in_words, verdict_in_words
from fleetcast.workflows.fleet_status import CircuitState, FleetStatus, NextStep

MANY = 20
"""Rows of a table before the rest becomes a number."""
_STYLES = {
    CircuitState.UP_TO_DATE: "green",
    CircuitState.TO_TRAIN: "yellow",
    CircuitState.REUSE: "cyan",
    CircuitState.TO_PROMOTE: "cyan",
    CircuitState.AWAITING: "yellow",
    CircuitState.BLOCKED: "red",
    CircuitState.FAILED: "bold red",
    CircuitState.DAMAGED: "bold red",
    CircuitState.REMOVED: "magenta",
}


def print_status(status: FleetStatus, console: Console, *, every: bool) -> None:
    """Show the fleet; of circuits that need somebody the first ones, or all."""
    limit = len(status.circuits) if every else MANY
    counts = {state: count for state, count in status.counts.items() if count}
    headline = Text(f"{counted(len(status.circuits), 'circuit')} at {shown(status.at)}: ", style="bold")
    for place, (state, count) in enumerate(counts.items()):
        headline.append(", " if place else "")
        headline.append(f"{count:,} {state.value}", style=_STYLES[state])
    console.print(headline, "\n", sep="")
    show(_plants(status, list(counts), limit), console)
    if len(status.plants) > limit:
        console.print(f"and {len(status.plants) - limit:,} more plants: --all shows them")
    for asset in status.assets:
        console.print(Text(f"to do: {asset}"))
    _print_needing(status, console, limit)
    _print_alarms(status, console, limit)
    lines = list(serving_in_words(status.serving))
    if lines:
        console.print(Text("\nServed", style="bold"))
    for line in lines:
        console.print(Text(f"  {line}"))
    _print_schedules(status, console)
    _print_run(status, console)
    console.print(Text(f"\n{verdict_in_words(status)}", style="bold"))
    for step in status.next_steps:
        _print_step(step, console)


def _print_step(step: NextStep, console: Console) -> None:
    """A command, and why: beside it where there is room, else above it."""
    beside = Text.assemble(f"  {step.command}", (f"  # {step.why}", "dim"))
    if beside.cell_len <= console.width:
        console.print(beside)
        return
    console.print(Text(f"  # {step.why}", "dim"))
    say_line(console, f"  {step.command}")


def _print_alarms(status: FleetStatus, console: Console, limit: int) -> None:
    if not status.alarms:
        return
    console.print(Text("\nAlarms", style="bold"))
    columns = numbers("alarm"), an_id("where"), words("kind"), words("state"), words("owner", goes=1)
    rows = [
        (
            str(alarm.number),
            f"{alarm.cause.environment}/{alarm.cause.place}",
            Text(alarm.cause.kind.value, "red"),
            state_of_alarm(alarm),
            alarm.owner or None,
        )
        for alarm in status.alarms[:limit]
    ]
    show(Table(columns, rows), console)
    if len(status.alarms) > limit:
        say_next(console, f"and {len(status.alarms) - limit:,} more:", "fleetcast alarms list")


def _plants(status: FleetStatus, states: list[CircuitState], limit: int) -> Table:
    columns: list[Column] = [
        an_id("plant"),
        numbers("circuits"),
        *(numbers(state.value) for state in states),
    ]
    rows = [
        (
            plant.plant,
            sum(plant.counts.values()),
            *(
                Text(f"{plant.counts[state]:,}", _STYLES[state]) if state in plant.counts else None
                for state in states
            ),
        )
        for plant in status.plants[:limit]
    ]
    return Table(columns, rows)


def _print_needing(status: FleetStatus, console: Console, limit: int) -> None:
    needing = status.needing_somebody
    if not needing:
        return
    console.print(Text("\nNeeds somebody", style="bold"))
    columns = an_id("circuit"), words("state"), words("why"), command("next")
    rows = [
        (str(circuit.key), Text(circuit.state.value, _STYLES[circuit.state]), circuit.says, circuit.command)
        for circuit in needing[:limit]
    ]
    show(Table(columns, rows), console)
    if len(needing) > limit:
        console.print(f"and {len(needing) - limit:,} more: --all names them")


def _print_schedules(status: FleetStatus, console: Console) -> None:
    if status.schedules:
        console.print(Text("\nSchedules", style="bold"))
    for one in status.schedules:
        said = "failed too often" if one.failed else "late: nobody has begun it"
        console.print(Text(f"  {one.duty}, due {shown(one.due)}: {said}", "red"))


def _print_run(status: FleetStatus, console: Console) -> None:
    run, at_work = status.last_run, status.at_work
    if run is None:
        console.print("\nNothing was run yet.")
        return
    state = state_in_words(run, at_work=at_work)
    went = f", {shown(run.started_at)}, by {run.by}, commit {run.commit}"
    console.print(Text.assemble((f"\nLast run: {run.id}, {state}", "bold"), went))
    for line in (
        f"held by {status.holder}" if status.holder else "",
        begun_in_words(run, at_work=at_work),
        training_in_words(status),
    ):
        if line:
            console.print(Text(f"  {line}", "yellow"))
    columns = an_id("stage"), words("ending"), numbers("took", goes=1), words("what")
    rows = [(stage.stage, stage.ending.value, f"{stage.seconds:.1f} s", stage.says) for stage in run.stages]
    show(Table(columns, rows), console)
