"""Batch endpoints: one for each environment, with the deployment whose content is what one commit holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleetcast.domain.assets import VersionTaken
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.platforms.azureml.commands import PipelineMade
from fleetcast.platforms.azureml.graphs import EXPERIMENT
from fleetcast.platforms.azureml.jobs import Stands, standing_as
from fleetcast.platforms.azureml.operations import (
    DIGEST_TAG,
    failed,
    held,
    made_once,
    seen_through,
    settled,
    unless_busy,
)
from fleetcast.ports.clock import Clock

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import BatchDeployment, BatchEndpoint

ENVIRONMENT_TAG = "fleetcast_environment"
_TAGS_OF = "fleetcast_commit"


def batch_endpoint_name(clients: AzureClients, environment: EnvironmentName) -> str:
    """The name of an environment's endpoint: unique in its region, so it tells the workspace too."""
    settings = clients.settings
    place = f"{settings.subscription_id}/{settings.resource_group}/{settings.workspace(EnvironmentName.DEV)}"
    return f"fleetcast-{environment}-{Digest.of(place.encode()).hex[:8]}"


@dataclass(frozen=True, slots=True)
class BatchEndpointOf:
    """The endpoint of one environment, in the workspace of dev, where the cluster is."""

    clients: AzureClients
    clock: Clock
    environment: EnvironmentName

    @property
    def name(self) -> str:
        """In its region."""
        return batch_endpoint_name(self.clients, self.environment)

    def deployed(self, pipeline: PipelineMade, commit: str) -> str:
        """The deployment that runs a pipeline, made if it is not there, and the default from now on.

        Args:
            pipeline: What it runs.
            commit: That holds it, for people.

        Returns:
            Its name.

        Raises:
            BadInput: Somebody else has made an endpoint of that name.
            VersionTaken: Somebody else has made a deployment of that name.
            FleetcastError: Azure refuses or fails; repeating it goes on from there.
        """
        client = self.clients.workspace()
        self._endpoint(client)
        digest = digest_of([pipeline.digest.hex, self.clients.settings.compute])
        name = f"c-{digest.hex[:16]}"
        self._deployment(client, name, pipeline, digest, commit)
        self._make_default(client, name)
        return name

    def begin(self, deployment: str, job: str, inputs: Mapping[str, str]) -> None:
        """Have a deployment begin a job.

        Args:
            deployment: Its name.
            job: The name that the job is to have.
            inputs: Texts.

        Raises:
            Unavailable: Azure gave the job another name, by which it would not be found again.
            FleetcastError: Azure refuses or fails; the job may have begun all the same.
        """
        from azure.ai.ml import Input

        client = self.clients.workspace()
        given: dict[str, Any] = {name: Input(type="string", default=said) for name, said in inputs.items()}
        with asked(f"batch endpoint {self.name}"):
            begun = client.batch_endpoints.invoke(
                self.name,
                # Named, as the default may be another one by now; and the SDK sends the name that was said last.
                deployment_name=deployment,
                inputs=given,
                job_name=job,
                experiment_name=EXPERIMENT,
            )
        if str(begun.name) != job:
            raise Unavailable(
                f"Azure began {begun.name} where {job} was asked for, so it will not be found again",
                fix="look at it in Azure ML studio, and cancel it there before you repeat the command",
            )

    def without_old(self, keep: str) -> None:
        """Remove deployments of ours that no job runs any more.

        Args:
            keep: The name of the one that is needed.

        Raises:
            FleetcastError: Azure refuses or fails; nothing depends on it.
        """
        client = self.clients.workspace()
        with asked(f"deployments of {self.name}"):
            there = [one for one in client.batch_deployments.list(self.name) if one.name != keep]
        for one in there:
            if DIGEST_TAG in (one.tags or {}) and not self._runs(client, str(one.name)):
                self._remove(client, str(one.name))

    def _endpoint(self, client: MLClient) -> BatchEndpoint:
        from azure.ai.ml.entities import BatchEndpoint

        what = f"batch endpoint {self.name}"
        described = BatchEndpoint(
            name=self.name,
            description=f"Scores {self.environment}: `fleetcast score {self.environment} --on-platform`.",
            tags={ENVIRONMENT_TAG: self.environment.value},
        )

        def read() -> BatchEndpoint:
            found: BatchEndpoint = client.batch_endpoints.get(self.name)
            return found

        made: BatchEndpoint = made_once(
            what, read, lambda: seen_through(lambda: client.batch_endpoints.begin_create_or_update(described))
        )
        made = settled(what, made, read, self.clock)
        if (made.tags or {}).get(ENVIRONMENT_TAG) != self.environment.value:
            raise BadInput(
                f"fleetcast did not make the {what}", fix="delete it in Azure ML studio, or score without it"
            )
        return made

    def _deployment(
        self, client: MLClient, name: str, pipeline: PipelineMade, digest: Digest, commit: str
    ) -> None:
        from azure.ai.ml.entities import PipelineComponentBatchDeployment

        what = f"batch deployment {self.name}/{name}"
        described = PipelineComponentBatchDeployment(
            name=name,
            endpoint_name=self.name,
            component=pipeline.id,
            settings={"default_compute": self.clients.settings.compute},
            description="Scores by what one commit of the fleet says.",
            tags={DIGEST_TAG: digest.hex, _TAGS_OF: commit},
        )

        def read() -> BatchDeployment:
            found: BatchDeployment = client.batch_deployments.get(name, self.name)
            return found

        def make() -> None:
            with asked(what):
                seen_through(lambda: client.batch_deployments.begin_create_or_update(described))

        there = held(what, read)
        if there is None or failed(there):
            try:
                unless_busy(self.clock, make)
            except FleetcastError as error:
                there = held(what, read)
                if there is None or failed(settled(what, there, read, self.clock)):
                    raise error from error.__cause__
            there = held(what, read)
        if there is None:
            raise Unavailable(f"Azure does not show {what}", fix="repeat the command in a while")
        there = settled(what, there, read, self.clock)
        if failed(there):
            raise Unavailable(f"Azure could not make {what}", fix="repeat the command in a while")
        said = str((there.tags or {}).get(DIGEST_TAG, ""))
        if said != digest.hex:
            raise VersionTaken(f"{self.name}/{name}", name, Digest.of(said.encode()), digest)

    def _make_default(self, client: MLClient, deployment: str) -> None:
        """Have whoever invokes the endpoint and names no deployment get this one."""
        what = f"batch endpoint {self.name}"

        def put() -> None:
            with asked(what):
                endpoint = client.batch_endpoints.get(self.name)
                if _default(endpoint) == deployment:
                    return
                endpoint.defaults = {"deployment_name": deployment}
                seen_through(lambda: client.batch_endpoints.begin_create_or_update(endpoint))

        unless_busy(self.clock, put)

    def _runs(self, client: MLClient, deployment: str) -> bool:
        """Whether a job of a deployment has not ended."""
        with asked(f"jobs of {self.name}/{deployment}"):
            jobs = list(client.batch_deployments.list_jobs(self.name, name=deployment))
        return any(standing_as(one.status) in (Stands.WAITS, Stands.RUNS) for one in jobs)

    def _remove(self, client: MLClient, deployment: str) -> None:
        what = f"batch deployment {self.name}/{deployment}"

        def delete() -> None:
            held(
                what,
                lambda: seen_through(
                    lambda: client.batch_deployments.begin_delete(name=deployment, endpoint_name=self.name)
                ),
            )

        unless_busy(self.clock, delete)


def _default(endpoint: BatchEndpoint) -> str:
    """The SDK gives it as an object of its own, or as what was said."""
    defaults = endpoint.defaults
    if isinstance(defaults, dict):
        return str(defaults.get("deployment_name") or "")
    return str(getattr(defaults, "deployment_name", "") or "")
