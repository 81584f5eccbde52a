"""Commands of fleetcast that the cluster runs, on the fleet as one commit holds it."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetcast import __version__
from fleetcast.domain.assets import VersionTaken
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.identity import Digest
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.graphs import EXPERIMENT, loaded_component, loaded_job
from fleetcast.platforms.azureml.operations import DIGEST_TAG, made_once
from fleetcast.platforms.git.repository import bundle, place_in_repository

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Component, Environment, Job

ENVIRONMENT, COMPONENT = "fleetcast-commands", "fleetcast_command"
STEP = "command"
_BUNDLE = "fleet.bundle"
_TEXT = {"type": "string"}


@dataclass(frozen=True, slots=True)
class ClusterCommand:
    """A command of fleetcast with places for what each run of it is given."""

    component: str
    """Name of the component that runs it."""
    script: str
    """For the shell of the container, in the fleet's folder."""
    inputs: tuple[str, ...]
    """Texts that each run gives."""


ANY = ClusterCommand(COMPONENT, "fleetcast ${{inputs.arguments}}", ("arguments",))
"""Whatever a job says."""


@dataclass(frozen=True, slots=True)
class PipelineMade:
    """A pipeline component as Azure holds it."""

    id: str
    digest: Digest
    """Of what it was made from."""


@dataclass(frozen=True, slots=True)
class ClusterCommands:
    """Lets the cluster of dev's workspace run a command of fleetcast.

    The repository goes along as a bundle of git, with its history: gates ask who wrote the commits.
    """

    clients: AzureClients
    fleet: Path
    """The fleet repository."""

    def component(self, commit: str, command: ClusterCommand = ANY) -> str:
        """The component that runs a command on the fleet as a commit holds it, made if it is not there.

        Args:
            commit: That is checked out.
            command: What it runs.

        Returns:
            How jobs name it.

        Raises:
            BadInput: Git cannot bundle it.
            VersionTaken: Somebody has made another one of that name.
        """
        client = self.clients.workspace()
        environment = self._environment(client)
        runs = _script(place_in_repository(self.fleet), command.script)
        digest = digest_of([__version__, commit, runs, environment, "runs each time"])
        version = f"{__version__}-{digest.short}"

        def make() -> Component:
            with tempfile.TemporaryDirectory(prefix="fleetcast-bundle-") as folder:
                bundle(self.fleet, Path(folder) / _BUNDLE)
                described = loaded_component(
                    {
                        "type": "command",
                        "name": command.component,
                        "version": version,
                        # Or Azure gives the outcome of an earlier run with the same words in place of a run.
                        "is_deterministic": False,
                        "tags": {DIGEST_TAG: digest.hex, "fleetcast_commit": commit},
                        "description": "Runs a command of fleetcast on the fleet as a commit holds it.",
                        "environment": f"azureml:{environment}",
                        "code": folder,
                        "inputs": dict.fromkeys(command.inputs, _TEXT),
                        "command": runs,
                    }
                )
                made: Component = client.components.create_or_update(described)
                return made

        found: Component = made_once(
            f"component {command.component}:{version}",
            lambda: client.components.get(command.component, version),
            make,
        )
        said = str((found.tags or {}).get(DIGEST_TAG, ""))
        if said != digest.hex:
            raise VersionTaken(command.component, version, Digest.of(said.encode()), digest)
        return f"azureml:{command.component}:{version}"

    def pipeline(self, commit: str, command: ClusterCommand, variables: Mapping[str, str]) -> PipelineMade:
        """A pipeline around a command, as a deployment of a batch endpoint runs it; made if it is not there.

        Args:
            commit: That is checked out.
            command: What its only step runs.
            variables: Of the environment; whoever may look at the component sees them.

        Raises:
            BadInput: Git cannot bundle the fleet.
            VersionTaken: Somebody has made another one of that name.
        """
        client, name = self.clients.workspace(), f"{command.component}_pipeline"
        inner = self.component(commit, command)
        step = {
            "type": "command",
            "component": inner,
            "inputs": {given: f"${{{{parent.inputs.{given}}}}}" for given in command.inputs},
            "environment_variables": dict(variables),
        }
        digest = digest_of([__version__, inner, list(command.inputs), dict(variables)])
        version = f"{__version__}-{digest.short}"
        tags = {DIGEST_TAG: digest.hex, "fleetcast_commit": commit}

        def make() -> Component:
            described = loaded_component(
                {
                    "type": "pipeline",
                    "name": name,
                    "version": version,
                    "tags": tags,
                    "description": "Runs a command of fleetcast on the fleet as a commit holds it.",
                    "inputs": dict.fromkeys(command.inputs, _TEXT),
                    "jobs": {STEP: step},
                }
            )
            made: Component = client.components.create_or_update(described)
            return made

        found: Component = made_once(
            f"component {name}:{version}", lambda: client.components.get(name, version), make
        )
        said = str((found.tags or {}).get(DIGEST_TAG, ""))
        if said != digest.hex:
            raise VersionTaken(name, version, Digest.of(said.encode()), digest)
        return PipelineMade(str(found.id), digest)

    def job(self, commit: str, arguments: str, variables: Mapping[str, str], tags: Mapping[str, str]) -> Job:
        """A job that runs one command, as it is submitted or put into a schedule."""
        return loaded_job(
            {
                "type": "pipeline",
                "display_name": f"fleetcast {arguments}",
                "experiment_name": EXPERIMENT,
                "tags": dict(tags),
                "settings": {"default_compute": f"azureml:{self.clients.settings.compute}"},
                "jobs": {STEP: self.step(commit, arguments, variables)},
            }
        )

    def step(self, commit: str, arguments: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
        """The only step of a pipeline that runs one command."""
        return {
            "type": "command",
            "component": self.component(commit),
            "inputs": {"arguments": arguments},
            "environment_variables": dict(variables),
        }

    def _environment(self, client: MLClient) -> str:
        from azure.ai.ml.entities import Environment

        described = Environment(
            name=ENVIRONMENT,
            version=__version__,
            image=self.clients.settings.image,
            conda_file={
                "name": ENVIRONMENT,
                "channels": ["conda-forge"],
                "dependencies": [
                    "python=3.11",
                    "git",
                    "pip",
                    {"pip": [f"fleetcast[azure,postgres,serving]=={__version__}"]},
                ],
            },
            description="Runs commands of fleetcast.",
        )
        made: Environment = made_once(
            f"environment {ENVIRONMENT}:{__version__}",
            lambda: client.environments.get(ENVIRONMENT, __version__),
            lambda: client.environments.create_or_update(described),
        )
        return f"{made.name}:{made.version}"


def _script(below: str, then: str) -> str:
    """What a container runs; the fleet may be a folder of its repository."""
    folder = shlex.quote(f"fleet/{below}".rstrip("/"))
    return f"git clone --quiet {_BUNDLE} fleet && cd {folder} && {then}"
