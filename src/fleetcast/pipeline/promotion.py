"""Stage 8: measure new models, ask for their promotion, and share what was approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fleetcast.domain.approval import Request, RequestState, SubjectKind
from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import Json, digest_of, plain
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.evidence import (
    BaselineFact,
    CircuitFact,
    DataFact,
    Evidence,
    Fact,
    MetricFact,
    NoStrongestBaseline,
    ReplacesModel,
    SensorLeftOut,
    SensorsCheck,
    WeakestSensor,
)
from fleetcast.domain.fleet import deciding_content
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import AdoptedLineage, FleetIndex, ModelVersion, TrainedLineage, VersionEntry
from fleetcast.domain.place import Gate
from fleetcast.domain.promotion import against_the_strongest, promotion_checks
from fleetcast.domain.run import Ending
from fleetcast.domain.scores import ModelScores
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.training_hash import changes
from fleetcast.pipeline.champions import ChampionComparison
from fleetcast.pipeline.gatekeeper import Gatekeeper, Question, question
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.manifests import Files, Manifests
from fleetcast.pipeline.models import as_declared, in_full, selected
from fleetcast.pipeline.sharing import Share
from fleetcast.pipeline.situation import Progress, Situation
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore
from fleetcast.ports.assets import DataAssets
from fleetcast.ports.models import ModelRegistry, ModelStates, Shared, SharedRegistry
from fleetcast.ports.runs import RunBook

_TYPED_IN = "the audit log does not know that it was ever shared: see `fleetcast audit verify`"


@dataclass(frozen=True, slots=True)
class Promotion:
    """How far one model's promotion has come."""

    model: ModelVersion
    request: Request | None
    shared: bool
    waits_for: str = ""
    """What an approved model still waits for; empty if nothing."""


@dataclass(frozen=True, slots=True)
class ModelsPromoted:
    """What stage 8 did, model by model."""

    promotions: tuple[Promotion, ...]
    already: int
    """Selected models that were shared before."""
    damaged: tuple[tuple[str, str], ...] = ()
    """Models whose files are lost or damaged, and why: neither asked for, shared nor made champions."""

    @property
    def ending(self) -> Ending:
        """Failed if a model cannot be loaded; awaiting approval if one, or its environment, waits for people."""
        if self.damaged:
            return Ending.FAILED
        waiting = any(
            promotion.waits_for or (promotion.request and promotion.request.state is RequestState.PENDING)
            for promotion in self.promotions
        )
        return Ending.AWAITING if waiting else Ending.DONE

    @property
    def says(self) -> str:
        """One line for people."""
        counts = {
            "promoted": sum(1 for promotion in self.promotions if promotion.shared),
            "await approval": self._count(RequestState.PENDING),
            "rejected": self._count(RequestState.REJECTED),
            "wait for their environment": sum(1 for promotion in self.promotions if promotion.waits_for),
            "promoted before": self.already,
        }
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        if self.damaged:
            name, why = self.damaged[0]
            parts.append(f"{len(self.damaged)} cannot be loaded ({name}: {why})")
        return ", ".join(parts) or "nothing to promote"

    def document(self) -> Json:
        """For `promotions.json`."""
        return {
            "promotions": [_document(promotion) for promotion in self.promotions],
            "already_shared": self.already,
            "damaged": [{"name": name, "why": why} for name, why in self.damaged],
        }

    def _count(self, state: RequestState) -> int:
        return sum(
            1 for promotion in self.promotions if promotion.request and promotion.request.state is state
        )


