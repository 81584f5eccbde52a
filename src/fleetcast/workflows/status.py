"""How the fleet stands: what is in order, what needs somebody, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from fleetcast.config.cron import instants_until
from fleetcast.domain.artifact import UnloadableModel
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.plan import (
    Blocked,
    CircuitAction,
    Plan,
    Removed,
    Reuse,
    Train,
    UpToDate,
    VersionRefused,
)
from fleetcast.domain.retry import FailedAlike
from fleetcast.domain.role import Right
from fleetcast.domain.run import Run
from fleetcast.domain.schedule import REMEMBERED, Trouble, Turn, duties, trouble
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.wording import counted
from fleetcast.pipeline.situation import data_digest_of
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.workflows.fleet_status import CircuitState, CircuitStatus, FleetStatus, Training
from fleetcast.workflows.inspect_deployments import ShowDeployments
from fleetcast.workflows.next_steps import Waiting, next_steps
from fleetcast.workflows.plan import MakePlan
from fleetcast.workflows.standing import Standings


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Sum the fleet up; reads in bulk and changes nothing."""

    platform: Platform
    clock: Clock

    def __call__(self, fleet: Fleet) -> FleetStatus:
        """Sum the fleet up.

        Raises:
            VersionTaken: A declared version is registered with other content.
            BadInput: A circuit names a table version that does not exist.
        """
        self.platform.control.require(Right.VIEW)
        now = self.clock.now()
        plan = MakePlan(self.platform, self.clock)(fleet)
        standings = Standings.read(self.platform, now)
        hashes = [action.training_hash for action in plan.to_train]
        jobs = {
            digest: attempts[-1]
            for digest, attempts in (self.platform.workspace.jobs.jobs_for(hashes) if hashes else {}).items()
            if attempts
        }
        partial = self._partial(fleet)
        damaged = {model.key: model for model in reversed(plan.unloadable)}
        circuits = tuple(
            _damaged(damaged[action.key])
            if action.key in damaged
            else _without(
                _status(
                    action, standings, jobs.get(action.training_hash) if isinstance(action, Train) else None
                ),
                partial.get(action.key, ()),
            )
            for action in plan.circuits
        )
        runs = self.platform.control.runs
        last = runs.latest()
        holder = runs.at_work() if last is not None and last.state.is_unfinished else None
        status = FleetStatus(
            at=now,
            circuits=circuits,
            pending=len(standings.waiting),
            assets=tuple(
                f"{asset.verb} {asset.kind} {asset.name}:{asset.version}"
                + (f" ({asset.note})" if asset.note else "")
                for asset in plan.assets
                if asset.kind != "model"
            ),
            last_run=last,
            at_work=holder is not None,
            estimated=plan.estimated,
            next_steps=(),
            serving=ShowDeployments(self.platform)(),
            alarms=tuple(self.platform.control.alarms.open_ones()),
            training=_training(last, list(jobs.values())),
            holder=holder or "",
            schedules=self._schedules(fleet, now),
        )
        return replace(status, next_steps=tuple(next_steps(status, _waiting(plan, standings, circuits))))

    def _schedules(self, fleet: Fleet, now: datetime) -> tuple[Trouble, ...]:
        """What should have started by itself and did not, or failed too often."""
        scheduled = duties(fleet.settings.schedules)
        if not scheduled:
            return ()
        held: dict[str, list[Turn]] = {}
        for turn in self.platform.control.schedules.held(now - REMEMBERED):
            held.setdefault(turn.duty, []).append(turn)
        found = (
            trouble(duty, held.get(duty.name, ()), now, partial(instants_until, duty.cron))
            for duty in scheduled
        )
        return tuple(one for one in found if one is not None)

    def _partial(self, fleet: Fleet) -> dict[CircuitKey, tuple[str, ...]]:
        """The sensors of circuits that their training leaves out."""
        known = {asset.digest: asset for asset in self.platform.workspace.data.partial() if not asset.blocked}
        keys = {asset.key for asset in known.values()}
        return {
            circuit.key: tuple(gone.sensor for gone in known[digest].verdict.left_out)
            for circuit in fleet.circuits
            if circuit.key in keys and (digest := data_digest_of(circuit)) in known
        }


def _without(circuit: CircuitStatus, sensors: Sequence[str]) -> CircuitStatus:
    """The same, with what its training leaves out."""
    return replace(circuit, says=f"{circuit.says}; without {', '.join(sensors)}") if sensors else circuit


