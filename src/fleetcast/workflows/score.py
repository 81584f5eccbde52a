"""Forecast a whole fleet by its live releases, and publish that for a day: all of it at once, and once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from fleetcast.domain import happened
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Source
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.role import Right
from fleetcast.pipeline.batch_scoring import NotScored, Part, PartScored, Replaced, ToScore
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.forecast_rows import MadeBy
from fleetcast.pipeline.releases import check_served_in, previous_of
from fleetcast.pipeline.scoring import who_serves
from fleetcast.ports.clock import Clock
from fleetcast.ports.forecasts import ForecastTable
from fleetcast.ports.platform import Platform
from fleetcast.workflows.exclusive import holder

_CIRCUITS_AT_ONCE = 200
"""In one part: what is in memory at the same time, for each process."""
ScoreParts = Callable[[EnvironmentName, Sequence[Part]], Iterator[PartScored]]
"""Forecasts parts and keeps what comes of them, in their order; several at the same time if it can."""


@dataclass(frozen=True, slots=True)
class FleetScored:
    """What was published, and what of it is not as it should be."""

    environment: EnvironmentName
    day: date
    issue: int | None
    """None: there was nothing to do, or nothing could be forecast."""
    version: int | None
    """Of the table, which shows it."""
    circuits: int = 0
    rows: int = 0
    by_source: Mapping[Source, int] = field(default_factory=dict)
    """How many sensors."""
    replaced: tuple[Replaced, ...] = ()
    stale: tuple[CircuitKey, ...] = ()
    """Forecast from readings that are older than a few steps."""
    not_scored: tuple[NotScored, ...] = ()
    not_served: tuple[CircuitKey, ...] = ()
    """Wanted, and no release serves them."""
    there_already: int = 0
    """Circuits whose forecasts of that day are published, and stay as they are."""


@dataclass(frozen=True, slots=True)
class ScoreFleet:
    """Forecasts circuits by what serves them, and publishes them for a day."""

    platform: Platform
    clock: Clock
    commit: str
    """Git commit of the fleet repository."""
    score_parts: ScoreParts

    def __call__(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        *,
        day: date | None = None,
        patterns: Sequence[str] = (),
        supersede: bool = False,
        lock_timeout: timedelta = timedelta(0),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> FleetScored:
        """Publish what is not there yet; with `supersede`, what is there gives way to another issue.

        Args:
            fleet: As declared.
            environment: Whose releases forecast.
            day: Which it is for, by UTC: a past one is forecast from the readings before it began. None: today, from
                all readings until now.
            patterns: Of the circuits that are wanted; all without any.
            supersede: Whether a circuit whose forecasts are there is forecast anew.
            lock_timeout: How long to wait for another process that publishes there.
            progress: Told how many circuits of how many are done.

        Raises:
            Denied: Whoever acts may not publish there.
            BadInput: Nothing is served there, a pattern matches nothing, or the day has not come.
            RunInProgress: Another process publishes there.
            Unavailable: The table or the readings cannot be reached; readers see what they saw.
        """
        control = self.platform.control
        control.require_somewhere(Right.OPERATE)
        check_served_in(environment)
        now = self.clock.now()
        day, at = _moment(day, now)
        wanted = set(matching([circuit.key for circuit in fleet.circuits], patterns))
        control.require(
            Right.OPERATE,
            *(Scope(environment=environment, plant=plant) for plant in {key.plant for key in wanted}),
        )
        table = self.platform.workspace.forecasts(environment)
        with control.forecasts.exclusive(environment, holder(control, self.clock), lock_timeout):
            self._finish(environment, table)
            there = set(table.circuits(day)) & wanted
            chosen = wanted if supersede else wanted - there
            circuits = [circuit for circuit in fleet.circuits if circuit.key in chosen]
            served = list(self._served(circuits, environment, now))
            left = chosen - {one.circuit.key for one in served}
            found = FleetScored(
                environment,
                day,
                None,
                self._shown(table, day),
                not_served=tuple(sorted(left)),
                there_already=0 if supersede else len(there),
            )
            return self._published(found, served, table, at, now, progress) if served else found

    def _published(
        self,
        found: FleetScored,
        served: Sequence[ToScore],
        table: ForecastTable,
        at: datetime,
        now: datetime,
        progress: Callable[[int, int], None],
    ) -> FleetScored:
        number = _last(table, found.day) + 1
        made_by = MadeBy(self.commit, number, now)
        versions = {
            name: version
            for name in {one.circuit.data_source for one in served}
            if (version := self.platform.workspace.tables[name].latest_version()) is not None
        }
        parts = [
            Part(tuple(served[start : start + _CIRCUITS_AT_ONCE]), found.day, at, versions, made_by)
            for start in range(0, len(served), _CIRCUITS_AT_ONCE)
        ]
        scored: list[PartScored] = []
        done = 0
        progress(done, len(served))
        for part, one in zip(parts, self.score_parts(found.environment, parts), strict=True):
            scored.append(one)
            done += len(part.circuits)
            progress(done, len(served))
        told = _together(found, scored)
        if not told.circuits:
            return told
        return self._shown_to_readers(told, scored, table, number)

    def _shown_to_readers(
        self,
        told: FleetScored,
        scored: Sequence[PartScored],
        table: ForecastTable,
        number: int,
    ) -> FleetScored:
        replaced = [key for one in scored for key in one.circuits]
        written = [one.written for one in scored if one.written is not None]
        event = happened.forecasts_published(
            told.environment, told.day, number, self.commit, told.circuits, len(told.replaced)
        )
        versions: list[int] = []
        CarryOut(self.platform.control.effects, self.clock)(
            [Effect(_key(told.environment, told.day, number), event)],
            do=lambda: versions.append(table.publish(told.day, number, written, replaced)),
            done=lambda keys: keys if _last(table, told.day) >= number else (),
            what=f"forecasts of {told.day}",
        )
        shown = versions[-1] if versions else self._shown(table, told.day)
        return replace(told, issue=number, version=shown, rows=sum(part.rows for part in written))

    def _finish(self, environment: EnvironmentName, table: ForecastTable) -> None:
        """Record what a process published that had no time to say so."""
        effects = self.platform.control.effects
        left = [one for one in effects.unconfirmed() if one.key.startswith(_key(environment))]
        done = []
        for one in left:
            day = date.fromisoformat(str(one.event.detail["day"]))
            if _last(table, day) >= int(str(one.event.detail["issue"])):
                done.append(one)
        effects.record(done)

    def _served(
        self, circuits: Sequence[Circuit], environment: EnvironmentName, now: datetime
    ) -> Iterator[ToScore]:
        """What forecasts each, as clients are answered too."""
        releases = self.platform.control.releases
        live = releases.live(environment)
        standing = self.platform.workspace.endpoints.standing(environment)
        refused = self.platform.control.states.refused()
        previous = {
            plant: previous_of(releases, release, refused)
            for plant, release in live.items()
            if plant in {circuit.key.plant for circuit in circuits}
        }
        for circuit in circuits:
            plant, name = circuit.key.plant, circuit.key.circuit
            release = live.get(plant)
            if release is None or name not in release.release.circuits:
                continue
            told = standing.get(plant)
            overrides = {} if told is None else {one.circuit: one for one in told.overrides}
            serves, why = who_serves(
                circuit,
                release.release.circuits[name],
                previous[plant].get(name),
                overrides.get(name),
                now,
            )
            yield ToScore(circuit, serves, why, release.number)

    @staticmethod
    def _shown(table: ForecastTable, day: date) -> int | None:
        issues = table.issues(day)
        return issues[-1].version if issues else None


def _moment(day: date | None, now: datetime) -> tuple[date, datetime]:
    """The day, and the moment before which readings are used."""
    today = now.astimezone(UTC).date()
    if day is None or day == today:
        return today, now
    if day > today:
        raise BadInput(f"{day} has not come", fix=f"name a day until {today}, by UTC")
    return day, datetime.combine(day, time(), UTC)


def _last(table: ForecastTable, day: date) -> int:
    issues = table.issues(day)
    return issues[-1].number if issues else 0


def _key(environment: EnvironmentName, day: date | None = None, number: int = 0) -> str:
    begin = f"publish forecasts of {environment} "
    return begin if day is None else f"{begin}{day}:{number}"


def _together(found: FleetScored, scored: Sequence[PartScored]) -> FleetScored:
    by_source: Counter[Source] = Counter()
    for one in scored:
        by_source.update(one.by_source)
    return replace(
        found,
        circuits=sum(len(one.circuits) for one in scored),
        by_source=dict(by_source),
        replaced=tuple(each for one in scored for each in one.replaced),
        stale=tuple(key for one in scored for key in one.stale),
        not_scored=tuple(each for one in scored for each in one.not_scored),
    )