@dataclass(frozen=True, slots=True)
class PromoteModels:
    """Ask for every selected model that the shared registry lacks; share the approved ones."""

    models: ModelRegistry
    states: ModelStates
    index: ReadIndex
    shared: SharedRegistry
    share: Share
    data: DataAssets
    gatekeeper: Gatekeeper
    compare: ChampionComparison
    artifacts: ArtifactStore
    manifests: Manifests
    runs: RunBook

    def run(self, situation: Situation) -> ModelsPromoted:
        """Each model is its own decision; a rejected one is not asked for again."""
        self.share.finish(self.gatekeeper.agreed)
        shared, index = self.shared.shared(), self.index()
        listed = selected(situation.circuits, index)
        unsettled = [pair for pair in listed if not _is_settled(pair[1], shared, index)]
        open_ones = as_declared(unsettled, index)
        missing = in_full([pair for pair in open_ones if not _is_shared(shared, pair[1])], self.models)
        returned = [entry for _, entry in open_ones if _is_shared(shared, entry)]
        damaged = self._crown(returned)
        gate = Gate.REGISTRY_PROMOTION
        policy = situation.policy(gate)
        asking, lost, read = self._questions(situation, missing, index, policy)
        questions = [asked for _, asked in asking]
        chosen = {circuit.model_name for circuit in situation.circuits}
        self.gatekeeper.close_stale(
            SubjectKind.MODEL,
            questions,
            beyond={circuit.model_name for circuit in situation.fleet.circuits} - chosen,
        )
        self.manifests.sign([version for version, _ in asking], read)
        asked = self.gatekeeper.ask(gate, questions, policy, situation.run.id)
        requests = [asked[question.subject.digest] for question in questions]
        promotions, worn = self._act(situation, [version for version, _ in asking], requests, shared)
        already = len(listed) - len(unsettled) + len(returned) - len(damaged)
        return ModelsPromoted(tuple(promotions), already, tuple((damaged | lost | worn).items()))

    def _crown(self, returned: Sequence[VersionEntry]) -> dict[str, str]:
        """A version that was promoted before and is selected again needs no second approval, but its files.

        Gives those that are not made champions, and why.
        """
        if not returned:
            return {}
        known = self.gatekeeper.vouched(returned)
        damaged = {
            entry.name: why
            for entry in returned
            if (why := self._amiss(entry) if entry in known else _TYPED_IN)
        }
        whole = {entry.name: entry.version for entry in returned if entry.name not in damaged}
        if whole:
            self.states.crown(whole)
        return damaged

    def _amiss(self, entry: VersionEntry) -> str:
        return self.manifests.amiss(entry.name, entry.version, entry.artifact, unsigned_allowed=True)

    def _questions(
        self,
        situation: Situation,
        missing: Sequence[tuple[Circuit, ModelVersion]],
        index: FleetIndex,
        policy: GatePolicy,
    ) -> tuple[list[tuple[ModelVersion, Question]], dict[str, str], dict[Digest, Files]]:
        """What is to be asked of each model; gives also those that cannot be loaded and why, and what was read."""
        names = [version.name for _, version in missing]
        champions = self._champions(names, index)
        held = self.data.held([digest for _, version in missing if (digest := version.data_digest)])
        before = self.gatekeeper.comparisons(names)
        questions, lost, read = [], {}, {}
        for number, (circuit, version) in enumerate(missing, start=1):
            champion = champions.get(version.name)
            comparison = before(version, circuit_digest(circuit), champion)
            if comparison is None:
                artifact = version.model.artifact
                try:
                    read[artifact] = self.artifacts.files(artifact)
                except ArtifactMissing as error:
                    lost[version.name] = str(error)
                    continue
                comparison = self.compare(circuit, version, champion)
            data = held.get(version.data_digest) if version.data_digest else None
            stated = version.model.scores
            scores = against_the_strongest(stated)
            left_out = _left_out(data)
            evidence = Evidence(
                (*promotion_checks(scores, circuit.thresholds, comparison), *_sensors_check(left_out)),
                tuple(_facts(version, scores, champion, data)),
            )
            shown_before = Evidence(
                promotion_checks(stated, circuit.thresholds, comparison),
                tuple(_facts(version, stated, champion, data, noted=left_out)),
            )
            asked = _question(circuit, version, policy, evidence)
            if evidence != shown_before:
                asked = asked.replacing(_question(circuit, version, policy, shown_before))
            wrote = partial(situation.writers.of_circuit, circuit.key)
            asked = replace(asked, wrote=wrote, started=partial(self._started, version))
            questions.append((version, asked))
            situation.report(Progress(number, len(missing), note=version.name))
        return questions, lost, read

    def _started(self, version: ModelVersion) -> tuple[Actor, ...]:
        """Who started the run that trained a version; another person may have gone on with it, and registered it."""
        lineage = version.model.lineage
        return (Actor(self.runs.find(lineage.run).by),) if isinstance(lineage, TrainedLineage) else ()

    def _champions(self, names: Sequence[str], index: FleetIndex) -> Mapping[str, ModelVersion]:
        champions = index.intent.champions
        known = self.models.versions([name for name in names if name in champions])
        return {
            name: version
            for name, versions in known.items()
            for version in versions
            if version.version == champions[name]
        }

    def _act(
        self,
        situation: Situation,
        versions: Sequence[ModelVersion],
        requests: Sequence[Request],
        shared: Shared,
    ) -> tuple[list[Promotion], dict[str, str]]:
        """Share and crown what was approved and is whole; gives also what is not, and why."""
        environments = shared.environments.get(situation.fleet.environment.name, ())
        promotions: list[Promotion] = []
        ready: list[tuple[ModelVersion, Request]] = []
        rejected: list[tuple[str, int]] = []
        for version, request in zip(versions, requests, strict=True):
            environment = version.environment_version
            waits_for, goes = "", False
            if request.state is RequestState.REJECTED:
                rejected.append((version.name, version.version))
            elif request.state.lets_through:
                if environment is None or environment in environments:
                    goes = True
                    ready.append((version, request))
                else:
                    waits_for = f"environment {situation.fleet.environment.name}:{environment}"
            promotions.append(Promotion(version, request, shared=goes, waits_for=waits_for))
        if rejected:
            self.states.reject(rejected)
        worn = {
            version.name: why
            for version, request in ready
            if (
                why := self.manifests.amiss(
                    version.name,
                    version.version,
                    version.model.artifact,
                    unsigned_allowed=request.policy.unsigned_allowed,
                )
            )
        }
        whole = [version for version, _ in ready if version.name not in worn]
        if whole:
            self.share.models(whole)
            self.states.crown({version.name: version.version for version in whole})
        kept = [promotion for promotion in promotions if promotion.model.name not in worn]
        return kept, worn


