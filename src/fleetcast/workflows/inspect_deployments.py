"""How deployments stand, and what clients are answered by."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.deployment import Deployment, DeploymentState, PlantRollout
from fleetcast.domain.model import Refusal
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.role import Right
from fleetcast.domain.traffic import Traffic
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.ports.platform import Platform

_SHOWN = 5
"""Deployments of each environment."""


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """All environments together."""

    deployments: tuple[Deployment, ...] = ()
    """The last of each environment, newest first."""
    rollouts: tuple[PlantRollout, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    blocked: tuple[str, ...] = ()
    """Versions that were rolled back, and are not used again before somebody unblocks them."""

    @property
    def running_in(self) -> tuple[EnvironmentName, ...]:
        """Environments in which a deployment moves on."""
        running = [one for one in self.deployments if one.state is DeploymentState.RUNNING]
        return tuple(dict.fromkeys(one.plan.environment for one in running))

    def of(self, deployment: Deployment) -> Deployment:
        """The same deployment as it stands here; as it was if it is not here."""
        same = (deployment.plan.environment, deployment.number)
        return next(
            (one for one in self.deployments if (one.plan.environment, one.number) == same), deployment
        )

    def rollouts_of(self, deployment: Deployment | None) -> tuple[PlantRollout, ...]:
        """How the plants of a deployment stand, as far as it has come to them; none of no deployment."""
        if deployment is None:
            return ()
        same = (deployment.plan.environment, deployment.number)
        return tuple(one for one in self.rollouts if (one.endpoint.environment, one.deployment) == same)


@dataclass(frozen=True, slots=True)
class ShowDeployments:
    """Look, and change nothing."""

    platform: Platform

    def __call__(self) -> DeploymentStatus:
        """Read it.

        Raises:
            Denied: Whoever acts may not look.
        """
        control = self.platform.control
        control.require(Right.VIEW)
        book, endpoints = control.deployments, self.platform.workspace.endpoints
        return DeploymentStatus(
            tuple(one for name in SERVED_IN for one in book.listed(name, _SHOWN)),
            tuple(one for name in SERVED_IN for one in book.rollouts(name).values()),
            tuple(one for name in SERVED_IN for one in endpoints.standing(name).values()),
            tuple(
                f"{name}:{version}"
                for (name, version), refusal in sorted(control.states.intent().refused.items())
                if refusal is Refusal.BLOCKED
            ),
        )
