"""Planning 10,000 circuits against 10,000 registered models, all of which wait for approval.

Next to it: reading the same rows with plain SQLite and JSON, and nothing else. The last line is JSON.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fleetcast.app import OpenFleet, open_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.approval import Evidence, Fact, Request, Subject, SubjectKind
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.gate import Gate
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import Lineage, TrainedModel
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.pipeline.situation import data_digest_of

REPEATS = 5
SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
SCORES = Scores(1.0, 1.2, 0.1, 0.9, 0.8, 0.2, 0.7, 0.8, 0.95, 0.3, 1.3)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        fleet = Path(folder)
        keys = [CircuitKey(f"PLANT{n // 100:03d}", f"CIRCUIT{n % 100:02d}") for n in range(count)]
        init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS))
        opened = open_fleet(fleet)
        registering = _register(opened)
        planning = _median(lambda: opened.planning(opened.fleet))
        plan = opened.planning(opened.fleet)
        assert plan.count("up to date") == count
        plain = _median(lambda: _plain(opened.state / "control.db"))
    print(f"{count} circuits: plan {planning:.2f} s, the same rows with plain SQLite and JSON {plain:.2f} s")
    print(f"registering {count} versions {registering:.2f} s")
    result = {
        "benchmark": "plan_at_scale",
        "circuits": count,
        "plan_s": round(planning, 2),
        "plain_s": round(plain, 2),
        "ratio": round(planning / plain, 1),
        "register_s": round(registering, 2),
    }
    print(json.dumps(result))


def _register(opened: OpenFleet) -> float:
    models = [_model(circuit) for circuit in opened.fleet.circuits]
    started = time.perf_counter()
    versions = opened.platform.models.register(models)
    seconds = time.perf_counter() - started
    policy = opened.fleet.settings.gates[Gate.REGISTRY_PROMOTION]
    evidence = Evidence((), tuple(Fact(f"fact {n}", "of some length, as evidence is") for n in range(6)))
    digest = Digest.of(b"content")
    subject = Subject(SubjectKind.MODEL, "", "1", digest, digest, digest, evidence.digest)
    opened.platform.approvals.open(
        [
            Request(
                0,
                Gate.REGISTRY_PROMOTION,
                policy,
                replace(subject, name=version.name),
                evidence,
                "run-0001",
                opened.actor,
                opened.clock.now(),
            )
            for version in versions
        ]
    )
    return seconds


def _model(circuit: Circuit) -> TrainedModel:
    inputs = training_inputs(circuit)
    digest = Digest.of(str(circuit.key).encode())
    lineage = Lineage(
        training_hash=training_hash(inputs),
        hash_schema=HASH_SCHEMA,
        inputs=inputs,
        key=circuit.key,
        component="training-pipeline",
        component_version="1.0.0",
        component_digest=digest,
        environment_version="1.0.0",
        commit="0" * 40,
        run="run-0001",
        job=f"{circuit.model_name}.1",
        data_digest=data_digest_of(circuit),
        fingerprint=digest,
    )
    scores = ModelScores(SCORES, dict.fromkeys(SENSORS, SCORES))
    return TrainedModel(circuit.model_name, lineage, digest, 700_000, scores, 0.06)


def _plain(database: Path) -> int:
    """What any program would have to read: each version's inputs, the selections and the pending requests."""
    connection = sqlite3.connect(database)
    versions = [
        json.loads(row[2])
        for row in connection.execute("SELECT name, training_hash, inputs FROM model_versions")
    ]
    selected = connection.execute("SELECT name, version FROM selected_models").fetchall()
    pending = connection.execute("SELECT id, name, version FROM requests WHERE state = 'pending'").fetchall()
    connection.close()
    return len(versions) + len(selected) + len(pending)


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
