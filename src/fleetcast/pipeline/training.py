"""Stages 5 and 6: submit the jobs that the plan asks for, and see them through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fleetcast.domain.assets import AssetKind
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import FitTask, JobState, TrainingJob, job_id, packed
from fleetcast.domain.plan import Blocked, CircuitAction, Train
from fleetcast.domain.retry import FailedAlike, pause_before
from fleetcast.domain.run import Ending
from fleetcast.domain.settings import Polling
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.wording import counted
from fleetcast.pipeline.components import component_from
from fleetcast.pipeline.data import freeze_again
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.missing_jobs import says_without, without_job
from fleetcast.pipeline.situation import (
    Progress,
    Situation,
    actions,
    data_digest_of,
    failures_in,
    no_failures,
)
from fleetcast.ports.assets import AssetRegistry, DataAssets
from fleetcast.ports.clock import Clock
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.jobs import JobService
from fleetcast.ports.readings import ReadingsTable
from fleetcast.ports.runs import RunBook


@dataclass(frozen=True, slots=True)
class TrainingSubmitted:
    """What stage 5 did: every job that the plan needs, and which of them are new."""

    jobs: tuple[TrainingJob, ...]
    new: int
    parked: tuple[Blocked, ...] = ()
    """Circuits that get no job because the last ones ended in the same way."""
    abandoned: tuple[TrainingJob, ...] = ()
    """Unfinished jobs that an interrupted run left, and that nobody asks for any more."""

    @property
    def ending(self) -> Ending:
        """Always done."""
        return Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        parked = f", {len(self.parked)} parked" if self.parked else ""
        parked += f", {len(self.abandoned)} left over abandoned" if self.abandoned else ""
        if not self.jobs:
            return f"nothing to train{parked}"
        batches = counted(len({job.batch for job in self.jobs}), "batch", "batches")
        return f"{counted(len(self.jobs), 'job')} in {batches}, {self.new} new{parked}"

    def document(self) -> Json:
        """For `training_jobs.json`."""
        return {
            "jobs": [_document(job) for job in self.jobs],
            "parked": [_parked_document(blocked) for blocked in self.parked],
            "abandoned": [job.id for job in self.abandoned],
        }


@dataclass(frozen=True, slots=True)
class SubmitTraining:
    """Queue one job for each circuit to train that has none under way, packed into batches."""

    assets: AssetRegistry
    index: ReadIndex
    data: DataAssets
    jobs: JobService
    runs: RunBook
    tables: Mapping[str, ReadingsTable]
    frozen: FrozenRows
    clock: Clock

    def run(self, situation: Situation) -> TrainingSubmitted:
        """Submit what is missing; a circuit whose last attempt failed gets another, unless it is parked."""
        planned = _planned(situation, self.index, self.data, self.jobs)
        wanted = _to_train(planned)
        held = self.data.held([data_digest_of(circuit) for circuit, _ in wanted])
        known = self.jobs.jobs_for([action.training_hash for _, action in wanted])
        new: list[tuple[Circuit, TrainingJob]] = []
        current: list[TrainingJob] = []
        for circuit, action in wanted:
            attempts = known.get(action.training_hash, ())
            if attempts and not attempts[-1].state.in_vain:
                current.append(attempts[-1])
                continue
            data = held.get(data_digest_of(circuit))
            if data is None:
                raise BadInput(
                    f"the data of {circuit.key} is not registered", fix="run the stage RegisterData first"
                )
            new.append((circuit, self._job(situation, circuit, action, data, len(attempts) + 1)))
        freeze_again([(circuit, job.fingerprint) for circuit, job in new], self.tables, self.frozen)
        submitted = self._submit(situation, [job for _, job in new])
        if submitted:
            self.runs.note_training(situation.run, len(submitted))
        hashes = {action.training_hash for _, action in wanted}
        abandoned = tuple(self.jobs.abandon(hashes)) if situation.only is None else ()
        return TrainingSubmitted((*current, *submitted), len(submitted), _parked(planned), abandoned)

    def _submit(self, situation: Situation, jobs: Sequence[TrainingJob]) -> list[TrainingJob]:
        submitted: list[TrainingJob] = []
        size = situation.fleet.settings.platform.batch_size
        for version in sorted({job.component_version for job in jobs}):
            component = self._component(situation, version)
            self.jobs.check(component)
            members = [job for job in jobs if job.component_version == version]
            made_by = [replace(job, component_digest=component.digest) for job in members]
            batches = packed(made_by, size, situation.run.id)
            self.jobs.submit(batches, component)
            submitted += batches
        return submitted

    def _component(self, situation: Situation, version: str) -> TrainingComponent:
        name = situation.fleet.component.name
        held = self.assets.find(AssetKind.COMPONENT, name, version)
        if held is None:
            raise BadInput(
                f"{name}:{version} is not registered", fix="run the stage RegisterComponents first"
            )
        return component_from(held.asset)

    def _job(
        self, situation: Situation, circuit: Circuit, action: Train, data: DataAsset, attempt: int
    ) -> TrainingJob:
        usable = data.verdict.usable
        task = FitTask(
            model_name=circuit.model_name,
            key=circuit.key,
            training_hash=action.training_hash,
            sensors=usable,
            targets=tuple(name for name in circuit.targets if name in usable),
            frequency=circuit.frequency,
            horizon=circuit.horizon,
            start=data.start,
            end=data.end,
            delta_version=data.delta_version,
            family=circuit.family,
            hyperparameters=dict(circuit.hyperparameters),
            sensor_limits=dict(circuit.sensor_limits),
            cleaning=circuit.cleaning,
        )
        return TrainingJob(
            id=job_id(circuit.model_name, action.training_hash, attempt),
            batch="",
            run=situation.run.id,
            task=task,
            fingerprint=data.fingerprint,
            data_digest=data.digest,
            component=situation.fleet.component.name,
            component_version=circuit.component_version,
            component_digest=situation.fleet.component.digest,
            environment_version=str(situation.fleet.environment.version),
            attempt=attempt,
            state=JobState.QUEUED,
            submitted_at=self.clock.now(),
        )


@dataclass(frozen=True, slots=True)
class TrainingMonitored:
    """How the jobs ended, as far as they did."""

    completed: tuple[TrainingJob, ...]
    failed: tuple[TrainingJob, ...]
    unfinished: tuple[TrainingJob, ...]
    parked: tuple[Blocked, ...] = ()
    """Those of the failed that are not tried again by themselves."""
    set_aside: tuple[str, ...] = ()
    """Torn files that were found, each with what followed."""
    without: tuple[CircuitKey, ...] = ()
    """Circuits to train that have no job."""

    @property
    def ending(self) -> Ending:
        """Failed if a circuit's last attempt failed or it has no job, still running if the longest wait is over."""
        if self.failed or self.without:
            return Ending.FAILED
        return Ending.STILL_RUNNING if self.unfinished else Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        if not (self.completed or self.failed or self.unfinished or self.without):
            return "nothing to train"
        parts = [f"{len(self.completed)} completed"]
        parts += [says_without(self.without)] if self.without else []
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        parts += [f"{len(self.parked)} parked"] if self.parked else []
        parts += [f"{len(self.unfinished)} still running"] if self.unfinished else []
        parts += [f"{counted(len(self.set_aside), 'torn file')} set aside"] if self.set_aside else []
        return ", ".join(parts)

    def document(self) -> Json:
        """For `completed_jobs.json`."""
        return {
            "completed": [_document(job) for job in self.completed],
            "failed": [_document(job) for job in self.failed],
            "unfinished": [_document(job) for job in self.unfinished],
            "parked": [_parked_document(blocked) for blocked in self.parked],
            "set_aside": list(self.set_aside),
            "without_job": [str(key) for key in self.without],
        }


