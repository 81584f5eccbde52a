"""Planning 10,000 circuits against 10,000 registered models, all of which wait for approval; then a run of all
eight stages that finds nothing to do. On SQLite and on a PostgreSQL server of its own.

Next to it: reading the same rows with the plain driver and JSON, and nothing else. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pg8000.dbapi
from artifact_folders import BYTES, write_artifacts
from sqlalchemy import make_url

from fleetcast.app import OpenFleet, open_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.approval import Request, RequestState, Subject, SubjectKind
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.evidence import Evidence, WordedFact
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import TrainedLineage, TrainedModel
from fleetcast.domain.place import Gate
from fleetcast.domain.run import RunState
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from fleetcast.pipeline.environments import environment_asset
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.pipeline.situation import data_digest_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers.postgres import postgres_server  # the server that the tests use

REPEATS = 5
SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
SCORES = Scores(1.0, 1.2, 0.1, 0.9, 0.8, 0.2, 0.7, 0.8, 0.95, 0.3, 1.3)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    result: dict[str, object] = {"benchmark": "plan_at_scale", "circuits": count}
    print(f"{count} circuits, seconds, median of {REPEATS}")
    print(f"{'':<12}{'plan':>8}{'plain':>8}{'ratio':>8}{'register':>10}{'nothing to do':>15}")
    with postgres_server() as server:
        address = server.url("postgres")
        for name, url in (("sqlite", ""), ("postgres", address)):
            os.environ[DATABASE_URL_VARIABLE] = url
            measured = _measure(count, url)
            result |= {f"{name}_{what}": round(seconds, 2) for what, seconds in measured.items()}
            ratio = measured["plan_s"] / measured["plain_s"]
            print(
                f"{name:<12}{measured['plan_s']:8.2f}{measured['plain_s']:8.2f}{ratio:8.1f}"
                f"{measured['register_s']:10.2f}{measured['nothing_to_do_s']:15.2f}"
            )
    print(json.dumps(result))


def _measure(count: int, url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Path(folder)
        keys = [CircuitKey(f"PLANT{n // 100:03d}", f"CIRCUIT{n % 100:02d}") for n in range(count)]
        init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS))
        opened = open_fleet(fleet)
        registering = _register(opened)
        plan = opened.planning(opened.fleet)
        assert plan.count("up to date") == count
        planning = _median(lambda: opened.planning(opened.fleet))
        plain = _median(lambda: _plain(opened.state / "control.db", url))
        _promote(opened)
        nothing = _median(lambda: _run(opened))
    return {"plan_s": planning, "plain_s": plain, "register_s": registering, "nothing_to_do_s": nothing}


def _promote(opened: OpenFleet) -> None:
    """Bring the fleet to where a run finds nothing to do."""
    platform, fleet = opened.platform, opened.fleet
    platform.workspace.shared.share_environment(environment_asset(fleet.environment))
    versions = platform.workspace.models.versions([circuit.model_name for circuit in fleet.circuits])
    newest = [held[-1] for held in versions.values()]
    platform.workspace.shared.share_models(newest)
    platform.control.states.crown({version.name: version.version for version in newest})
    pending = platform.control.approvals.listed([RequestState.PENDING])
    platform.control.approvals.record([replace(request, state=RequestState.VOID) for request in pending])
    _run(opened)


def _run(opened: OpenFleet) -> None:
    watcher = StageWatcher(lambda *_: None, lambda *_: None, lambda *_: None)
    run = opened.training(opened.fleet, watcher, lock_timeout=timedelta(0))
    assert run.state is RunState.DONE, run.stages


def _register(opened: OpenFleet) -> float:
    models = [_model(circuit) for circuit in opened.fleet.circuits]
    write_artifacts(opened.state, [model.artifact for model in models])
    started = time.perf_counter()
    versions = opened.platform.workspace.models.register(models)
    seconds = time.perf_counter() - started
    opened.platform.control.states.select({version.name: version.version for version in versions})
    policy = opened.fleet.settings.gates[Gate.REGISTRY_PROMOTION]
    evidence = Evidence(
        (), tuple(WordedFact(f"fact {n}", "of some length, as evidence is") for n in range(6))
    )
    digest = Digest.of(b"content")
    subject = Subject(SubjectKind.MODEL, "", "1", digest, digest, digest, evidence.digest)
    opened.platform.control.approvals.open(
        [
            Request(
                0,
                Gate.REGISTRY_PROMOTION,
                policy,
                replace(subject, name=version.name),
                evidence,
                "run-0001",
                opened.platform.control.actor,
                opened.clock.now(),
            )
            for version in versions
        ]
    )
    return seconds


def _model(circuit: Circuit) -> TrainedModel:
    inputs = training_inputs(circuit)
    digest = Digest.of(str(circuit.key).encode())
    lineage = TrainedLineage(
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
    return TrainedModel(circuit.model_name, lineage, digest, BYTES, scores, 0.06)


def _plain(database: Path, url: str) -> int:
    """What any program would have to read: each version's inputs, the selections and the pending requests."""
    if url:
        where = make_url(url)
        assert where.username
        connection = pg8000.dbapi.connect(
            where.username, host=where.host or "", port=where.port or 5432, database=where.database
        )
    else:
        connection = sqlite3.connect(database)
    cursor = connection.cursor()

    def rows(query: str) -> list[tuple[object, ...]]:
        cursor.execute(query)
        return list(cursor.fetchall())

    versions = [
        json.loads(str(row[2])) for row in rows("SELECT name, training_hash, inputs FROM model_versions")
    ]
    selected = rows("SELECT name, version FROM selected_models")
    pending = rows("SELECT id, name, version FROM requests WHERE state = 'pending'")
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
