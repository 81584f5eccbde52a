"""What has to hold before releases go anywhere, and the steps by which they get there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fleetcast.domain import happened
from fleetcast.domain.approval import SubjectKind
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.canonical import Json, digest_of, plain
from fleetcast.domain.deployment import DeploymentPlan, PlannedRelease
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.evidence import BatchOnlyFact, CriteriaFact, Evidence, Fact, RampFact, ReleaseFact
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.health import Criteria
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import ChangeOf, Endpoint, NumberedRelease, ServedModel, changes, served_alone
from fleetcast.domain.rollout import waves
from fleetcast.domain.traffic import Traffic, Watch
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.forecasters.served import OpenServed
from fleetcast.pipeline.gatekeeper import Gatekeeper, Question, question
from fleetcast.ports.endpoints import Endpoints

_TRAFFIC = "traffic."


@dataclass(frozen=True, slots=True)
class ToDeploy:
    """A release that is to take the place of another."""

    release: NumberedRelease
    before: NumberedRelease | None
    at_once: bool = False
    """Whether its plant only scores in batches."""


class NotServable(FleetcastError):
    """A release holds models that nobody should be served by; nothing was deployed."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        shown = "; ".join(f"{model}: {why}" for model, why in list(wrong.items())[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        super().__init__(f"nothing was deployed, as models cannot be served: {shown}{more}")
        self.fix = (
            "restore their files, or train these circuits again (raise `revision`) and have them promoted"
        )


def deployment_plan(
    environment: EnvironmentName, releases: Sequence[ToDeploy], ramp: Ramp, criteria: Criteria
) -> DeploymentPlan:
    """What will be done, plant by plant in the order of their names."""
    planned = tuple(
        PlannedRelease(
            one.release.release.plant,
            one.release.number,
            one.release.release.digest,
            None if one.before is None else one.before.release.digest,
            one.at_once,
        )
        for one in releases
    )
    return DeploymentPlan(environment, planned, waves([one.plant for one in planned]), ramp, criteria)


def deployment_question(plan: DeploymentPlan, releases: Sequence[ToDeploy], policy: GatePolicy) -> Question:
    """What people at the gate are asked: these releases, by this way, judged by these criteria."""
    return question(
        SubjectKind.DEPLOYMENT,
        plan.environment.value,
        plan.digest.short,
        artifact=digest_of([release.release.hex for release in plan.releases]),
        configuration=plan.digest,
        policy=policy,
        evidence=Evidence(checks=(), facts=tuple(_facts(plan, releases))),
    )


def _facts(plan: DeploymentPlan, releases: Sequence[ToDeploy]) -> Iterator[Fact]:
    for one in releases:
        before = None if one.before is None else one.before.release
        found = [change.what for change in changes(before, one.release.release)]
        yield ReleaseFact(
            one.release.release.plant,
            one.release.number,
            found.count(ChangeOf.ADDED),
            found.count(ChangeOf.CHANGED),
            found.count(ChangeOf.REMOVED),
            None if one.before is None else one.before.number,
        )
    if at_once := tuple(one.plant for one in plan.releases if one.at_once):
        yield BatchOnlyFact(at_once)
    yield RampFact(plan.ramp.shares, plan.ramp.soak.total_seconds(), tuple(len(wave) for wave in plan.waves))
    yield CriteriaFact(plan.criteria.max_error_rate, plan.criteria.max_p95_latency.total_seconds())