@dataclass(frozen=True, slots=True)
class MonitorTraining:
    """Wait for the jobs of the circuits to train; repack failed ones as long as retries are left."""

    assets: AssetRegistry
    index: ReadIndex
    data: DataAssets
    jobs: JobService
    runs: RunBook
    clock: Clock

    def run(self, situation: Situation) -> TrainingMonitored:
        """See every job through, for at most the longest wait. One circuit's failure stops no other."""
        planned = _planned(situation, self.index, self.data, self.jobs)
        wanted = _to_train(planned)
        hashes = [action.training_hash for _, action in wanted]
        hashes += [action.training_hash for action in _parked(planned)]
        latest = {digest: attempts[-1] for digest, attempts in self.jobs.jobs_for(hashes).items() if attempts}
        without = without_job(wanted, latest)
        _Watch(self, situation, latest).until_done()
        self._check_there(latest)
        self._note_failed(situation, latest)
        anew = replace(situation, retry_failed=False)
        parked = _parked(_planned(anew, self.index, self.data, self.jobs)) if _any_failed(latest) else ()
        ordered = sorted(latest.values(), key=lambda job: job.task.key)
        return TrainingMonitored(
            tuple(job for job in ordered if job.state is JobState.COMPLETED),
            tuple(job for job in ordered if job.state is JobState.FAILED),
            tuple(job for job in ordered if not job.state.final),
            parked,
            tuple(self.jobs.set_aside()),
            without,
        )

    def _note_failed(self, situation: Situation, latest: Mapping[Digest, TrainingJob]) -> None:
        """Tell of what failed in this run; what failed in one before was told then."""
        failed = [job for job in latest.values() if job.state is JobState.FAILED]
        mine = [job for job in failed if job.run == situation.run.id]
        if mine:
            self.runs.note_failed(sorted(mine, key=lambda job: job.task.key))

    def _check_there(self, seen: Mapping[Digest, TrainingJob]) -> None:
        """Make sure that the jobs ended as they were seen to end: the next stage goes by what is there."""
        known = self.jobs.jobs_for(seen.keys()) if seen else {}
        there = {job.id: job.state for attempts in known.values() for job in attempts}
        lost = [
            job.id
            for job in seen.values()
            if job.id not in there or (job.state.final and there[job.id] is not job.state)
        ]
        if lost:
            raise HistoryLost(f"how {counted(len(lost), 'job')} ended ({lost[0]})")


