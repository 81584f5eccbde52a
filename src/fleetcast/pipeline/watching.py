"""Looking at many circuits at once: readings are read in one pass, training rows one circuit after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.drift import Observation, Outcome
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.snapshot import DataAsset
from fleetcast.forecasting.resampling import Micros, instant, micros
from fleetcast.pipeline.signals.watched import LOOK_BACK, Published, WatchedCircuit, Window
from fleetcast.ports.forecasts import ForecastTable, WrittenPart
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.observations import ObservationTable
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

_MICROSECOND = timedelta(microseconds=1)
Observe = Callable[[WatchedCircuit, datetime], list[Observation]]
"""Looks at one circuit."""


@dataclass(frozen=True, slots=True)
class ToWatch:
    """A circuit, and what is deployed for it."""

    circuit: Circuit
    model: str | None
    """`NAME:VERSION`; None: nothing is."""
    trained_on: DataAsset | None
    """None: nothing is deployed, or it was trained elsewhere; then what the circuit declares stands for it."""
    expected_mae: Mapping[str, float]
    """By sensor, of the backtest."""


@dataclass(frozen=True, slots=True)
class PartToWatch:
    """Some circuits of a look."""

    environment: EnvironmentName
    circuits: tuple[ToWatch, ...]
    at: datetime
    """Aware UTC: up to when is looked."""
    until: datetime
    """Up to when readings are read: of the present, also those whose clock runs ahead."""
    versions: Mapping[str, int]
    """Of the tables, by data source."""
    days: tuple[date, ...]
    """For which forecasts are published, as far back as is looked."""
    settings: EnvironmentSettings


@dataclass(frozen=True, slots=True)
class NotLooked:
    """A circuit of which something could not be read, and what."""

    key: CircuitKey
    why: str


@dataclass(frozen=True, slots=True)
class PartWatched:
    """What a part showed."""

    written: WrittenPart | None
    """None: nothing was seen."""
    observations: tuple[Observation, ...]
    not_looked: tuple[NotLooked, ...]


@dataclass(frozen=True, slots=True)
class WatchPart:
    """Looks at parts, and keeps what they show where nobody sees it yet."""

    tables: Mapping[str, ReadingsTable]
    frozen: FrozenRows
    forecasts: ForecastTable
    kept: ObservationTable
    observe: Observe

    def __call__(self, part: PartToWatch) -> PartWatched:
        """Look at a part; in memory are its newest readings, its forecasts and the training rows of one circuit.

        Raises:
            Unavailable: Readings, forecasts or the table of observations cannot be reached.
        """
        not_looked: list[NotLooked] = []
        readable = []
        for one in part.circuits:
            if one.circuit.data_source in part.versions:
                readable.append(one)
            else:
                why = f"there are no readings of {one.circuit.data_source}"
                not_looked.append(NotLooked(one.circuit.key, why))
        current = self._newest_readings(part, readable)
        published = self._published(part, readable)
        seen: list[Observation] = []
        for one, reference, problem in self._references(readable):
            key = one.circuit.key
            if problem:
                not_looked.append(NotLooked(key, problem))
            now, newest = current[key]
            if now.conflict:
                not_looked.append(NotLooked(key, f"the table contradicts itself: {now.conflict}"))
            watched = WatchedCircuit(
                key=key,
                environment=part.environment,
                model=one.model,
                frequency=one.circuit.frequency,
                sensors=one.circuit.features,
                reference=reference,
                current=_window(now),
                settings=part.settings,
                published=published.get(key, Published.nothing(one.circuit.targets)),
                expected_error={name: np.array([mae]) for name, mae in one.expected_mae.items()},
                limits=one.circuit.sensor_limits,
                newest=newest,
                data_end=_data_end(one),
            )
            seen += [plainly(each) for each in self.observe(watched, part.at)]
        written = self.kept.write(part.environment, part.at, seen) if seen else None
        return PartWatched(written, tuple(seen), tuple(not_looked))

    def _newest_readings(
        self, part: PartToWatch, circuits: Sequence[ToWatch]
    ) -> dict[CircuitKey, tuple[Readings, datetime | None]]:
        """The newest readings of all, and when each circuit was read last."""
        start, end = part.at - LOOK_BACK, part.until
        found = {
            readings.key: (readings, _newest(readings, part.at))
            for readings in self._read(part, circuits, lambda _one: start, end)
        }
        # Silent for longer than is looked back: when it was read last is looked for from its training data on.
        silent = [one for one in circuits if found[one.circuit.key][1] is None]
        for readings in self._read(part, silent, lambda one: _training_span(one)[0], start):
            found[readings.key] = (found[readings.key][0], _newest(readings, part.at))
        return found

    def _read(
        self,
        part: PartToWatch,
        circuits: Sequence[ToWatch],
        start_of: Callable[[ToWatch], datetime],
        end: datetime,
    ) -> Iterator[Readings]:
        wanted: dict[str, list[ReadingsWanted]] = {}
        for one in circuits:
            start = min(start_of(one), end)
            asked = ReadingsWanted(one.circuit.key, one.circuit.features, start, end)
            wanted.setdefault(one.circuit.data_source, []).append(asked)
        for source, asking in wanted.items():
            yield from self.tables[source].read(asking, part.versions[source])

    def _references(self, circuits: Sequence[ToWatch]) -> Iterator[tuple[ToWatch, Window, str]]:
        """What each deployed version was trained on, one after the other, and what is wrong with that."""
        elsewhere: dict[tuple[str, int], list[ToWatch]] = {}
        for one in circuits:
            asset = one.trained_on
            if one.model is None:
                yield one, Window.empty(one.circuit.features), ""
            elif asset is not None and self.frozen.holds(asset.fingerprint):
                try:
                    rows = _window(self.frozen.load(asset.fingerprint, one.circuit.key))
                except FleetcastError as error:
                    yield (
                        one,
                        Window.empty(one.circuit.features),
                        f"its training rows cannot be read: {error}",
                    )
                else:
                    yield one, rows, ""
            else:
                source = one.circuit.data_source if asset is None else asset.source
                version = one.circuit.delta_version if asset is None else asset.delta_version
                elsewhere.setdefault((source, version), []).append(one)
        for (source, version), some in elsewhere.items():
            yield from self._from_table(source, version, some)

    def _from_table(
        self, source: str, version: int, circuits: Sequence[ToWatch]
    ) -> Iterator[tuple[ToWatch, Window, str]]:
        """The rows of the pinned version of their table, in one pass."""
        left = {one.circuit.key: one for one in circuits}
        wanted = []
        for one in circuits:
            sensors = one.circuit.features if one.trained_on is None else one.trained_on.sensors
            wanted.append(ReadingsWanted(one.circuit.key, sensors, *_training_span(one)))
        problem = f"there is no data source {source} any more"
        if source in self.tables:
            problem = ""
            try:
                for readings in self.tables[source].read(wanted, version):
                    yield left.pop(readings.key), _window(readings), ""
            except FleetcastError as error:
                problem = f"its training rows cannot be read: {error}"
        for one in left.values():
            yield one, Window.empty(one.circuit.features), problem

    def _published(self, part: PartToWatch, circuits: Sequence[ToWatch]) -> dict[CircuitKey, Published]:
        """What the deployed versions themselves forecast; what took their place says nothing of them."""
        by_key = {one.circuit.key: one for one in circuits if one.model is not None}
        if not by_key or not part.days:
            return {}
        rows = pl.concat(
            self.forecasts.read(day, list(by_key))
            .filter(pl.col("source") == Source.MODEL.value)
            .select(*_READ, pl.format("{}:{}", "model", "version").alias("made_by"))
            for day in part.days
        )
        return {
            key: published(some.filter(pl.col("made_by") == one.model), one.circuit)
            for (plant, circuit), some in rows.partition_by("plant_id", "circuit_id", as_dict=True).items()
            if (one := by_key.get(key := CircuitKey(str(plant), str(circuit)))) is not None
        }


_READ = ("plant_id", "circuit_id", "sensor", "step", "timestamp", "point", "lower_80", "upper_80")


def published(rows: pl.DataFrame, circuit: Circuit) -> Published:
    """Forecasts of one circuit as they are measured: one origin after the other.

    Args:
        rows: Of the table of forecasts, of any days.
        circuit: Whose they are.
    """
    sensors = circuit.targets
    rows = rows.filter(pl.col("sensor").is_in(list(sensors)))
    if rows.is_empty():
        return Published.nothing(sensors)
    steps = rows["step"].to_numpy().astype(np.int64) - 1
    begins = rows["timestamp"].dt.epoch("us").to_numpy() - steps * (circuit.frequency // _MICROSECOND)
    origins, origin = np.unique(begins, return_inverse=True)
    columns = {name: number for number, name in enumerate(sensors)}
    column = np.array([columns[name] for name in rows["sensor"]])
    shape = len(origins), int(steps.max()) + 1, len(sensors)
    lines = []
    for name in ("point", "lower_80", "upper_80"):
        line = np.full(shape, np.nan)
        line[origin, steps, column] = rows[name].to_numpy()
        lines.append(line)
    point, lower, upper = lines
    return Published(origins.astype(np.int64), point, lower, upper, sensors)


def plainly(one: Observation) -> Observation:
    """An observation that can be stored and sent: what is no number is not measured, and says so."""
    detail = {
        name: value
        for name, value in one.detail.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
    numbers = (one.value, one.threshold, one.p_value, one.impact)
    if all(number is None or math.isfinite(number) for number in numbers):
        return replace(one, detail=detail)
    return replace(
        one,
        outcome=Outcome.NOT_MEASURED,
        value=None,
        threshold=one.threshold if one.threshold is not None and math.isfinite(one.threshold) else None,
        p_value=None,
        impact=0.0,
        detail=detail | {"why": "what was measured is no number"},
    )


def _training_span(one: ToWatch) -> tuple[datetime, datetime]:
    if one.trained_on is None:
        return one.circuit.window_start, one.circuit.cutoff.end
    return one.trained_on.start, one.trained_on.end


def _data_end(one: ToWatch) -> datetime | None:
    return None if one.model is None else _training_span(one)[1]


def _window(readings: Readings) -> Window:
    return Window(readings.times, readings.values, readings.sensors)


def _newest(readings: Readings, at: datetime) -> datetime | None:
    """When a circuit was read last, as far as that has come already."""
    there: Micros = readings.times[np.isfinite(readings.values).any(axis=1) & (readings.times <= micros(at))]
    return instant(int(there[-1])) if len(there) else None
