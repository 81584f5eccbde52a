"""Training jobs: one circuit's attempt each, packed into batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.quality import CleaningRules, SensorLimits
from fleetcast.domain.scores import ModelScores


class JobState(StrEnum):
    """Where a job is; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """Nobody asks for it any more: its run was interrupted, and the fleet repository has moved on."""

    @property
    def final(self) -> bool:
        """Whether the job will not change any more."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.ABANDONED)

    @property
    def in_vain(self) -> bool:
        """Whether it ended without a model, so that whoever wants one needs another attempt."""
        return self in (JobState.FAILED, JobState.ABANDONED)


@dataclass(frozen=True, slots=True)
class FitTask:
    """What a training command is told: everything needed to fit one circuit from its rows."""

    model_name: str
    key: CircuitKey
    training_hash: Digest
    sensors: tuple[str, ...]
    """The usable sensor columns of the rows."""
    targets: tuple[str, ...]
    """The sensors to forecast."""
    frequency: timedelta
    horizon: timedelta
    start: datetime
    """Aware UTC, inclusive: where the training window begins."""
    end: datetime
    """Aware UTC, exclusive: the cutoff."""
    delta_version: int
    family: str
    hyperparameters: Mapping[str, HyperparameterValue]
    sensor_limits: Mapping[str, SensorLimits]
    cleaning: CleaningRules


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What a completed job left behind."""

    artifact: Digest
    artifact_bytes: int
    scores: ModelScores


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One attempt at training one circuit."""

    id: str
    """`<model name>.<first 12 of the training hash>.<attempt>`: submitting it twice is the same as once."""
    batch: str
    run: str
    task: FitTask
    fingerprint: Digest
    """Of the rows to train on."""
    data_digest: Digest
    component: str
    component_version: str
    component_digest: Digest
    environment_version: str
    attempt: int
    state: JobState
    submitted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    outcome: JobOutcome | None = None

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    def started(self, at: datetime) -> TrainingJob:
        """The same job, running."""
        return replace(self, state=JobState.RUNNING, started_at=at)

    def completed(self, outcome: JobOutcome, at: datetime) -> TrainingJob:
        """The same job, done."""
        return replace(self, state=JobState.COMPLETED, outcome=outcome, ended_at=at, error="")

    def failed(self, error: str, at: datetime) -> TrainingJob:
        """The same job, failed with a reason."""
        return replace(self, state=JobState.FAILED, error=error, ended_at=at)

    def abandoned(self, at: datetime) -> TrainingJob:
        """The same job, which nobody asks for any more."""
        return replace(self, state=JobState.ABANDONED, ended_at=at)

    def voided(self, why: str, at: datetime) -> TrainingJob:
        """The same job, which was done but left nothing that can be used."""
        return replace(self.failed(f"its model is lost: {why}", at), outcome=None)

    def given_up(self, at: datetime) -> TrainingJob:
        """The same job, whose model retention removed: whoever wants it again makes another attempt."""
        return replace(self.abandoned(at), outcome=None, ended_at=self.ended_at)


@dataclass(frozen=True, slots=True)
class JobLog:
    """What one job said."""

    job_id: str
    text: str | None
    """As far as it has come; None: nothing yet."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of the platform about some jobs of a run."""

    title: str
    """Which jobs, as the page says it."""
    url: str


@dataclass(frozen=True, slots=True)
class JobBatch:
    """Jobs that are handed over together, with what they are run by."""

    component: TrainingComponent
    jobs: tuple[TrainingJob, ...]


def packed(jobs: Sequence[TrainingJob], size: int, run: str) -> list[TrainingJob]:
    """The same jobs in batches of at most `size`; a batch is named by its run and first job, so by no other's name."""
    return [replace(job, batch=f"{run}:{jobs[place - place % size].id}") for place, job in enumerate(jobs)]


def job_id(model_name: str, training_hash: Digest, attempt: int) -> str:
    """Name a job by what it trains and the attempt, counted from 1."""
    return f"{model_name}.{training_hash.short}.{attempt}"
