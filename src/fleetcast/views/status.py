"""The fleet's status in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleetcast.domain.alarm import AlarmState
from fleetcast.domain.canonical import Json
from fleetcast.domain.deployment import DeploymentState
from fleetcast.domain.wording import counted
from fleetcast.views import alarms, deployments, runs
from fleetcast.views.moments import iso, shown
from fleetcast.views.names import circuit_ids, snake_case
from fleetcast.workflows.fleet_status import CircuitState, FleetStatus
from fleetcast.workflows.next_steps import held_circuits, newest_deployments


def verdict_in_words(status: FleetStatus) -> str:
    """Whether there is anything to do, in one line that goes before the steps; what others have in hand is named."""
    if status.next_steps:
        return "Next"
    in_hand = "; ".join(_in_hand(status))
    return f"In hand: {in_hand}." if in_hand else "Nothing to do."


def training_in_words(status: FleetStatus) -> str:
    """How far the jobs of a run that has not ended have come; empty where there are none."""
    training = status.training
    if training is None:
        return ""
    failed = f", {training.failed:,} failed" if training.failed else ""
    return f"{training.done:,} of {counted(training.total, 'circuit')} trained{failed}"


def _in_hand(status: FleetStatus) -> Iterator[str]:
    """What is shown as not in order and is in somebody's hand, or on its way by itself."""
    if status.at_work and status.last_run is not None:
        yield f"{status.last_run.id} is at work"
    for state, word in ((AlarmState.ACKNOWLEDGED, "acknowledged"), (AlarmState.SNOOZED, "snoozed")):
        number = sum(alarm.state is state for alarm in status.alarms)
        if number:
            yield f"{counted(number, 'alarm')} {word}"
    for endpoint, override in held_circuits(status):
        until = "" if override.until is None else f" until {shown(override.until)}"
        yield f"{endpoint.plant}/{override.circuit} is held in {endpoint.environment}{until}"
    for one in newest_deployments(status):
        if one.state is DeploymentState.RUNNING:
            yield f"{one} is on its way"


def as_json(status: FleetStatus) -> Json:
    """The whole status for programs, every circuit with its state."""
    return {
        "made_at": iso(status.at),
        "counts": _counts(status.counts),
        "pending_requests": status.pending,
        "to_do": list(status.assets),
        "estimated_seconds": None if status.estimated is None else status.estimated.total_seconds(),
        "plants": [{"plant_id": plant.plant, "counts": _counts(plant.counts)} for plant in status.plants],
        "circuits": [
            {
                **circuit_ids(circuit.key),
                "model_name": circuit.model,
                "state": circuit.state.value,
                "says": circuit.says,
                "command": circuit.command or None,
                "request_id": circuit.request,
            }
            for circuit in status.circuits
        ],
        "last_run": None
        if status.last_run is None
        else runs.as_json(status.last_run, at_work=status.at_work),
        "training": None
        if status.training is None
        else {
            "total": status.training.total,
            "done": status.training.done,
            "failed": status.training.failed,
        },
        "holder": status.holder or None,
        "schedules": [
            {"duty": one.duty, "due_at": iso(one.due), "state": "failed" if one.failed else "late"}
            for one in status.schedules
        ],
        "serving": deployments.status_as_json(status.serving),
        "alarms": [alarms.outline_as_json(alarm) for alarm in status.alarms],
        "next_steps": [{"command": step.command, "why": step.why} for step in status.next_steps],
    }


def _counts(counts: Mapping[CircuitState, int]) -> Json:
    """How many circuits are in each state, every state named."""
    return {snake_case(state.value): counts.get(state, 0) for state in CircuitState}
