"""Every view of a small made-up fleet; `python -m tests.views.examples` writes them to `tests/golden/` for review."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fleetcast.config.edit_circuits import Edited
from fleetcast.config.layers import Origin
from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.config.other_layout import LeftOut, OtherCircuit, OtherFleet
from fleetcast.config.yaml_nodes import Block
from fleetcast.domain.approval import (
    Choice,
    Decision,
    Request,
    RequestState,
    Subject,
    SubjectKind,
)
from fleetcast.domain.audit import Actor, AuditEntry, AuditEvent, Standing
from fleetcast.domain.canonical import Json
from fleetcast.domain.checkpoint import Held, Lost
from fleetcast.domain.chronicle import BrokenLog, OtherRow
from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.diagnosis import Diagnosis, Finding, Verdict
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import Complaint, InvalidFleet
from fleetcast.domain.evidence import (
    Bound,
    BoundCheck,
    ChampionCheck,
    CircuitFact,
    Evidence,
    NoChampion,
    SensorLeftOut,
)
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.ingest import (
    Conflict,
    FileReport,
    IngestReport,
    NearName,
    OnConflict,
    ReadingInRow,
    UnreadCells,
)
from fleetcast.domain.installation import plan_installation
from fleetcast.domain.installed_devops import (
    Environment,
    ServiceConnection,
    VariableGroup,
    Variables,
    VaultSecrets,
)
from fleetcast.domain.model import AdoptedLineage, ModelVersion, TrainedLineage, TrainedModel
from fleetcast.domain.money import Money
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.plan import (
    AssetAction,
    Blocked,
    DataUnfit,
    Plan,
    PlannedCost,
    Removed,
    Reuse,
    Train,
    UpToDate,
)
from fleetcast.domain.quality import CircuitProfile, QualityVerdict, SensorProfile
from fleetcast.domain.quality import LeftOut as LeftOutSensor
from fleetcast.domain.quota import CoresAllowed, QuotaUse
from fleetcast.domain.recount import Distrusted, OtherDecisions
from fleetcast.domain.remote_run import RemoteRun, RemoteState, ScoredRemotely
from fleetcast.domain.retention import (
    ArtifactToGo,
    DaysDecided,
    KeptLog,
    LogsDecided,
    ModelsDecided,
    Stays,
    TracesDecided,
    VersionToJudge,
)
from fleetcast.domain.run import Ending, Run, RunState, StageRecord
from fleetcast.domain.scores import Baseline, ModelScores, Scores
from fleetcast.domain.semver import SemVer
from fleetcast.domain.settings import Settings
from fleetcast.domain.signing_key import KeySource, OwnKeys
from fleetcast.domain.since import CircuitDifference, Since
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.training_hash import FieldChange
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Series
from fleetcast.ports.readings import TableVersion
from fleetcast.views import (
    adoption,
    approvals,
    audit,
    circuits,
    clean,
    data,
    database,
    diagnosis,
    forecast,
    installation,
    keys,
    models,
    plan,
    remote_runs,
    repository,
    runs,
    status,
)
from fleetcast.workflows.adopt import AdoptedModel, Adoption, Fate
from fleetcast.workflows.approved_by import ApprovedBy
from fleetcast.workflows.audit import AuditVerified, Whole
from fleetcast.workflows.clean import Cleaned as RetentionCleaned
from fleetcast.workflows.clean import ForecastsDecided, TableDecided, WhatGoes
from fleetcast.workflows.fleet_status import CircuitState, CircuitStatus, FleetStatus, NextStep
from fleetcast.workflows.forecast import CircuitForecast, Provenance
from fleetcast.workflows.inspect_circuits import ResolvedCircuit, ResolvedSetting
from fleetcast.workflows.inspect_data import CircuitHoldings, CircuitQuality, Holdings
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow, SelectedVersion, VersionHistory
from fleetcast.workflows.keep_versions import Cleaned
from fleetcast.workflows.simulate import SimulationReport
from tests.domain.circuits import CIRCUIT
from tests.signing import public

GOLDEN = Path(__file__).parent.parent / "golden"
ONE, TWO = CircuitKey("PLANT001", "CIRCUIT01"), CircuitKey("PLANT002", "CIRCUIT07")
MORNING = datetime(2025, 11, 1, 8, 30, tzinfo=UTC)
GONE = VersionToJudge("plant001-circuit01", 1, Digest.of(b"gone"), 48_000, MORNING)
GOES_MODELS = ModelsDecided(
    (ArtifactToGo(GONE.artifact, GONE.bytes, (GONE,)),),
    {
        ("plant001-circuit01", 2): (Stays.DEPLOYED, Stays.SHARED),
        ("plant001-circuit01", 3): (Stays.YOUNG,),
    },
)
TRACES = TracesDecided(
    LogsDecided((KeptLog("score-prod/2025-10-01T0200", MORNING, 1200),), {}), MORNING, 31, 7, 2
)
GOES = WhatGoes(
    GOES_MODELS,
    {GONE.key: Digest.of(b"rows")},
    {GONE.key: "plant001-circuit01.0123456789ab.1"},
    LogsDecided((KeptLog("plant001-circuit01.0123456789ab.1", MORNING, 812),), {"other": Stays.RUNNING}),
    (TableDecided("readings", {4: Stays.PINNED, 2: Stays.TRAINED_ON}, 17),),
    (
        ForecastsDecided(
            EnvironmentName.PROD, DaysDecided((date(2025, 5, 1),), {date(2025, 11, 1): Stays.YOUNG}), 2
        ),
    ),
    TRACES,
    unfinished=1,
)
LATER = MORNING + timedelta(minutes=5, seconds=1, microseconds=250_000)
CUTOFF = FieldChange("cutoff_date", "2025-10-01", "2025-11-01")
INPUTS = MappingProxyType({"cutoff_date": "2025-11-01", "model": "linear", "frequency": "1h"})


def _digest(digit: str) -> Digest:
    return Digest(digit * 64)


SCORES = Scores(
    mae=1.5,
    rmse=2.25,
    wape=0.125,
    accuracy=0.875,
    mase=None,
    skill=0.25,
    r2=0.5,
    coverage_80=0.75,
    coverage_95=1.0,
    pinball=0.5,
    naive_mae=2.0,
)
TRAINED = TrainedModel(
    name="plant001-circuit01",
    lineage=TrainedLineage(
        training_hash=_digest("a"),
        hash_schema=1,
        inputs=INPUTS,
        key=ONE,
        component="training-pipeline",
        component_version="1.0.0",
        component_digest=_digest("b"),
        environment_version="1.1.0",
        commit="0123456789abcdef0123456789abcdef01234567",
        run="run-0001",
        job="job-7",
        data_digest=_digest("c"),
        fingerprint=_digest("d"),
    ),
    artifact=_digest("e"),
    artifact_bytes=4096,
    scores=ModelScores(SCORES, {"Ot_avg": SCORES}, {"Ot_avg": Baseline(12, 60.0)}),
    trained_seconds=0.75,
)
ADOPTED = replace(
    TRAINED,
    lineage=AdoptedLineage(
        training_hash=_digest("a"),
        hash_schema=1,
        inputs=INPUTS,
        key=ONE,
        commit="uncommitted",
        source="folder plant001-circuit01",
        lookback=168,
        stated={"Trained by": "grace"},
    ),
    scores=ModelScores(Scores(*[None] * 11), {}),
    trained_seconds=None,
)
ENVIRONMENT = Subject(
    SubjectKind.ENVIRONMENT, "training", "1.1.0", _digest("1"), _digest("2"), _digest("3"), _digest("4")
)
PENDING = Request(
    id=12,
    gate=Gate.REGISTRY_PROMOTION,
    policy=GatePolicy(),
    subject=Subject(
        SubjectKind.MODEL, TRAINED.name, "2", TRAINED.artifact, _digest("2"), _digest("3"), _digest("4")
    ),
    evidence=Evidence(
        (BoundCheck(Bound.MIN_SKILL, 0.25, 0.0), ChampionCheck(NoChampion())),
        (CircuitFact(ONE, _digest("a")), SensorLeftOut("pressure", "stuck")),
    ),
    run="run-0001",
    requested_by=Actor("ci"),
    opened_at=MORNING,
)
APPROVED = replace(
    PENDING,
    id=11,
    subject=ENVIRONMENT,
    state=RequestState.APPROVED,
    decisions=(Decision(Actor("grace"), Choice.APPROVE, "looks right", LATER),),
)
RUN = Run(
    "run-0001",
    fleet=_digest("f"),
    commit="0123456789abcdef0123456789abcdef01234567",
    by="ada",
    started_at=MORNING,
    state=RunState.AWAITING,
    ended_at=LATER,
    stages=(
        StageRecord("RegisterEnvironment", Ending.DONE, "training:1.1.0 is registered", MORNING, LATER),
        StageRecord("PromoteEnvironment", Ending.AWAITING, "waits for people", LATER, LATER),
    ),
)
PLAN = Plan(
    circuits=(
        Train(ONE, "plant001-circuit01", _digest("a"), (CUTOFF,), data_checked=True),
        Reuse(TWO, "plant002-circuit07", _digest("b"), 1),
        UpToDate(TWO, "plant002-circuit07", _digest("b"), 2),
        Blocked(TWO, "plant002-circuit07", _digest("b"), DataUnfit("history too short")),
        Removed(TWO, "plant002-circuit07", 3),
    ),
    assets=(
        AssetAction("promote", "environment", "training", "1.1.0", "awaits approval"),
        AssetAction("promote", "model", "plant002-circuit07", "2"),
    ),
    fleet=_digest("f"),
    estimated=timedelta(seconds=90),
    cost=PlannedCost(Money(Decimal("0.42"), "EUR"), 2),
    quota=QuotaUse(2, CoresAllowed("westeurope", "Standard DSv2 Family", 4, 20, 14)),
    warnings=("version 3 of readings will be cleaned up",),
)
REVISION = Since(
    "main",
    ("config/circuits.yaml",),
    (CircuitDifference(ONE, (CUTOFF,)), CircuitDifference(TWO, (), "added")),
)
STATUS = FleetStatus(
    at=MORNING,
    circuits=(
        CircuitStatus(ONE, "plant001-circuit01", CircuitState.UP_TO_DATE, "version 2"),
        CircuitStatus(
            TWO,
            "plant002-circuit07",
            CircuitState.AWAITING,
            "version 1 waits",
            "fleetcast approvals show 12",
            12,
        ),
    ),
    pending=1,
    assets=("promote environment training:1.1.0",),
    last_run=RUN,
    at_work=False,
    estimated=None,
    next_steps=(NextStep("fleetcast approvals list", "1 request waits"),),
)
USED = SelectedVersion(
    version=2,
    standing=PromotionState.PROMOTED,
    family="linear",
    skill=0.25,
    mase=None,
    coverage_80=0.75,
    registered_at=LATER,
    cutoff="2025-11-01",
    training_hash="a" * 64,
)
FIRST = VersionHistory(ModelVersion(1, ADOPTED, MORNING), PromotionState.PROMOTED_BEFORE, False, (), ())
SECOND = VersionHistory(
    ModelVersion(2, TRAINED, LATER),
    PromotionState.PROMOTED,
    selected=True,
    changed=(CUTOFF,),
    requests=(replace(PENDING, state=RequestState.APPROVED, decisions=APPROVED.decisions),),
)
HISTORY = ModelHistory(
    key=ONE,
    model="plant001-circuit01",
    champion=2,
    versions=(FIRST, SECOND),
    detail=SECOND,
    artifact=Path("artifacts/e"),
    artifact_problem="",
    data=None,
)
RESOLVED = ResolvedCircuit(
    CIRCUIT,
    "a" * 64,
    (
        ResolvedSetting("cutoff_date", "2025-11-01", Origin("config/circuits.yaml", 7)),
        ResolvedSetting("cleaning.fill_steps", "3", None),
    ),
)
INGESTED = IngestReport(
    files=(
        FileReport(
            path="log.csv",
            rows_read=5,
            rows_kept=4,
            uneven_rows=0,
            padded_rows=0,
            unread_times=1,
            skipped_local_times=0,
            empty_rows=0,
            unread_cells=(UnreadCells("Ot_avg", 1, 3, "n/a"),),
            not_finite=0,
            sentinels=0,
            unsorted_rows=0,
            silent_sensors=(),
            constant_sensors=(),
            sensors=("Ot_avg",),
            columns=("time", "Ot_avg"),
            timestamp_columns=("time",),
            first=MORNING,
            last=LATER,
        ),
    ),
    exact_duplicates=0,
    conflicting_duplicates=1,
    joined_rows=0,
    on_conflict=OnConflict.LAST,
    conflicts=1,
    first_conflicts=(
        Conflict(ONE, MORNING, "Ot_avg", (ReadingInRow("log.csv", 2, 4.5), ReadingInRow("log.csv", 5, 4.75))),
    ),
    stored_conflicts=0,
    inserted=3,
    updated=0,
    unchanged=0,
    version_before=None,
    version=0,
    circuits=(str(ONE),),
    first=MORNING,
    last=LATER,
    near_names=(NearName("Ot_avgg", "Ot_avg", "log.csv"),),
)
SIMULATED = SimulationReport(
    plants=1,
    circuits=2,
    sensors=("temperature", "pressure"),
    rows=48,
    exact_duplicates=0,
    conflicting_duplicates=0,
    late_rows=0,
    gaps=1,
    stuck=0,
    inserted=48,
    updated=0,
    version=0,
    first=MORNING,
    last=LATER,
)
HOLDINGS = Holdings(
    4,
    (
        CircuitHoldings(ONE, 3, MORNING, LATER, {"Ot_avg": 2}),
        CircuitHoldings(TWO, 0, None, None, {}),
    ),
)
QUALITY = CircuitQuality(
    ONE,
    CircuitProfile(
        rows=3,
        first=MORNING,
        last=LATER,
        step=timedelta(minutes=10),
        gaps=0,
        gap_steps=0,
        other_steps_share=0.0,
        median_step=None,
        longest_run_steps=2,
        silent_steps_at_end=1,
        sensors=(
            SensorProfile(
                sensor="Ot_avg",
                present=True,
                steps=3,
                missing_steps=1,
                longest_gap_steps=1,
                longest_run_steps=2,
                flat_steps=0,
                longest_flat_steps=0,
                out_of_limits=0,
                not_finite=0,
                spikes=0,
                distinct=2,
                minimum=-1.5,
                maximum=None,
                mean=0.5,
            ),
        ),
    ),
    QualityVerdict(
        (), (LeftOutSensor("Ot_avg", "history too short"),), ("1 gap",), blocked="history too short"
    ),
)
_HOURS = np.array([[20.5], [21.0]])
MADE = CircuitForecast(
    key=ONE,
    forecast=Forecast(
        start=MORNING,
        step=timedelta(hours=1),
        sensors=("Ot_avg",),
        point=_HOURS,
        lower_80=_HOURS - 1,
        upper_80=_HOURS + 1,
        lower_95=_HOURS - 2,
        upper_95=_HOURS + 2,
    ),
    history=Series(MORNING - timedelta(hours=2), timedelta(hours=1), ("Ot_avg",), _HOURS),
    actuals=Series(MORNING, timedelta(hours=1), ("Ot_avg",), np.array([[20.0], [np.nan]])),
    made_at=LATER,
    newest_reading=MORNING,
    provenance=Provenance(
        model="plant001-circuit01",
        version=2,
        standing=PromotionState.PROMOTED,
        family="linear",
        artifact=TRAINED.artifact,
        training_hash=_digest("a"),
        cutoff=MORNING,
        lineage=TRAINED.lineage,
        data_source="readings",
        delta_version_trained=3,
        delta_version_read=4,
        registered_at=LATER,
        approvals=(ApprovedBy("grace", LATER, "looks right"),),
    ),
    notes=("the newest reading is 5 days old",),
    units={"Ot_avg": "°C"},
)
ENTRY = AuditEntry(
    number=1,
    at=LATER,
    actor=Actor("grace", Standing.VERIFIED),
    event=AuditEvent("request.approved", "plant001-circuit01:2", {"request": 12}),
    previous=_digest("0"),
    digest=_digest("9"),
)
ADOPTION = Adoption(
    directory=Path("my-fleet"),
    fleet=OtherFleet(
        circuits=(CIRCUIT,),
        found=(OtherCircuit(ONE, Block(3), (), {}, "loop-one"),),
        header=(),
        left_out=(LeftOut("gpu", 9, 1),),
        assumed={"frequency": ("1h", 1)},
    ),
    files=("fleetcast.yaml",),
    declared_before=0,
    models=(
        AdoptedModel(
            ONE,
            "plant001-circuit01",
            Fate.ADOPTED,
            "folder loop-one",
            168,
            {"Trained by": "grace"},
        ),
        AdoptedModel(TWO, "plant002-circuit07", Fate.NONE),
    ),
    unused=("loop-nine",),
    written=True,
)
FLEET = Fleet(
    Settings(),
    (CIRCUIT,),
    TrainingEnvironment("training", SemVer(1, 1, 0), "3.11", ("numpy>=2",)),
    TrainingComponent(
        "training-pipeline", SemVer(1, 0, 0), (Step("fit", "fleetcast fit", ("data", "task"), ("model",)),)
    ),
)
MISTAKES = InvalidFleet(
    [
        Complaint("fleetcast.yaml", 1, "unknown key 'regisrty'", "did you mean 'registry'?"),
        Complaint("config/circuits.yaml", None, "is empty"),
    ]
)
OWN_KEYS = OwnKeys(public(2), KeySource.EMBEDDED, "/state/fleetcast/signing.key", (public(1), public(3)))

TRUSTED = ServiceConnection(
    "mlops-dev",
    "a-tenant",
    "a-subscription",
    "Plants",
    "a-client",
    issuer="https://issuer",
    subject="sc://acme",
)
DIAGNOSIS = Diagnosis(
    (
        Finding("the control database answers", Verdict.HOLDS, "db.example:5432/fleet"),
        Finding(
            "branch policies stand",
            Verdict.FAILS,
            "missing or changed: reviewers of main",
            "fleetcast setup azure-devops --apply",
        ),
        Finding.unknown("quota is enough for blue and green", "Azure fails with quota in westeurope"),
    ),
    {"On call": "+33 1 23 45 67 89"},
)
INSTALLATION = plan_installation(
    [
        TRUSTED,
        VariableGroup("mlops-dev-variables", Variables({"workspace": "fleet-dev"})),
        VariableGroup(
            "mlops-shared-variables", VaultSecrets("vault", "mlops-dev", frozenset({"databaseUrl"}))
        ),
        Environment("prod-deployment"),
    ],
    [
        TRUSTED,
        VariableGroup("mlops-dev-variables", Variables({})),
        VariableGroup("mlops-shared-variables", Variables({"theirs": "1"})),
        Environment("payroll"),
    ],
)
VIEWS: Mapping[str, Json] = {
    "installation": installation.as_json(INSTALLATION, (TRUSTED.trust,)),
    "diagnosis": diagnosis.as_json(DIAGNOSIS),
    "adoption": adoption.as_json(ADOPTION),
    "approvals": approvals.as_json((APPROVED, PENDING)),
    "approval": approvals.request_as_json(APPROVED),
    "audit": audit.as_json((ENTRY,)),
    "audit_verified": audit.verified_as_json(
        AuditVerified(
            Whole(17, _digest("8")),
            (Distrusted(PENDING, OtherDecisions(1, 2)),),
            (OtherRow("the champion of plant001-circuit01", "2", "1"),),
            Held(17, MORNING, independent=False),
        )
    ),
    "broken_audit": audit.verified_as_json(
        AuditVerified(
            BrokenLog(17, "request.approved", "does not fit the one before it"),
            checkpoint=Lost(19, MORNING, 17),
        )
    ),
    "circuit": circuits.resolved_as_json(RESOLVED),
    "circuits": circuits.as_json(
        (CIRCUIT, replace(CIRCUIT, description="Feed water", owner="cooling", tags={"Line": "A"}))
    ),
    "database": database.as_json(
        "sqlite:///control.db", schema=None, newest_schema="0002", holders={"stages": "ada, process 7"}
    ),
    "edit": circuits.edited_as_json(
        Edited((ONE, TWO), {"config/circuits.yaml": ("a: 1\n", "a: 2\n")}), written=True
    ),
    "forecast": forecast.as_json(forecast.view_of(MADE), MADE.provenance),
    "holdings": data.holdings_as_json(HOLDINGS),
    "ingest": data.ingest_as_json(INGESTED),
    "invalid_repository": repository.complaints_as_json(MISTAKES),
    "keys": keys.as_json(OWN_KEYS),
    "model": models.history_as_json(HISTORY),
    "models": models.rows_as_json(
        (
            ModelRow(ONE, "plant001-circuit01", 2, USED),
            ModelRow(TWO, "plant002-circuit07", None, None),
        )
    ),
    "plan": plan.as_json(PLAN, REVISION),
    "quality": data.quality_as_json((QUALITY,), 4),
    "remote_runs": [
        remote_runs.scored_remotely_as_json(
            ScoredRemotely(
                RemoteRun(
                    "fleetcast-score-prod-20251101-2", RemoteState.WAITS, "https://ml.azure.com/runs/b"
                ),
                failed=RemoteRun("fleetcast-score-prod-20251101-1", RemoteState.FAILED),
                failed_saying=("error: the database does not answer",),
            )
        ),
        remote_runs.scored_remotely_as_json(
            ScoredRemotely(
                RemoteRun("fleetcast-score-prod-20251101-2", RemoteState.DONE, "https://ml.azure.com/runs/b"),
                said=("published 2 circuits",),
            )
        ),
    ],
    "rotated_keys": keys.rotated_as_json(public(1), OWN_KEYS),
    "runs": [
        runs.as_json(RUN, at_work=True),
        runs.as_json(replace(RUN, state=RunState.OPEN, ended_at=None, stages=()), at_work=True),
    ],
    "simulation": data.simulation_as_json(SIMULATED),
    "status": status.as_json(STATUS),
    "table_versions": data.versions_as_json(
        (TableVersion(1, LATER, "MERGE", 5), TableVersion(0, MORNING, "WRITE", None))
    ),
    "vacuum": data.vacuum_as_json("readings", Cleaned((0, 2), 17), removed=False),
    "clean": clean.plan_as_json(GOES, logs_asked=True),
    "cleaned": clean.cleaned_as_json(
        RetentionCleaned(
            GOES_MODELS.versions,
            GOES_MODELS.bytes,
            1,
            19,
            ((EnvironmentName.PROD, date(2025, 5, 1)),),
            finished=1,
            traces=TRACES,
        )
    ),
    "valid_repository": repository.valid_as_json(
        FLEET,
        [UnusedSetting("fleetcast.yaml", 31, "ramp", "used by releases")],
        8,
        (1, [Complaint("config/circuits.yaml", 7, "P/C: s is left out: it never changes")]),
    ),
}
MARKDOWN = plan.as_markdown(PLAN, REVISION) + "\n"


def written(view: Json) -> str:
    """A view as it stands in its golden file. Digests that something computed are not this test's business."""
    text = json.dumps(view, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return re.sub(r'"([0-9a-f])(?!\1{63})[0-9a-f]{63}"', '"a computed digest"', text)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, view in VIEWS.items():
        (GOLDEN / f"{name}.json").write_text(written(view), encoding="utf-8")
    (GOLDEN / "plan.md").write_text(MARKDOWN, encoding="utf-8")
