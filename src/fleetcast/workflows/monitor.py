"""Look at what is deployed in an environment: store what was seen, and bring its alarms up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fleetcast.domain.alarm import Alarm, Cause, Change, Finding, LastLook, Looked, next_alarms
from fleetcast.domain.circuit import Circuit, Serving
from fleetcast.domain.drift import Observation, Outcome
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.release import NumberedRelease
from fleetcast.domain.role import Right
from fleetcast.domain.service import KEPT
from fleetcast.domain.thresholds import Thresholds
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.pipeline.releases import SERVED_IN
from fleetcast.pipeline.signals.watched import LOOK_BACK
from fleetcast.pipeline.watching import NotLooked, PartToWatch, PartWatched, ToWatch, plainly
from fleetcast.pipeline.watching_plants import PlantServed, endpoint_health, training_failures
from fleetcast.ports.clock import Clock
from fleetcast.ports.forecasts import WrittenPart
from fleetcast.ports.platform import Platform
from fleetcast.workflows.exclusive import holder

_CIRCUITS_AT_ONCE = 100
"""In one part: what is in memory at the same time, for each process."""
_WRITTEN_AT_ONCE = 50_000
"""Observations in one file of the table: a look at a large fleet adds a few files, not one for each part."""
HISTORY = timedelta(days=14)
"""Of what was breached before, so much is looked at: since when something shows."""
RECENT = timedelta(days=3)
"""How far back what a look was sure of counts at the next ones."""
_AHEAD = timedelta(days=1)
"""A look at the present reads so far ahead: that a clock runs ahead is to be seen, not hidden."""
WatchParts = Callable[[EnvironmentName, Iterator[PartToWatch]], Iterator[PartWatched]]
"""Looks at parts in their order; several at the same time if it can."""
Judge = Callable[[Sequence[Observation], Sequence[Observation], datetime], list[Finding]]
"""Finds causes behind observations; as `pipeline.signals.judged`."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """What one look at an environment showed, and what it made of the alarms."""

    environment: EnvironmentName
    at: datetime
    circuits: int
    """That were looked at."""
    outcomes: Mapping[Outcome, int]
    """How many observations came out so."""
    changes: tuple[Change, ...]
    open: tuple[Alarm, ...]
    """All that are not over after it, the most harmful first."""
    unmeasured: tuple[Observation, ...]
    """What could not be measured."""
    not_looked: tuple[NotLooked, ...]
    """What could not be read; the look failed there."""
    not_deployed: tuple[CircuitKey, ...]
    """Wanted, and nothing is deployed of them."""
    stored: bool
    """Whether what was seen is in the table of observations by this look; it is by an earlier one otherwise."""


@dataclass(frozen=True, slots=True)
class _Look:
    environment: EnvironmentName
    at: datetime
    until: datetime
    """Up to when readings are read."""
    whole: bool


@dataclass(frozen=True, slots=True)
class Monitor:
    """Looks at circuits and their plants in one environment."""

    platform: Platform
    clock: Clock
    watch_parts: WatchParts
    judge: Judge

    def __call__(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        *,
        at: datetime | None = None,
        patterns: Sequence[str] = (),
        lock_timeout: timedelta = timedelta(0),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Monitored:
        """Look once.

        Args:
            fleet: As declared.
            environment: Where: what serves in test and prod, the champions in dev.
            at: Aware; only readings before this moment are looked at. None: until now.
            patterns: Of the circuits that are wanted; all without any.
            lock_timeout: How long to wait for another process that looks there.
            progress: Told how many circuits of how many are done.

        Raises:
            Denied: Whoever acts may not operate there.
            BadInput: A pattern matches nothing, the moment has not come, or a newer look was taken.
            RunInProgress: Another process looks there.
            Unavailable: Readings or a table cannot be reached; what a look stores, the next one stores.
        """
        control = self.platform.control
        control.require_somewhere(Right.OPERATE)
        now = self.clock.now()
        until = now + _AHEAD if at is None else at
        at = at or now
        if at > now:
            raise BadInput(f"{at:%Y-%m-%d %H:%M} UTC has not come", fix="name a moment that has passed")
        wanted = set(matching([circuit.key for circuit in fleet.circuits], patterns))
        plants = sorted({key.plant for key in wanted})
        control.require(Right.OPERATE, *(Scope(environment=environment, plant=plant) for plant in plants))
        circuits = [circuit for circuit in fleet.circuits if circuit.key in wanted]
        with control.alarms.exclusive(environment, holder(control, self.clock), lock_timeout):
            self._check_newest(environment, at)
            look = _Look(environment, at, until, whole=not patterns)
            return self._looked(fleet, circuits, look, progress)

    def _check_newest(self, environment: EnvironmentName, at: datetime) -> None:
        last = self.platform.control.alarms.last_looks().get(environment)
        if last is not None and at < last.at:
            raise BadInput(
                f"{environment} was looked at up to {last.at:%Y-%m-%d %H:%M:%S} UTC, which is later",
                fix="leave out --at, or name a later moment",
            )

    def _looked(
        self,
        fleet: Fleet,
        circuits: Sequence[Circuit],
        look: _Look,
        progress: Callable[[int, int], None],
    ) -> Monitored:
        environment, at = look.environment, look.at
        live = self.platform.control.releases.live(environment) if environment in SERVED_IN else {}
        deployed = self._deployed(environment, circuits, live)
        chosen = [circuit for circuit in circuits if circuit.key in deployed]
        table = self.platform.workspace.observations()
        seen: list[Observation] = []
        not_looked: list[NotLooked] = []
        written: list[WrittenPart] = []
        unwritten = 0
        done = 0
        progress(done, len(chosen))
        parts = self._parts(fleet, look, chosen, deployed)
        for one in self.watch_parts(environment, parts):
            seen += one.observations
            not_looked += one.not_looked
            if len(seen) - unwritten >= _WRITTEN_AT_ONCE:
                written.append(table.write(environment, at, seen[unwritten:]))
                unwritten = len(seen)
            done = min(done + _CIRCUITS_AT_ONCE, len(chosen))
            progress(done, len(chosen))
        seen += [plainly(one) for one in self._around(fleet, environment, circuits, live, at)]
        if len(seen) > unwritten:
            written.append(table.write(environment, at, seen[unwritten:]))
        history = table.remembered(environment, at - HISTORY, at, at - RECENT)
        findings = self.judge(seen, history, at)
        stored = bool(written) and table.publish(environment, at, written)
        outcomes = Counter(one.outcome for one in seen)
        keys = [circuit.key for circuit in (chosen if environment in SERVED_IN else circuits)]
        looked = Looked(environment, at, seen, keys, look.whole)
        owners = _owners(fleet)
        changes = self.platform.control.alarms.settle(
            LastLook(environment, at, len(chosen), dict(outcomes)),
            lambda open_alarms: next_alarms(open_alarms, findings, looked, owners),
        )
        return Monitored(
            environment,
            at,
            len(chosen),
            dict(outcomes),
            tuple(changes),
            tuple(self.platform.control.alarms.open_ones(environment)),
            tuple(one for one in seen if one.outcome in (Outcome.NOT_ENOUGH_DATA, Outcome.NOT_MEASURED)),
            tuple(not_looked),
            tuple(circuit.key for circuit in circuits if circuit.key not in deployed),
            stored,
        )

    def _deployed(
        self,
        environment: EnvironmentName,
        circuits: Sequence[Circuit],
        live: Mapping[str, NumberedRelease],
    ) -> Mapping[CircuitKey, tuple[str, int]]:
        """By circuit the model and version that is used there."""
        if environment in SERVED_IN:
            return {
                circuit.key: (model.name, model.version)
                for circuit in circuits
                if (release := live.get(circuit.key.plant)) is not None
                and (model := release.release.circuits.get(circuit.key.circuit)) is not None
            }
        intent = self.platform.control.states.intent()
        used = {**intent.selected, **intent.champions}
        return {
            circuit.key: (circuit.model_name, version)
            for circuit in circuits
            if (version := used.get(circuit.model_name)) is not None
        }

    def _parts(
        self,
        fleet: Fleet,
        look: _Look,
        circuits: Sequence[Circuit],
        deployed: Mapping[CircuitKey, tuple[str, int]],
    ) -> Iterator[PartToWatch]:
        """One after the other, so that never all of a large fleet is in memory."""
        tables = self.platform.workspace.tables
        versions = {
            name: version
            for name in {circuit.data_source for circuit in circuits}
            if (version := tables[name].latest_version()) is not None
        }
        days = tuple(self._days(look.environment, look.at))
        # Bounds on backtests are looked at before anything is deployed.
        settings = replace(fleet.settings.environments[look.environment], thresholds=Thresholds(sensors={}))
        for start in range(0, len(circuits), _CIRCUITS_AT_ONCE):
            some = circuits[start : start + _CIRCUITS_AT_ONCE]
            watched = tuple(self._to_watch(some, deployed))
            yield PartToWatch(look.environment, watched, look.at, look.until, versions, days, settings)

    def _days(self, environment: EnvironmentName, at: datetime) -> Iterator[date]:
        if environment not in SERVED_IN:
            return
        first = (at - LOOK_BACK).date()
        for day in self.platform.workspace.forecasts(environment).days():
            if first <= day <= at.date():
                yield day

    def _to_watch(
        self, circuits: Sequence[Circuit], deployed: Mapping[CircuitKey, tuple[str, int]]
    ) -> Iterator[ToWatch]:
        workspace = self.platform.workspace
        held = workspace.models.versions({deployed[circuit.key][0] for circuit in circuits})
        registered = {(one.name, one.version): one for versions in held.values() for one in versions}
        found = {circuit.key: registered.get(deployed[circuit.key]) for circuit in circuits}
        digests = [
            one.data_digest for one in found.values() if one is not None and one.data_digest is not None
        ]
        assets = workspace.data.held(digests)
        for circuit in circuits:
            name, number = deployed[circuit.key]
            version = found[circuit.key]
            digest = None if version is None else version.data_digest
            asset = None if digest is None else assets.get(digest)
            yield ToWatch(circuit, f"{name}:{number}", asset, _expected(version))

    def _around(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        circuits: Sequence[Circuit],
        live: Mapping[str, NumberedRelease],
        at: datetime,
    ) -> list[Observation]:
        """What there is to see of plants and of training."""
        if environment not in SERVED_IN:
            hashes = {training_hash(training_inputs(circuit)): circuit for circuit in circuits}
            attempts = self.platform.workspace.jobs.failing(list(hashes))
            trained = [(circuit, attempts.get(wanted, ())) for wanted, circuit in hashes.items()]
            return training_failures(environment, trained, at)
        endpoints = self.platform.workspace.endpoints
        standing = endpoints.standing(environment)
        fared = endpoints.fared(environment, at - KEPT)
        last = self.platform.control.alarms.last_looks().get(environment)
        settings = fleet.settings.environments[environment]
        asked = {circuit.key.plant for circuit in circuits if circuit.serving is Serving.ENDPOINT}
        found: list[Observation] = []
        for plant in sorted(asked & set(live)):
            asked_of = PlantServed(live[plant], standing.get(plant), fared.get(plant, ()))
            found += endpoint_health(asked_of, settings, None if last is None else last.at, at)
        return found


def _expected(version: ModelVersion | None) -> Mapping[str, float]:
    scores = {} if version is None else version.model.scores.sensors
    return {name: one.mae for name, one in scores.items() if one.mae is not None}


def _owners(fleet: Fleet) -> Callable[[Cause], str | None]:
    """Whose circuits a cause is about; None where that is said nowhere, or of several people."""
    by_circuit = {circuit.key: circuit.owner or None for circuit in fleet.circuits}
    by_plant: dict[str, set[str | None]] = {}
    for key, owner in by_circuit.items():
        by_plant.setdefault(key.plant, set()).add(owner)

    def owner_of(cause: Cause) -> str | None:
        if cause.circuit is not None:
            return by_circuit.get(CircuitKey(cause.plant, cause.circuit))
        of_plant = by_plant.get(cause.plant, set())
        return next(iter(of_plant)) if len(of_plant) == 1 else None

    return owner_of
