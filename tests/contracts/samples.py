"""Values to hand to ports: small, valid, and different where a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from fleetcast.domain.approval import Request, Subject, SubjectKind
from fleetcast.domain.assets import Asset, AssetKind
from fleetcast.domain.audit import Actor
from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.evidence import (
    Bound,
    BoundCheck,
    ChampionCheck,
    CircuitFact,
    Compared,
    DataFact,
    Evidence,
    MetricFact,
    ReplacesModel,
)
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.job import FitTask, JobState, TrainingJob, job_id
from fleetcast.domain.model import AdoptedLineage, TrainedLineage, TrainedModel
from fleetcast.domain.place import Gate
from fleetcast.domain.quality import CleaningRules, QualityVerdict, SensorLimits
from fleetcast.domain.scores import Baseline, ModelScores, Scores
from fleetcast.domain.semver import SemVer
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.training_hash import FieldChange
from fleetcast.ports.readings import Readings
from tests.clocks import NOON

KEY = CircuitKey("PLANT001", "CIRCUIT01")
ADA, GRACE = Actor("ada"), Actor("grace")
START = datetime(2025, 1, 1, tzinfo=UTC)
STEPS = 24 * 30
SCORES = Scores(
    mae=1.5,
    rmse=2.25,
    wape=0.1,
    accuracy=0.9,
    mase=None,
    skill=0.125,
    r2=None,
    coverage_80=0.8,
    coverage_95=0.95,
    pinball=0.5,
    naive_mae=2.0,
)


BASELINES = {"temperature": Baseline(24, 86_400.0)}


def digest(text: str) -> Digest:
    return Digest.of(text.encode())


def environment(version: str = "1.0.0", *, content: str = "numpy>=2") -> Asset:
    return Asset(AssetKind.ENVIRONMENT, "training", version, digest(content), {"packages": [content]})


def data_asset(name: str = "one") -> DataAsset:
    return DataAsset(
        digest=digest(f"data {name}"),
        name=f"{name}-data",
        key=KEY,
        source="readings",
        delta_version=3,
        start=START,
        end=START + timedelta(days=30),
        sensors=("temperature", "pressure"),
        rows=720,
        first=START,
        last=START + timedelta(days=29, hours=23),
        fingerprint=digest(f"rows {name}"),
        verdict=QualityVerdict(("temperature",), (), ("a warning",)),
    )


def trained(name: str = "m", job: str = "job-1", *, training_hash: str = "h") -> TrainedModel:
    lineage = TrainedLineage(
        training_hash=digest(training_hash),
        hash_schema=1,
        inputs={"cutoff_date": "2025-11-01", "hyperparameters": {"ridge": 0.5}, "features": ["a", "b"]},
        key=KEY,
        component="training-pipeline",
        component_version="1.0.0",
        component_digest=digest("component"),
        environment_version="1.0.0",
        commit="0123abc",
        run="run-0001",
        job=job,
        data_digest=digest("data"),
        fingerprint=digest("rows"),
    )
    scores = ModelScores(SCORES, {"temperature": SCORES}, BASELINES)
    return TrainedModel(name, lineage, digest(f"artifact {job}"), 1_234, scores, 0.5)


def adopted(name: str = "m", content: str = "model") -> TrainedModel:
    lineage = AdoptedLineage(
        training_hash=digest(f"declaration of {name}"),
        hash_schema=1,
        inputs={"cutoff_date": "2025-11-01", "features": ["temperature"]},
        key=KEY,
        commit="0123abc",
        source=f"folder {name}",
        lookback=48,
        stated={"run_id": "abc", "flavors": "python_function"},
    )
    nothing = Scores(*[None] * 11)
    return TrainedModel(name, lineage, digest(content), 1_234, ModelScores(nothing, {}), None)


_FIRST_FIELDS = (
    "GatePolicy(approvers={0.approvers!r}, minimum={0.minimum!r}, own_request_allowed={0.own_request_allowed!r}, "
    "verified={0.verified!r})"
)
"""What golden files of every format name a policy by."""


def request(name: str = "m", version: str = "1", *, policy: GatePolicy | None = None) -> Request:
    evidence = Evidence(
        (BoundCheck(Bound.MIN_SKILL, 0.3, 0.0), ChampionCheck(Compared(1, 12, 0.875))),
        (
            CircuitFact(KEY, digest("h")),
            ReplacesModel(1, False, (FieldChange("revision", "0", "1"),)),
            DataFact(720, START, START + timedelta(days=29)),
            MetricFact("skill", 0.3),
        ),
    )
    policy = policy or GatePolicy()
    subject = Subject(
        SubjectKind.MODEL,
        name,
        version,
        artifact=digest(f"artifact {name}"),
        configuration=digest(f"configuration {name}"),
        policy=digest(_FIRST_FIELDS.format(policy)),
        evidence=evidence.digest,
    )
    return Request(0, Gate.REGISTRY_PROMOTION, policy, subject, evidence, "run-0001", ADA, NOON)


def readings(key: CircuitKey = KEY, *, seed: int = 1) -> Readings:
    """Thirty days of two hourly sensors, with a daily rhythm, noise, an empty reading and an infinite one."""
    noise = np.random.default_rng(seed)
    hours = np.arange(STEPS)
    times = (hours * 3_600_000_000 + int(START.timestamp()) * 1_000_000).astype(np.int64)
    daily = np.sin(hours * 2 * np.pi / 24)
    values = np.column_stack(
        [50 + 5 * daily + noise.normal(0, 0.2, STEPS), 4 + daily + noise.normal(0, 0.1, STEPS)]
    )
    values[7, 0], values[9, 1] = np.nan, np.inf
    return Readings(key, ("temperature", "pressure"), frozenset(), times, values)


def component(
    command: str = "fleetcast fit --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}",
    *,
    timeout_seconds: int = 60,
    max_retries: int = 0,
) -> TrainingComponent:
    step = Step("fit", command, ("data", "task"), ("model",))
    timeout = timedelta(seconds=timeout_seconds)
    return TrainingComponent("training-pipeline", SemVer(1, 0, 0), (step,), max_retries, timeout)


def job(
    rows: Readings,
    made_by: TrainingComponent,
    *,
    name: str = "m",
    attempt: int = 1,
    batch: str = "run-0001.1",
) -> TrainingJob:
    training_hash = digest(f"training inputs of {name}")
    task = FitTask(
        model_name=name,
        key=rows.key,
        training_hash=training_hash,
        sensors=rows.sensors,
        targets=rows.sensors,
        frequency=timedelta(hours=1),
        horizon=timedelta(hours=6),
        start=START,
        end=START + timedelta(days=30),
        delta_version=0,
        family="seasonal_naive",
        hyperparameters={"season": 24},
        sensor_limits={"temperature": SensorLimits(0.0, 100.0)},
        cleaning=CleaningRules(),
    )
    return TrainingJob(
        id=job_id(name, training_hash, attempt),
        batch=batch,
        run="run-0001",
        task=task,
        fingerprint=rows.fingerprint(),
        data_digest=digest("data"),
        component=made_by.name,
        component_version=str(made_by.version),
        component_digest=made_by.digest,
        environment_version="1.0.0",
        attempt=attempt,
        state=JobState.QUEUED,
        submitted_at=NOON,
    )