def _damaged(model: UnloadableModel) -> CircuitStatus:
    role = "the champion" if model.is_champion else "in use"
    says = f"version {model.version}, {role}: {model.why}"
    return CircuitStatus(
        model.key, model.model, CircuitState.DAMAGED, says, f"fleetcast models verify {model.key}"
    )


def _status(action: CircuitAction, standings: Standings, job: TrainingJob | None) -> CircuitStatus:
    key, name = action.key, action.model
    match action:
        case Train() if job is not None and job.state is JobState.FAILED:
            tries = "" if job.attempt == 1 else f" (attempt {job.attempt})"
            return CircuitStatus(
                key, name, CircuitState.FAILED, f"{job.error}{tries}", f"fleetcast train --circuits {key}"
            )
        case Train():
            return CircuitStatus(key, name, CircuitState.TO_TRAIN, action.why)
        case Reuse():
            return CircuitStatus(key, name, CircuitState.REUSE, action.why)
        case Blocked(reason=FailedAlike(times, said)):
            return CircuitStatus(
                key,
                name,
                CircuitState.FAILED,
                f"{said} ({counted(times, 'time')} in the same way, so it is parked)",
                f"fleetcast train --retry-failed --circuits {key}",
            )
        case Blocked():
            refused = isinstance(action.reason, VersionRefused)
            command = f"fleetcast models show {key}" if refused else f"fleetcast data quality {key}"
            return CircuitStatus(key, name, CircuitState.BLOCKED, action.why, command)
        case Removed():
            return CircuitStatus(key, name, CircuitState.REMOVED, action.why)
        case UpToDate():
            return _in_use(action, standings)


def _in_use(action: UpToDate, standings: Standings) -> CircuitStatus:
    key, name, version = action.key, action.model, action.version
    standing = standings.of(name, version)
    if standing is PromotionState.AWAITING:
        request = standings.pending(name, version)
        number = request.id if request is not None else None
        says = f"version {version} waits for a decision, request {number}"
        command = f"fleetcast approvals show {number}"
        return CircuitStatus(key, name, CircuitState.AWAITING, says, command, number)
    if standing is PromotionState.REJECTED:
        says = f"version {version} was rejected; the next run stops using it"
        return CircuitStatus(key, name, CircuitState.BLOCKED, says, f"fleetcast models show {key}")
    if standing is PromotionState.PROMOTED:
        return CircuitStatus(key, name, CircuitState.UP_TO_DATE, f"version {version}, promoted")
    says = f"version {version}, {standing.value}"
    lapsed = standings.lapsed.get((name, str(version)))
    if lapsed is not None and standing is PromotionState.NOT_PROMOTED:
        says = f"version {version}: nobody decided on request {lapsed.id} in time; the next run asks again"
    return CircuitStatus(key, name, CircuitState.TO_PROMOTE, says)


def _training(last: Run | None, jobs: Sequence[TrainingJob]) -> Training | None:
    """How far the jobs of a run that has not ended have come, with those that it took over from an earlier one."""
    if last is None or not last.state.is_unfinished:
        return None
    its = [
        job for job in jobs if job.run == last.id or not job.state.final or job.state is JobState.COMPLETED
    ]
    if not its:
        return None
    done = sum(job.state is JobState.COMPLETED for job in its)
    return Training(len(its), done, sum(job.state.in_vain for job in its))


def _waiting(plan: Plan, standings: Standings, circuits: Sequence[CircuitStatus]) -> Waiting:
    to_promote = {circuit.model for circuit in circuits if circuit.state is CircuitState.TO_PROMOTE}
    wanted = {(item.model, str(item.version)) for item in plan.circuits if isinstance(item, UpToDate)}
    wanted = {each for each in wanted if each[0] in to_promote}
    wanted |= {(asset.name, asset.version) for asset in plan.assets if asset.kind != "model"}
    return Waiting(
        parked=any(isinstance(getattr(item, "reason", None), FailedAlike) for item in plan.circuits),
        passing=any(request.outcome is Outcome.PASSING for request in standings.waiting),
        assets=any(not asset.waiting for asset in plan.assets if asset.kind != "model"),
        requests=frozenset(request.id for request in standings.waiting),
        lapsed=len(wanted & standings.lapsed.keys()),
    )
