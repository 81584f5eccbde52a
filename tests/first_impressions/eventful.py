"""A fleet in which something happened: trained, in part promoted, released, with alarms and names that are long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from fleetcast.domain.alarm import Cause, CauseKind, Finding, LastLook, Looked, next_alarms
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, Release, ServedModel
from fleetcast.forecasting.simulation import Defects
from fleetcast.ports.alarms import Decide
from tests.fleets import SmallFleet, small_fleet, used

PLANTS = ("PLANT001", "PLANT002")
CIRCUITS = tuple(f"{plant}/CIRCUIT{number:02d}" for plant in PLANTS for number in (1, 2))
PROD, TEST = EnvironmentName.PROD, EnvironmentName.TEST
MODEL = "plant001-circuit01"


def eventful_fleet(folder: Path) -> SmallFleet:
    """Two plants of two circuits: all promoted, the first trained again and waiting, all of it served, three alarms."""
    fleet = small_fleet(folder, "local", plants=2, circuits=2, defects=Defects(gaps=2))
    fleet.promote()
    _release(fleet)
    fleet.change(0, cutoff=Cutoff.parse("2025-02-25"), revision=1)
    fleet.train()
    _raise_alarms(fleet)
    return fleet


def _release(fleet: SmallFleet) -> None:
    releases = fleet.opened.platform.control.releases
    for endpoint in (Endpoint(place, plant) for place in (TEST, PROD) for plant in PLANTS):
        served = {
            one.model.lineage.key.circuit: ServedModel(
                name, one.version, one.model.artifact, one.training_hash
            )
            for name, one in used(fleet).items()
            if one.model.lineage.key.plant == endpoint.plant
        }
        first = dict(list(served.items())[:1])
        kept = releases.keep(
            [Release(endpoint.environment, endpoint.plant, "1.0.0", circuits) for circuits in (first, served)]
        )
        releases.make_live(kept[1:] if endpoint.environment is TEST else kept[:1])


def _raise_alarms(fleet: SmallFleet) -> None:
    now = fleet.clock.now()
    findings = [
        _finding(fleet, CauseKind.PROCESS_CHANGED, PROD, CIRCUITS[0], 0.8),
        _finding(fleet, CauseKind.DATA_STALE, PROD, CIRCUITS[1], 0.4),
        _finding(fleet, CauseKind.MODEL_OLD, TEST, CIRCUITS[2], 0.1),
    ]
    for environment in (PROD, TEST):
        here = [one for one in findings if one.cause.environment is environment]
        looked = Looked(environment, now, [], [CircuitKey.parse(one) for one in CIRCUITS], whole=True)

        look = LastLook(environment, now, 4, {Outcome.FINE: 1})
        fleet.opened.platform.control.alarms.settle(look, _decide(here, looked))
    fleet.opened.platform.control.alarms.acknowledge(2, "the logger is being replaced")
    fleet.opened.platform.control.alarms.snooze(3, now + timedelta(hours=4))


def _decide(found: Sequence[Finding], looked: Looked) -> Decide:
    return lambda alarms: next_alarms(alarms, found, looked, lambda _cause: "cooling-water-team")


def _finding(
    fleet: SmallFleet, kind: CauseKind, environment: EnvironmentName, circuit: str, impact: float
) -> Finding:
    plant, _, name = circuit.partition("/")
    now = fleet.clock.now()
    seen = Observation(
        Signal.DATA_DRIFT, environment, plant, name, "flow", now, Outcome.BREACHED, 0.5, 0.15, detail={}
    )
    return Finding(Cause(kind, environment, plant, name), now, (seen,), impact)
