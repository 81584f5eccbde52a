"""Scoring that the platform itself does: what is asked for, and a run of it as it stands."""

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

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self in (RemoteState.DONE, RemoteState.FAILED)


class Issue(StrEnum):
    """Which forecasts of a day a run publishes."""

    MISSING = "missing"
    """Those that are not there."""
    ANOTHER = "another"
    """All of them, as another issue of the day."""


@dataclass(frozen=True, slots=True)
class RemoteScoring:
    """Scoring of one environment for one day."""

    environment: EnvironmentName
    day: date
    """By UTC."""
    issue: Issue = Issue.MISSING

    def run(self, number: int) -> str:
        """The name of a run: the same day and number always give the same name."""
        return f"fleetcast-score-{self.environment}-{self.day:%Y%m%d}-{number}"


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """One run on the platform."""

    name: str
    """There is one run of it."""
    state: RemoteState
    page: str = ""
    """Where people look at it; empty: the platform has no such page."""


@dataclass(frozen=True, slots=True)
class ScoredRemotely:
    """The run of a day, and what is known of how it came to it."""

    run: RemoteRun
    said: tuple[str, ...] = ()
    """The last lines of its log, once it has ended."""
    failed: RemoteRun | None = None
    """The run before it, in whose place it was begun just now."""
    failed_saying: tuple[str, ...] = ()
    """The last lines of that one's log."""
