"""Scoring that the platform does, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetcast.domain.canonical import Json
from fleetcast.domain.remote_run import RemoteRun, RemoteState, ScoredRemotely

_SAYS = {
    RemoteState.WAITS: "waits for a machine",
    RemoteState.RUNS: "is at work",
    RemoteState.DONE: "is done",
    RemoteState.FAILED: "failed; the same command begins another one",
}


def scored_remotely_as_json(scored: ScoredRemotely) -> Json:
    """How it stands, for programs."""
    failed = scored.failed
    return {
        **_run(scored.run),
        "log_end": list(scored.said),
        "in_place_of": None if failed is None else {**_run(failed), "log_end": list(scored.failed_saying)},
    }


def scored_remotely_in_words(scored: ScoredRemotely) -> Iterator[str]:
    """How it stands, where people see more, and the end of what it said."""
    if scored.failed is not None:
        yield f"{scored.failed.name} failed"
        yield from _more(scored.failed, scored.failed_saying)
    yield f"{scored.run.name} {_SAYS[scored.run.state]}"
    yield from _more(scored.run, scored.said)


def _run(run: RemoteRun) -> dict[str, Json]:
    return {"run_name": run.name, "state": run.state.value, "page": run.page or None}


def _more(run: RemoteRun, said: Sequence[str]) -> Iterator[str]:
    if run.page:
        yield f"what it says: {run.page}"
    if said:
        yield "the end of its log:"
        yield from (f"  {line}" for line in said)
