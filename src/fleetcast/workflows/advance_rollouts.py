"""Move deployments on, one step at a time: what is decided is written down first, then done, then read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fleetcast.domain.deployment import (
    Deployment,
    DeploymentState,
    PlantRollout,
    plants_to_begin,
    state_after,
)
from fleetcast.domain.health import Criteria, Finding, Measure, judge
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.ramp import MIRRORED
from fleetcast.domain.release import Endpoint, NumberedRelease, served_alone
from fleetcast.domain.role import Right
from fleetcast.domain.rollout import (
    Finish,
    Hold,
    Phase,
    RollBack,
    Rollout,
    Seen,
    Shift,
    Step,
    Window,
    advance,
    at_once,
    fell_short,
    superseded,
)
from fleetcast.domain.traffic import Report, Traffic, Watch
from fleetcast.pipeline.deploying import MoveTraffic
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.fared import Fared, FaredWorse, nothing_to_compare
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.workflows.exclusive import holder

_NAMED = 3
"""Of what fared worse."""
_NOTHING_SEEN = Report(ready=False, stopped=False, waited=timedelta(0), share=0)


@dataclass(frozen=True, slots=True)
class Moved:
    """What one look at a plant came to."""

    rollout: PlantRollout
    step: Step
    seen: bool
    """Whether a server has said anything of green."""


@dataclass(frozen=True, slots=True)
class AdvanceRollouts:
    """Look at every deployment that runs in an environment, and take the next step of each plant."""

    platform: Platform
    clock: Clock
    fared_worse: FaredWorse = nothing_to_compare

    def __call__(self, environment: EnvironmentName, *, lock_timeout: timedelta) -> tuple[Moved, ...]:
        """Advance once; safe to repeat, and to be killed at any moment.

        Raises:
            Denied: Whoever acts may not move traffic there.
            RunInProgress: Another process does.
        """
        control = self.platform.control
        control.require(Right.OPERATE, Scope(environment=environment))
        self._compare_ahead(environment)
        with control.deployments.exclusive(holder(control, self.clock), lock_timeout):
            self._move.record_left(environment)
            return tuple(
                moved
                for deployment in control.deployments.open_ones(environment)
                if deployment.state is DeploymentState.RUNNING
                for moved in self._deployment(deployment)
            )

    def _compare_ahead(self, environment: EnvironmentName) -> None:
        """Compare what is about to get more: it takes seconds, in which nobody else is kept from rolling back."""
        book = self.platform.control.deployments
        running = {
            deployment.number: deployment
            for deployment in book.open_ones(environment)
            if deployment.state is DeploymentState.RUNNING
        }
        for one in book.rollouts(environment).values() if running else ():
            deployment = running.get(one.deployment)
            if deployment is None or deployment.plan.release_of(one.endpoint.plant).at_once:
                continue
            rollout, step, _ = self._next(deployment, one)
            if _goes_on(one.rollout, rollout, step):
                self._worse(one.rollout)

    def _deployment(self, deployment: Deployment) -> Iterator[Moved]:
        book = self.platform.control.deployments
        environment = deployment.plan.environment
        standing = self.platform.workspace.endpoints.standing(environment)
        held = book.rollouts(environment)
        mine = {plant: one for plant, one in held.items() if one.deployment == deployment.number}
        for plant in plants_to_begin(deployment.plan, {plant: one.rollout for plant, one in mine.items()}):
            mine[plant] = self._begun(deployment, plant, held.get(plant), standing)
        for plant, one in list(mine.items()):
            moved = self._moved(deployment, one)
            mine[plant] = moved.rollout
            yield moved
        after = state_after(deployment.plan, {plant: one.rollout for plant, one in mine.items()})
        if after is not deployment.state:
            book.save(deployment.in_state(after))

    def _begun(
        self,
        deployment: Deployment,
        plant: str,
        before: PlantRollout | None,
        standing: Mapping[str, Traffic],
    ) -> PlantRollout:
        """Begin at a plant; a rollout of another deployment that is not over makes room, and gets nothing any more."""
        book, endpoint = self.platform.control.deployments, Endpoint(deployment.plan.environment, plant)
        if before is not None and not before.rollout.phase.is_over:
            book.save_rollout(replace(before, rollout=superseded(before.rollout)))
            self._move.stop(endpoint, before.rollout.green, before.deployment)
        there = standing.get(plant)
        rollout = deployment.plan.rollout(plant, None if there is None else there.blue)
        begun = PlantRollout(endpoint, deployment.number, rollout)
        book.save_rollout(begun)
        return begun

    def _moved(self, deployment: Deployment, one: PlantRollout) -> Moved:
        if deployment.plan.release_of(one.endpoint.plant).at_once:
            return self._moved_at_once(one)
        if one.rollout.phase is Phase.STARTING:
            criteria = deployment.plan.criteria
            watch = Watch(one.rollout.ramp.window, criteria.max_p95_latency)
            self._move.start(one.endpoint, one.rollout.green, watch, one.deployment)
        rollout, step, report = self._next(deployment, one)
        worse = self._worse(one.rollout) if _goes_on(one.rollout, rollout, step) else ()
        if worse:
            rollout, step = fell_short(one.rollout)
        says = one.says
        if isinstance(step, RollBack) and not says:
            says = _why(step, one.rollout, report, worse)
        after = replace(one, rollout=rollout, says=says)
        self.platform.control.deployments.save_rollout(after)
        self._take(after, step, rollout)
        return Moved(after, step, report is not None)

    def _next(self, deployment: Deployment, one: PlantRollout) -> tuple[Rollout, Step, Report | None]:
        """What a server says of green, and what comes of it by what was counted."""
        report = self.platform.workspace.endpoints.report(one.endpoint, one.rollout.green)
        rollout, step = advance(one.rollout, _seen(report or _NOTHING_SEEN, deployment.plan.criteria))
        return rollout, step, report

    def _worse(self, rollout: Rollout) -> Sequence[Fared]:
        """Where green fared worse than blue, by what was read until now."""
        if rollout.blue is None:
            return ()
        held = self.platform.control.releases.of_digests([rollout.green, rollout.blue])
        return self.fared_worse(held[rollout.green].release, held[rollout.blue].release)

    def _moved_at_once(self, one: PlantRollout) -> Moved:
        """A plant that no client asks: its next forecasts are made by the release."""
        if one.rollout.phase not in (Phase.STARTING, Phase.DONE):
            return Moved(one, Hold(), seen=False)
        after = replace(one, rollout=at_once(one.rollout))
        self.platform.control.deployments.save_rollout(after)
        green = one.rollout.green
        self._move.serve(one.endpoint, green, one.deployment)
        self._make_live(green)
        return Moved(after, Finish(), seen=False)

    def _take(self, one: PlantRollout, step: Step, rollout: Rollout) -> None:
        """Do what was decided; what was decided before a crash, and not done, is done again."""
        endpoint, green = one.endpoint, rollout.green
        match step:
            case Shift(share):
                self._move.shift(endpoint, green, share, one.deployment)
            case Finish():
                self._finish(one, green)
            case RollBack():
                self._roll_back(one, rollout)
            case Hold() if rollout.phase is Phase.DONE:
                self._finish(one, green)
            case Hold() if rollout.phase is Phase.ROLLED_BACK:
                self._roll_back(one, rollout)
            case Hold():
                pass

    def _finish(self, one: PlantRollout, green: Digest) -> None:
        self._move.finish(one.endpoint, green, one.deployment)
        self._make_live(green)

    def _make_live(self, green: Digest) -> None:
        release = self.platform.control.releases.of_digests([green])[green]
        self.platform.control.releases.make_live([release])

    def _roll_back(self, one: PlantRollout, rollout: Rollout) -> None:
        self._move.stop(one.endpoint, rollout.green, one.deployment)
        if rollout.cause is not None and rollout.cause.blames_release:
            wanted = [digest for digest in (rollout.green, rollout.blue) if digest is not None]
            held = self.platform.control.releases.of_digests(wanted)
            self._block(held[rollout.green], held.get(rollout.blue) if rollout.blue else None, one.says)

    def _block(self, green: NumberedRelease, blue: NumberedRelease | None, why: str) -> None:
        new = served_alone(green.release, None if blue is None else blue.release)
        bad = {(model.name, model.version): model.training_hash for model in new}
        self.platform.control.states.block(bad, why)

    @property
    def _move(self) -> MoveTraffic:
        carry_out = CarryOut(self.platform.control.effects, self.clock)
        return MoveTraffic(self.platform.workspace.endpoints, carry_out)


def _goes_on(before: Rollout, after: Rollout, step: Step) -> bool:
    """Whether a step gives green more; one that is only done again gives it nothing new."""
    return isinstance(step, Shift | Finish) and after != before


def _seen(report: Report, criteria: Criteria) -> Seen:
    return Seen(
        report.ready,
        report.stopped,
        report.waited,
        report.share,
        tuple(
            Window(
                window.number,
                window.share,
                judge(window.green, window.blue, criteria),
                None if window.blue is None else judge(window.blue, None, criteria),
            )
            for window in report.windows
        ),
    )


def _why(step: RollBack, at: Rollout, report: Report | None, worse: Sequence[Fared]) -> str:
    """Why a release is rolled back, and how far it had come, in one line."""
    reasons = [] if step.health is None else [_finding(finding) for finding in step.health.reasons]
    reasons += [_fared(one) for one in worse[:_NAMED]]
    reasons += [f"and {len(worse) - _NAMED} more"] if len(worse) > _NAMED else []
    said = [] if report is None or not report.says else [report.says]
    return "; ".join([f"{step.cause.value} {_where(at)}", *reasons, *said])


def _where(at: Rollout) -> str:
    if at.phase is Phase.STARTING:
        return "before it got anything"
    return "while it got copies of requests" if at.share == MIRRORED else f"at {at.share} % of the traffic"


def _fared(one: Fared) -> str:
    naive = "" if one.over_naive is None else f", {one.over_naive:.2f} × that of the naive forecast"
    return (
        f"{one.sensor} of {one.key} was forecast with {one.over_before:.2f} × the error of what serves{naive}, "
        f"from {one.origins} origins since both were trained"
    )


def _finding(finding: Finding) -> str:
    if finding.value is None:
        return f"{finding.measure}: nothing was measured"
    share = f"{100 * finding.value:.2f} %"
    match finding.measure:
        case Measure.ERRORS:
            return f"{share} of {finding.count} answers were errors, at most {100 * finding.limit:g} % may be"
        case Measure.LATENCY:
            return (
                f"{share} of {finding.count} answers were too slow, at most {100 * finding.limit:g} % may be"
            )
        case Measure.FORECASTS:
            return (
                f"{share} of {finding.count} forecasts could not be true, {100 * finding.limit:.2f} % before"
            )
