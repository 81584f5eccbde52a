"""A world in memory to run stages in: two circuits, a table of readings, a platform, and a clock that stands still.

The only file here that knows how a platform and a stage are made. Tests say what is declared, run stages by
name, and look at what came of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fleetcast.domain import happened
from fleetcast.domain.approval import Choice, Request, RequestState, SubjectKind
from fleetcast.domain.assets import AssetKind
from fleetcast.domain.audit import Actor, AuditEvent
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.effect import Effect
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.fleet import Fleet, deciding_content
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import AdoptedLineage, ModelVersion, TrainedModel
from fleetcast.domain.place import Gate
from fleetcast.domain.plan import CircuitAction
from fleetcast.domain.run import Ending, Run
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.semver import SemVer
from fleetcast.domain.settings import PlatformSettings, Polling, Settings
from fleetcast.domain.training_hash import HASH_SCHEMA, data_digest, training_hash, training_inputs
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.data import expiring
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.pipeline.policies import KeepPolicies
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.pipeline.situation import Progress, Situation, only_known
from fleetcast.pipeline.stages import STAGES, stage_named
from fleetcast.platforms.control.approvals import ControlApprovalBook
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.memory.jobs import MemoryFrozenRows
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.platforms.memory.registries import MemoryAssetRegistry
from fleetcast.ports.models import Shared
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import Readings, ReadingsTable
from fleetcast.stored import format_1
from fleetcast.views.evidence import facts_in_words, says
from fleetcast.workflows.plan import MakePlan
from tests.artifacts import CountingArtifacts
from tests.clocks import FixedClock
from tests.pipeline.stand_ins import (
    BrokenRuns,
    FailingRegistry,
    ForeignHoldsLast,
    MemoryTable,
    SlowRegistry,
    StandingJobs,
)
from tests.sealing import SEALING
from tests.votes import vote

START = datetime(2025, 1, 1, tzinfo=UTC)
"""Of the readings."""
HOUR, DAYS = timedelta(hours=1), 28
ONE, TWO = CircuitKey("P1", "C1"), CircuitKey("P1", "C2")
SENSORS = ("temperature", "pressure")
FIT = "fleetcast fit --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}"
COMMIT = "0123abc"


def circuit(key: CircuitKey = ONE, **fields: Any) -> Circuit:
    """An hourly circuit that forecasts six steps and trains in milliseconds; some fields declared otherwise."""
    declared: dict[str, Any] = {
        "key": key,
        "model_name": f"{key.plant}-{key.circuit}".lower(),
        "features": SENSORS,
        "targets": SENSORS,
        "frequency": HOUR,
        "horizon": 6 * HOUR,
        "training_window": timedelta(days=30),
        "cutoff": Cutoff.parse("2025-01-14"),
        "data_source": "readings",
        "delta_version": 0,
        "component_version": "1.0.0",
        "family": "seasonal_naive",
        "hyperparameters": {"season": 24},
    }
    return Circuit(**(declared | fields))


def environment(version: str = "1.0.0", packages: Sequence[str] = ("numpy>=2",)) -> TrainingEnvironment:
    return TrainingEnvironment("training", SemVer.parse(version), "3.11", tuple(packages))


def component(
    version: str = "1.0.0", commands: Sequence[str] = (FIT,), *, max_retries: int = 0
) -> TrainingComponent:
    """A component that runs these commands; the last one writes the model."""
    steps = [
        Step(f"step-{i}", command, ("data", "task"), ("model",) if i == len(commands) else ())
        for i, command in enumerate(commands, start=1)
    ]
    return TrainingComponent("pipeline", SemVer.parse(version), tuple(steps), max_retries=max_retries)


def readings(key: CircuitKey = ONE, days: int = DAYS, **sensors: Floats) -> Readings:
    """Hourly readings with a daily rhythm and noise; sensors can be given as they are."""
    hours = np.arange(24 * days)
    noise = np.random.default_rng(int(key.circuit[1:]))
    daily = np.sin(hours * 2 * np.pi / 24)
    columns = {
        "temperature": 50 + 5 * daily + noise.normal(0, 0.5, len(hours)),
        "pressure": 4 + daily + noise.normal(0, 0.2, len(hours)),
    } | sensors
    times = (hours * 3_600_000_000 + int(START.timestamp()) * 1_000_000).astype(np.int64)
    return Readings(key, tuple(columns), frozenset(), times, np.column_stack(list(columns.values())))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage reports, its document as a reader of the JSON file has it."""

    ending: Ending
    says: str
    document: Any