def _is_shared(shared: Shared, version: ModelVersion | VersionEntry) -> bool:
    return version.version in shared.models.get(version.name, ())


def _is_settled(entry: VersionEntry, shared: Shared, index: FleetIndex) -> bool:
    """Whether nothing is left to do for a version: it is shared and the champion."""
    return _is_shared(shared, entry) and index.intent.champions.get(entry.name) == entry.version


def circuit_digest(circuit: Circuit) -> Digest:
    """Of all that a circuit declares and that an approval is bound to."""
    return digest_of(deciding_content(circuit))


def _question(circuit: Circuit, version: ModelVersion, policy: GatePolicy, evidence: Evidence) -> Question:
    return question(
        SubjectKind.MODEL,
        version.name,
        str(version.version),
        artifact=version.model.artifact,
        configuration=circuit_digest(circuit),
        policy=policy,
        evidence=evidence,
        thresholds=digest_of(deciding_content(circuit)["thresholds"]),
    )


def _left_out(data: DataAsset | None) -> tuple[SensorLeftOut, ...]:
    gone = data.verdict.left_out if data is not None else ()
    return tuple(SensorLeftOut(one.sensor, one.reason) for one in gone)


def _sensors_check(left_out: tuple[SensorLeftOut, ...]) -> tuple[SensorsCheck, ...]:
    return (SensorsCheck(left_out),) if left_out else ()


def _facts(
    version: ModelVersion,
    scores: ModelScores,
    champion: ModelVersion | None,
    data: DataAsset | None,
    noted: tuple[SensorLeftOut, ...] = (),
) -> Iterator[Fact]:
    """What approvers are told besides the checks; `noted` are sensors, which were facts before they were a check."""
    lineage, mean = version.model.lineage, scores.mean
    yield CircuitFact(lineage.key, lineage.training_hash)
    if champion is not None:
        theirs = champion.model.lineage
        differs = changes(theirs.inputs, lineage.inputs)
        yield ReplacesModel(champion.version, isinstance(theirs, AdoptedLineage), differs)
    if data is not None and data.first and data.last:
        yield DataFact(data.rows, data.first, data.last)
        yield from noted
    if mean.skill is not None:
        yield MetricFact("skill", mean.skill)
    if mean.mase is not None:
        yield MetricFact("mase", mean.mase)
    if mean.coverage_80 is not None:
        yield MetricFact("coverage_80", mean.coverage_80)
    if mean.coverage_95 is not None:
        yield MetricFact("coverage_95", mean.coverage_95)
    yield from _weakest(scores)
    yield from _baselines(scores)
    if mean.skill is None and version.model.scores.mean.skill is not None:
        yield NoStrongestBaseline()


def _baselines(scores: ModelScores) -> Iterator[BaselineFact]:
    different = dict.fromkeys(scores.baselines.values())
    for baseline in different:
        sensors = tuple(name for name, each in scores.baselines.items() if each == baseline)
        yield BaselineFact(baseline, sensors if len(different) > 1 else ())


def _weakest(scores: ModelScores) -> Iterator[WeakestSensor]:
    known = {name: each.skill for name, each in scores.sensors.items() if each.skill is not None}
    if len(known) > 1:
        sensor = min(known, key=lambda name: known[name])
        yield WeakestSensor(sensor, known[sensor])


def _document(promotion: Promotion) -> Json:
    request = promotion.request
    return {
        "name": promotion.model.name,
        "version": promotion.model.version,
        "shared": promotion.shared,
        "waits_for": promotion.waits_for or None,
        "request": request.id if request else None,
        "state": request.state.value if request else None,
        "checks": [
            {"name": check.name, "verdict": check.verdict.value, "measured": plain(check)}
            for check in request.evidence.checks
        ]
        if request
        else [],
    }
