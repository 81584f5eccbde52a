"""Training jobs on a compute cluster: each batch is one job of Azure, submitted once and asked for in short calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.canonical import digest_of
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobBatch, JobPage, JobState, TrainingJob
from fleetcast.platforms.azureml.assets import AzureAssetRegistry
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.platforms.azureml.graphs import BatchJob
from fleetcast.platforms.azureml.operations import held, made_once, side_by_side, written
from fleetcast.platforms.azureml.places import DatastorePlaces
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Session, changes, chunks, reads
from fleetcast.platforms.files.job_log import LOG_FILE
from fleetcast.platforms.jobs.batch import BATCH_FILE, ERROR_FILE, job_folder
from fleetcast.platforms.jobs.queue import JobQueue
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore
from fleetcast.stored.form import Unreadable
from fleetcast.stored.jobs import JOB_BATCH, JOB_OUTCOME

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

_handed = schema.handed_over
_FEW = 3
"""So many jobs of Azure are asked for one by one; more are listed together."""
_PAUSE = timedelta(seconds=10)
"""Between two looks at jobs that run."""
RUN_TAG = "fleetcast_run"


class Stands(Enum):
    """How a job of Azure stands, as far as it matters here."""

    WAITS = "it has not begun"
    RUNS = "it is at work"
    DONE = "it completed"
    ENDED = "it ended without completing"


_STATES: Mapping[str, Stands] = {
    **dict.fromkeys(
        ("NotStarted", "Starting", "Provisioning", "Preparing", "Queued", "Scheduled"), Stands.WAITS
    ),
    **dict.fromkeys(("Running", "Finalizing", "CancelRequested", "NotResponding", "Paused"), Stands.RUNS),
    "Completed": Stands.DONE,
    **dict.fromkeys(("Failed", "Canceled"), Stands.ENDED),
}


class AzureJobService(JobQueue):
    """Runs jobs by batches on the fleet's cluster.

    What a batch needs stands in the container before it is submitted; under which name is written down first. So a
    submission whose answer was lost is found by its name, and not made twice.
    """

    def __init__(
        self,
        session: Session,
        clients: AzureClients,
        assets: AzureAssetRegistry,
        places: DatastorePlaces,
        artifacts: ArtifactStore,
    ) -> None:
        super().__init__(session)
        self._clients = clients
        self._assets = assets
        self._places = places
        self._artifacts = artifacts
        self._torn: list[str] = []

    def check(self, component: TrainingComponent) -> None:
        """Make sure that the steps' commands can be read; the container knows its programs."""
        from fleetcast.pipeline.steps import check_commands

        check_commands(component)

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        """Queue jobs, all or none, and submit their batches; a job whose id is known is left as it is."""
        new = self.insert(jobs, component)
        by_batch: defaultdict[str, list[TrainingJob]] = defaultdict(list)
        for job in new:
            by_batch[job.batch].append(job)
        batches = {_name_of(members): members for members in by_batch.values()}
        self._hand_over({job.id: name for name, members in batches.items() for job in members})
        described = [self._described(name, members, component) for name, members in batches.items()]
        handed = [JobBatch(component, tuple(members)) for members in batches.values()]
        list(side_by_side(lambda both: self._submit(*both), zip(described, handed, strict=True)))

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        """See how the jobs at these hashes stand; where none changed, look again once after a pause."""
        changed = self._look(hashes)
        if not changed and timeout > timedelta(0) and self._open(hashes):
            self.session.clock.sleep(min(timeout, _PAUSE))
            changed = self._look(hashes)
        return changed

    def set_aside(self) -> Sequence[str]:
        """What was found torn since this was last asked."""
        told, self._torn = self._torn, []
        return told

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        """End the unfinished jobs at other training hashes; what runs for nobody else is cancelled."""
        left = super().abandon(wanted)
        names = set(self._names([job.id for job in left]).values())
        still = set(self._names([job.id for job in self.unfinished()]).values())
        jobs = self._clients.workspace().jobs
        for name in sorted(names - still):
            found = held(f"job {name}", lambda name=name: jobs.get(name))  # type: ignore[misc]
            if found is not None and stands(found) in (Stands.WAITS, Stands.RUNS):
                with asked(f"job {name}"):
                    jobs.begin_cancel(name)
        return left

    def close(self) -> None:
        """Nothing is worked on here."""

    def log(self, job_id: str) -> str | None:
        """What a job said."""
        self.check_known(job_id)
        said = self._places.get(f"{job_folder(job_id)}/{LOG_FILE}")
        return None if said is None else said.decode(errors="replace")

    def kept_logs(self) -> None:
        """Not the fleet's to remove: the files of a batch of jobs are those of a job of Azure ML, which lists them."""

    def remove_logs(self, ids: Collection[str]) -> None:
        """Nothing, as `kept_logs` offers none."""

    def pages(self, run: str) -> Sequence[JobPage]:
        """Where Azure ML Studio shows the jobs of Azure that a run was handed over as."""
        found = self._listed([run])
        pages = [
            JobPage(str(job.display_name or job.name), job.studio_url) for job in found if job.studio_url
        ]
        return sorted(pages, key=lambda page: (page.title, page.url))

    def _described(self, name: str, members: Sequence[TrainingJob], component: TrainingComponent) -> BatchJob:
        """A batch as Azure is to run it; its component is made if it is not there."""
        first = members[0]
        environment = self._environment(first.environment_version)
        more = f" and {len(members) - 1} more" if len(members) > 1 else ""
        return BatchJob(
            name=name,
            component=self._assets.component_for(
                component.name, str(component.version), component.digest, environment
            ),
            compute=self._clients.settings.compute,
            batch=self._places.uri(_folder(name)),
            rows=self._places.uri("frozen"),
            results=self._places.uri(),
            tags={
                RUN_TAG: first.run,
                "fleetcast_batch": first.batch,
                "fleetcast_circuits": str(len(members)),
                "fleetcast_component": f"{component.name}:{component.version}",
                "fleetcast_environment": environment,
            },
            shown=f"{first.run}: {first.task.key}{more}",
        )

    def _submit(self, described: BatchJob, batch: JobBatch) -> None:
        """Submit a batch unless it is there; what it reads is put where it reads it first."""
        jobs = self._clients.workspace().jobs
        self._places.put(f"{_folder(described.name)}/{BATCH_FILE}", JOB_BATCH.to_json(batch).encode())
        made_once(
            f"job {described.name}",
            lambda: jobs.get(described.name),
            lambda: jobs.create_or_update(described.described()),
        )

    def _environment(self, version: str) -> str:
        name = self._assets.environment_with(version)
        if name is None:
            raise BadInput(
                f"no environment of version {version} is registered",
                fix="run the stage RegisterEnvironment first",
            )
        return f"{name}:{version}"

    def _open(self, hashes: Collection[Digest]) -> list[TrainingJob]:
        wanted = frozenset(hashes)
        return [job for job in self.unfinished() if job.task.training_hash in wanted]

    def _look(self, hashes: Collection[Digest]) -> list[TrainingJob]:
        """Take in how the jobs of Azure stand; gives the jobs that changed by it, once that is on record."""
        waiting = self._open(hashes)
        names = self._names([job.id for job in waiting])
        members: defaultdict[str, list[TrainingJob]] = defaultdict(list)
        for job in waiting:
            members[names.get(job.id, "")].append(job)
        standing = self._standing([name for name in members if name], {job.run for job in waiting})
        changed: list[TrainingJob] = []
        for name, some in members.items():
            found = standing.get(name)
            if found is None:
                self._submit_again(name, some)
                continue
            changed += self._taken_in(found, some)
        if changed:
            self.update(changed)
        return [job for job in changed if job.state.final]

    def _standing(self, names: Collection[str], runs: Iterable[str]) -> Mapping[str, Job]:
        """The jobs of Azure by name, as far as there are any: few are asked for by name, many by one listing a run."""
        jobs = self._clients.workspace().jobs
        if len(names) <= _FEW:
            asked_for = [held(f"job {name}", lambda name=name: jobs.get(name)) for name in names]  # type: ignore[misc]
            return {str(found.name): found for found in asked_for if found is not None}
        return {str(found.name): found for found in self._listed(runs)}

    def _listed(self, runs: Iterable[str]) -> list[Job]:
        """The jobs of Azure that some runs were handed over as."""
        jobs = self._clients.workspace().jobs
        with asked("jobs"):
            return [job for run in runs for job in jobs.list(tag=f"{RUN_TAG}={run}")]

    def _submit_again(self, name: str, members: Sequence[TrainingJob]) -> None:
        """Submit what was queued and never reached Azure, as whoever queued it was cut off."""
        component = self.component(members[0].component_digest)
        whole = self._named_by(name) if name else members
        if not name:
            name = _name_of(members)
            self._hand_over({job.id: name for job in members})
        self._submit(self._described(name, whole, component), JobBatch(component, tuple(whole)))

    def _taken_in(self, found: Job, members: Sequence[TrainingJob]) -> list[TrainingJob]:
        """Members that stand otherwise than is on record."""
        now, standing = self.session.clock.now(), stands(found)
        if standing is Stands.WAITS:
            return []
        if standing is Stands.RUNS:
            return [job.started(now) for job in members if job.state is JobState.QUEUED]
        began = [job if job.started_at is not None else job.started(now) for job in members]
        return list(side_by_side(lambda job: self._ended(job, found, standing), began))

    def _ended(self, job: TrainingJob, found: Job, standing: Stands) -> TrainingJob:
        now, folder = self.session.clock.now(), job_folder(job.id)
        outcome_text = self._places.get(f"{folder}/outcome.json")
        if outcome_text is not None:
            try:
                outcome = JOB_OUTCOME.from_json(outcome_text, f"{self._places.storage}/{folder}/outcome.json")
                if standing is not Stands.DONE:
                    self._artifacts.folder(outcome.artifact)  # it ended badly: is all of it there?
                return job.completed(outcome, now)
            except (Unreadable, ArtifactMissing) as error:
                self._torn.append(f"{error}; {job.id} failed by it")
                return job.failed(str(error), now)
        error_text = self._places.get(f"{folder}/{ERROR_FILE}")
        if error_text is not None:
            return job.failed(error_text.decode(errors="replace")[:1_000], now)
        page = f": see {found.studio_url}" if found.studio_url else ""
        return job.failed(f"its job of Azure, {found.name}, ended as {written(found.status)}{page}", now)

    @changes
    def _hand_over(self, connection: Connection, names: Mapping[str, str]) -> None:
        if names:
            rows = [{"job": job, "name": name} for job, name in names.items()]
            connection.execute(sa.insert(_handed), rows)

    @reads
    def _names(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        """Under which name each of some jobs was handed over."""
        found: dict[str, str] = {}
        for some in chunks(ids):
            query = sa.select(_handed.c.job, _handed.c.name).where(_handed.c.job.in_(some))
            found |= {row.job: row.name for row in connection.execute(query)}
        return found

    def _named_by(self, name: str) -> list[TrainingJob]:
        """All jobs that were handed over under a name."""
        return self.named(self._ids_of(name))

    @reads
    def _ids_of(self, connection: Connection, name: str) -> list[str]:
        query = sa.select(_handed.c.job).where(_handed.c.name == name).order_by(_handed.c.job)
        return list(connection.execute(query).scalars())


def stands(job: Job) -> Stands:
    """How a job stands."""
    return standing_as(job.status)


def standing_as(status: object) -> Stands:
    """A state that came after this program was written is one of a job that is still at work."""
    return _STATES.get(written(status), Stands.RUNS)


def _folder(name: str) -> str:
    """Where in the container a batch stands."""
    return f"batches/{name}"


def _name_of(members: Sequence[TrainingJob]) -> str:
    """The name of a batch in Azure: the same for the same jobs, so that submitting it twice is once."""
    digest = digest_of(
        {"jobs": sorted(job.id for job in members), "component": members[0].component_digest.hex}
    )
    return f"fleetcast-{digest.hex[:24]}"
