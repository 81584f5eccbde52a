"""A command that the platform runs, in words and as JSON."""

from __future__ import annotations

from fleetcast.domain.canonical import Json
from fleetcast.domain.remote_run import RemoteRun, RemoteState

_SAYS = {
    RemoteState.WAITS: "waits for a machine",
    RemoteState.RUNS: "is at work",
    RemoteState.DONE: "is done",
    RemoteState.FAILED: "failed; the same command begins another one",
}


def run_as_json(run: RemoteRun) -> Json:
    """How it stands, for programs."""
    return {"run_name": run.name, "state": run.state.value, "page": run.page or None}


def run_in_words(run: RemoteRun) -> list[str]:
    """How it stands, and where people see more."""
    return [f"{run.name} {_SAYS[run.state]}", *([f"what it says: {run.page}"] if run.page else [])]
