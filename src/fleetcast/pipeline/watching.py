"""Looking at many circuits at once: readings are read in one pass, training rows only of what is not learnt yet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.drift import Observation, Outcome
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import EnvironmentSettings
from fleetcast.domain.snapshot import DataAsset
from fleetcast.forecasting.resampling import Micros, instant, micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.profiles import Profiles
from fleetcast.pipeline.signals.observing import Learnt
from fleetcast.pipeline.signals.watched import LOOK_BACK, Published, WatchedCircuit, Window
from fleetcast.ports.forecasts import ForecastTable
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
Observe = Callable[[WatchedCircuit, datetime, Learnt], list[Observation]]
"""Looks at one circuit; as `signals.observing.observe`."""


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

    observations: tuple[Observation, ...]
    not_looked: tuple[NotLooked, ...]


@dataclass(frozen=True, slots=True)
class WatchPart:
    """Looks at parts."""

    tables: Mapping[str, ReadingsTable]
    frozen: FrozenRows
    forecasts: ForecastTable
    profiles: Profiles
    observe: Observe

    def __call__(self, part: PartToWatch) -> PartWatched:
        """Look at a part; in memory are its newest readings, its forecasts and the training rows of one circuit.

        Training rows are read of those circuits alone of which is not known yet what is normal.

        Raises:
            Unavailable: Readings or forecasts cannot be reached.
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
        watched: dict[CircuitKey, WatchedCircuit] = {}
        for one in readable:
            key = one.circuit.key
            now, newest = current[key]
            if now.conflict:
                not_looked.append(NotLooked(key, f"the table contradicts itself: {now.conflict}"))
            watched[key] = _watched(part, one, now, newest, published.get(key))
        for one, learnt, problem in self._learnt(part, readable, watched):
            key = one.circuit.key
            if problem:
                not_looked.append(NotLooked(key, problem))
            seen += [plainly(each) for each in self.observe(watched[key], part.at, learnt)]
        return PartWatched(tuple(seen), tuple(not_looked))

    def _learnt(
        self,
        part: PartToWatch,
        circuits: Sequence[ToWatch],
        watched: Mapping[CircuitKey, WatchedCircuit],
    ) -> Iterator[tuple[ToWatch, Learnt, str]]:
        """What is normal for each circuit, and what is wrong with the rows that say it."""
        unknown = []
        for one in circuits:
            fingerprint = _fingerprint(one)
            known = None
            if fingerprint is not None:
                known = self.profiles.known(watched[one.circuit.key], fingerprint)
            if known is None:
                unknown.append(one)
            else:
                yield one, known, ""
        for one, reference, problem in self._references(unknown):
            circuit = replace(watched[one.circuit.key], reference=reference.window)
            fingerprint = _fingerprint(one) if reference.proven(one) else None
            yield one, self.profiles.learnt(circuit, fingerprint, part.at), problem

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

    def _references(self, circuits: Sequence[ToWatch]) -> Iterator[tuple[ToWatch, _Reference, str]]:
        """What each deployed version was trained on, one after the other, and what is wrong with that."""
        elsewhere: dict[tuple[str, int], list[ToWatch]] = {}
        for one in circuits:
            asset = one.trained_on
            if one.model is None:
                yield one, _Reference(None, one.circuit.features), ""
            elif asset is not None and self.frozen.holds(asset.fingerprint):
                try:
                    rows = self.frozen.load(asset.fingerprint, one.circuit.key)
                except FleetcastError as error:
                    problem = f"its training rows cannot be read: {error}"
                    yield one, _Reference(None, one.circuit.features), problem
                else:
                    yield one, _Reference(rows, rows.sensors, frozen=True), ""
            else:
                source = one.circuit.data_source if asset is None else asset.source
                version = one.circuit.delta_version if asset is None else asset.delta_version
                elsewhere.setdefault((source, version), []).append(one)
        for (source, version), some in elsewhere.items():
            yield from self._from_table(source, version, some)

    def _from_table(
        self, source: str, version: int, circuits: Sequence[ToWatch]
    ) -> Iterator[tuple[ToWatch, _Reference, str]]:
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
                    yield left.pop(readings.key), _Reference(readings, readings.sensors), ""
            except FleetcastError as error:
                problem = f"its training rows cannot be read: {error}"
        for one in left.values():
            yield one, _Reference(None, one.circuit.features), problem

    def _published(self, part: PartToWatch, circuits: Sequence[ToWatch]) -> dict[CircuitKey, Published]:
        """What the deployed versions themselves forecast; what took their place says nothing of them."""
        by_key = {one.circuit.key: one for one in circuits if one.model is not None}
        if not by_key or not part.days:
            return {}
        # Steps that are still to come are held against nothing; the first day says where forecasts lie.
        first_day = max(max(_DAY // one.circuit.frequency, 1) for one in by_key.values())
        matters = (pl.col("source") == Source.MODEL.value) & (
            (pl.col("timestamp") <= part.at) | (pl.col("step") <= first_day)
        )
        lines: dict[CircuitKey, list[_Line]] = {}
        for rows in self.forecasts.by_day(part.days, list(by_key), _READ):
            for key, model, line in _lines(rows.filter(matters)):
                if model == by_key[key].model:
                    lines.setdefault(key, []).append(line)
        return {key: _published(some, by_key[key].circuit) for key, some in lines.items()}


_VALUES = ("point", "lower_80", "upper_80")
_TOGETHER = ("plant_id", "circuit_id", "sensor", "model", "version")
_READ = (*_TOGETHER, "step", "timestamp", *_VALUES, "source")


@dataclass(frozen=True, slots=True)
class _Reference:
    """Rows that say what is normal; None: there are none to be had."""

    rows: Readings | None
    sensors: tuple[str, ...]
    frozen: bool = False
    """They were kept by their fingerprint, and have it."""

    @property
    def window(self) -> Window:
        return Window.empty(self.sensors) if self.rows is None else _window(self.rows)

    def proven(self, one: ToWatch) -> bool:
        """Whether these are the rows that the version was trained on, bit for bit."""
        return self.frozen or (self.rows is not None and self.rows.fingerprint() == _fingerprint(one))


def _fingerprint(one: ToWatch) -> Digest | None:
    """Of the rows that the deployed version was trained on; None: unknown."""
    return None if one.model is None or one.trained_on is None else one.trained_on.fingerprint


def _watched(
    part: PartToWatch, one: ToWatch, now: Readings, newest: datetime | None, published: Published | None
) -> WatchedCircuit:
    """A circuit as it is looked at, before its reference is read."""
    circuit = one.circuit
    return WatchedCircuit(
        key=circuit.key,
        environment=part.environment,
        model=one.model,
        frequency=circuit.frequency,
        sensors=circuit.features,
        reference=Window.empty(circuit.features),
        current=_window(now),
        settings=part.settings,
        published=published or Published.nothing(circuit.targets),
        expected_error={name: np.array([mae]) for name, mae in one.expected_mae.items()},
        limits=circuit.sensor_limits,
        newest=newest,
        data_end=_data_end(one),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """Forecasts of one sensor that stand together in the table."""

    sensor: str
    steps: npt.NDArray[np.int64]
    """Counted from 1."""
    times: Micros
    values: Floats
    """Of `_VALUES`; shape (3, n)."""


def published(rows: pl.DataFrame, circuit: Circuit) -> Published:
    """Forecasts of one circuit as they are measured: one origin after the other.

    Args:
        rows: Of the table of forecasts, of any days.
        circuit: Whose they are.
    """
    return _published([line for _, _, line in _lines(rows)], circuit)


def _lines(rows: pl.DataFrame) -> Iterator[tuple[CircuitKey, str, _Line]]:
    """Rows cut where circuit, model or sensor change: what stands together in the table stays together.

    Of millions of rows, texts are looked at where they change alone.
    """
    if rows.is_empty():
        return
    changes = rows.select(pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in _TOGETHER))
    begins = np.flatnonzero(changes.to_series().fill_null(value=True).to_numpy())
    heads = rows.select(*_TOGETHER)[begins].iter_rows()
    steps = rows["step"].to_numpy().astype(np.int64)
    times = rows["timestamp"].dt.epoch("us").to_numpy()
    values = np.stack([rows[name].to_numpy() for name in _VALUES])
    ends = [*begins[1:], len(rows)]
    for (plant, circuit, sensor, model, version), begin, end in zip(heads, begins, ends, strict=True):
        line = _Line(sensor, steps[begin:end], times[begin:end], values[:, begin:end])
        yield CircuitKey(plant, circuit), f"{model}:{version}", line


def _published(lines: Sequence[_Line], circuit: Circuit) -> Published:
    sensors = circuit.targets
    columns = {name: number for number, name in enumerate(sensors)}
    lines = [line for line in lines if line.sensor in columns]
    if not lines:
        return Published.nothing(sensors)
    steps = np.concatenate([line.steps for line in lines]) - 1
    begins = np.concatenate([line.times for line in lines]) - steps * (circuit.frequency // _MICROSECOND)
    origins, origin = np.unique(begins, return_inverse=True)
    column = np.repeat([columns[line.sensor] for line in lines], [len(line.steps) for line in lines])
    shape = len(_VALUES), len(origins), int(steps.max()) + 1, len(sensors)
    laid = np.full(shape, np.nan)
    laid[:, origin, steps, column] = np.concatenate([line.values for line in lines], axis=1)
    point, lower, upper = laid
    return Published(origins.astype(np.int64), point, lower, upper, sensors)


def plainly(one: Observation) -> Observation:
    """An observation that can be stored and sent: what is no number is not measured, and says so."""
    detail = {
        name: value
        for name, value in one.detail.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
    numbers = (one.value, one.threshold, one.p_value, one.impact)
    as_it_is = isinstance(one.detail, dict) and len(detail) == len(one.detail)
    if as_it_is and all(number is None or math.isfinite(number) for number in numbers):
        return one
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
