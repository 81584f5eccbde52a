"""Deploy: put releases together, ask for them at the gate, and begin once people have agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fleetcast.domain.approval import RequestState
from fleetcast.domain.branch import check_branch
from fleetcast.domain.deployment import CANARY, GATES, Deployment, DeploymentPlan, DeploymentState
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.health import Criteria
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Kept, NumberedRelease, Release
from fleetcast.domain.role import Right
from fleetcast.pipeline.deploying import CheckServable, ToDeploy, deployment_plan, deployment_question
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.pipeline.policies import KeepPolicies
from fleetcast.pipeline.releases import PlantComposed, composed_plants, what_there_is
from fleetcast.pipeline.situation import UnknownWriters
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.writers import Writers
from fleetcast.workflows.exclusive import holder


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of asking for a deployment."""

    deployment: Deployment | None
    """None: everything is served as it is declared, as far as it may be."""
    plants: tuple[PlantComposed, ...]
    """Those that were looked at, with what is kept or left out of each, and why."""

    @property
    def kept(self) -> dict[str, Kept]:
        """Circuits, as `PLANT/CIRCUIT`, that do not get the version that they declare."""
        return {
            f"{one.endpoint.plant}/{circuit}": why
            for one in self.plants
            for circuit, why in {**one.composed.kept, **one.composed.left_out}.items()
        }


@dataclass(frozen=True, slots=True)
class Deploy:
    """Take what the fleet declares to the clients of an environment."""

    platform: Platform
    clock: Clock
    commit: str
    """Git commit of the fleet repository."""
    branch: str | None
    """Of that commit; None: nobody knows."""
    writers: Writers = field(default_factory=UnknownWriters)

    def __call__(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        plants: Sequence[str] = (),
        *,
        any_branch: bool = False,
        lock_timeout: timedelta,
    ) -> Deployed:
        """Compose releases, look at everything once more, and ask; what was agreed to begins.

        Args:
            fleet: What should be served.
            environment: Where.
            plants: Patterns; all without any.
            any_branch: Whether the branch does not matter this time.
            lock_timeout: How long to wait for another process that moves traffic.

        Raises:
            Denied: Whoever acts may not deploy there, or not from any branch.
            WrongBranch: The branch does not lead to this environment.
            NotServable: A model cannot be served; nothing was deployed.
            RunInProgress: Another process moves traffic.
        """
        control = self.platform.control
        control.require_somewhere(Right.OPERATE)
        self._check_branch(environment, any_branch=any_branch)
        found = tuple(composed_plants(fleet, environment, what_there_is(self.platform, environment), plants))
        control.require(
            Right.OPERATE, *(Scope(environment=environment, plant=one.endpoint.plant) for one in found)
        )
        with control.deployments.exclusive(holder(control, self.clock), lock_timeout):
            if any_branch:
                control.deployments.note_any_branch(environment, self.commit, self.branch)
            changed = [one for one in found if _changes(one)]
            if not changed:
                return Deployed(None, found)
            releases = self._kept(changed)
            criteria = Criteria(clients=environment is EnvironmentName.PROD)
            plan = deployment_plan(environment, releases, _ramp(fleet, environment), criteria)
            return Deployed(self._asked(fleet, plan, releases), found)

    def _check_branch(self, environment: EnvironmentName, *, any_branch: bool) -> None:
        if any_branch:
            self.platform.control.require(Right.ANY_BRANCH, Scope(environment=environment))
        else:
            check_branch(environment, self.branch)

    def _kept(self, changed: Sequence[PlantComposed]) -> list[ToDeploy]:
        new: list[Release] = [one.composed.release for one in changed if one.composed.release is not None]
        numbered = self.platform.control.releases.keep(new)
        return [
            ToDeploy(release, one.live, at_once=one.batch_only)
            for release, one in zip(numbered, changed, strict=True)
        ]

    def _asked(self, fleet: Fleet, plan: DeploymentPlan, releases: Sequence[ToDeploy]) -> Deployment:
        """Ask at the gate, and begin what people have agreed to."""
        control = self.platform.control
        gate = GATES[plan.environment]
        gatekeeper = Gatekeeper.of(control, self.clock)
        KeepPolicies(control.policies, gatekeeper, self.writers)(fleet.settings.gates, "")
        policy = control.policies.in_force()[gate]
        open_served = OpenServed.of(self.platform, unsigned_allowed=policy.unsigned_allowed)
        CheckServable(open_served, gatekeeper)(releases)
        asked = deployment_question(plan, releases, policy)
        request = gatekeeper.ask(gate, [asked], policy, "")[asked.subject.digest]
        deployment = self._of(plan, request.id)
        if request.state.lets_through:
            return self._saved(deployment, DeploymentState.RUNNING)
        if request.state is RequestState.PENDING:
            return self._saved(deployment, DeploymentState.WAITING)
        return self._saved(deployment, DeploymentState.REFUSED)

    def _of(self, plan: DeploymentPlan, request: int) -> Deployment:
        """The deployment of this plan that goes on, or a new one; others that only waited are superseded."""
        book = self.platform.control.deployments
        mine = None
        for one in book.open_ones(plan.environment):
            if one.plan == plan:
                mine = one
            elif one.state is DeploymentState.WAITING:
                book.save(one.in_state(DeploymentState.SUPERSEDED))
        if mine is not None:
            return replace(mine, request=request)
        actor, now = self.platform.control.actor, self.clock.now()
        return book.begin(Deployment(0, plan, self.commit, actor.name, now, request))

    def _saved(self, deployment: Deployment, state: DeploymentState) -> Deployment:
        if deployment.state is DeploymentState.RUNNING and state is not DeploymentState.REFUSED:
            state = DeploymentState.RUNNING
        saved = deployment.in_state(state)
        self.platform.control.deployments.save(saved)
        return saved


def _changes(one: PlantComposed) -> bool:
    release = one.composed.release
    if release is None:
        return False
    live: NumberedRelease | None = one.live
    return live is None or live.release.digest != release.digest


def _ramp(fleet: Fleet, environment: EnvironmentName) -> Ramp:
    """Production's way, or in test half of the traffic once."""
    ramp = fleet.settings.ramp
    if environment is EnvironmentName.PROD:
        return ramp
    return replace(ramp, shares=CANARY, soak=ramp.window)
