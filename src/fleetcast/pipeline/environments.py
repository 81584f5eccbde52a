"""Stages 1 and 2: register the training environment in the dev workspace, and promote it after approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fleetcast.domain.approval import Request, RequestState, SubjectKind
from fleetcast.domain.assets import Asset, AssetKind
from fleetcast.domain.canonical import Json
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.evidence import (
    Evidence,
    Fact,
    PackageChange,
    PackagesFact,
    PythonFact,
    ReplacesEnvironment,
    Turn,
)
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.place import Gate
from fleetcast.domain.run import Ending
from fleetcast.pipeline.gatekeeper import Gatekeeper, Question, question
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.models import as_declared, in_full, selected
from fleetcast.pipeline.sharing import Share
from fleetcast.pipeline.situation import Situation
from fleetcast.ports.assets import AssetRegistry
from fleetcast.ports.models import ModelRegistry, Shared, SharedRegistry


def environment_asset(environment: TrainingEnvironment) -> Asset:
    """The declared environment as it is registered."""
    return Asset(
        AssetKind.ENVIRONMENT,
        environment.name,
        str(environment.version),
        environment.digest,
        environment.content,
    )


@dataclass(frozen=True, slots=True)
class EnvironmentRegistered:
    """What stage 1 did."""

    environment: Asset
    new: bool

    @property
    def ending(self) -> Ending:
        """Always done."""
        return Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        return f"{self.environment} {'registered' if self.new else 'is registered'}"

    def document(self) -> Json:
        """For `environment.json`."""
        return {
            "name": self.environment.name,
            "version": self.environment.version,
            "digest": self.environment.digest.hex,
            "newEnvironmentRegistered": self.new,
        }


@dataclass(frozen=True, slots=True)
class RegisterEnvironment:
    """Register the declared environment if the dev workspace does not hold that version."""

    assets: AssetRegistry

    def run(self, situation: Situation) -> EnvironmentRegistered:
        """Register it, or find it registered with the same content."""
        asset = environment_asset(situation.fleet.environment)
        held = self.assets.find(AssetKind.ENVIRONMENT, asset.name, asset.version)
        self.assets.register(asset)
        return EnvironmentRegistered(asset, new=held is None)


@dataclass(frozen=True, slots=True)
class EnvironmentPromotion:
    """How far one environment version's promotion has come; without a request it is shared."""

    environment: Asset
    request: Request | None = None

    @property
    def pending(self) -> bool:
        """Whether people have yet to decide."""
        return self.request is not None and self.request.state is RequestState.PENDING

    def __str__(self) -> str:
        if self.request is None or self.request.state.lets_through:
            return f"{self.environment} is shared"
        if self.pending:
            return f"{self.environment} awaits approval"
        return f"{self.environment} was {self.request.state.value} and is not asked for again"


@dataclass(frozen=True, slots=True)
class EnvironmentsPromoted:
    """What stage 2 did: the declared version, and older ones that models still need."""

    promotions: tuple[EnvironmentPromotion, ...]

    @property
    def ending(self) -> Ending:
        """Awaiting approval, or done: shared, or refused by people."""
        return Ending.AWAITING if any(promotion.pending for promotion in self.promotions) else Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        return "; ".join(map(str, self.promotions))

    def document(self) -> Json:
        """For `environment_promotion.json`."""
        return {
            "environments": [
                {
                    "name": promotion.environment.name,
                    "version": promotion.environment.version,
                    "request": promotion.request.id if promotion.request else None,
                    "state": promotion.request.state.value if promotion.request else "shared",
                }
                for promotion in self.promotions
            ]
        }


@dataclass(frozen=True, slots=True)
class PromoteEnvironment:
    """Ask for the environment to be shared if the registry lacks it, and share it once approved."""

    assets: AssetRegistry
    models: ModelRegistry
    index: ReadIndex
    shared: SharedRegistry
    share: Share
    gatekeeper: Gatekeeper

    def run(self, situation: Situation) -> EnvironmentsPromoted:
        """Ask, or act on what was decided. Waiting here holds no other stage."""
        self.share.finish(self.gatekeeper.agreed)
        shared = self.shared.shared()
        needed = self._needed(situation, shared)
        missing = [asset for asset in needed if not _is_shared(asset, shared)]
        gate = Gate.REGISTRY_PROMOTION
        policy = situation.policy(gate)
        questions = [_question(asset, policy, self._evidence(asset, shared)) for asset in missing]
        declared = str(situation.fleet.environment.version)
        questions = [
            replace(asked, wrote=situation.writers.of_environment)
            if asked.subject.version == declared
            else asked  # who wrote an earlier one is in commits that nobody noted
            for asked in questions
        ]
        self.gatekeeper.close_stale(SubjectKind.ENVIRONMENT, questions)
        asked = self.gatekeeper.ask(gate, questions, policy, situation.run.id)
        requests = {
            asset.version: asked[question.subject.digest]
            for asset, question in zip(missing, questions, strict=True)
        }
        for asset in missing:
            if requests[asset.version].state.lets_through:
                self.share.environment(asset)
        return EnvironmentsPromoted(
            tuple(EnvironmentPromotion(asset, requests.get(asset.version)) for asset in needed)
        )

    def _needed(self, situation: Situation, shared: Shared) -> list[Asset]:
        """The declared version, and those that selected models were trained with but could not be shared yet."""
        declared = environment_asset(situation.fleet.environment)
        index = self.index()
        unshared = [
            (circuit, entry)
            for circuit, entry in selected(situation.fleet.circuits, index)
            if entry.version not in shared.models.get(entry.name, ())
        ]
        older = {
            version.environment_version
            for _, version in in_full(as_declared(unshared, index), self.models)
            if version.environment_version is not None
        } - {declared.version}
        found = [self.assets.find(AssetKind.ENVIRONMENT, declared.name, version) for version in sorted(older)]
        return [declared, *(registered.asset for registered in found if registered is not None)]

    def _evidence(self, asset: Asset, shared: Shared) -> Evidence:
        earlier = shared.environments.get(asset.name, ())
        registered = self.assets.versions(AssetKind.ENVIRONMENT, asset.name)
        before = [held.asset for held in registered if held.asset.version in earlier]
        facts: list[Fact] = [PythonFact(str(asset.content["python"]))]
        if before:
            facts += _package_changes(before[-1], asset)
        else:
            facts.append(PackagesFact(tuple(_packages(asset))))
        return Evidence(checks=(), facts=tuple(facts))


def _is_shared(asset: Asset, shared: Shared) -> bool:
    return asset.version in shared.environments.get(asset.name, ())


def _question(asset: Asset, policy: GatePolicy, evidence: Evidence) -> Question:
    return question(
        SubjectKind.ENVIRONMENT,
        asset.name,
        asset.version,
        artifact=asset.digest,
        configuration=asset.digest,
        policy=policy,
        evidence=evidence,
    )


def _packages(asset: Asset) -> list[str]:
    packages = asset.content["packages"]
    assert isinstance(packages, list | tuple)  # noqa: S101  # an environment's content always has them
    return [str(package) for package in packages]


def _package_changes(before: Asset, after: Asset) -> Iterator[Fact]:
    old, new = set(_packages(before)), set(_packages(after))
    yield ReplacesEnvironment(before.name, before.version)
    for package in sorted(old - new):
        yield PackageChange(Turn.REMOVED, package)
    for package in sorted(new - old):
        yield PackageChange(Turn.ADDED, package)
