"""What to do next about a fleet: whatever its status shows that waits for somebody has a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleetcast.domain.alarm import AlarmState
from fleetcast.domain.deployment import Deployment, DeploymentState
from fleetcast.domain.fallback import Unused
from fleetcast.domain.release import Endpoint
from fleetcast.domain.run import Ending, Run, RunState
from fleetcast.domain.traffic import Override
from fleetcast.domain.wording import counted, some_of
from fleetcast.workflows.fleet_status import CircuitState, CircuitStatus, FleetStatus, NextStep

_NAMED = 3
"""Circuits that a step names at most."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits besides what a status shows."""

    parked: bool = False
    """Whether a circuit failed too often, so that it is tried again only when somebody asks for it."""
    passing: bool = False
    """Whether a request can be approved with no check that failed."""
    assets: bool = False
    """Whether an environment or a component is to be registered or promoted, without waiting for people."""
    requests: frozenset[int] = frozenset()
    """That wait for a decision, by their numbers."""
    lapsed: int = 0
    """Requests whose time was over before people decided."""


def next_steps(status: FleetStatus, waiting: Waiting) -> Iterator[NextStep]:
    """What people do next, the most urgent first; while somebody runs stages, nothing that would run them too."""
    yield from _damaged(status)
    yield from _failed(status, waiting)
    yield from _blocked(status)
    yield from _alarms(status)
    yield from _approvals(status, waiting)
    if not status.at_work:
        yield from _train(status, waiting)
    yield from _served(status, waiting)
    yield from _schedules(status)
    if is_in_order(status):
        first = status.circuits[0].key
        yield NextStep(f"fleetcast forecast {first}", "everything is in order: look at a forecast")


def is_in_order(status: FleetStatus) -> bool:
    """Whether nothing that a status shows waits, failed, or is on its way."""
    return (
        bool(status.circuits)
        and all(circuit.state is CircuitState.UP_TO_DATE for circuit in status.circuits)
        and not (status.pending or status.assets or status.alarms or status.schedules or status.at_work)
        and not unfinished(status.last_run)
        and not any(held_circuits(status))
        and not any(
            one.state in (DeploymentState.WAITING, DeploymentState.RUNNING, DeploymentState.HALTED)
            for one in newest_deployments(status)
        )
    )


def unfinished(run: Run | None) -> bool:
    """Whether another `train` goes on with a run."""
    return run is not None and run.state.can_continue


def newest_deployments(status: FleetStatus) -> Iterator[Deployment]:
    """The last deployment of each environment."""
    seen = set()
    for one in status.serving.deployments:
        if one.plan.environment not in seen:
            seen.add(one.plan.environment)
            yield one


def held_circuits(status: FleetStatus) -> Iterator[tuple[Endpoint, Override]]:
    """The circuits that somebody has forecast by something else for a time."""
    for one in status.serving.traffic:
        for override in one.overrides:
            if override.why is Unused.HELD and override.holds(status.at):
                yield one.endpoint, override


def _damaged(status: FleetStatus) -> Iterator[NextStep]:
    damaged = status.counts[CircuitState.DAMAGED]
    if damaged:
        why = f"{counted(damaged, 'model')} cannot be loaded: restore the artifacts, or raise `revision`"
        yield NextStep("fleetcast models verify", why)


def _failed(status: FleetStatus, waiting: Waiting) -> Iterator[NextStep]:
    failed = _in(status, CircuitState.FAILED)
    if failed and not status.at_work:
        together = "fleetcast train --retry-failed" if waiting.parked else "fleetcast train"
        command = failed[0].command if len(failed) == 1 else together
        yield NextStep(command, f"{counted(len(failed), 'circuit')} failed: fix the cause, then try again")


def _blocked(status: FleetStatus) -> Iterator[NextStep]:
    groups: dict[str, list[CircuitStatus]] = {}
    for circuit in _in(status, CircuitState.BLOCKED):
        groups.setdefault(circuit.command.rpartition(" ")[0], []).append(circuit)
    for command, some in groups.items():
        named = f"{command} {some[0].key}"
        others = f", and {counted(len(some) - 1, 'other')} likewise" if len(some) > 1 else ""
        yield NextStep(named, f"{some[0].key} is blocked{others}: {some[0].says}")


def _alarms(status: FleetStatus) -> Iterator[NextStep]:
    in_nobodys_hand = [alarm for alarm in status.alarms if alarm.state is AlarmState.OPEN]
    if in_nobodys_hand:
        why = f"{counted(len(in_nobodys_hand), 'alarm')} that nobody has in hand"
        yield NextStep("fleetcast alarms list", why)


def _approvals(status: FleetStatus, waiting: Waiting) -> Iterator[NextStep]:
    if not status.pending:
        return
    wait = counted(status.pending, "request waits", "requests wait")
    yield NextStep("fleetcast approvals list", f"{wait} for a decision")
    if waiting.passing:
        yield NextStep("fleetcast approve --passing", "approves those in whose evidence no check failed")


def _train(status: FleetStatus, waiting: Waiting) -> Iterator[NextStep]:
    counts, last = status.counts, status.last_run
    if counts[CircuitState.TO_TRAIN] or counts[CircuitState.REUSE] or counts[CircuitState.REMOVED]:
        yield NextStep("fleetcast plan", "the fleet repository differs from what exists")
        yield NextStep("fleetcast train", "makes it so")
    elif waiting.lapsed:
        lapsed = counted(waiting.lapsed, "request")
        yield NextStep("fleetcast train", f"asks again, as nobody decided on {lapsed} in time")
    elif counts[CircuitState.TO_PROMOTE] or waiting.assets:
        yield NextStep("fleetcast train", "acts on what was decided, and asks for what is missing")
    elif last is None or not unfinished(last) or counts[CircuitState.FAILED]:
        return
    elif last.state is RunState.OPEN:
        yield NextStep("fleetcast train", f"{last.id} was interrupted: this continues it")
    elif last.state is RunState.STILL_RUNNING:
        yield NextStep("fleetcast train", f"jobs of {last.id} have not ended: this goes on watching them")
    elif last.state is RunState.FAILED:
        said = next((one for one in reversed(last.stages) if one.ending is Ending.FAILED), None)
        where = "" if said is None else f" in {said.stage}"
        yield NextStep("fleetcast train", f"{last.id} failed{where}: fix the cause, then this continues it")
    elif not status.pending:
        yield NextStep("fleetcast train", f"people have decided: this ends {last.id}")


def _served(status: FleetStatus, waiting: Waiting) -> Iterator[NextStep]:
    for one in newest_deployments(status):
        environment = one.plan.environment.value
        if one.state is DeploymentState.HALTED:
            yield NextStep("fleetcast deploy status", f"{one} was halted, as a plant was rolled back")
        elif one.state is DeploymentState.WAITING and one.request not in waiting.requests:
            why = f"people have decided on {one}: this goes on with it"
            yield NextStep(f"fleetcast deploy {environment}", why)


def _schedules(status: FleetStatus) -> Iterator[NextStep]:
    failed = [one.duty for one in status.schedules if one.failed]
    late = [one.duty for one in status.schedules if not one.failed]
    if failed:
        why = f"{some_of(failed, _NAMED)} failed too often, and is not tried again before it is due next"
        yield NextStep("fleetcast schedules list", why)
    if late:
        yield NextStep("fleetcast schedules list", f"{some_of(late, _NAMED)} should have started by now")


def _in(status: FleetStatus, state: CircuitState) -> Sequence[CircuitStatus]:
    return [circuit for circuit in status.circuits if circuit.state is state]
