"""Find out what may be wrong at a plant or with a circuit: clues from everywhere, and what changed of late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fleetcast.domain.alarm import LastLook
from fleetcast.domain.audit import MADE_LIVE, AuditEntry
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import first_reason
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.release import Endpoint
from fleetcast.domain.role import Right
from fleetcast.domain.rollout import Phase
from fleetcast.domain.suspicion import (
    Alarmed,
    Breached,
    Clue,
    JobFailed,
    Moved,
    Overridden,
    Replaced,
    RolledBack,
    Stale,
    Suspicion,
    ranked,
)
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.forecasting.resampling import instant
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsWanted

CHANGES_SINCE = timedelta(hours=72)
_FEW_STEPS = 3
_LOOKED_FOR = timedelta(days=30)
"""So far back the newest reading of a circuit is looked for."""
_AT_ONCE, _MOST = 1_000, 100_000
"""Entries of the audit log that are read at a time, and at all."""


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """What was found out about a plant, or one circuit of it."""

    environment: EnvironmentName
    plant: str
    circuit: str | None
    """None: the plant as a whole."""
    at: datetime
    suspicions: tuple[Suspicion, ...]
    """The most suspected first; none: nothing speaks against anything."""
    changes: tuple[AuditEntry, ...]
    """Of what concerns it, newest first."""
    since: datetime
    """From when on changes are listed, aware UTC."""
    last_look: LastLook | None
    """None: monitoring has never looked at this environment."""

    @property
    def name(self) -> str:
        """`PLANT001`, or `PLANT001/CIRCUIT01`."""
        return self.plant if self.circuit is None else f"{self.plant}/{self.circuit}"


@dataclass(frozen=True, slots=True)
class DiagnosePlant:
    """Collects clues; changes nothing."""

    platform: Platform
    clock: Clock

    def __call__(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        plant: str,
        circuit: str | None = None,
        *,
        back: timedelta = CHANGES_SINCE,
    ) -> Diagnosed:
        """Look at everything that is known of it.

        Args:
            fleet: As declared.
            environment: Where.
            plant: Which plant.
            circuit: Which of its circuits; None: all of them.
            back: How far back changes are listed.

        Raises:
            Denied: Whoever acts may not look there.
            BadInput: No such circuit is declared.
            Unavailable: A table cannot be reached.
        """
        control = self.platform.control
        control.require(Right.VIEW, Scope(environment=environment, plant=plant))
        circuits = [
            one for one in fleet.circuits if one.key.plant == plant and circuit in (None, one.key.circuit)
        ]
        if not circuits:
            name = plant if circuit is None else f"{plant}/{circuit}"
            raise BadInput(f"the fleet has no {name}", fix="see `fleetcast circuits list` for what there is")
        now = self.clock.now().astimezone(UTC)
        since = now - back
        changes = tuple(self._changes(circuits, environment, since))
        keys = {one.key for one in circuits}
        clues = [
            *self._monitored(environment, plant, circuit, since, now),
            *self._stale(circuits, now),
            *self._published(environment, keys, now),
            *self._released(environment, plant, keys, changes),
            *self._trained(circuits),
        ]
        return Diagnosed(
            environment,
            plant,
            circuit,
            now,
            ranked(clues),
            changes,
            since,
            control.alarms.last_looks().get(environment),
        )

    def _monitored(
        self, environment: EnvironmentName, plant: str, circuit: str | None, since: datetime, now: datetime
    ) -> Iterator[Clue]:
        """What alarms say, and what the last look saw besides."""
        shown = set()
        for alarm in self.platform.control.alarms.open_ones(environment):
            if alarm.cause.plant == plant and (circuit is None or alarm.cause.circuit in (None, circuit)):
                yield Alarmed(alarm)
                shown |= {(one.signal, one.circuit, one.sensor) for one in alarm.shown_by}
        look = self.platform.control.alarms.last_looks().get(environment)
        if look is None or look.at < since:
            return
        table = self.platform.workspace.observations()
        for one in table.breached(environment, look.at, now + timedelta(microseconds=1)):
            here = one.plant == plant and (circuit is None or one.circuit in (None, circuit))
            if here and (one.signal, one.circuit, one.sensor) not in shown:
                yield Breached(one)

    def _stale(self, circuits: Sequence[Circuit], now: datetime) -> Iterator[Stale]:
        """Whose newest reading is late; read now, whether or not monitoring looked."""
        for source in sorted({circuit.data_source for circuit in circuits}):
            members = {circuit.key: circuit for circuit in circuits if circuit.data_source == source}
            table = self.platform.workspace.tables[source]
            version = table.latest_version()
            if version is None:
                yield from (Stale(key, None, 0.0) for key in members)
                continue
            begin = now - _LOOKED_FOR
            wanted = [ReadingsWanted(key, one.features, begin, now) for key, one in members.items()]
            for readings in table.read(wanted, version):
                newest = instant(int(readings.times[-1])) if len(readings.times) else None
                late = (now - (newest or begin)) / members[readings.key].frequency
                if late > _FEW_STEPS:
                    yield Stale(readings.key, newest, late)

    def _published(
        self, environment: EnvironmentName, keys: set[CircuitKey], now: datetime
    ) -> Iterator[Replaced]:
        """Forecasts of the last published day that other sources than the model made."""
        if environment not in SERVED_IN:
            return
        table = self.platform.workspace.forecasts(environment)
        days = [day for day in table.days() if day <= now.date()]
        if not days:
            return
        rows = table.read(days[-1], keys).select("plant_id", "circuit_id", "reason")
        counted = Counter((CircuitKey(*names), first_reason(code)) for *names, code in rows.iter_rows())
        whole: Counter[CircuitKey] = Counter()
        for (key, _), steps in counted.items():
            whole[key] += steps
        for (key, why), steps in counted.items():
            if why is not None:
                yield Replaced(key, why, steps, steps / whole[key])

    def _released(
        self,
        environment: EnvironmentName,
        plant: str,
        keys: set[CircuitKey],
        changes: Sequence[AuditEntry],
    ) -> Iterator[Clue]:
        """What clients are answered by otherwise than before, or than the release says."""
        if environment not in SERVED_IN:
            return
        endpoint = Endpoint(environment, plant)
        for entry in changes:
            event = entry.event
            if event.action == MADE_LIVE:
                yield Moved(event.subject, entry.at)
            if event.action == "rollout.changed" and event.detail.get("phase") == Phase.ROLLED_BACK.value:
                yield RolledBack(endpoint, entry.at, str(event.detail.get("says", "")))
        traffic = self.platform.workspace.endpoints.standing(environment).get(plant)
        for override in () if traffic is None else traffic.overrides:
            key = CircuitKey(plant, override.circuit)
            if key in keys and override.holds(self.clock.now()):
                yield Overridden(key, override)

    def _trained(self, circuits: Sequence[Circuit]) -> Iterator[JobFailed]:
        hashes = {training_hash(training_inputs(circuit)): circuit.key for circuit in circuits}
        for digest, jobs in self.platform.workspace.jobs.jobs_for(list(hashes)).items():
            last = jobs[-1] if jobs else None
            if last is not None and last.error and last.ended_at is not None:
                yield JobFailed(hashes[digest], last.id, last.ended_at, last.error)

    def _changes(
        self, circuits: Sequence[Circuit], environment: EnvironmentName, since: datetime
    ) -> Iterator[AuditEntry]:
        """What the audit log says that concerns these circuits, newest first."""
        names = {circuit.model_name for circuit in circuits}
        endpoint = str(Endpoint(environment, circuits[0].key.plant))
        after, seen = None, 0
        while seen < _MOST:
            page = self.platform.control.audit.page(after=after, count=_AT_ONCE, newest_first=True)
            for entry in page:
                if entry.at < since:
                    return
                if _concerns(entry, names, endpoint, environment):
                    yield entry
            if len(page) < _AT_ONCE:
                return
            after, seen = page[-1].number, seen + len(page)


_FLEET_WIDE = frozenset(
    {
        "environment.registered",
        "environment.shared",
        "component.registered",
        "policy.changed",
        "history.restored",
    }
)
_OF_ENDPOINTS = frozenset({"release", "rollout", "traffic"})


def _concerns(entry: AuditEntry, names: set[str], endpoint: str, environment: EnvironmentName) -> bool:
    action, subject = entry.event.action, entry.event.subject
    kind = action.partition(".")[0]
    if kind in _OF_ENDPOINTS:
        return subject == endpoint or subject.startswith(f"{endpoint}:")
    if kind == "model":
        return subject.partition(":")[0] in names
    if kind == "data":
        return subject.removesuffix("-data") in names
    if kind == "deployment":
        return subject.partition(":")[0] == environment.value
    return action in _FLEET_WIDE
