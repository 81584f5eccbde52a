"""Taking releases to clients of many plants: what will be done, shown before it begins and pinned by its approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.canonical import LATER, digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.health import Criteria
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Endpoint
from fleetcast.domain.rollout import Phase, Rollout

GATES: Mapping[EnvironmentName, Gate] = {
    EnvironmentName.TEST: Gate.TEST_DEPLOYMENT,
    EnvironmentName.PROD: Gate.PROD_DEPLOYMENT,
}
"""Where people are asked."""
CANARY = (50, 100)
"""Per cent, in test."""


@dataclass(frozen=True, slots=True)
class PlannedRelease:
    """A release that takes the place of another."""

    plant: str
    number: int
    release: Digest
    before: Digest | None
    """What serves until then; None: nothing."""
    at_once: bool = field(default=False, metadata=LATER)
    """Whether no client asks this plant's endpoint: there is no traffic to shift, nor to judge by."""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """Which releases, in which order, through which shares, and by what they are judged."""

    environment: EnvironmentName
    releases: tuple[PlannedRelease, ...]
    """One for a plant; at least one."""
    waves: tuple[tuple[str, ...], ...]
    """Plants: a wave begins when all before it are done, and none does after one was rolled back."""
    ramp: Ramp
    criteria: Criteria

    def __post_init__(self) -> None:
        plants = [release.plant for release in self.releases]
        in_waves = [plant for wave in self.waves for plant in wave]
        if not plants or sorted(plants) != sorted(set(plants)) or sorted(in_waves) != sorted(plants):
            raise BadInput("a deployment is of one plant at least, and of each once")

    @property
    def digest(self) -> Digest:
        """What an approval is bound to."""
        return digest_of(plain(self))

    def release_of(self, plant: str) -> PlannedRelease:
        """What a plant gets."""
        return next(release for release in self.releases if release.plant == plant)

    def rollout(self, plant: str, blue: Digest | None) -> Rollout:
        """How it begins at one plant."""
        return Rollout(plant, self.release_of(plant).release, blue, self.ramp)


class DeploymentState(StrEnum):
    """How far a deployment has come."""

    WAITING = "awaiting approval"
    RUNNING = "running"
    DONE = "done"
    HALTED = "halted"
    """A plant was rolled back; those that had not begun stay as they are."""
    REFUSED = "refused"
    """By people, or the approval lapsed."""
    SUPERSEDED = "superseded"

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after it."""
        return self not in (DeploymentState.WAITING, DeploymentState.RUNNING)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One time that somebody deployed."""

    number: int
    """Counted 1, 2, 3 in each environment; 0 before it is kept."""
    plan: DeploymentPlan
    commit: str
    opened_by: str
    opened_at: datetime
    request: int | None = None
    """The request that people decide on; None: it was not asked for yet."""
    state: DeploymentState = DeploymentState.WAITING

    def __str__(self) -> str:
        return f"deployment {self.number} to {self.plan.environment}"

    def in_state(self, state: DeploymentState) -> Deployment:
        """The same, further on."""
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class PlantRollout:
    """How one plant's rollout stands, and of which deployment it is."""

    endpoint: Endpoint
    deployment: int
    rollout: Rollout
    says: str = ""
    """Why it was rolled back, in the words of that moment; empty if it was not."""


def plants_to_begin(plan: DeploymentPlan, rollouts: Mapping[str, Rollout]) -> tuple[str, ...]:
    """The plants whose turn it is, and which have not begun.

    Args:
        plan: What is to be done.
        rollouts: Of this deployment, by plant.
    """
    if any(rollout.phase in (Phase.ROLLED_BACK, Phase.SUPERSEDED) for rollout in rollouts.values()):
        return ()
    for wave in plan.waves:
        new = tuple(plant for plant in wave if plant not in rollouts)
        if new:
            return new
        if any(rollouts[plant].phase is not Phase.DONE for plant in wave):
            return ()
    return ()


def state_after(plan: DeploymentPlan, rollouts: Mapping[str, Rollout]) -> DeploymentState:
    """How a deployment that runs stands, by its plants."""
    begun = list(rollouts.values())
    if any(not rollout.phase.is_over for rollout in begun):
        return DeploymentState.RUNNING
    if any(rollout.phase is Phase.ROLLED_BACK for rollout in begun):
        return DeploymentState.HALTED
    if any(rollout.phase is Phase.SUPERSEDED for rollout in begun):
        return DeploymentState.SUPERSEDED
    done: Sequence[str] = [plant for plant, rollout in rollouts.items() if rollout.phase is Phase.DONE]
    return DeploymentState.DONE if len(done) == len(plan.releases) else DeploymentState.RUNNING
