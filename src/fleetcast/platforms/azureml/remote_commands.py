"""Commands of fleetcast as jobs of the cluster: each run is one job, found again by its name."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.remote_run import RemoteRun, RemoteState
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.domain.wanted_azure import Given
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.commands import ClusterCommands
from fleetcast.platforms.azureml.jobs import Stands, stands
from fleetcast.platforms.azureml.operations import held, made_once

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

COMMAND_TAG = "fleetcast_command"
_STATES: Mapping[Stands, RemoteState] = {
    Stands.WAITS: RemoteState.WAITS,
    Stands.RUNS: RemoteState.RUNS,
    Stands.DONE: RemoteState.DONE,
    Stands.ENDED: RemoteState.FAILED,
}


@dataclass(frozen=True, slots=True)
class AzureRemoteCommands:
    """On the cluster of dev's workspace, with its identity."""

    clients: AzureClients
    commands: ClusterCommands
    given: Given
    """Without the commit."""
    account: str
    """The storage account of the fleet."""

    def begin(self, name: str, words: Sequence[str], commit: str) -> RemoteRun:
        """Begin a command, once for each name."""
        given = Given(commit, self.given.version, self.given.database, self.given.signing_key)
        if given.lacks is not None:
            raise BadInput(given.lacks.why, fix=given.lacks.fix)
        variables = {
            DATABASE_URL_VARIABLE: given.database,
            "AZURE_STORAGE_ACCOUNT_NAME": self.account,
            SIGNING_KEY_VARIABLE: given.signing_key,
        }
        jobs, arguments = self.clients.workspace().jobs, shlex.join(words)

        def make() -> Job:
            described = self.commands.job(commit, arguments, variables, {COMMAND_TAG: words[0]})
            described.name = name
            made: Job = jobs.create_or_update(described)
            return made

        return _as_run(made_once(f"job {name}", lambda: jobs.get(name), make))

    def stands(self, name: str) -> RemoteRun | None:
        """How a run stands."""
        jobs = self.clients.workspace().jobs
        found = held(f"job {name}", lambda: jobs.get(name))
        return None if found is None else _as_run(found)


def _as_run(job: Job) -> RemoteRun:
    return RemoteRun(str(job.name), _STATES[stands(job)], job.studio_url or "")