class _Watch:
    """The waiting of one `MonitorTraining` run: which job is the latest of each hash, and who was retried."""

    def __init__(
        self, stage: MonitorTraining, situation: Situation, latest: dict[Digest, TrainingJob]
    ) -> None:
        self._stage = stage
        self._situation = situation
        self._latest = latest
        self._open = {digest for digest, job in latest.items() if not job.state.final}
        self._retries: dict[Digest, int] = {}
        self._components: dict[str, TrainingComponent] = {}
        self._due: dict[Digest, datetime] = {}
        """When the failed attempts that are to be tried again are."""

    def until_done(self) -> None:
        """Wait with pauses that double while nothing happens; so do those between a job's retries."""
        polling: Polling = self._situation.fleet.settings.polling
        until = self._stage.clock.now() + polling.longest
        pause = polling.start
        self._tell()
        while self._open and (left := until - self._stage.clock.now()) > timedelta(0):
            changed = self._wait(pause, left)
            for job in changed:
                self._take(job)
            retried = self._retry()
            pause = polling.start if changed or retried else min(2 * pause, polling.pause)
            self._tell()

    def _wait(self, pause: timedelta, left: timedelta) -> Sequence[TrainingJob]:
        """Let jobs go on, but no longer than until the next retry; with none under way, until then."""
        clock = self._stage.clock
        if self._due:
            left = max(min(left, min(self._due.values()) - clock.now()), timedelta(0))
        if self._open - self._due.keys():
            return self._stage.jobs.wait(self._latest.keys(), min(pause, left))
        clock.sleep(left)
        return ()

    def _take(self, job: TrainingJob) -> None:
        """Note how a job stands, and when it is tried again if it failed and retries are left."""
        digest = job.task.training_hash
        if digest not in self._latest:
            return
        self._latest[digest] = job
        if job.state is JobState.FAILED:
            retry = self._retries.get(digest, 0) + 1
            if retry <= self._component(job).max_retries:
                self._retries[digest] = retry
                self._due[digest] = self._stage.clock.now() + pause_before(retry)
                return
        if job.state.final:
            self._open.discard(digest)

    def _retry(self) -> bool:
        """Submit the attempts that are due, packed anew: one batch for many, whatever batches they came from."""
        now = self._stage.clock.now()
        failed = [self._latest[digest] for digest, due in self._due.items() if due <= now]
        for job in failed:
            del self._due[job.task.training_hash]
        size = self._situation.fleet.settings.platform.batch_size
        for version in sorted({job.component_version for job in failed}):
            again = [self._next_attempt(job) for job in failed if job.component_version == version]
            batches = packed(again, size, self._situation.run.id)
            self._stage.jobs.submit(batches, self._component(batches[0]))
            self._latest |= {job.task.training_hash: job for job in batches}
        return bool(failed)

    def _next_attempt(self, job: TrainingJob) -> TrainingJob:
        return replace(
            job,
            id=job_id(job.task.model_name, job.task.training_hash, job.attempt + 1),
            attempt=job.attempt + 1,
            state=JobState.QUEUED,
            submitted_at=self._stage.clock.now(),
            started_at=None,
            ended_at=None,
            error="",
        )

    def _component(self, job: TrainingJob) -> TrainingComponent:
        if job.component_version not in self._components:
            held = self._stage.assets.find(AssetKind.COMPONENT, job.component, job.component_version)
            if held is None:
                raise BadInput(
                    f"{job.component}:{job.component_version} is not registered",
                    fix="run RegisterComponents first",
                )
            self._components[job.component_version] = component_from(held.asset)
        return self._components[job.component_version]

    def _tell(self) -> None:
        failed = sum(
            1
            for digest, job in self._latest.items()
            if job.state is JobState.FAILED and digest not in self._due
        )
        self._situation.report(
            Progress(len(self._latest) - len(self._open), len(self._latest), failed=failed)
        )


