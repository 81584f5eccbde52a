"""Scoring by batch endpoints of Azure ML: each run is one job of the cluster, found again by its name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.remote_run import Issue, RemoteRun, RemoteScoring, RemoteState
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.domain.wanted_azure import Given
from fleetcast.platforms.azureml.batch_endpoints import BatchEndpointOf
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.platforms.azureml.commands import ClusterCommand, ClusterCommands
from fleetcast.platforms.azureml.jobs import Stands, stands
from fleetcast.platforms.azureml.operations import held, made_once
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Session

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

_STATES: Mapping[Stands, RemoteState] = {
    Stands.WAITS: RemoteState.WAITS,
    Stands.RUNS: RemoteState.RUNS,
    Stands.DONE: RemoteState.DONE,
    Stands.ENDED: RemoteState.FAILED,
}
_LEASE = timedelta(seconds=60)
_WAIT = timedelta(minutes=15)
"""For whoever begins a run of the same environment at the moment; making an endpoint takes Azure some minutes."""
_LOG = "std_log.txt"


@dataclass(frozen=True, slots=True)
class ClusterGiven:
    """What runs on the cluster are given; none of it is a secret."""

    given: Given
    """Without the commit."""
    account: str
    """The storage account of the fleet."""


class AzureBatchScoring:
    """On the cluster of dev's workspace, with its identity.

    A run is begun under a lease, so that nobody removes the deployment that it is about to invoke.
    """

    def __init__(
        self, session: Session, clients: AzureClients, commands: ClusterCommands, cluster: ClusterGiven
    ) -> None:
        self._session = session
        self._clients = clients
        self._commands = commands
        self._cluster = cluster

    def begin(self, name: str, scoring: RemoteScoring, commit: str) -> RemoteRun:
        """Begin a run, once for each name."""
        given = self._cluster.given
        with_commit = Given(commit, given.version, given.database, given.signing_key)
        if with_commit.lacks is not None:
            raise BadInput(with_commit.lacks.why, fix=with_commit.lacks.fix)
        variables = {
            DATABASE_URL_VARIABLE: given.database,
            "AZURE_STORAGE_ACCOUNT_NAME": self._cluster.account,
            SIGNING_KEY_VARIABLE: given.signing_key,
        }
        endpoint = BatchEndpointOf(self._clients, self._session.clock, scoring.environment)
        jobs = self._clients.workspace().jobs

        def make() -> Job:
            inputs = {"date": scoring.day.isoformat(), "issue": scoring.issue.value}
            endpoint.begin(deployment, name, inputs)
            made: Job = jobs.get(name)
            return made

        mine = Session(self._session.database, self._session.actor)
        with Lease(mine, endpoint.name, _LEASE).held(str(self._session.actor), _WAIT):
            pipeline = self._commands.pipeline(commit, scoring_command(scoring.environment), variables)
            deployment = endpoint.deployed(pipeline, commit)
            begun = made_once(f"job {name}", lambda: jobs.get(name), make)
            endpoint.without_old(deployment)
        return _as_run(begun)

    def stands(self, name: str) -> RemoteRun | None:
        """How a run stands."""
        jobs = self._clients.workspace().jobs
        found = held(f"job {name}", lambda: jobs.get(name))
        return None if found is None else _as_run(found)

    def said(self, name: str, lines: int) -> Sequence[str]:
        """The last lines of what its only step said."""
        jobs = self._clients.workspace().jobs
        with asked(f"steps of job {name}"):
            steps = [str(step.name) for step in jobs.list(parent_job_name=name)]
        with tempfile.TemporaryDirectory(prefix="fleetcast-log-") as folder:
            for step in steps:
                with asked(f"log of job {step}"), redirect_stdout(StringIO()):
                    jobs.download(step, download_path=folder, all=True)
            texts = [file.read_text(errors="replace") for file in _logs(Path(folder))]
        return [line for text in texts for line in text.splitlines()][-lines:]


def scoring_command(environment: EnvironmentName) -> ClusterCommand:
    """What a deployment of an environment's endpoint runs; whoever invokes it gives the day and the issue."""
    missing, another = Issue.MISSING.value, Issue.ANOTHER.value
    script = (
        f'case "${{{{inputs.issue}}}}" in {missing}) more= ;; {another}) more=--supersede ;;'
        f' *) echo "the issue is {missing} or {another}" >&2; exit 2 ;; esac'
        f' && fleetcast score {environment} --date "${{{{inputs.date}}}}" $more'
    )
    return ClusterCommand(f"fleetcast_score_{environment}", script, ("date", "issue"))


def _logs(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob(_LOG))


def _as_run(job: Job) -> RemoteRun:
    return RemoteRun(str(job.name), _STATES[stands(job)], job.studio_url or "")
