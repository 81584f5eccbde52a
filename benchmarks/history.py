"""Years of a fleet's past, made up: versions of models, decided requests, and an audit log that tells of them.

The log is a chain that `fleetcast audit verify` accepts. What is written goes to whatever control database is open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, cycle, islice, repeat

import sqlalchemy as sa
from artifact_folders import BYTES

from fleetcast.domain import happened
from fleetcast.domain.approval import Choice, Decision, Request, RequestState, Subject, SubjectKind
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
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import TrainedLineage, TrainedModel
from fleetcast.domain.place import Gate
from fleetcast.domain.scores import ModelScores, Scores
from fleetcast.domain.training_hash import HASH_SCHEMA, FieldChange, training_hash, training_inputs
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.marks import last_mark
from fleetcast.platforms.signing.sealing import own_sealing
from fleetcast.ports.clock import SystemClock
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.manifests import SEAL

SENSORS = ("temperature", "pressure", "vibration", "current", "voltage", "flow_rate")
SCORES = Scores(1.0, 1.2, 0.1, 0.9, 0.8, 0.2, 0.7, 0.8, 0.95, 0.3, 1.3)
PEOPLE = tuple(
    Actor(name, Standing.VERIFIED) for name in ("anna.berg", "li.wei", "jonas.maier", "sofia.rossi")
)
MACHINE = Actor("ci-pipeline")
BEGAN = datetime(2023, 1, 1, tzinfo=UTC)
UNTIL_NOW = timedelta(days=1_000)
_EVIDENCE: dict[tuple[str, int], tuple[Evidence, Digest]] = {}
"""By model and version: its digest takes longer than all the rest of a request."""
_AT_ONCE = 20_000
"""Rows of one transaction."""


def versions(circuit: Circuit) -> list[TrainedModel]:
    """One version of a model, or three where the last digit is even; the newest is what the circuit declares."""
    versions = 1 if int(circuit.key.circuit[-1]) % 2 else 3
    return [model_of(circuit, number, newest=number == versions) for number in range(1, versions + 1)]


def model_of(circuit: Circuit, version: int, *, newest: bool) -> TrainedModel:
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


def asked(policies: Mapping[Gate, GatePolicy], model: TrainedModel, version: int, index: int) -> Request:
    evidence, shown = _evidence_of(model, version)
    digest = Digest.of(f"configuration {index} of {model.name}:{version}".encode())
    subject = Subject(
        SubjectKind.MODEL, model.name, str(version), model.artifact, digest, model.artifact, shown
    )
    policy = policies[Gate.REGISTRY_PROMOTION]
    at = BEGAN + timedelta(minutes=40 * index)
    return Request(index + 1, Gate.REGISTRY_PROMOTION, policy, subject, evidence, run_of(model), MACHINE, at)


def write_past(
    database: ControlDatabase,
    policies: Mapping[Gate, GatePolicy],
    past: Sequence[TrainedModel],
    requests: int,
    entries: int,
    between: int = 15,
) -> None:
    """Write decided requests, and a sealed log of so many entries that tells of them, after what is there already.

    Args:
        database: Holds no request yet.
        policies: Of the fleet.
        past: Versions that the requests are about, each as often as it takes.
        requests: How many.
        entries: How long the log becomes.
        between: For each request, so many models of which the log tells two other things each.
    """
    decided = [*_decided(policies, past, requests)]
    _insert(database, schema.requests, map(_request_row, decided))
    last = database.read(last_mark)
    assert last is not None
    _insert(database, schema.audit, map(_audit_row, _log(last, iter(decided), past, entries, between)))
    _seal_the_end(database)


def _insert(database: ControlDatabase, table: sa.Table, rows: Iterable[dict[str, object]]) -> None:
    rows = iter(rows)
    while some := list(islice(rows, _AT_ONCE)):
        database.change(partial(_insert_some, table=table, some=some))


def _insert_some(connection: sa.Connection, *, table: sa.Table, some: list[dict[str, object]]) -> None:
    connection.execute(sa.insert(table), some)


def run_of(model: TrainedModel) -> str:
    """Which run trained it."""
    assert isinstance(model.lineage, TrainedLineage)
    return model.lineage.run


def _decided(
    policies: Mapping[Gate, GatePolicy], past: Sequence[TrainedModel], count: int
) -> Iterator[Request]:
    """Decisions on each version, and again on versions whose circuit was edited after the first decision."""
    numbers: dict[str, int] = {}
    numbered = []
    for model in past:
        numbers[model.name] = numbers.get(model.name, 0) + 1
        numbered.append((model, numbers[model.name]))
    for index in range(count):
        model, version = numbered[index % len(past)]
        request = asked(policies, model, version, index)
        rejected = version == 2
        decision = Decision(
            PEOPLE[index % len(PEOPLE)],
            Choice.REJECT if rejected else Choice.APPROVE,
            "worse at night since the pump swap" if rejected else "as good as the one before, on newer data",
            request.opened_at + timedelta(hours=3),
        )
        state = RequestState.REJECTED if rejected else RequestState.APPROVED
        yield replace(request, state=state, decisions=(decision,))


def _evidence_of(model: TrainedModel, version: int) -> tuple[Evidence, Digest]:
    one = (model.name, version)
    if one not in _EVIDENCE:
        evidence = _evidence(model, version)
        _EVIDENCE[one] = evidence, evidence.digest
    return _EVIDENCE[one]


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
    last: Mark, decided: Iterator[Request], past: Sequence[TrainedModel], count: int, between: int
) -> Iterator[AuditEntry]:
    """A chain that goes on after an entry: every decision, and what else happened in between."""
    previous = last.digest
    events = islice(_events(decided, past, between), count - last.number)
    for number, (actor, event) in enumerate(events, start=last.number + 1):
        entry = chained(number, BEGAN + number * (UNTIL_NOW / count), actor, event, previous)
        previous = entry.digest
        yield entry


def _seal_the_end(database: ControlDatabase) -> None:
    """As the next transaction would, for which there must be a seal to go on from."""
    last = database.read(last_mark)
    assert last is not None
    seal = SEAL.to_json(own_sealing(SystemClock(), os.environ).seal(last))
    mine = schema.audit.c.number == last.number
    database.change(
        lambda connection: connection.execute(sa.update(schema.audit).where(mine).values(seal=seal))
    )


def _events(
    decided: Iterator[Request], past: Sequence[TrainedModel], between: int
) -> Iterator[tuple[Actor, AuditEvent]]:
    """About a request, and then some other things, as long as anybody asks."""
    others = cycle(past)
    for request in chain(decided, repeat(None)):
        if request is not None:
            waiting = replace(request, state=RequestState.PENDING, decisions=())
            yield MACHINE, happened.request_opened(waiting)
            yield request.decisions[-1].by, happened.request_decided(request)
        for model in islice(others, between):
            digest = model.lineage.training_hash.hex
            yield MACHINE, AuditEvent("data.registered", f"{model.name}-data", {"digest": digest})
            yield MACHINE, happened.model_selected(model.name, int(run_of(model)[-1]))


def _request_row(request: Request) -> dict[str, object]:
    """As the approval book writes it."""
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
    return {
        "number": entry.number,
        "digest": entry.digest.hex,
        "about": entry.event.about,
        "content": AUDIT_ENTRY.to_json(entry),
        "seal": None,
    }
