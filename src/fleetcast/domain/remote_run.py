"""A command of fleetcast that the platform runs, as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fleetcast.domain.place import EnvironmentName


class RemoteState(StrEnum):
    """How it stands."""

    WAITS = "waits"
    RUNS = "runs"
    DONE = "done"
    FAILED = "failed"
    """Or somebody ended it."""


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """One command on the platform."""

    name: str
    """There is one run of it."""
    state: RemoteState
    page: str = ""
    """Where people look at it and at what it said; empty: the platform has no such page."""


def scoring_run(environment: EnvironmentName, day: date, number: int) -> str:
    """The name of a run that scores an environment for a day: the same words always give the same name."""
    return f"fleetcast-score-{environment}-{day:%Y%m%d}-{number}"
