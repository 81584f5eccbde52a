"""The fleet's status as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fleetcast.domain.canonical import Json
from fleetcast.views import alarms, deployments, runs
from fleetcast.views.moments import iso
from fleetcast.views.names import circuit_ids, snake_case
from fleetcast.workflows.status import CircuitState, FleetStatus


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
        "serving": deployments.status_as_json(status.serving),
        "alarms": [alarms.outline_as_json(alarm) for alarm in status.alarms],
        "next_steps": [{"command": step.command, "why": step.why} for step in status.next_steps],
    }


def _counts(counts: Mapping[CircuitState, int]) -> Json:
    """How many circuits are in each state, every state named."""
    return {snake_case(state.value): counts.get(state, 0) for state in CircuitState}
