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


@dataclass(frozen=True, slots=True)
class ClusterCommands:
    """Lets the cluster of dev's workspace run a command of fleetcast.

    The repository goes along as a bundle of git, with its history: gates ask who wrote the commits.
    """

    clients: AzureClients
    fleet: Path
    """The fleet repository."""

    def component(self, commit: str) -> str:
        """The component that runs commands on the fleet as a commit holds it, made if it is not there.

        Args:
            commit: That is checked out.

        Returns:
            How jobs name it.

        Raises:
            BadInput: Git cannot bundle it.
            VersionTaken: Somebody has made another one of that name.
        """
        client = self.clients.workspace()
        environment = self._environment(client)
        runs = _script(place_in_repository(self.fleet))
        digest = digest_of([__version__, commit, runs, environment])
        version = f"{__version__}-{digest.short}"

        def make() -> Component:
            with tempfile.TemporaryDirectory(prefix="fleetcast-bundle-") as folder:
                bundle(self.fleet, Path(folder) / _BUNDLE)
                described = loaded_component(
                    {
                        "type": "command",
                        "name": COMPONENT,
                        "version": version,
                        "tags": {DIGEST_TAG: digest.hex, "fleetcast_commit": commit},
                        "description": "Runs a command of fleetcast on the fleet as a commit holds it.",
                        "environment": f"azureml:{environment}",
                        "code": folder,
                        "inputs": {"arguments": {"type": "string"}},
                        "command": runs,
                    }
                )
                made: Component = client.components.create_or_update(described)
                return made

        found: Component = made_once(
            f"component {COMPONENT}:{version}", lambda: client.components.get(COMPONENT, version), make
        )
        said = str((found.tags or {}).get(DIGEST_TAG, ""))
        if said != digest.hex:
            raise VersionTaken(COMPONENT, version, Digest.of(said.encode()), digest)
        return f"azureml:{COMPONENT}:{version}"

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


def _script(below: str) -> str:
    """What a container runs; the fleet may be a folder of its repository."""
    folder = shlex.quote(f"fleet/{below}".rstrip("/"))
    return f"git clone --quiet {_BUNDLE} fleet && cd {folder} && fleetcast ${{{{inputs.arguments}}}}"
