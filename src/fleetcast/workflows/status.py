"""How the fleet stands: what is in order, what needs somebody, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.alarm import Alarm, AlarmState
from fleetcast.domain.approval import RequestOutline
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
from fleetcast.domain.run import Run, RunState
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.wording import counted
from fleetcast.pipeline.situation import data_digest_of
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.workflows.inspect_deployments import DeploymentStatus, ShowDeployments
from fleetcast.workflows.plan import MakePlan
from fleetcast.workflows.standing import Standings


class CircuitState(StrEnum):
    """Where one circuit is; in the order in which people read them. What holds of its model goes by the same word."""

    UP_TO_DATE = "up to date"
    TO_TRAIN = "to train"
    REUSE = "reuse"
    TO_PROMOTE = "to promote"
    AWAITING = PromotionState.AWAITING.value
    BLOCKED = PromotionState.BLOCKED.value
    FAILED = "failed"
    DAMAGED = "damaged"
    """Its champion, or the version it uses, cannot be loaded."""
    REMOVED = "removed"

    @property
    def needs_somebody(self) -> bool:
        """Whether no command alone brings it on: a person has to look, decide or fix."""
        return self in (
            CircuitState.AWAITING,
            CircuitState.BLOCKED,
            CircuitState.FAILED,
            CircuitState.DAMAGED,
        )


@dataclass(frozen=True, slots=True)
class CircuitStatus:
    """One circuit, and what is to be said of it."""

    key: CircuitKey
    model: str
    state: CircuitState
    says: str
    command: str = ""
    """What somebody who looks into it types; empty if nobody has to."""
    request: int | None = None


@dataclass(frozen=True, slots=True)
class PlantStatus:
    """How many of a plant's circuits are in each state; states without any are left out."""

    plant: str
    counts: Mapping[CircuitState, int]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command, and why now."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The whole fleet."""

    at: datetime
    circuits: tuple[CircuitStatus, ...]
    """In the order of their keys; circuits that are no longer declared last."""
    pending: int
    """Requests that wait for a decision, for environments and models alike."""
    assets: tuple[str, ...]
    """What is to be registered or promoted besides models, such as `promote environment training:1.1.0`."""
    last_run: Run | None
    at_work: bool
    """Whether anybody runs stages at this moment."""
    estimated: timedelta | None
    """Time to train what is to train; None if nothing is, or nothing like it ran yet."""
    next_steps: tuple[NextStep, ...]
    serving: DeploymentStatus = field(default_factory=DeploymentStatus)
    """What clients are answered by, and what is on its way to them."""
    alarms: tuple[Alarm, ...] = ()
    """That are not over, the most harmful first."""

    @property
    def counts(self) -> Mapping[CircuitState, int]:
        """How many circuits are in each state, all states named."""
        found = Counter(circuit.state for circuit in self.circuits)
        return {state: found[state] for state in CircuitState}

    @property
    def plants(self) -> tuple[PlantStatus, ...]:
        """Each plant with its own counts, sorted by name."""
        plants: dict[str, Counter[CircuitState]] = {}
        for circuit in self.circuits:
            plants.setdefault(circuit.key.plant, Counter())[circuit.state] += 1
        return tuple(
            PlantStatus(plant, {state: counts[state] for state in CircuitState if counts[state]})
            for plant, counts in sorted(plants.items())
        )

    @property
    def needing_somebody(self) -> tuple[CircuitStatus, ...]:
        """The circuits that wait for a person: damaged first, then failed, blocked, and awaiting approval."""
        order = (CircuitState.DAMAGED, CircuitState.FAILED, CircuitState.BLOCKED, CircuitState.AWAITING)
        return tuple(circuit for state in order for circuit in self.circuits if circuit.state is state)


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
        alarms = tuple(self.platform.control.alarms.open_ones())
        return FleetStatus(
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
            at_work=last is not None and last.state.is_unfinished and runs.at_work() is not None,
            estimated=plan.estimated,
            next_steps=tuple(_next_steps(circuits, plan, standings.waiting, last, alarms)),
            serving=ShowDeployments(self.platform)(),
            alarms=alarms,
        )

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
    return CircuitStatus(key, name, CircuitState.TO_PROMOTE, f"version {version}, {standing.value}")


def _next_steps(
    circuits: tuple[CircuitStatus, ...],
    plan: Plan,
    pending: Sequence[RequestOutline],
    last: Run | None,
    alarms: Sequence[Alarm],
) -> Iterator[NextStep]:
    counts = Counter(circuit.state for circuit in circuits)
    if damaged := counts[CircuitState.DAMAGED]:
        why = f"{counted(damaged, 'model')} cannot be loaded: restore the artifacts, or raise `revision`"
        yield NextStep("fleetcast models verify", why)
    failed = [circuit for circuit in circuits if circuit.state is CircuitState.FAILED]
    if failed:
        parked = any(isinstance(getattr(item, "reason", None), FailedAlike) for item in plan.circuits)
        together = "fleetcast train --retry-failed" if parked else "fleetcast train"
        command = failed[0].command if len(failed) == 1 else together
        yield NextStep(command, f"{counted(len(failed), 'circuit')} failed: fix the cause, then try again")
    in_nobodys_hand = [alarm for alarm in alarms if alarm.state is AlarmState.OPEN]
    if in_nobodys_hand:
        why = f"{counted(len(in_nobodys_hand), 'alarm')} that nobody has in hand"
        yield NextStep("fleetcast alarms list", why)
    if pending:
        wait = "1 request waits" if len(pending) == 1 else f"{len(pending):,} requests wait"
        yield NextStep("fleetcast approvals list", f"{wait} for a decision")
        if any(request.outcome is Outcome.PASSING for request in pending):
            yield NextStep("fleetcast approve --passing", "approves those in whose evidence no check failed")
    if counts[CircuitState.TO_TRAIN] or counts[CircuitState.REUSE] or counts[CircuitState.REMOVED]:
        yield NextStep("fleetcast plan", "the fleet repository differs from what exists")
        yield NextStep("fleetcast train", "makes it so")
    elif counts[CircuitState.TO_PROMOTE] or any(
        not asset.waiting for asset in plan.assets if asset.kind != "model"
    ):
        yield NextStep("fleetcast train", "acts on what was decided, and asks for what is missing")
    elif last is not None and last.state is RunState.OPEN:
        yield NextStep(
            "fleetcast train", f"{last.id} has not ended; unless it is still at work, this continues it"
        )
    in_order = next((item for item in circuits if item.state is CircuitState.UP_TO_DATE), None)
    all_used = len(circuits) == counts[CircuitState.UP_TO_DATE]
    if in_order is not None and all_used and not pending and not alarms:
        yield NextStep(f"fleetcast forecast {in_order.key}", "everything is in order: look at a forecast")
