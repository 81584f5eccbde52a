"""Runs of the training pipeline and how their stages ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.identity import Digest


class Ending(StrEnum):
    """How a stage or a run ended."""

    DONE = "done"
    AWAITING = "awaiting approval"
    STILL_RUNNING = "jobs still running"
    FAILED = "failed"

    @property
    def exit_code(self) -> int:
        """What a command that ended like this returns to the shell."""
        return _EXIT_CODES[self]


_EXIT_CODES = {Ending.DONE: 0, Ending.AWAITING: 3, Ending.STILL_RUNNING: 4, Ending.FAILED: 1}
_GRAVITY = (Ending.FAILED, Ending.STILL_RUNNING, Ending.AWAITING, Ending.DONE)


def worst(endings: Iterable[Ending]) -> Ending:
    """The ending of the whole: failed outranks still running, which outranks awaiting approval."""
    found = set(endings)
    return next((ending for ending in _GRAVITY if ending in found), Ending.DONE)


class RunState(StrEnum):
    """Where a run is. `open` with no process behind it means it was interrupted, and can be continued."""

    OPEN = "open"
    DONE = "done"
    AWAITING = "awaiting approval"
    STILL_RUNNING = "jobs still running"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def is_unfinished(self) -> bool:
        """Whether somebody should be at work on it, or was."""
        return self in (RunState.OPEN, RunState.STILL_RUNNING)

    @property
    def can_continue(self) -> bool:
        """Whether another `train` of the same fleet goes on with this run."""
        return self not in (RunState.DONE, RunState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class StageRecord:
    """How one stage of a run went, the last time it ran."""

    stage: str
    ending: Ending
    says: str
    started_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class StageBegun:
    """The stage that somebody works on, or did when they were interrupted."""

    stage: str
    by: str
    at: datetime
    """Aware UTC."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pass, or several after refusals and crashes, through the eight stages for one state of the fleet."""

    id: str
    """`run-0001`, counted up."""
    fleet: Digest
    commit: str
    by: str
    started_at: datetime
    state: RunState = RunState.OPEN
    ended_at: datetime | None = None
    stages: tuple[StageRecord, ...] = ()
    worked_seconds: float = 0.0
    """How long its stages took together, each as often as it ran."""
    begun: StageBegun | None = None
    """None: no stage has begun that has not ended."""
    resumed_at: datetime | None = None
    """When it was continued last after it had ended; None: it never was."""

    def beginning(self, stage: str, by: str, at: datetime) -> Run:
        """The same run with a stage that begins; one that was at rest is continued by it."""
        resumed = self.resumed_at if self.state.is_unfinished else at
        begun = StageBegun(stage, by, at)
        return replace(self, state=RunState.OPEN, ended_at=None, begun=begun, resumed_at=resumed)

    def with_stage(self, record: StageRecord) -> Run:
        """The same run, with a stage's latest record in its place."""
        kept = tuple(old for old in self.stages if old.stage != record.stage)
        worked = self.worked_seconds + record.seconds
        return replace(self, stages=(*kept, record), worked_seconds=worked, begun=None)

    def ended(self, ending: Ending, at: datetime) -> Run:
        """The same run, at rest."""
        return replace(self, state=RunState(ending.value), ended_at=at, begun=None)

    def took(self, now: datetime | None = None) -> timedelta:
        """From its first start to its last end, with all that it waited for people in between.

        Args:
            now: While somebody is at work on it.
        """
        ends = [record.ended_at for record in self.stages]
        last = now or self.ended_at or max(ends, default=self.started_at)
        return max(last - self.started_at, timedelta(0))