@dataclass(slots=True)
class World:
    """What is declared and what is; by default two circuits, and nothing done yet."""

    folder: Path
    clock: FixedClock = field(default_factory=FixedClock)
    table: MemoryTable = field(default_factory=MemoryTable)
    foreign: ForeignHoldsLast = field(default_factory=ForeignHoldsLast)
    policies: Mapping[Gate, GatePolicy] = field(default_factory=lambda: DEFAULT_GATES)
    """In force."""
    progress: list[Progress] = field(default_factory=list)
    """What the last stage reported on its way."""
    tables: dict[str, ReadingsTable] = field(init=False)
    fleet: Fleet = field(init=False)
    platform: Platform = field(init=False)
    begun: Run = field(init=False)

    def __post_init__(self) -> None:
        self.table.commit(readings(ONE), readings(TWO))
        self.tables = {"readings": self.table}
        made = memory_platform(self.tables, self.folder, actor=self.actor, clock=self.clock)
        self.platform = replace(made, workspace=replace(made.workspace, foreign=self.foreign))
        self.fleet = Fleet(Settings(), (circuit(ONE), circuit(TWO)), environment(), component())
        self.begun = self.platform.control.runs.begin(self.fleet.digest, COMMIT)

    @property
    def _database(self) -> ControlDatabase:
        """The control database of the platform, for others than who runs the stages."""
        return ControlDatabase(sqlite(self.folder / "control.db"), clock=self.clock, sealing=SEALING)

    @property
    def actor(self) -> Actor:
        """Who runs the stages."""
        return Actor("ada")

    # What is declared

    def declare(self, *circuits: Circuit, **fields: Any) -> None:
        """Declare these circuits and no others; or other parts of the fleet, by name."""
        self.fleet = replace(self.fleet, **({"circuits": circuits} if circuits else {}) | fields)

    def change(self, key: CircuitKey = ONE, **fields: Any) -> Circuit:
        """Declare one circuit anew with some fields changed."""
        changed = replace(self.circuit(key), **fields)
        self.declare(*(changed if each.key == key else each for each in self.fleet.circuits))
        return changed

    def set_gate(self, **fields: Any) -> None:
        """Put another policy in force for promotions."""
        self.policies = {**self.policies, Gate.REGISTRY_PROMOTION: GatePolicy(**fields)}

    def set_platform(self, **fields: Any) -> None:
        self.declare(settings=replace(self.fleet.settings, platform=PlatformSettings(**fields)))

    def set_polling(self, **fields: timedelta) -> None:
        self.declare(settings=replace(self.fleet.settings, polling=Polling(**fields)))

    def circuit(self, key: CircuitKey = ONE) -> Circuit:
        return self.fleet.circuit(key)

    # What is done

    def run(self, name: str, *, only: CircuitKey | None = None, retry_failed: bool = False) -> Outcome:
        """Run one stage."""
        self.progress.clear()
        asked = None if only is None else frozenset({only})
        situation = Situation(
            self.fleet,
            self.begun,
            asked,
            self.policies,
            retry_failed=retry_failed,
            report=self.progress.append,
        )
        result = stage_named(name).make(self.platform, self.clock).run(situation)
        return Outcome(result.ending, result.says, json.loads(json.dumps(result.document())))

    def upto(self, name: str, *, only: CircuitKey | None = None) -> Outcome:
        """Run all stages from the first to this one."""
        names = [entry.name for entry in STAGES]
        return [self.run(each, only=only) for each in names[: names.index(name) + 1]][-1]

    def promote(self) -> None:
        """Run all stages, approve everything, and share it."""
        self.upto("PromoteModels")
        self.decide()
        self.upto("PromoteModels")

    def keep_running(self, *names: str, watcher: StageWatcher | None = None) -> Run:
        """Run stages as a whole run does: in order, on record, with their files."""
        silent = StageWatcher(lambda *_: None, lambda *_: None, lambda *_: None)
        entries = [stage_named(name) for name in names]
        runner = StageRunner(self.platform, self.clock, self.folder / "runs")
        situation = Situation(self.fleet, self.begun)
        return runner.close(runner.run(entries, situation, watcher or silent), situation)

    def begin_run(self, commit: str = COMMIT) -> None:
        """Go on in a new run."""
        self.begun = self.platform.control.runs.begin(self.fleet.digest, commit)

    def decide(self, choice: Choice = Choice.APPROVE, *, about: str = "", by: str = "grace") -> None:
        """Decide on what waits: on everything, or on what has that name, or that name and version."""
        for request in self.requests(RequestState.PENDING):
            if about in ("", request.subject.name, str(request.subject)):
                book = ControlApprovalBook(Session(self._database, Actor(by)))
                book.decide([request.id], vote(choice, Actor(by), self.clock.now()))

    def plan(self, key: CircuitKey = ONE) -> CircuitAction:
        """What would be done with a circuit."""
        return next(
            action for action in MakePlan(self.platform, self.clock)(self.fleet).circuits if action.key == key
        )

    def adopt(self, key: CircuitKey = ONE, *, shared: bool = True, unstated: Collection[str] = ()) -> None:
        """Put a model that was trained elsewhere to use, as adopted; or registered only.

        Args:
            key: Its circuit.
            shared: Whether it is shared and a champion.
            unstated: Training inputs that its lineage does not have.
        """
        declared = self.circuit(key)
        files = self.folder / "elsewhere" / declared.model_name
        files.mkdir(parents=True)
        (files / "MLmodel").write_text(f"flavors: {{}}\nname: {declared.model_name}\n")
        inputs = training_inputs(declared)
        lineage = AdoptedLineage(
            training_hash=training_hash(inputs),
            hash_schema=HASH_SCHEMA,
            inputs={name: value for name, value in inputs.items() if name not in unstated},
            key=key,
            commit=COMMIT,
            source="a folder",
            lookback=24,
            stated={},
        )
        scores = ModelScores(Scores(*[None] * 11), {})
        size = (files / "MLmodel").stat().st_size
        kept = self.platform.workspace.artifacts.keep(files)
        model = TrainedModel(declared.model_name, lineage, kept, size, scores, None)
        (version,) = self.platform.workspace.models.register([model])
        self.platform.control.states.select({version.name: version.version})
        if shared:
            self.platform.workspace.shared.share_models([version])
            self.platform.control.states.crown({version.name: version.version})

    def only_known(self, *keys: CircuitKey) -> Collection[CircuitKey]:
        """The circuits that somebody asks for, if the fleet declares them."""
        return only_known(self.fleet, keys)

    # What goes wrong

    def lose_frozen_rows(self) -> None:
        """Clear the cache of training rows."""
        frozen = self.platform.workspace.frozen
        assert isinstance(frozen, MemoryFrozenRows)
        frozen._world.rows.clear()

    def lose_assets(self) -> None:
        """Forget every environment and component."""
        assets = self.platform.workspace.assets
        assert isinstance(assets, MemoryAssetRegistry)
        assets._world.assets.clear()

    def lose_artifact(self, name: str, version: int) -> None:
        """Delete a model's files."""
        held = self.platform.workspace.models.versions([name])[name][version - 1]
        shutil.rmtree(self.platform.workspace.artifacts.folder(held.model.artifact))

    def stop_jobs(
        self, go_on_after: float = float("inf"), news: Sequence[TrainingJob] = ()
    ) -> list[timedelta]:
        """Let no job go on, until somebody waited so often; gives for how long they were ready to, each time."""
        standing = StandingJobs(self.platform.workspace.jobs, self.clock, go_on_after, news)
        self._workspace(jobs=standing)
        return standing.asked

    def break_runs(self, error: FleetcastError) -> None:
        """Let nothing more be written of this run."""
        control = self.platform.control
        self.platform = replace(self.platform, control=replace(control, runs=BrokenRuns(control.runs, error)))

    def count_artifacts(self) -> list[Digest]:
        """From now on, note which artifacts are opened."""
        counting = CountingArtifacts(self.platform.workspace.artifacts)
        self._workspace(artifacts=counting)
        return counting.opened

    def slow_registry(self, delay: timedelta) -> None:
        """Let what is shared show only some time later, one thing after another."""
        slow = SlowRegistry(self.platform.workspace.shared, self.clock, delay)
        self._workspace(shared=slow)

    def failing_registry(self, *, does_it: bool) -> Callable[[], None]:
        """Let every sharing report a failure, whether it was done or not; gives how to fix that."""
        whole = self.platform.workspace.shared
        self._workspace(shared=FailingRegistry(whole, does_it))
        return lambda: self._workspace(shared=whole)

    def crash_after_sharing(self, name: str) -> None:
        """Leave a model shared as a run does that is killed before it can write so."""
        version = self.used(name)
        key, event = f"share model {version}", happened.model_shared(version)
        self.platform.control.effects.intend([Effect(key, event)])
        self.platform.workspace.shared.share_models([version])

    def intend(self, key: str) -> None:
        """Intend something that no stage here knows."""
        self.platform.control.effects.intend([Effect(key, AuditEvent("something.done", key, {}))])

    def ask_as_the_first_format_did(self) -> None:
        """Pin what waits about models by the digests of the first format."""
        old = []
        for request in self.requests(RequestState.PENDING):
            if request.subject.kind is SubjectKind.MODEL:
                circuit = next(c for c in self.fleet.circuits if c.model_name == request.subject.name)
                thresholds = digest_of(deciding_content(circuit)["thresholds"])
                subject = replace(
                    request.subject,
                    policy=format_1.policy_digest(request.policy, thresholds),
                    evidence=format_1.evidence_digest(request.evidence),
                )
                old.append(replace(request, subject=subject))
        self.platform.control.approvals.pin_anew(old)

    def keep_policies(self, declared: Mapping[Gate, GatePolicy]) -> Mapping[Gate, Request]:
        """Bring the policies in force to what is declared, as a run does."""
        control = self.platform.control
        gatekeeper = Gatekeeper.of(control, self.clock)
        return KeepPolicies(control.policies, gatekeeper)(declared, self.begun.id)

    def _workspace(self, **roles: Any) -> None:
        self.platform = replace(self.platform, workspace=replace(self.platform.workspace, **roles))

    # What is

    def unconfirmed(self) -> list[Effect]:
        """What was intended and not recorded."""
        return list(self.platform.control.effects.unconfirmed())

    def actions(self, *kinds: str) -> list[str]:
        """What the audit log says was done, in order: all of it, or some actions with their subjects."""
        events = [entry.event for entry in self.platform.control.audit.entries()]
        return [
            f"{event.action} {event.subject}" if kinds else event.action
            for event in events
            if not kinds or event.action in kinds
        ]

    def requests(self, *states: RequestState) -> list[Request]:
        return list(self.platform.control.approvals.listed(states))

    def request_states(self) -> list[str]:
        """How each request stands, in the order they were opened."""
        return [f"{request.subject} {request.state.value}" for request in self.requests()]

    def evidence(self, name: str) -> dict[str, str]:
        """What the last request about this name shows."""
        last = [request for request in self.requests() if request.subject.name == name][-1]
        checks = {check.name: f"{check.verdict.value}: {says(check)}" for check in last.evidence.checks}
        return checks | dict(facts_in_words(last.evidence))

    def facts(self, name: str) -> list[tuple[str, str]]:
        """The facts of the last request about this name, in their order."""
        last = [request for request in self.requests() if request.subject.name == name][-1]
        return facts_in_words(last.evidence)

    def jobs(self, key: CircuitKey = ONE) -> list[TrainingJob]:
        """Every attempt at what a circuit declares now."""
        wanted = training_hash(training_inputs(self.circuit(key)))
        return list(self.platform.workspace.jobs.jobs_for([wanted]).get(wanted, ()))

    def data_digest(self, key: CircuitKey = ONE) -> Digest:
        return data_digest(training_inputs(self.circuit(key)))

    def selected(self) -> dict[str, int]:
        """The version in use of each model."""
        return dict(self.platform.control.states.intent().selected)

    def champions(self) -> dict[str, int]:
        return dict(self.platform.control.states.intent().champions)

    def used(self, name: str) -> ModelVersion:
        """The version in use of a model."""
        return self.platform.workspace.models.versions([name])[name][self.selected()[name] - 1]

    def states(self, name: str) -> list[str]:
        """Whether each version of a model may be used, or why not."""
        refused = self.platform.control.states.intent().refused
        versions = self.platform.workspace.models.versions([name])[name]
        found = [refused.get((name, version.version)) for version in versions]
        return ["registered" if refusal is None else refusal.value for refusal in found]

    def shared(self) -> Shared:
        return self.platform.workspace.shared.shared()

    def shared_models(self) -> list[str]:
        return sorted(
            f"{name}:{number}" for name, numbers in self.shared().models.items() for number in numbers
        )

    def shared_environments(self) -> list[str]:
        return sorted(self.shared().environments.get("training", ()))

    def registered(self, kind: AssetKind) -> list[str]:
        """The versions of the environment, or of the component."""
        name = "training" if kind is AssetKind.ENVIRONMENT else "pipeline"
        return [held.asset.version for held in self.platform.workspace.assets.versions(kind, name)]

    def expiring(self, *held: Digest) -> list[str]:
        """What a plan warns of: versions that may be cleaned up before they are frozen."""
        return expiring(self.fleet.circuits, self.tables, held, self.clock.now())
