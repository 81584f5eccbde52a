"""Everything that workflows act on: what a platform holds, and what fleetcast keeps itself on every platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetcast.domain.people import Denied, Directory
from fleetcast.domain.place import EVERYWHERE, Scope
from fleetcast.domain.role import Right

if TYPE_CHECKING:
    from fleetcast.domain.audit import Actor
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.ports.alarms import AlarmBook
    from fleetcast.ports.approvals import ApprovalBook, AuditLog
    from fleetcast.ports.artifacts import ArtifactStore
    from fleetcast.ports.assets import AssetRegistry, DataAssets
    from fleetcast.ports.deployments import DeploymentBook
    from fleetcast.ports.effects import EffectBook
    from fleetcast.ports.endpoints import Endpoints
    from fleetcast.ports.forecasts import ForecastBook, ForecastTable
    from fleetcast.ports.foreign_models import ForeignModels
    from fleetcast.ports.frozen_rows import FrozenRows
    from fleetcast.ports.jobs import JobService
    from fleetcast.ports.learnt import LearntProfiles
    from fleetcast.ports.manifests import ManifestBook
    from fleetcast.ports.models import ModelRegistry, ModelStates, SharedRegistry
    from fleetcast.ports.observations import ObservationTable
    from fleetcast.ports.outbox import Outbox
    from fleetcast.ports.people import PeopleBook, TokenBook
    from fleetcast.ports.policies import PolicyBook
    from fleetcast.ports.quota import CoreQuota
    from fleetcast.ports.readings import ReadingsTable
    from fleetcast.ports.releases import ReleaseBook
    from fleetcast.ports.remote_scoring import RemoteScoringService
    from fleetcast.ports.repeats import RepeatBook
    from fleetcast.ports.runs import RunBook
    from fleetcast.ports.schedules import ScheduleBook
    from fleetcast.ports.sessions import AccountBook, AttemptBook, SessionBook


@dataclass(frozen=True, slots=True)
class Workspace:
    """What exists, on the platform that holds it: one object for each role."""

    assets: AssetRegistry
    data: DataAssets
    tables: Mapping[str, ReadingsTable]
    """Tables of readings, by the name of the data source."""
    frozen: FrozenRows
    jobs: JobService
    artifacts: ArtifactStore
    foreign: ForeignModels
    models: ModelRegistry
    shared: SharedRegistry
    endpoints: Endpoints
    forecasts: Callable[[EnvironmentName], ForecastTable]
    """The table that forecasts of an environment are published in; opened when it is asked for."""
    observations: Callable[[], ObservationTable]
    """The table of what monitoring saw; opened when it is asked for."""
    learnt: LearntProfiles
    """What monitoring learnt of deployed versions."""
    workers: int
    """Jobs that run at the same time."""
    quota: CoreQuota | None = None
    """None: nobody limits what training may use."""
    remote: RemoteScoringService | None = None
    """None: the platform does not score by itself."""


@dataclass(frozen=True, slots=True)
class Control:
    """Intent, decisions and history, kept by fleetcast itself and written in one person's name."""

    actor: Actor
    """Whose name every change carries."""
    states: ModelStates
    manifests: ManifestBook
    releases: ReleaseBook
    deployments: DeploymentBook
    forecasts: ForecastBook
    alarms: AlarmBook
    effects: EffectBook
    approvals: ApprovalBook
    audit: AuditLog
    policies: PolicyBook
    runs: RunBook
    people: PeopleBook
    tokens: TokenBook
    accounts: AccountBook
    sessions: SessionBook
    attempts: AttemptBook
    repeats: RepeatBook
    outbox: Outbox
    schedules: ScheduleBook
    only: frozenset[Right] = frozenset()
    """What the token that the actor shows reaches to, at most; empty: all that they may."""

    def reaches(self, right: Right) -> bool:
        """Whether the token that the actor shows, if any, reaches to a right."""
        return not self.only or right in self.only

    def may(self, right: Right) -> bool:
        """Whether the actor has a right everywhere, and their token reaches so far."""
        return self.reaches(right) and self.people.directory().may(self.actor, right)

    def require(self, right: Right, *places: Scope) -> None:
        """Make sure that the actor has a right, at each of these places; without any, everywhere.

        Asks the record anew each time: whoever lost a right in the meantime has it no more.

        Raises:
            Denied: They have not, or their token does not reach so far.
        """
        self.require_in(self.people.directory(), right, *places)

    def require_somewhere(self, right: Right) -> None:
        """Make sure that the actor has a right at one place at least, before it is known at which it is asked for.

        Raises:
            Denied: They have it nowhere, or their token does not reach so far.
        """
        directory = self.people.directory()
        places = (grant.scope for grant in directory.grants_of_actor(self.actor))
        somewhere = next((place for place in places if directory.may(self.actor, right, place)), EVERYWHERE)
        self.require_in(directory, right, somewhere)

    def require_in(self, directory: Directory, right: Right, *places: Scope) -> None:
        """The same by a record that was read already, in a transaction that goes on."""
        if not self.reaches(right):
            raise Denied(
                f"the token of {self.actor} does not reach to {right.value}",
                fix=f"use one that does: `fleetcast token create --only {right.value}`",
            )
        for place in places or (EVERYWHERE,):
            directory.require(self.actor, right, place)


@dataclass(frozen=True, slots=True)
class Platform:
    """The world of one person: what exists, and what fleetcast keeps of it."""

    workspace: Workspace
    control: Control
