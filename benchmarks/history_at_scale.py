"""What people type, in a fleet with years behind it: 10,000 circuits, 30,000 decided requests, 1,000,000 audit entries.

Each command is a process of its own on a SQLite control database: wall seconds and peak memory, median of five. One
circuit has readings and a model that was really trained, so that it can be forecast; the other models are rows of the
registry, and the audit log is a chain that `fleetcast audit verify` accepts. The last line is JSON.

    python benchmarks/history_at_scale.py [CIRCUITS] [--fleet FOLDER]

Without a folder, the fleet is built anew in a temporary one; one that is named is built once and kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, islice, repeat
from pathlib import Path

from artifact_folders import BYTES, write_artifacts

from fleetcast.app import OpenFleet, open_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain import happened
from fleetcast.domain.approval import (
    Choice,
    Decision,
    Request,
    RequestState,
    Subject,
    SubjectKind,
)
from fleetcast.domain.audit import Actor, AuditEntry, AuditEvent, Mark, Standing, chained
from fleetcast.domain.circuit import Circuit
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
    WeakestSensor,
)
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import TrainedLineage, TrainedModel
from fleetcast.domain.place import Gate
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.domain.training_hash import HASH_SCHEMA, FieldChange, training_hash, training_inputs
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.sharing import Share
from fleetcast.platforms.signing.sealing import own_sealing
from fleetcast.ports.clock import SystemClock
from fleetcast.stored.manifests import SEAL

REPEATS = 5
FORECAST = CircuitKey("PLANT001", "CIRCUIT01")
COMMANDS: Mapping[str, Sequence[str]] = {
    "plan": ("plan",),
    "status": ("status",),
    "approvals": ("approvals", "list"),
    "audit": ("audit", "list"),
    "forecast": ("forecast", str(FORECAST), "--format", "json"),
    "verify": ("audit", "verify"),
}
ONCE: Mapping[str, int] = {"verify": 1}
"""How often what takes long is measured."""
PENDING = 40
SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
SCORES = Scores(1.0, 1.2, 0.1, 0.9, 0.8, 0.2, 0.7, 0.8, 0.95, 0.3, 1.3)
PEOPLE = tuple(
    Actor(name, Standing.VERIFIED) for name in ("anna.berg", "li.wei", "jonas.maier", "sofia.rossi")
)
MACHINE = Actor("ci-pipeline")
BEGAN = datetime(2023, 1, 1, tzinfo=UTC)
UNTIL_NOW = timedelta(days=1_000)

# A child inherits the peak of whoever starts it, so the one that starts commands must be small.
STARTER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps({"s": seconds, "mib": usage.ru_maxrss / 1024, "code": os.waitstatus_to_exitcode(status)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("circuits", type=int, nargs="?", default=10_000)
    parser.add_argument("--fleet", type=Path, help="build it there if nothing is there yet, and keep it")
    asked = parser.parse_args()
    os.environ.pop(DATABASE_URL_VARIABLE, None)
    with tempfile.TemporaryDirectory() as folder:
        fleet = asked.fleet or Path(folder) / "fleet"
        how = "as built before"
        if not fleet.exists():
            started = time.perf_counter()
            _build(fleet, asked.circuits)
            how = f"built in {time.perf_counter() - started:.0f} s"
        print(f"{how}: {_counted(fleet)}")
        result: dict[str, object] = {"benchmark": "history_at_scale", "circuits": asked.circuits}
        print(f"{'median of ' + str(REPEATS):<54}{'seconds':>9}{'MiB':>8}")
        for name, words in COMMANDS.items():
            repeats = ONCE.get(name, REPEATS)
            measured = [_measured([*words, "--fleet", str(fleet)]) for _ in range(repeats)]
            seconds, mib = (statistics.median(one[unit] for one in measured) for unit in ("s", "mib"))
            print(f"fleetcast {' '.join(words):<44}{seconds:9.2f}{mib:8.0f}", flush=True)
            result |= {f"{name}_s": round(seconds, 3), f"{name}_mib": round(mib)}
    print(json.dumps(result))


def _measured(words: Sequence[str]) -> Mapping[str, float]:
    command = [sys.executable, "-S", "-c", STARTER, sys.executable, "-m", "fleetcast.cli.main", *words]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Mapping[str, float] = json.loads(told.stdout)
    assert measured["code"] == 0, words
    return measured


def _build(fleet: Path, count: int) -> None:
    keys = [CircuitKey(f"PLANT{n // 100 + 1:03d}", f"CIRCUIT{n % 100 + 1:02d}") for n in range(count)]
    init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS))
    _run(fleet, 0, "simulate", "--plants", "1", "--circuits", "3")
    opened = open_fleet(fleet)
    others = [circuit for circuit in opened.fleet.circuits if circuit.key != FORECAST]
    past = [model for circuit in others for model in _versions(circuit)]
    with closing(sqlite3.connect(opened.state / "control.db")) as connection:
        _insert(connection, "requests", map(_request_row, _decided(opened, past, 3 * count)))
        last = connection.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
        log = _log(Mark(last[0], Digest(last[1])), _decided(opened, past, 3 * count), past, 100 * count)
        _insert(connection, "audit", map(_audit_row, log))
        _seal_the_end(connection)
    _run(fleet, 3, "train", "--circuits", str(FORECAST))
    opened = open_fleet(fleet)
    waiting = opened.platform.control.approvals.listed([RequestState.PENDING])
    _run(fleet, 0, "approve", *(str(request.id) for request in waiting))
    _run(fleet, 0, "train", "--circuits", str(FORECAST))
    opened = open_fleet(fleet)
    write_artifacts(opened.state, [model.artifact for model in past])
    _register(opened, past)
    with closing(sqlite3.connect(opened.state / "control.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert opened.planning(opened.fleet).count("up to date") == count


def _run(fleet: Path, expected: int, *words: str) -> None:
    command = [sys.executable, "-m", "fleetcast.cli.main", *words, "--fleet", str(fleet)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == expected, done.stderr


def _versions(circuit: Circuit) -> list[TrainedModel]:
    """One version of a model, or three where the last digit is even; the newest is what the circuit declares."""
    versions = 1 if int(circuit.key.circuit[-1]) % 2 else 3
    return [_model(circuit, number, newest=number == versions) for number in range(1, versions + 1)]


def _model(circuit: Circuit, version: int, *, newest: bool) -> TrainedModel:
    digest = Digest.of(f"{circuit.key} {version}".encode())
    inputs = training_inputs(circuit) if newest else {**training_inputs(circuit), "delta_version": -version}
    lineage = TrainedLineage(
        training_hash=training_hash(inputs),
        hash_schema=HASH_SCHEMA,
        inputs=inputs,
        key=circuit.key,
        component="training-pipeline",
        component_version="1.0.0",
        component_digest=digest,
        environment_version="1.0.0",
        commit=digest.hex[:40],
        run=f"run-{version:04}",
        job=f"{circuit.model_name}.{version}",
        data_digest=digest,
        fingerprint=digest,
    )
    return TrainedModel(
        circuit.model_name,
        lineage,
        digest,
        BYTES,
        ModelScores(SCORES, dict.fromkeys(SENSORS, SCORES)),
        0.06,
    )


def _register(opened: OpenFleet, past: Sequence[TrainedModel]) -> None:
    """All versions; second ones rejected, others promoted, except that the last few circuits wait for people."""
    platform = opened.platform
    versions = platform.workspace.models.register(past)
    names = sorted({version.name for version in versions})
    waiting = set(names[-PENDING:])
    promoted = [version for version in versions if version.version != 2 and version.name not in waiting]
    states = platform.control.states
    Share(platform.workspace.shared, CarryOut(platform.control.effects, opened.clock)).models(promoted)
    states.select({version.name: version.version for version in versions})
    states.crown({version.name: version.version for version in promoted})
    states.reject([(version.name, version.version) for version in versions if version.version == 2])
    newest = {version.name: version for version in versions if version.name in waiting}
    platform.control.approvals.open(
        [
            replace(_asked(opened, version.model, version.version, 0), id=0, opened_at=opened.clock.now())
            for version in newest.values()
        ]
    )


def _decided(opened: OpenFleet, past: Sequence[TrainedModel], count: int) -> Iterator[Request]:
    """Decisions on each version, and again on versions whose circuit was edited after the first decision."""
    numbers: dict[str, int] = {}
    numbered = []
    for model in past:
        numbers[model.name] = numbers.get(model.name, 0) + 1
        numbered.append((model, numbers[model.name]))
    for index in range(count):
        model, version = numbered[index % len(past)]
        request = _asked(opened, model, version, index)
        rejected = version == 2
        decision = Decision(
            PEOPLE[index % len(PEOPLE)],
            Choice.REJECT if rejected else Choice.APPROVE,
            "worse at night since the pump swap" if rejected else "as good as the one before, on newer data",
            request.opened_at + timedelta(hours=3),
        )
        state = RequestState.REJECTED if rejected else RequestState.APPROVED
        yield replace(request, state=state, decisions=(decision,))


def _asked(opened: OpenFleet, model: TrainedModel, version: int, index: int) -> Request:
    evidence = _evidence(model, version)
    digest = Digest.of(f"configuration {index} of {model.name}:{version}".encode())
    subject = Subject(
        SubjectKind.MODEL, model.name, str(version), model.artifact, digest, model.artifact, evidence.digest
    )
    policy = opened.fleet.settings.gates[Gate.REGISTRY_PROMOTION]
    at = BEGAN + timedelta(minutes=40 * index)
    return Request(
        index + 1, Gate.REGISTRY_PROMOTION, policy, subject, evidence, model.lineage.run, MACHINE, at
    )


def _evidence(model: TrainedModel, version: int) -> Evidence:
    lineage = model.lineage
    checks = (
        BoundCheck(Bound.MIN_SKILL, 0.2137, 0.1),
        BoundCheck(Bound.MIN_ACCURACY, 0.9012, 0.8),
        BoundCheck(Bound.MAX_MAE, 1.034, 2.0),
        BoundCheck(Bound.MAX_RMSE, 1.217, 2.5),
        BoundCheck(Bound.MAX_MAE, 0.4311, 1.0, "temperature"),
        ChampionCheck(Compared(version - 1, 84, 0.987)),
    )
    moved = (FieldChange("cutoff_date", "2025-10-31", "2025-11-30"), FieldChange("delta_version", "3", "4"))
    facts = (
        CircuitFact(lineage.key, lineage.training_hash),
        ReplacesModel(version - 1, adopted=False, changes=moved),
        DataFact(8_016, datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 11, 30, 23, tzinfo=UTC)),
        MetricFact("skill", 0.2137),
        MetricFact("mase", 0.8031),
        MetricFact("coverage_80", 0.812),
        MetricFact("coverage_95", 0.947),
        WeakestSensor("vibration", 0.0811),
    )
    return Evidence(checks, facts)


def _log(
    last: Mark, decided: Iterator[Request], past: Sequence[TrainedModel], count: int
) -> Iterator[AuditEntry]:
    """A chain that goes on after an entry: every decision, and what else happened in between."""
    previous = last.digest
    events = islice(_events(decided, past), count - last.number)
    for number, (actor, event) in enumerate(events, start=last.number + 1):
        entry = chained(number, BEGAN + number * (UNTIL_NOW / count), actor, event, previous)
        previous = entry.digest
        yield entry


def _seal_the_end(connection: sqlite3.Connection) -> None:
    """As the next transaction would, for which there must be a seal to go on from."""
    last = connection.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    seal = own_sealing(SystemClock(), os.environ).seal(Mark(last[0], Digest(last[1])))
    connection.execute("UPDATE audit SET seal = ? WHERE number = ?", (SEAL.to_json(seal), last[0]))
    connection.commit()


def _events(decided: Iterator[Request], past: Sequence[TrainedModel]) -> Iterator[tuple[Actor, AuditEvent]]:
    """About a request, and then about thirty other things, as long as anybody asks."""
    others = cycle(past)
    for request in chain(decided, repeat(None)):
        if request is not None:
            waiting = replace(request, state=RequestState.PENDING, decisions=())
            yield MACHINE, happened.request_opened(waiting)
            yield request.decisions[-1].by, happened.request_decided(request)
        for model in islice(others, 15):
            digest = model.lineage.training_hash.hex
            yield MACHINE, AuditEvent("data.registered", f"{model.name}-data", {"digest": digest})
            yield MACHINE, happened.model_selected(model.name, int(model.lineage.run[-1]))


def _request_row(request: Request) -> dict[str, object]:
    """As the approval book writes it."""
    from fleetcast.stored.approvals import REQUEST

    return {
        "id": request.id,
        "subject": request.subject.digest.hex,
        "gate": request.gate.value,
        "kind": request.subject.kind.value,
        "name": request.subject.name,
        "version": request.subject.version,
        "state": request.state.value,
        "decided": len(request.decisions),
        "outcome": request.evidence.outcome.value,
        "opened_at": request.opened_at.isoformat(),
        "content": REQUEST.to_json(request),
    }


def _audit_row(entry: AuditEntry) -> dict[str, object]:
    """As the control database writes it."""
    from fleetcast.stored.audit import AUDIT_ENTRY

    return {
        "number": entry.number,
        "digest": entry.digest.hex,
        "about": entry.event.about,
        "content": AUDIT_ENTRY.to_json(entry),
        "seal": None,
    }


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, object]]) -> None:
    rows = iter(rows)
    while some := list(islice(rows, 20_000)):
        names = list(some[0])
        query = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"  # noqa: S608
        connection.executemany(query, some)
        connection.commit()


def _counted(fleet: Path) -> str:
    tables = ("model_versions", "requests", "audit")
    (database,) = fleet.glob(".fleetcast/control.db")
    with closing(sqlite3.connect(database)) as connection:
        counts = [
            f"{connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,} {table}"  # noqa: S608
            for table in tables
        ]
    return f"{', '.join(counts)}, {database.stat().st_size / 2**20:,.0f} MiB"


if __name__ == "__main__":
    main()
