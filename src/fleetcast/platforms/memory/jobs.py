"""Training jobs in memory: run one after another, in this process, while somebody waits for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import JobPage, JobState, TrainingJob
from fleetcast.domain.retention import KeptLog
from fleetcast.pipeline.fit import outcome_of
from fleetcast.pipeline.rows import write_rows
from fleetcast.pipeline.steps import JobFiles, check_steps, run_steps
from fleetcast.platforms.files.job_log import LOG_FILE, kept_logs, log_text, remove_log
from fleetcast.platforms.memory.world import World
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.clock import Clock
from fleetcast.ports.jobs import JobUnknown
from fleetcast.ports.readings import Readings
from fleetcast.stored.jobs import FIT_TASK

TAKEN_AWAY = "its machine was taken away (simulated)"
"""Why a job fails that is to fail."""


class MemoryFrozenRows:
    """Keeps training rows by their fingerprint."""

    def __init__(self, world: World) -> None:
        self._world = world

    def freeze(self, readings: Readings, fingerprint: Digest) -> None:
        """Keep these rows."""
        self._world.rows.setdefault(fingerprint, readings)

    def holds(self, fingerprint: Digest) -> bool:
        """Whether rows with this fingerprint are kept."""
        return fingerprint in self._world.rows

    def load(self, fingerprint: Digest, key: CircuitKey) -> Readings:
        """Exactly what was frozen."""
        if fingerprint not in self._world.rows:
            raise BadInput(f"the training rows of {key} are not kept", fix="run `fleetcast train` again")
        return replace(self._world.rows[fingerprint], key=key)

    def remove(self, fingerprints: Collection[Digest]) -> None:
        """Remove rows; those that are not there are left so."""
        for fingerprint in fingerprints:
            self._world.rows.pop(fingerprint, None)


class MemoryJobService:
    """Runs each job's steps in a scratch folder, one job for each `wait`."""

    def __init__(self, world: World, artifacts: ArtifactStore, scratch: Path, clock: Clock) -> None:
        self._world = world
        self._artifacts = artifacts
        self._scratch = scratch
        self._clock = clock

    def check(self, component: TrainingComponent) -> None:
        """Make sure that the component's steps can run here."""
        check_steps(component)

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        """Queue jobs; one whose id is known is left as it is."""
        self._world.components[component.digest] = component
        for job in jobs:
            self._world.jobs.setdefault(job.id, job)

    def jobs_for(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        """All attempts at these training hashes, first attempt first."""
        wanted = set(hashes)
        found: defaultdict[Digest, list[TrainingJob]] = defaultdict(list)
        for job in self._world.jobs.values():
            if job.task.training_hash in wanted:
                found[job.task.training_hash].append(job)
        return dict(found)

    def failing(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        """All attempts at those of the training hashes at which one failed."""
        return {
            digest: attempts
            for digest, attempts in self.jobs_for(hashes).items()
            if any(job.state is JobState.FAILED for job in attempts)
        }

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        """Run the next job; with none left, let the time pass."""
        asked = (job for job in self._world.jobs.values() if job.task.training_hash in hashes)
        job = next((job for job in asked if not job.state.final), None)
        if job is None:
            self._clock.sleep(timeout)
            return []
        ended = self._run(job.started(self._clock.now()))
        self._world.jobs[job.id] = ended
        return [ended]

    def set_aside(self) -> Sequence[str]:
        """Nothing: what is in memory is whole."""
        return ()

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        """End the unfinished jobs at other training hashes."""
        left = [
            job.abandoned(self._clock.now())
            for job in self._world.jobs.values()
            if not job.state.final and job.task.training_hash not in wanted
        ]
        self._world.jobs |= {job.id: job for job in left}
        return left

    def void(self, lost: Mapping[str, str]) -> None:
        """Let completed jobs count as failed."""
        for name, why in lost.items():
            job = self._world.jobs.get(name)
            if job is not None and job.state is JobState.COMPLETED:
                self._world.jobs[name] = job.voided(why, self._clock.now())

    def median_seconds(self) -> Mapping[str, float]:
        """How long completed jobs took, by model family."""
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for job in self._world.jobs.values():
            if job.state is JobState.COMPLETED and job.seconds is not None:
                seconds[job.task.family].append(job.seconds)
        return {family: median(values) for family, values in seconds.items()}

    def log(self, job_id: str) -> str | None:
        """What a job said."""
        if job_id not in self._world.jobs:
            raise JobUnknown(job_id)
        return log_text(self._scratch / job_id / LOG_FILE)

    def give_up(self, ids: Collection[str]) -> None:
        """Let completed jobs count as abandoned."""
        for name in ids:
            job = self._world.jobs.get(name)
            if job is not None and job.state is JobState.COMPLETED:
                self._world.jobs[name] = job.given_up(self._clock.now())

    def kept_logs(self) -> Sequence[KeptLog]:
        """What jobs said, in their scratch folders."""
        return kept_logs(self._scratch, self._world.jobs.values())

    def remove_logs(self, ids: Collection[str]) -> None:
        """Remove what jobs said."""
        for name in ids:
            if name in self._world.jobs:
                remove_log(self._scratch / name / LOG_FILE)

    def pages(self, run: str) -> Sequence[JobPage]:  # noqa: ARG002
        """None: what is in memory has no pages."""
        return ()

    def close(self) -> None:
        """Nothing runs while nobody waits."""

    def _run(self, job: TrainingJob) -> TrainingJob:
        if self._world.failing and job.attempt == 1:
            self._world.failing -= 1
            return job.failed(TAKEN_AWAY, self._clock.now())
        folder = self._scratch / job.id
        folder.mkdir(parents=True, exist_ok=True)
        files = JobFiles(folder, folder / "task.json", folder / "rows.parquet")
        files.task.write_text(FIT_TASK.to_json(job.task))
        try:
            write_rows(self._world.rows[job.fingerprint], files.data)
            run_steps(self._world.components[job.component_digest], files)
            outcome = outcome_of(files.model, self._artifacts)
        except FleetcastError as error:
            return job.failed(str(error), self._clock.now())
        return job.completed(outcome, self._clock.now())