@dataclass(frozen=True, slots=True)
class CheckServable:
    """Looks once more at every model that a release would newly serve, whatever was looked at before."""

    open_served: OpenServed
    gatekeeper: Gatekeeper

    def __call__(self, releases: Sequence[ToDeploy]) -> None:
        """Check files, signatures and approvals.

        Raises:
            NotServable: Files are lost, damaged or not those that were signed, or nobody agreed to a model.
            NotBelieved: Nobody vouches for what the log says about one of them.
        """
        new = dict.fromkeys(
            model
            for one in releases
            for model in served_alone(one.release.release, None if one.before is None else one.before.release)
        )
        wrong = {str(model): why for model in new if (why := self.open_served.check(model))}
        wrong |= {
            str(model): "no approval of it stands in the audit log"
            for model in self._not_agreed([model for model in new if str(model) not in wrong])
        }
        if wrong:
            raise NotServable(wrong)

    def _not_agreed(self, models: Sequence[ServedModel]) -> list[ServedModel]:
        if not models:
            return []
        effects = {
            model: Effect(f"share model {model}", happened.model_shared(self.open_served.version(model)))
            for model in models
        }
        agreed = {effect.key for effect in self.gatekeeper.agreed(list(effects.values()))}
        return [model for model, effect in effects.items() if effect.key not in agreed]


@dataclass(frozen=True, slots=True)
class MoveTraffic:
    """Tells servers what to do: each step is intended, done, read back and recorded."""

    endpoints: Endpoints
    carry_out: CarryOut

    def start(self, endpoint: Endpoint, green: Digest, watch: Watch, deployment: int) -> None:
        """Start a release beside the one that serves."""
        self._do(endpoint, "started", deployment, green, lambda: self.endpoints.start(endpoint, green, watch))

    def shift(self, endpoint: Endpoint, green: Digest, share: int, deployment: int) -> None:
        """Give green another share."""
        self._do(
            endpoint,
            "shifted",
            deployment,
            green,
            lambda: self.endpoints.shift(endpoint, green, share),
            {"share": share},
        )

    def finish(self, endpoint: Endpoint, green: Digest, deployment: int) -> None:
        """Put green in blue's place."""
        self._do(endpoint, "finished", deployment, green, lambda: self.endpoints.finish(endpoint, green))

    def serve(self, endpoint: Endpoint, release: Digest, deployment: int) -> None:
        """Put a release in blue's place at once, without a server."""
        self._do(endpoint, "served", deployment, release, lambda: self.endpoints.serve(endpoint, release))

    def stop(self, endpoint: Endpoint, green: Digest, deployment: int) -> None:
        """Give everything back to blue."""
        self._do(endpoint, "given_back", deployment, green, lambda: self.endpoints.stop(endpoint))

    def record_left(self, environment: EnvironmentName) -> None:
        """Record what a controller did that ended before it could say so; for whoever moves traffic alone."""
        standing = self.endpoints.standing(environment)
        mine = {str(held.endpoint): held for held in standing.values()}
        left = [effect for effect in self._left() if effect.event.subject in mine]
        self.carry_out.book.record(
            [effect for effect in left if _is_done(effect.event, mine[effect.event.subject])]
        )

    def _left(self) -> list[Effect]:
        unconfirmed = self.carry_out.book.unconfirmed()
        return [effect for effect in unconfirmed if effect.event.action.startswith(_TRAFFIC)]

    def _do(
        self,
        endpoint: Endpoint,
        what: str,
        deployment: int,
        green: Digest,
        do: Callable[[], None],
        more: Mapping[str, Json] = MappingProxyType({}),
    ) -> None:
        event = happened.traffic_moved(endpoint, what, {"deployment": deployment, "green": green.hex, **more})
        effect = Effect(f"traffic {endpoint} {what} {digest_of(plain(event.detail)).short}", event)

        def done(keys: Collection[str]) -> Collection[str]:
            held = self.endpoints.standing(endpoint.environment).get(endpoint.plant, Traffic(endpoint))
            return keys if _is_done(event, held) else ()

        self.carry_out([effect], do=do, done=done, what=f"traffic of {endpoint}")
        book = self.carry_out.book
        book.drop([one for one in self._left() if one.event.subject == str(endpoint)])


def _is_done(event: AuditEvent, held: Traffic) -> bool:
    """Whether servers are told now what an event says that they were told."""
    green = Digest(str(event.detail["green"]))
    match event.action.removeprefix(_TRAFFIC):
        case "started":
            return green in (held.green, held.blue)
        case "shifted":
            return held.green == green and held.share == event.detail["share"]
        case "finished" | "served":
            return held.blue == green and held.green is None
        case _:
            return held.green is None
