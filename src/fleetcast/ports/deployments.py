"""What fleetcast needs to remember of deployments, and of how each plant's rollout stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from fleetcast.domain.deployment import Deployment, PlantRollout
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Override


class DeploymentBook(Protocol):
    """Keeps deployments; each change that people should know of has its audit entry."""

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who moves traffic, for the length of a `with` block; as of `RunBook.exclusive`."""
        ...

    def note_any_branch(self, environment: EnvironmentName, commit: str, branch: str | None) -> None:
        """Note in the audit log that somebody deploys whatever the branch."""
        ...

    def note_hold(self, endpoint: Endpoint, override: Override) -> None:
        """Note in the audit log that somebody has a circuit forecast by something else."""
        ...

    def note_hold_over(self, endpoint: Endpoint, circuit: str) -> None:
        """Note that somebody ended that."""
        ...

    def begin(self, deployment: Deployment) -> Deployment:
        """Keep a new deployment, and give it its number."""
        ...

    def save(self, deployment: Deployment) -> None:
        """Write a deployment back, in another state."""
        ...

    def listed(self, environment: EnvironmentName, count: int) -> Sequence[Deployment]:
        """The last deployments to an environment, newest first."""
        ...

    def open_ones(self, environment: EnvironmentName) -> Sequence[Deployment]:
        """Those that are not over, oldest first."""
        ...

    def rollouts(self, environment: EnvironmentName) -> Mapping[str, PlantRollout]:
        """How each plant's last rollout stands, by plant, in one reading."""
        ...

    def save_rollout(self, rollout: PlantRollout) -> None:
        """Write down how a plant's rollout stands, before anything follows from it."""
        ...