def _planned(
    situation: Situation, index: ReadIndex, data: DataAssets, jobs: JobService
) -> list[tuple[Circuit, CircuitAction]]:
    """What the plan says to do with the circuits of a situation."""
    failures = no_failures if situation.retry_failed else failures_in(jobs, situation.fleet.environment)
    return actions(situation.circuits, index(), data, failures)


def _to_train(planned: Sequence[tuple[Circuit, CircuitAction]]) -> list[tuple[Circuit, Train]]:
    return [(circuit, action) for circuit, action in planned if isinstance(action, Train)]


def _parked(planned: Sequence[tuple[Circuit, CircuitAction]]) -> tuple[Blocked, ...]:
    return tuple(
        action
        for _, action in planned
        if isinstance(action, Blocked) and isinstance(action.reason, FailedAlike)
    )


def _any_failed(latest: Mapping[Digest, TrainingJob]) -> bool:
    return any(job.state is JobState.FAILED for job in latest.values())


def _parked_document(parked: Blocked) -> Json:
    return {
        "plant_id": parked.key.plant,
        "circuit_id": parked.key.circuit,
        "model_name": parked.model,
        "training_hash": parked.training_hash.hex,
        "why": parked.why,
    }


def _latest(jobs: JobService, wanted: Sequence[tuple[Circuit, Train]]) -> dict[Digest, TrainingJob]:
    """The last attempt at each, where there is one."""
    known = jobs.jobs_for([action.training_hash for _, action in wanted]) if wanted else {}
    return {digest: attempts[-1] for digest, attempts in known.items() if attempts}


def _document(job: TrainingJob) -> Json:
    return {
        "job": job.id,
        "batch": job.batch,
        "plant_id": job.task.key.plant,
        "circuit_id": job.task.key.circuit,
        "model_name": job.task.model_name,
        "training_hash": job.task.training_hash.hex,
        "attempt": job.attempt,
        "state": job.state.value,
        "seconds": job.seconds,
        "error": job.error or None,
        "artifact": job.outcome.artifact.hex if job.outcome else None,
    }
