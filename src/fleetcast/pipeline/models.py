"""Stage 7: register the models of completed jobs, with their lineage, and use what is reused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import HistoryLost
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.model import FleetIndex, ModelVersion, TrainedLineage, TrainedModel, VersionEntry
from fleetcast.domain.plan import Reuse, Train, plan_removed
from fleetcast.domain.run import Ending
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.loadable import damage
from fleetcast.pipeline.missing_jobs import says_without, without_job
from fleetcast.pipeline.situation import Situation, actions
from fleetcast.ports.artifacts import ArtifactStore
from fleetcast.ports.assets import DataAssets
from fleetcast.ports.jobs import JobService
from fleetcast.ports.models import ModelRegistry, ModelStates
from fleetcast.ports.runs import RunBook


@dataclass(frozen=True, slots=True)
class ModelsRegistered:
    """What stage 7 did."""

    registered: tuple[ModelVersion, ...]
    reused: tuple[Reuse, ...]
    removed: tuple[str, ...]
    without: tuple[CircuitKey, ...] = ()
    """Circuits to train that have no job."""
    damaged: tuple[tuple[str, str], ...] = ()
    """Models whose files are lost or damaged, and why: not registered, or not used again."""

    @property
    def ending(self) -> Ending:
        """Failed if a circuit to train has no job, or a model cannot be loaded; else done."""
        return Ending.FAILED if self.without or self.damaged else Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        parts = [f"{len(self.registered)} registered"] if self.registered else []
        parts += [f"{len(self.reused)} reused"] if self.reused else []
        parts += [f"{len(self.removed)} out of use"] if self.removed else []
        parts += [says_without(self.without)] if self.without else []
        if self.damaged:
            name, why = self.damaged[0]
            parts.append(f"{len(self.damaged)} cannot be loaded ({name}: {why})")
        return ", ".join(parts) or "nothing new"

    def document(self) -> Json:
        """For `registered_models.json`."""
        return {
            "registered": [_document(version) for version in self.registered],
            "reused": [{"name": reuse.model, "version": reuse.version} for reuse in self.reused],
            "removed": list(self.removed),
            "without_job": [str(key) for key in self.without],
            "damaged": [{"name": name, "why": why} for name, why in self.damaged],
        }


@dataclass(frozen=True, slots=True)
class RegisterModels:
    """Register the model of every completed job that the registry does not hold yet."""

    models: ModelRegistry
    states: ModelStates
    index: ReadIndex
    data: DataAssets
    jobs: JobService
    runs: RunBook
    artifacts: ArtifactStore

    def run(self, situation: Situation) -> ModelsRegistered:
        """Register what was trained, select it and what is reused, and take undeclared circuits out of use."""
        planned = actions(situation.circuits, self.index(), self.data)
        wanted = [(circuit, action) for circuit, action in planned if isinstance(action, Train)]
        attempts = self.jobs.jobs_for([action.training_hash for _, action in wanted])
        ended = [
            (circuit, job)
            for circuit, action in wanted
            for job in attempts.get(action.training_hash, ())[-1:]
            if job.state is JobState.COMPLETED
        ]
        lost = {job.id: why for _, job in ended if (why := self._damage(job))}
        self.jobs.void(lost)
        completed = [(circuit, job) for circuit, job in ended if job.id not in lost]
        commits = {run: self.runs.find(run).commit for run in {job.run for _, job in completed}}
        trained = [_trained(circuit, job, commits[job.run]) for circuit, job in completed]
        registered = self.models.register(trained) if trained else ()
        again = [action for _, action in planned if isinstance(action, Reuse)]
        worn = self._worn(again)
        reused = tuple(action for action in again if action.model not in worn)
        used = {version.name: version.version for version in registered}
        used |= {reuse.model: reuse.version for reuse in reused}
        if used:
            self.states.select(used)
        self._check_there(registered)
        removed = self._remove(situation)
        damaged = {job.task.model_name: lost[job.id] for _, job in ended if job.id in lost} | worn
        without = without_job(wanted, attempts)
        return ModelsRegistered(tuple(registered), reused, removed, without, tuple(damaged.items()))

    def _damage(self, job: TrainingJob) -> str:
        """Why the model that a job left cannot be registered; the job is then to be done again."""
        assert job.outcome is not None  # noqa: S101  # completed jobs have one
        return damage(job.outcome.artifact, self.artifacts)

    def _worn(self, again: Sequence[Reuse]) -> dict[str, str]:
        """The models that are to be used again and cannot be loaded, and why."""
        index = self.index() if again else None
        found = {}
        for action in again:
            entry = index.entry(action.model, action.version) if index else None
            if entry is not None and (why := damage(entry.artifact, self.artifacts)):
                found[action.model] = why
        return found

    def _check_there(self, registered: Sequence[ModelVersion]) -> None:
        """Make sure that what was registered is there, and in use."""
        if not registered:
            return
        index = self.index()
        for version in registered:
            entry = index.selected_entry(version.name)
            if entry is None or entry.version != version.version:
                raise HistoryLost(f"{version.name}:{version.version}, which was registered,")

    def _remove(self, situation: Situation) -> tuple[str, ...]:
        if situation.only is not None:
            return ()
        gone = tuple(item.model for item in plan_removed(situation.fleet.circuits, self.index()))
        if gone:
            self.states.deselect(gone)
        return gone


def _trained(circuit: Circuit, job: TrainingJob, commit: str) -> TrainedModel:
    assert job.outcome is not None  # noqa: S101  # completed jobs have one
    lineage = TrainedLineage(
        training_hash=job.task.training_hash,
        hash_schema=HASH_SCHEMA,
        inputs=training_inputs(circuit),
        key=circuit.key,
        component=job.component,
        component_version=job.component_version,
        component_digest=job.component_digest,
        environment_version=job.environment_version,
        commit=commit,
        run=job.run,
        job=job.id,
        data_digest=job.data_digest,
        fingerprint=job.fingerprint,
    )
    return TrainedModel(
        name=circuit.model_name,
        lineage=lineage,
        artifact=job.outcome.artifact,
        artifact_bytes=job.outcome.artifact_bytes,
        scores=job.outcome.scores,
        trained_seconds=job.seconds,
    )


def _document(version: ModelVersion) -> Json:
    lineage = version.model.lineage
    assert isinstance(lineage, TrainedLineage)  # noqa: S101  # this stage registers what jobs have trained
    return {
        "name": version.name,
        "version": version.version,
        "plant_id": lineage.key.plant,
        "circuit_id": lineage.key.circuit,
        "training_hash": lineage.training_hash.hex,
        "component_version": lineage.component_version,
        "environment_version": lineage.environment_version,
        "commit": lineage.commit,
        "job": lineage.job,
        "fingerprint": lineage.fingerprint.hex,
        "artifact": version.model.artifact.hex,
        "skill": version.model.scores.mean.skill,
        "mase": version.model.scores.mean.mase,
        "sensors": {name: {"mae": each.mae} for name, each in version.model.scores.sensors.items()},
    }


def selected(circuits: Sequence[Circuit], index: FleetIndex) -> list[tuple[Circuit, VersionEntry]]:
    """The circuits that have a selected version, with it as the index lists it."""
    found = [(circuit, index.selected_entry(circuit.model_name)) for circuit in circuits]
    return [(circuit, entry) for circuit, entry in found if entry is not None]


def as_declared(
    listed: Sequence[tuple[Circuit, VersionEntry]], index: FleetIndex
) -> list[tuple[Circuit, VersionEntry]]:
    """Those whose version is what the circuit declares now, and that nobody refused: what may be promoted."""
    return [
        (circuit, entry)
        for circuit, entry in listed
        if index.refusal(entry.name, entry.version) is None
        and entry.carries(training_hash(training_inputs(circuit)))
    ]


def in_full(
    listed: Sequence[tuple[Circuit, VersionEntry]], models: ModelRegistry
) -> list[tuple[Circuit, ModelVersion]]:
    """The same versions with everything that is known of them."""
    held = models.versions([entry.name for _, entry in listed])
    return [
        (circuit, next(version for version in held[entry.name] if version.version == entry.version))
        for circuit, entry in listed
    ]
